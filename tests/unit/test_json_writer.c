// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the JSON writer puts commas where they belong, escapes all that needs it, and writes valid
 * UTF-8 whatever it is given.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/utf8.h"

#define CASE(in, out) { in, sizeof(in) - 1, out }

struct escape {
	const char *text;
	size_t len;
	const char *want;
};

/* Empties @b. */
static void expect(struct fw_buf *b, const char *want)
{
	assert_string_equal(fw_buf_str(b), want);
	fw_buf_clear(b);
}

static void json_strings(void **state)
{
	static const struct escape cases[] = {
		CASE("", "\"\""),
		CASE("curl", "\"curl\""),
		CASE("say \"hi\"", "\"say \\\"hi\\\"\""),
		CASE("back\\slash", "\"back\\\\slash\""),
		CASE("a\nb\tc\x1b[0m", "\"a\\u000ab\\u0009c\\u001b[0m\""),
		CASE("\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""),
		CASE("a\0b", "\"a\""),
		CASE("/slash", "\"/slash\""),
		/* valid UTF-8 stays: 2, 3 and 4 bytes, and the borders of each */
		CASE("\xc3\xa9", "\"\xc3\xa9\""),
		CASE("\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\""),
		CASE("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		     "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
		CASE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
		/* invalid: each byte becomes U+FFFD, and what follows is not swallowed */
		CASE("\x80", "\"\\ufffd\""),
		CASE("\xff" "a", "\"\\ufffda\""),
		CASE("\xc3", "\"\\ufffd\""),
		CASE("\xc3(", "\"\\ufffd(\""),
		CASE("\xe2\x82", "\"\\ufffd\\ufffd\""),
		CASE("\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""),
		CASE("\xe2\x82\"", "\"\\ufffd\\ufffd\\\"\""),
		/* overlong, surrogates, beyond U+10FFFF */
		CASE("\xc0\xaf", "\"\\ufffd\\ufffd\""),
		CASE("\xc1\xbf", "\"\\ufffd\\ufffd\""),
		CASE("\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""),
		CASE("\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
		CASE("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""),
		CASE("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
		CASE("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
		CASE("\xf8\x88\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""),
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* Of exactly this size, so ASan sees any read beyond. */
		char *exact = malloc(cases[i].len + 1);

		assert_non_null(exact);
		memcpy(exact, cases[i].text, cases[i].len + 1);
		fw_json_text(&(struct fw_json){ .out = &b }, exact, cases[i].len);
		expect(&b, cases[i].want);
		free(exact);
	}
	fw_buf_free(&b);
}

/* The kernel fills all 16 bytes of a comm, the last with NUL; a recording may not. */
static void a_name_without_nul(void **state)
{
	struct fw_buf b = { 0 };
	char *comm = malloc(16);

	(void)state;
	assert_non_null(comm);
	memcpy(comm, "0123456789abcde\xc3", 16);
	fw_json_text(&(struct fw_json){ .out = &b }, comm, 16);
	expect(&b, "\"0123456789abcde\\ufffd\"");
	free(comm);
	fw_buf_free(&b);
}

static void commas_and_brackets(void **state)
{
	struct fw_buf b = { 0 };
	struct fw_json j = { .out = &b };

	(void)state;
	for (int line = 0; line < 2; line++) {
		fw_json_object(&j);
		fw_json_key(&j, "empty");
		fw_json_object(&j);
		fw_json_object_end(&j);
		fw_json_key(&j, "none");
		fw_json_array(&j);
		fw_json_array_end(&j);
		fw_json_key_parts(&j, "fin_wait_2", "_ns");
		fw_json_array(&j);
		fw_json_u64(&j, 1);
		fw_json_i64(&j, -2);
		fw_json_array(&j);
		fw_json_null(&j);
		fw_json_array_end(&j);
		fw_json_object(&j);
		fw_json_key(&j, "a");
		fw_json_bool(&j, false);
		fw_json_key(&j, "b");
		fw_json_word(&j, "w");
		fw_json_object_end(&j);
		fw_json_array_end(&j);
		fw_json_key_of_text(&j, "a \"key\"", "_more");
		fw_json_double(&j, 0.5);
		fw_json_object_end(&j);
		fw_json_line_end(&j);
		expect(&b, "{\"empty\":{},\"none\":[],\"fin_wait_2_ns\":[1,-2,[null],"
			   "{\"a\":false,\"b\":\"w\"}],\"a \\\"key\\\"_more\":0.5}\n");
	}
	fw_buf_free(&b);
}

static void numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *want;
	} cases[] = {
		{ 0, "0" }, { -1, "-1" }, { INT64_MIN, "-9223372036854775808" },
		{ INT64_MAX, "9223372036854775807" },
	};
	struct fw_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fw_json_i64(&(struct fw_json){ .out = &b }, cases[i].value);
		expect(&b, cases[i].want);
	}
	fw_json_u64(&(struct fw_json){ .out = &b }, UINT64_MAX);
	expect(&b, "18446744073709551615");
	fw_buf_free(&b);
}

static void what_was_written_before_is_spliced(void **state)
{
	struct fw_buf b = { 0 };
	struct fw_json j = { .out = &b };

	(void)state;
	fw_json_object(&j);
	fw_json_splice(&j, "\"a\":1", 5);
	fw_json_splice(&j, "\"b\":2}\n", 7);
	expect(&b, "{\"a\":1,\"b\":2}\n");
	fw_buf_free(&b);
}

static void nothing_is_written_once_memory_was_short(void **state)
{
	struct fw_buf b = { .failed = true };
	struct fw_json j = { .out = &b };

	(void)state;
	fw_json_object(&j);
	fw_json_key(&j, "a");
	fw_json_text(&j, "\xff", 1);
	fw_json_key_of_text(&j, "b", "c");
	fw_json_double(&j, 1);
	fw_json_object_end(&j);
	assert_int_equal(b.len, 0);
	fw_buf_free(&b);
}

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void utf8_of_each_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x140000; c++) {
		bool valid = c <= 0x10ffff && (c < 0xd800 || c >= 0xe000);
		char s[4];
		size_t len = encode(c, s);

		if (fw_utf8_len(s, len) != (valid ? len : 0))
			fail_msg("U+%04x: %zu", c, fw_utf8_len(s, len));
		for (size_t left = 1; left < len; left++)
			assert_int_equal(fw_utf8_len(s, left), 0);
	}
}

/* How many of all sequences of three bytes begin with a valid one: so many as there are code points. */
static void utf8_of_nothing_else(void **state)
{
	size_t valid[5] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1U << 24; i++) {
		const char s[3] = { (char)(i >> 16), (char)(i >> 8), (char)i };

		valid[fw_utf8_len(s, 3)]++;
	}
	assert_int_equal(valid[1], 0x80 << 16);
	assert_int_equal(valid[2], (0x800 - 0x80) << 8);
	assert_int_equal(valid[3], 0x10000 - 0x800 - 0x800);
	assert_int_equal(valid[4], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_strings),
		cmocka_unit_test(a_name_without_nul),
		cmocka_unit_test(commas_and_brackets),
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_was_written_before_is_spliced),
		cmocka_unit_test(nothing_is_written_once_memory_was_short),
		cmocka_unit_test(utf8_of_each_code_point),
		cmocka_unit_test(utf8_of_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
