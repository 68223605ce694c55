// SPDX-License-Identifier: GPL-2.0-only
#include "util/http_header.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "bearer"
/* RFC 1035, with the final dot. */
#define NAME_MAX_LEN 254

const char *fw_http_bearer(const char *authorization)
{
	size_t len = strlen(SCHEME);

	if (!authorization || strncasecmp(authorization, SCHEME, len) || authorization[len] != ' ')
		return NULL;
	return authorization + len + strspn(authorization + len, " ");
}

/* "name" of "name:9435", "::1" of "[::1]:9435"; false: it is neither. */
static bool split_port(const char *host, char name[NAME_MAX_LEN + 1])
{
	bool v6 = *host == '[';
	const char *begin = host + v6, *port;
	size_t len = strcspn(begin, v6 ? "]" : ":");

	if (!len || len > NAME_MAX_LEN || (v6 && begin[len] != ']'))
		return false;
	port = begin + len + v6;
	if (*port && (*port != ':' || port[1 + strspn(port + 1, "0123456789")]))
		return false;
	snprintf(name, NAME_MAX_LEN + 1, "%.*s", (int)len, begin);
	return true;
}

static bool is_name(const char *host, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len && !strncasecmp(host, name, len) &&
	       (!host[len] || (host[len] == '.' && !host[len + 1]));
}

bool fw_http_host_is_local(const char *host, const char *name)
{
	char text[NAME_MAX_LEN + 1];
	struct in6_addr v6;
	struct in_addr v4;

	if (!split_port(host, text))
		return false;
	if (*host == '[')
		return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return is_name(text, "localhost") || is_name(text, name);
}
