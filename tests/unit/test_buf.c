// SPDX-License-Identifier: GPL-2.0-only
/* Proves that buffers grow, pad, and make text from outside harmless on terminals and in JSON. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void empty_buffers(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	assert_string_equal(fw_buf_str(&b), "");
	fw_buf_mem(&b, "", 0);
	fw_buf_puts(&b, "");
	fw_buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 0);
	fw_buf_free(&b);
	fw_buf_free(&b);
	fw_buf_free(NULL);
}

/* Every length around the sizes at which it grows. */
static void growth_keeps_the_content(void **state)
{
	static const size_t starts[] = { 0, 1, 254, 255, 256, 257, 511, 512, 5000 };
	char text[6000];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 26);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct fw_buf b = { 0 };

		fw_buf_mem(&b, text, starts[i]);
		fw_buf_printf(&b, "%s", text + starts[i]);
		assert_int_equal(b.len, sizeof(text) - 1);
		assert_string_equal(fw_buf_str(&b), text);
		assert_int_equal(b.len, sizeof(text) - 1); /* the NUL is not content */
		fw_buf_clear(&b);
		for (size_t n = 0; n < sizeof(text) - 1; n++)
			fw_buf_putc(&b, text[n]);
		assert_string_equal(fw_buf_str(&b), text);
		assert_false(b.failed);
		fw_buf_free(&b);
	}
}

static void content_may_hold_nul(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	fw_buf_mem(&b, "a\0b", 3);
	fw_buf_putc(&b, '\0');
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "a\0b", 4);
	fw_buf_free(&b);
}

/* Once memory was short nothing more is written, and nothing is read that is not there. */
static void failed_buffers_stay_as_they_are(void **state)
{
	struct fw_buf b = { .failed = true };

	(void)state;
	fw_buf_puts(&b, "x");
	fw_buf_printf(&b, "%d", 1);
	fw_buf_pad(&b, 0, 10, 2);
	assert_int_equal(b.len, 0);
	assert_string_equal(fw_buf_str(&b), "");
	fw_buf_free(&b);
}

static void numbers(void **state)
{
	static const struct {
		uint64_t v;
		const char *text;
	} cases[] = { { 0, "0" }, { 9, "9" }, { 10, "10" }, { 65535, "65535" },
		      { 1000000007, "1000000007" }, { UINT64_MAX, "18446744073709551615" } };
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_buf_u64(&b, cases[i].v);
		expect_buf(&b, cases[i].text);
	}
	fw_buf_free(&b);
}

static void expect_digits(uint64_t v, unsigned int width)
{
	struct fw_buf b = { 0 };
	char want[64];

	snprintf(want, sizeof(want), "%llu %0*llu", (unsigned long long)v, (int)width,
		 (unsigned long long)v);
	fw_buf_u64(&b, v);
	fw_buf_putc(&b, ' ');
	fw_buf_u64_padded(&b, v, width);
	expect_buf(&b, want);
	fw_buf_free(&b);
}

/* As printf() writes them: around each number of digits and of bits, and in each width. */
static void digits(void **state)
{
	uint64_t power = 1;

	(void)state;
	for (unsigned int width = 1; width <= 20; width++, power *= 10) {
		for (uint64_t v = power - 1; v != power + 2; v++)
			expect_digits(v, width);
	}
	for (unsigned int bits = 0; bits < 64; bits++) {
		expect_digits(1ULL << bits, 1);
		expect_digits((1ULL << bits) - 1, 20);
	}
}

static void padding(void **state)
{
	static const struct {
		const char *before, *text;
		size_t width, min;
		const char *want;
	} cases[] = {
		{ "", "", 0, 0, "" },
		{ "", "ab", 5, 0, "ab   " },
		{ "", "ab", 5, 2, "ab   " },
		{ "", "ab", 4, 2, "ab  " },
		{ "", "ab", 3, 2, "ab  " },
		{ "", "ab", 2, 2, "ab  " },
		{ "", "ab", 2, 0, "ab" },
		{ "", "abcdef", 2, 1, "abcdef " },
		{ "before ", "ab", 5, 1, "before ab   " },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t since;

		fw_buf_puts(&b, cases[i].before);
		since = b.len;
		fw_buf_puts(&b, cases[i].text);
		fw_buf_pad(&b, since, cases[i].width, cases[i].min);
		expect_buf(&b, cases[i].want);
	}
	fw_buf_free(&b);
}

#define CASE(in, out) { in, sizeof(in) - 1, out }

struct escape {
	const char *text;
	size_t len;
	const char *want;
};

/* A process can name itself anything, also what moves the cursor. */
static void visible_text(void **state)
{
	static const struct escape cases[] = {
		CASE("nginx: worker", "nginx: worker"),
		CASE("", ""),
		CASE("\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"),
		CASE("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"),
		CASE("\x7f\x9b" "31m", "\\x7f\\x9b31m"),
		CASE("caf\xc3\xa9", "caf\\xc3\\xa9"),
		CASE("back\\slash", "back\\x5cslash"),
		CASE("\\x1b", "\\x5cx1b"),
		CASE("a\0b", "a"),
		CASE(" ~", " ~"),
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_buf_visible(&b, cases[i].text, cases[i].len);
		expect_buf(&b, cases[i].want);
	}
	fw_buf_free(&b);
}

static void every_byte_is_visible(void **state)
{
	struct fw_buf b = { 0 };

	(void)state;
	for (int c = 1; c < 256; c++) {
		char one = (char)c;

		fw_buf_clear(&b);
		fw_buf_visible(&b, &one, 1);
		assert_int_equal(b.len, c >= 0x20 && c < 0x7f && c != '\\' ? 1 : 4);
		for (size_t i = 0; i < b.len; i++)
			assert_in_range(b.data[i], 0x20, 0x7e);
	}
	fw_buf_free(&b);
}

/* The kernel fills all 16 bytes of a comm, the last with NUL; a recording may not. */
static void sixteen_bytes_without_nul(void **state)
{
	struct fw_buf b = { 0 };
	char *comm = malloc(16);

	(void)state;
	assert_non_null(comm);
	memcpy(comm, "0123456789abcde\xc3", 16);
	fw_buf_visible(&b, comm, 16);
	expect_buf(&b, "0123456789abcde\\xc3");
	free(comm);
	fw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffers),
		cmocka_unit_test(growth_keeps_the_content),
		cmocka_unit_test(content_may_hold_nul),
		cmocka_unit_test(failed_buffers_stay_as_they_are),
		cmocka_unit_test(numbers),
		cmocka_unit_test(digits),
		cmocka_unit_test(padding),
		cmocka_unit_test(visible_text),
		cmocka_unit_test(every_byte_is_visible),
		cmocka_unit_test(sixteen_bytes_without_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
