// SPDX-License-Identifier: GPL-2.0-only
/* Proves that text from outside becomes a number only when it is one, within its range. */
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "util/parse.h"

/* A refusal names what was refused, and leaves the result alone. */
static void expect_refusal(const struct fw_err *err, int ret, const char *text)
{
	if (ret != -EINVAL)
		fail_msg("'%s' was accepted", text);
	assert_int_equal(err->code, -EINVAL);
	assert_non_null(strstr(err->msg, text));
}

static void whole_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, want;
	} cases[] = {
		{ "0", 0, 10, 0 },
		{ "10", 0, 10, 10 },
		{ "1", 1, 1, 1 },
		{ "007", 0, 10, 7 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 4711;

		assert_int_equal(fw_parse_u64(cases[i].text, cases[i].min, cases[i].max, &v,
					      &err), 0);
		assert_true(v == cases[i].want);
	}
}

static void not_whole_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
	} cases[] = {
		{ "", 0, 10 },	   { " ", 0, 10 },     { "-1", 0, UINT64_MAX },
		{ "-0", 0, 10 },   { "+1", 0, 10 },    { " 1", 0, 10 },
		{ "1 ", 0, 10 },   { "1x", 0, 10 },    { "0x1", 0, 10 },
		{ "1.0", 0, 10 },  { "1e1", 0, 100 },  { "x", 0, 10 },
		{ "11", 0, 10 },   { "0", 1, 10 },     { "18446744073709551616", 0, UINT64_MAX },
		{ "99999999999999999999999", 0, UINT64_MAX },
		{ "-18446744073709551615", 0, UINT64_MAX },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 4711;

		expect_refusal(&err, fw_parse_u64(cases[i].text, cases[i].min, cases[i].max, &v,
						  &err), cases[i].text);
		assert_int_equal(v, 4711);
	}
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "30", 30000000000 },
		{ "1.5", 1500000000 },
		{ "250ms", 250000000 },
		{ "0.001ms", 1000 },
		{ "30s", 30000000000 },
		{ "5m", 300000000000 },
		{ "1.5m", 90000000000 },
		{ "2h", 7200000000000 },
		{ "277777h", 999997200000000000 },
		/* no binary fraction is exactly these */
		{ "4.1ms", 4100000 },
		{ "2.01ms", 2010000 },
		{ "0.29s", 290000000 },
		{ "8.2ms", 8200000 },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = 4711;

		assert_int_equal(fw_parse_duration(cases[i].text, &ns, &err), 0);
		if (ns != cases[i].ns)
			fail_msg("'%s' is %llu ns", cases[i].text, (unsigned long long)ns);
	}
}

static void not_durations(void **state)
{
	static const char *const cases[] = {
		"",	"s",	"ms",	"-1",	"-1s",	"-0.5h", "1 s",	 "1x",	 "1d",	    "1us",
		"1S",	"1e3",	"1e3s",	"1sec", "1m30s", "nan", "nans", "inf",	 "infs", "1e10", "277778h", "1e999",
		"1,5s", ".",	"--1",	"0x10", " 5s",	"+5s",	 "5s ",
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ns = 4711;

		expect_refusal(&err, fw_parse_duration(cases[i], &ns, &err), cases[i]);
		assert_int_equal(ns, 4711);
	}
}

static void ports(void **state)
{
	static const struct {
		const char *text;
		int nr;
		uint16_t want[4];
	} cases[] = {
		{ "80", 1, { 80 } },
		{ "1", 1, { 1 } },
		{ "65535", 1, { 65535 } },
		{ "80,443", 2, { 80, 443 } },
		{ "1,2,3,4", 4, { 1, 2, 3, 4 } },
		{ "443,443", 2, { 443, 443 } },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t out[4] = { 0 };

		assert_int_equal(fw_parse_ports(cases[i].text, out, 4, &err), cases[i].nr);
		assert_memory_equal(out, cases[i].want, sizeof(out));
	}
}

static void not_ports(void **state)
{
	static const char *const cases[] = {
		"",	"0",   ",",	 "80,",	    ",80",    "80,,443",    "65536", "http",
		"-1",	" 80", "80 ",	 "80, 443", "80;443", "4294967376", "80-90", "8080808080",
		/* longer than any port, and not to be taken for its beginning */
		"0000080x", "0000000443", "0000080 and more",
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t out[4];
		int n = fw_parse_ports(cases[i], out, 4, &err);

		if (n != -EINVAL)
			fail_msg("'%s' was taken for port %u", cases[i], out[0]);
	}
}

static void too_many_ports(void **state)
{
	struct fw_err err;
	uint16_t out[3] = { 0, 0, 4711 };

	(void)state;
	assert_int_equal(fw_parse_ports("1,2,3", out, 2, &err), -EINVAL);
	assert_string_equal(err.msg, "more than 2 ports");
	assert_int_equal(out[2], 4711);
	/* without an error to fill */
	assert_int_equal(fw_parse_ports("x", out, 2, NULL), -EINVAL);
}

static void networks(void **state)
{
	static const struct {
		const char *text;
		uint32_t family, prefix_len;
		uint8_t addr[16];
	} cases[] = {
		{ "192.0.2.7", AF_INET, 32, { 192, 0, 2, 7 } },
		{ "10.0.0.0/8", AF_INET, 8, { 10 } },
		{ "10.1.2.3/9", AF_INET, 9, { 10, 1, 2, 3 } },
		{ "0.0.0.0/0", AF_INET, 0, { 0 } },
		{ "255.255.255.255/32", AF_INET, 32, { 255, 255, 255, 255 } },
		{ "::1", AF_INET6, 128, { [15] = 1 } },
		{ "::", AF_INET6, 128, { 0 } },
		{ "::/0", AF_INET6, 0, { 0 } },
		{ "2001:db8::/32", AF_INET6, 32, { 0x20, 0x01, 0x0d, 0xb8 } },
		{ "2001:db8:0:0:0:0:0:1/127", AF_INET6, 127,
		  { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
		{ "fe80::1/10", AF_INET6, 10, { 0xfe, 0x80, [15] = 1 } },
		/* IPv4-mapped is IPv4, as connections are shown */
		{ "::ffff:192.0.2.7", AF_INET, 32, { 192, 0, 2, 7 } },
		{ "::ffff:10.0.0.0/104", AF_INET, 8, { 10 } },
		{ "::ffff:0:0/96", AF_INET, 0, { 0 } },
		/* ... but this holds more than IPv4 */
		{ "::ffff:0:0/95", AF_INET6, 95, { [10] = 0xff, [11] = 0xff } },
		{ "::ffff:1:192.0.2.7", AF_INET6, 128,
		  { [8] = 0xff, [9] = 0xff, [11] = 1, [12] = 192, 0, 2, 7 } },
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t family = 0, prefix_len = 4711;
		uint8_t addr[16];

		memset(addr, 0xaa, sizeof(addr));
		if (fw_parse_cidr(cases[i].text, addr, &family, &prefix_len, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(family, cases[i].family);
		assert_int_equal(prefix_len, cases[i].prefix_len);
		assert_memory_equal(addr, cases[i].addr, 16);
	}
}

static void not_networks(void **state)
{
	static const char *const cases[] = {
		"",		"/",		"/8",		"localhost",	"10",
		"10.0.0",	"10.0.0.0.0",	"256.0.0.1",	"10.0.0.1/33",	"10.0.0.1/",
		"10.0.0.1/-1",	"10.0.0.1/ 8",	"10.0.0.1/8/8", "10.0.0.1/a",	" 10.0.0.1",
		"10.0.0.1 ",	"::/129",	":::",		"2001:db8",	"2001:db8::g",
		"[::1]",	"::1%lo",	"10.0.0.1:80",	"1::2::3",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct fw_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t family, prefix_len;
		uint8_t addr[16];

		expect_refusal(&err, fw_parse_cidr(cases[i], addr, &family, &prefix_len, &err),
			       cases[i]);
	}
}

/* A message keeps its size, whatever is refused. */
static void endless_text(void **state)
{
	static char text[5000];
	uint32_t family, prefix_len;
	struct fw_err err;
	uint8_t addr[16];
	uint16_t port;
	uint64_t v;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	assert_int_equal(fw_parse_u64(text, 0, UINT64_MAX, &v, &err), -EINVAL);
	assert_int_equal(fw_parse_duration(text, &v, &err), -EINVAL);
	assert_int_equal(fw_parse_ports(text, &port, 1, &err), -EINVAL);
	assert_int_equal(fw_parse_cidr(text, addr, &family, &prefix_len, &err), -EINVAL);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void signed_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-", "--1", "+1", "- 1", "1-", "0x1", "9223372036854775808", "-9223372036854775809",
	};
	int64_t v;

	(void)state;
	assert_int_equal(fw_parse_i64("-9223372036854775808", &v, NULL), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(fw_parse_i64("9223372036854775807", &v, NULL), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(fw_parse_i64("-0", &v, NULL), 0);
	assert_true(v == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(fw_parse_i64(bad[i], &v, NULL), -EINVAL);
}

static void moments(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-02T00:00:01.5Z", 86401500000000 },
		{ "2026-11-22T19:08:14.000000001Z", 1795374494000000001 },
		{ "2026-11-22T19:08:14.0000000019Z", 1795374494000000001 },
	};
	static const char *const bad[] = {
		"", "2026-11-22", "2026-11-22T19:08:14", "2026-11-22 19:08:14Z", " 2026-11-22T19:08:14Z",
		"2026-1-22T19:08:14Z", "2026-13-22T19:08:14Z", "2026-11-22T25:08:14Z", "2026-11-22T19:08:14z",
		"2026-11-22T19:08:14.Z", "2026-11-22T19:08:14.5e3Z", "2026-11-22T19:08:14.-5Z",
		"2026-11-22T19:08:14Z ", "-026-11-22T19:08:14Z", "1969-12-31T23:59:59Z",
		"2026-11-22T19:08:14+01:00",
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fw_parse_rfc3339(cases[i].text, &ns, NULL), 0);
		assert_true(ns == cases[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (fw_parse_rfc3339(bad[i], &ns, NULL) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(not_whole_numbers),
		cmocka_unit_test(durations),
		cmocka_unit_test(not_durations),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(moments),
		cmocka_unit_test(ports),
		cmocka_unit_test(not_ports),
		cmocka_unit_test(too_many_ports),
		cmocka_unit_test(networks),
		cmocka_unit_test(not_networks),
		cmocka_unit_test(endless_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
