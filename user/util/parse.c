// SPDX-License-Identifier: GPL-2.0-only
#include "util/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/fmt.h"

#define DIGITS		"0123456789"
#define DURATION_MAX_NS 1000000000000000000ULL /* 31 years */
#define TIME_SHAPE	"0000-00-00T00:00:00"

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

int fw_parse_i64(const char *text, int64_t *out, struct fw_err *err)
{
	bool negative = *text == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative, v;

	if (fw_parse_u64(text + negative, 0, limit, &v, NULL))
		return fw_err_set(err, -EINVAL, "'%s' is not a whole number", text);
	*out = negative ? (int64_t)-v : (int64_t)v;
	return 0;
}

/*
 * "12.345" times @unit, exactly, rounded to the nearest; returns what follows the number. NULL: there is no
 * number, or it is too large. strtod() would take signs, exponents, hexadecimal, and infinity.
 */
static const char *parse_decimal(const char *text, uint64_t unit, uint64_t *out)
{
	size_t whole = strspn(text, DIGITS), part = text[whole] == '.' ? strspn(text + whole + 1, DIGITS) : 0;
	uint64_t v = 0, fraction = 0, scale = unit;

	if (!whole && !part)
		return NULL;
	for (size_t i = 0; i < whole; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return NULL;
	}
	for (size_t i = 0; i < part && scale; i++) {
		fraction += (uint64_t)(text[whole + 1 + i] - '0') * scale / 10;
		scale /= 10;
	}
	if (__builtin_mul_overflow(v, unit, &v) || __builtin_add_overflow(v, fraction, &v))
		return NULL;
	*out = v;
	return text + whole + (text[whole] == '.') + part;
}

int fw_parse_duration(const char *text, uint64_t *out_ns, struct fw_err *err)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = { { "", FW_NS_PER_S }, { "ms", FW_NS_PER_S / 1000 }, { "s", FW_NS_PER_S },
		      { "m", 60 * FW_NS_PER_S }, { "h", 3600 * FW_NS_PER_S } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t ns = 0;
		const char *end = parse_decimal(text, units[i].ns, &ns);

		if (!end || strcmp(end, units[i].suffix))
			continue;
		if (ns >= DURATION_MAX_NS)
			break;
		*out_ns = ns;
		return 0;
	}
	return fw_err_set(err, -EINVAL, "'%s' is not a duration such as 250ms, 30s, 5m or 2h", text);
}

/* "2026-11-22T19:08:14": its shape, before strptime() takes spaces, signs and missing digits. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	}
	return true;
}

int fw_parse_rfc3339(const char *text, uint64_t *out_ns, struct fw_err *err)
{
	const char *end = has_shape(text, TIME_SHAPE) ? text + strlen(TIME_SHAPE) : NULL;
	struct tm tm = { 0 };
	uint64_t ns = 0;
	time_t seconds;

	if (end && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != end)
		end = NULL;
	seconds = end ? timegm(&tm) : -1;
	if (end && *end == '.')
		end = parse_decimal(end, FW_NS_PER_S, &ns);
	if (!end || strcmp(end, "Z") || seconds < 0 ||
	    (uint64_t)seconds > UINT64_MAX / FW_NS_PER_S - 1)
		return fw_err_set(err, -EINVAL, "'%s' is not a time such as 2026-11-22T19:08:14Z", text);
	*out_ns = (uint64_t)seconds * FW_NS_PER_S + ns;
	return 0;
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
