// SPDX-License-Identifier: GPL-2.0-only
/* Proves that each format is found by its name, and renders what its name says. */
#include "unit.h"

#include <string.h>

#include "report/format.h"
#include "report/stream.h"

static void names_find_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < fw_nr_report_formats; i++)
		assert_ptr_equal(fw_report_format_find(fw_report_formats[i].name), &fw_report_formats[i]);
	for (size_t i = 0; i < fw_nr_stream_formats; i++)
		assert_ptr_equal(fw_stream_format_find(fw_stream_formats[i]->name), fw_stream_formats[i]);
	assert_null(fw_report_format_find("xml"));
	assert_null(fw_report_format_find(""));
	assert_null(fw_stream_format_find("html"));
	assert_string_equal(fw_report_formats[0].name, "text");
	assert_string_equal(fw_stream_formats[0]->name, "text");
}

static void formats_render_what_they_are_called(void **state)
{
	static const struct {
		const char *name, *begins, *separator;
		bool to_file_only, pictures;
	} cases[] = {
		{ "text", "finwait", "\n", false, false },
		{ "json", "{\"complete\":true,", "", false, false },
		{ "html", "<!doctype html>", "", true, true },
	};
	const struct fw_report_style style = { 0 };

	(void)state;
	assert_int_equal(fw_nr_report_formats, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_report_format *format = fw_report_format_find(cases[i].name);
		struct fw_report r = { .title = "finwait" };
		struct fw_buf b = { 0 };

		assert_non_null(format);
		fw_report_about(&r, "host", "host", fw_cell_text("h", SIZE_MAX));
		format->render(&r, &b, &style);
		if (strncasecmp(fw_buf_str(&b), cases[i].begins, strlen(cases[i].begins)))
			fail_msg("%s: %.40s", cases[i].name, fw_buf_str(&b));
		assert_string_equal(format->separator, cases[i].separator);
		assert_int_equal(format->to_file_only != NULL, cases[i].to_file_only);
		assert_int_equal(format->pictures, cases[i].pictures);
		fw_buf_free(&b);
		fw_report_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_find_formats),
		cmocka_unit_test(formats_render_what_they_are_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
