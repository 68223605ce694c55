// SPDX-License-Identifier: GPL-2.0-only
#include "util/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fmt.h"

int fw_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct fw_err *err)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || v < min || v > max)
		return fw_err_set(err, -EINVAL, "'%s' is not a whole number from %llu to %llu",
				  text, (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return 0;
}

int fw_parse_duration(const char *text, uint64_t *out_ns, struct fw_err *err)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = { { "", 1e9 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	double v;
	char *end;

	/* strtod() would take hexadecimal, infinity and signs. */
	errno = 0;
	v = strspn(text, "0123456789.") ? strtod(text, &end) : -1;
	if (v < 0 || text[1] == 'x' || text[1] == 'X')
		end = (char *)text;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (errno || end == text || strcmp(end, units[i].suffix))
			continue;
		if (v < 0 || !(v * units[i].ns < 1e18))
			break;
		*out_ns = (uint64_t)(v * units[i].ns + 0.5);
		return 0;
	}
	return fw_err_set(err, -EINVAL, "'%s' is not a duration such as 250ms, 30s, 5m or 2h", text);
}

int fw_parse_ports(const char *text, uint16_t *out, int max, struct fw_err *err)
{
	char one[8];
	int n = 0;

	for (;;) {
		size_t len = strcspn(text, ",");
		uint64_t port = 0;

		if (n == max)
			return fw_err_set(err, -EINVAL, "more than %d ports", max);
		snprintf(one, sizeof(one), "%.*s", (int)(len < sizeof(one) ? len : sizeof(one)), text);
		if (len >= sizeof(one) || fw_parse_u64(one, 1, 65535, &port, NULL))
			return fw_err_set(err, -EINVAL,
					  "'%.*s' is not a port number from 1 to 65535", (int)len,
					  text);
		out[n++] = (uint16_t)port;
		if (!text[len])
			return n;
		text += len + 1;
	}
}

/* ::ffff:a.b.c.d is the IPv4 address it maps; connections are shown that way, too. */
static void unmap_v4(uint8_t addr[16], uint32_t *family, uint32_t *prefix_len)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (*family != AF_INET6 || memcmp(addr, mapped, 12) || *prefix_len < 96)
		return;
	memmove(addr, addr + 12, 4);
	memset(addr + 4, 0, 12);
	*family = AF_INET;
	*prefix_len -= 96;
}

int fw_parse_cidr(const char *text, uint8_t addr[16], uint32_t *family, uint32_t *prefix_len,
		  struct fw_err *err)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	uint64_t bits, max;
	int n;

	n = snprintf(host, sizeof(host), "%.*s", slash ? (int)(slash - text) : (int)strlen(text),
		     text);
	memset(addr, 0, 16);
	*family = strchr(host, ':') ? AF_INET6 : AF_INET;
	max = *family == AF_INET6 ? 128 : 32;
	bits = max;
	if (n < 0 || n >= (int)sizeof(host) || inet_pton((int)*family, host, addr) != 1 ||
	    (slash && fw_parse_u64(slash + 1, 0, max, &bits, NULL)))
		return fw_err_set(err, -EINVAL,
				  "'%s' is not an address or CIDR such as 10.0.0.0/8 or 2001:db8::/32",
				  text);
	*prefix_len = (uint32_t)bits;
	unmap_v4(addr, family, prefix_len);
	return 0;
}
