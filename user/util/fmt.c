// SPDX-License-Identifier: GPL-2.0-only
#include "util/fmt.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#define MINUTE_S 60ULL
#define HOUR_S 3600ULL
#define DAY_S 86400ULL

static void fmt_two_units(struct fw_buf *b, uint64_t s, uint64_t big, char big_unit, uint64_t small,
			  char small_unit)
{
	fw_buf_printf(b, "%llu %c %02llu %c", (unsigned long long)(s / big), big_unit,
		      (unsigned long long)(s % big / small), small_unit);
}

/* A line has several: printf() would be most of it, and so would divisions by what is not a constant. */
static inline uint64_t rounded(uint64_t ns, uint64_t step_ns)
{
	return (ns + step_ns / 2) / step_ns;
}

static void fmt_hundredths(struct fw_buf *b, uint64_t v, const char *unit)
{
	fw_buf_u64(b, v / 100);
	fw_buf_putc(b, '.');
	fw_buf_putc(b, (char)('0' + v / 10 % 10));
	fw_buf_putc(b, (char)('0' + v % 10));
	fw_buf_puts(b, unit);
}

static void fmt_tenths(struct fw_buf *b, uint64_t v, const char *unit)
{
	fw_buf_u64(b, v / 10);
	fw_buf_putc(b, '.');
	fw_buf_putc(b, (char)('0' + v % 10));
	fw_buf_puts(b, unit);
}

void fw_fmt_duration(struct fw_buf *b, uint64_t ns)
{
	uint64_t s = ns / FW_NS_PER_S;

	/* The limits are where rounding would add a digit. */
	if (ns < 9995000) {
		fmt_hundredths(b, rounded(ns, FW_NS_PER_MS / 100), " ms");
	} else if (ns < 99950000) {
		fmt_tenths(b, rounded(ns, FW_NS_PER_MS / 10), " ms");
	} else if (ns < 999500000) {
		fw_buf_u64(b, rounded(ns, FW_NS_PER_MS));
		fw_buf_puts(b, " ms");
	} else if (ns < 9995000000) {
		fmt_hundredths(b, rounded(ns, FW_NS_PER_S / 100), " s");
	} else if (ns < 119950000000) {
		fmt_tenths(b, rounded(ns, FW_NS_PER_S / 10), " s");
	} else if (s < HOUR_S) {
		fmt_two_units(b, s, MINUTE_S, 'm', 1, 's');
	} else if (s < DAY_S) {
		fmt_two_units(b, s, HOUR_S, 'h', MINUTE_S, 'm');
	} else {
		fmt_two_units(b, s, DAY_S, 'd', HOUR_S, 'h');
	}
}

/* hours:minutes:seconds */
static void fmt_hms(struct fw_buf *b, const struct tm *tm)
{
	fw_buf_u64_padded(b, (uint64_t)tm->tm_hour, 2);
	fw_buf_putc(b, ':');
	fw_buf_u64_padded(b, (uint64_t)tm->tm_min, 2);
	fw_buf_putc(b, ':');
	fw_buf_u64_padded(b, (uint64_t)tm->tm_sec, 2);
}

void fw_fmt_clock(struct fw_buf *b, uint64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / FW_NS_PER_S);
	struct tm tm;

	localtime_r(&t, &tm);
	fmt_hms(b, &tm);
	fw_buf_putc(b, '.');
	fw_buf_u64_padded(b, wall_ns % FW_NS_PER_S / FW_NS_PER_MS, 3);
}

void fw_fmt_rfc3339(struct fw_buf *b, uint64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / FW_NS_PER_S);
	struct tm tm;

	gmtime_r(&t, &tm);
	fw_buf_u64_padded(b, (uint64_t)tm.tm_year + 1900, 4);
	fw_buf_putc(b, '-');
	fw_buf_u64_padded(b, (uint64_t)tm.tm_mon + 1, 2);
	fw_buf_putc(b, '-');
	fw_buf_u64_padded(b, (uint64_t)tm.tm_mday, 2);
	fw_buf_putc(b, 'T');
	fmt_hms(b, &tm);
	fw_buf_putc(b, '.');
	fw_buf_u64_padded(b, wall_ns % FW_NS_PER_S, 9);
	fw_buf_putc(b, 'Z');
}

void fw_fmt_count(struct fw_buf *b, uint64_t n)
{
	if (n >= 1000) {
		fw_fmt_count(b, n / 1000);
		fw_buf_printf(b, ",%03u", (unsigned int)(n % 1000));
	} else {
		fw_buf_u64(b, n);
	}
}

static char *put_octet(char *to, unsigned int v)
{
	if (v >= 100)
		*to++ = (char)('0' + v / 100);
	if (v >= 10)
		*to++ = (char)('0' + v / 10 % 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

/* Much faster than inet_ntop(), and most addresses are these. */
static void fmt_ipv4(struct fw_buf *b, const uint8_t addr[16])
{
	char *to;

	if (!fw_buf_reserve(b, INET_ADDRSTRLEN))
		return;
	to = b->data + b->len;
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_octet(to, addr[i]);
	}
	b->len = (size_t)(to - b->data);
}

void fw_fmt_addr(struct fw_buf *b, unsigned int family, const uint8_t addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET)
		fmt_ipv4(b, addr);
	else if (inet_ntop(AF_INET6, addr, text, sizeof(text)))
		fw_buf_puts(b, text);
}

/* Three digits, or all of them when there are more. The limits are where rounding would add a digit. */
static void fmt_three_digits(struct fw_buf *b, double v)
{
	if (v < 9.995)
		fw_buf_printf(b, "%.2f", v);
	else if (v < 99.95)
		fw_buf_printf(b, "%.1f", v);
	else if (v < 1e18)
		fw_fmt_count(b, (uint64_t)(v + 0.5));
	else
		fw_buf_printf(b, "%.3g", v);
}

void fw_fmt_bytes(struct fw_buf *b, uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)n / 1024;
	size_t i = 0;

	if (n < 1024) {
		fw_buf_printf(b, "%u B", (unsigned int)n);
		return;
	}
	for (; v >= 999.5 && i < sizeof(units) / sizeof(units[0]) - 1; i++)
		v /= 1024;
	fmt_three_digits(b, v);
	fw_buf_printf(b, " %s", units[i]);
}

void fw_fmt_rate(struct fw_buf *b, double per_s)
{
	if (per_s < 0) {
		fw_buf_putc(b, '-');
		per_s = -per_s;
	}
	if (per_s >= 1) {
		fmt_three_digits(b, per_s);
		fw_buf_puts(b, " /s");
	} else if (per_s >= 1.0 / (double)MINUTE_S) {
		fmt_three_digits(b, per_s * (double)MINUTE_S);
		fw_buf_puts(b, " /min");
	} else if (per_s > 0) {
		fmt_three_digits(b, per_s * (double)HOUR_S);
		fw_buf_puts(b, " /h");
	} else {
		fw_buf_puts(b, "0 /s");
	}
}
