/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where text from outside becomes numbers. Range-checked; 0 or -EINVAL with @err
 * saying what was expected.
 */
#ifndef FW_UTIL_PARSE_H
#define FW_UTIL_PARSE_H

#include <stdint.h>

#include "util/err.h"

int fw_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct fw_err *err);

int fw_parse_i64(const char *text, int64_t *out, struct fw_err *err);

/* "250ms", "30s", "5m", "2h"; a bare number is seconds ("1.5"). */
int fw_parse_duration(const char *text, uint64_t *out_ns, struct fw_err *err);

/* "2026-11-22T19:08:14.5Z": since the epoch. */
int fw_parse_rfc3339(const char *text, uint64_t *out_ns, struct fw_err *err);

/* "80,443": at most @max ports into @out; returns how many, or -EINVAL. */
int fw_parse_ports(const char *text, uint16_t *out, int max, struct fw_err *err);

/* "10.0.0.0/8", "::1", "192.0.2.7": @family becomes AF_INET or AF_INET6, @addr network order. */
int fw_parse_cidr(const char *text, uint8_t addr[16], uint32_t *family, uint32_t *prefix_len,
		  struct fw_err *err);

#endif
