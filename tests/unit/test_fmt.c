// SPDX-License-Identifier: GPL-2.0-only
/* Proves that durations, times, counts and addresses read as documented, at every limit of a form. */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <time.h>

#include "util/fmt.h"

#define US 1000ULL
#define MS 1000000ULL
#define S 1000000000ULL
#define H (3600 * S)
#define D (24 * H)

static void durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0.00 ms" },
		{ 1, "0.00 ms" },
		{ 4999, "0.00 ms" },
		{ 5001, "0.01 ms" },
		{ 180 * US, "0.18 ms" },
		{ 999 * US, "1.00 ms" },
		{ 9994 * US, "9.99 ms" },
		{ 9995 * US - 1, "9.99 ms" },
		{ 9995 * US, "10.0 ms" },
		{ 42494 * US, "42.5 ms" },
		{ 99949 * US, "99.9 ms" },
		{ 99950 * US, "100 ms" },
		{ 958 * MS, "958 ms" },
		{ 999 * MS, "999 ms" },
		{ 999499 * US, "999 ms" },
		{ 999500 * US, "1.00 s" },
		{ S, "1.00 s" },
		{ 1040 * MS, "1.04 s" },
		{ 9994 * MS, "9.99 s" },
		{ 9995 * MS, "10.0 s" },
		{ 59990 * MS, "60.0 s" },
		{ 60 * S, "60.0 s" },
		{ 61402 * MS, "61.4 s" },
		{ 119900 * MS, "119.9 s" },
		{ 119949 * MS, "119.9 s" },
		{ 119950 * MS, "1 m 59 s" },
		{ 120 * S, "2 m 00 s" },
		{ 41 * 60 * S + 2 * S, "41 m 02 s" },
		{ H - 1, "59 m 59 s" },
		{ H, "1 h 00 m" },
		{ 3 * H + 7 * 60 * S + 59 * S, "3 h 07 m" },
		{ D - 1, "23 h 59 m" },
		{ D, "1 d 00 h" },
		{ 12 * D + 4 * H, "12 d 04 h" },
		{ UINT64_MAX, "213503 d 23 h" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_fmt_duration(&b, cases[i].ns);
		expect_buf(&b, cases[i].text);
	}
	fw_buf_free(&b);
}

/* Rounding must not make a longer time look shorter, nor need more digits than promised. */
static void durations_fit_their_column(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	for (uint64_t ns = 1; ns < 400 * D; ns += ns / 37 + 1) {
		fw_buf_clear(&b);
		fw_fmt_duration(&b, ns);
		assert_in_range(b.len, 5, 10);
	}
	fw_buf_free(&b);
}

static void counts(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 1001, "1,001" },
		{ 12345, "12,345" },
		{ 999999, "999,999" },
		{ 1000000, "1,000,000" },
		{ 12345678, "12,345,678" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_fmt_count(&b, cases[i].n);
		expect_buf(&b, cases[i].text);
	}
	fw_buf_free(&b);
}

static void times_in_utc(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ S - 1, "1970-01-01T00:00:00.999999999Z" },
		{ 951827696ULL * S, "2000-02-29T12:34:56.000000000Z" },
		{ 1795374494ULL * S + 1, "2026-11-22T19:08:14.000000001Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	setenv("TZ", "Asia/Kathmandu", 1); /* must not matter */
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_fmt_rfc3339(&b, cases[i].ns);
		expect_buf(&b, cases[i].text);
	}
	fw_buf_free(&b);
}

static void times_of_day(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	setenv("TZ", "XYZ-05:45", 1); /* a rule, not a file: hosts without tzdata know it, too */
	tzset();
	fw_fmt_clock(&b, 1795374494ULL * S + 1999999);
	expect_buf(&b, "00:53:14.001");
	fw_fmt_clock(&b, 1795374494ULL * S + 999999999);
	expect_buf(&b, "00:53:14.999");
	setenv("TZ", "UTC", 1);
	tzset();
	fw_fmt_clock(&b, 1795374494ULL * S);
	expect_buf(&b, "19:08:14.000");
	fw_buf_free(&b);
}

static void addresses(void **state)
{
	static const struct {
		unsigned int family;
		uint8_t addr[16];
		const char *text;
	} cases[] = {
		{ AF_INET, { 0 }, "0.0.0.0" },
		{ AF_INET, { 192, 0, 2, 1 }, "192.0.2.1" },
		{ AF_INET, { 255, 255, 255, 255 }, "255.255.255.255" },
		{ AF_INET6, { 0 }, "::" },
		{ AF_INET6, { [15] = 1 }, "::1" },
		{ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [7] = 1, [15] = 2 }, "2001:db8:0:1::2" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_fmt_addr(&b, cases[i].family, cases[i].addr);
		expect_buf(&b, cases[i].text);
	}
	fw_buf_free(&b);
}

/* Every octet, in every place. */
static void ipv4_addresses(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	for (unsigned int v = 0; v < 256; v++) {
		for (unsigned int place = 0; place < 4; place++) {
			uint8_t addr[16] = { 10, 0, 255, 99 };
			char want[INET_ADDRSTRLEN];

			addr[place] = (uint8_t)v;
			inet_ntop(AF_INET, addr, want, sizeof(want));
			fw_fmt_addr(&b, AF_INET, addr);
			expect_buf(&b, want);
		}
	}
	fw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_fit_their_column),
		cmocka_unit_test(counts),
		cmocka_unit_test(times_in_utc),
		cmocka_unit_test(times_of_day),
		cmocka_unit_test(addresses),
		cmocka_unit_test(ipv4_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
