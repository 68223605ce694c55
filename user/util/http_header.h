/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of HTTP request headers, as clients send them (RFC 9110).
 */
#ifndef FW_UTIL_HTTP_HEADER_H
#define FW_UTIL_HTTP_HEADER_H

#include <stdbool.h>

/* The token of "Bearer TOKEN"; NULL: @authorization is of another scheme, or NULL. The scheme's case does not
 * matter.
 */
const char *fw_http_bearer(const char *authorization);

/* Whether a Host header, with or without a port, names this host as only a client on it does: "localhost", an
 * address of the loopback network, or @name (may be NULL). A page of another site that made its own name resolve to
 * 127.0.0.1 sends that name.
 */
bool fw_http_host_is_local(const char *host, const char *name);

#endif
