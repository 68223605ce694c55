// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that one stream of events gives one report, to the letter, as text and as JSON. The reports
 * stand in tests/unit/golden/; FINWAIT_GOLDEN=write writes them anew, to be read before they are kept.
 */
#include "story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path)
{
	char *text = calloc(1, 1 << 18);
	FILE *f = fopen(path, "r");

	if (f) {
		assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
		fclose(f);
	}
	return text;
}

static void expect_golden(struct fw_buf *got, const char *path)
{
	const char *mode = getenv("FINWAIT_GOLDEN");
	char *want;

	if (mode && !strcmp(mode, "write")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fwrite(got->data, 1, got->len, f);
		fclose(f);
	}
	want = slurp(path);
	assert_string_equal(fw_buf_str(got), want);
	free(want);
	fw_buf_free(got);
}

static void text(void **state)
{
	struct watch *w = *state;
	struct fw_buf b = { 0 };

	whole_story(w);
	fw_report_text(&w->report, &b, 100, false);
	expect_golden(&b, "tests/unit/golden/report.txt");
}

static void json(void **state)
{
	struct watch *w = *state;
	struct fw_buf b = { 0 };

	whole_story(w);
	fw_report_json(&w->report, &b);
	expect_golden(&b, "tests/unit/golden/report.json");
}

/* Two reports of the same moment are the same: none changes what it tells of. */
static void twice(void **state)
{
	struct fw_buf first = { 0 }, second = { 0 };
	struct watch *w = *state;

	whole_story(w);
	fw_report_json(&w->report, &first);
	watch_report(w, 70000);
	fw_report_json(&w->report, &second);
	assert_string_equal(fw_buf_str(&first), fw_buf_str(&second));
	fw_buf_free(&first);
	fw_buf_free(&second);
}

/* Whatever is in it, no line is longer than the terminal is wide. */
static void fits(void **state)
{
	static const unsigned int widths[] = { 80, 100, 132 };
	struct watch *w = *state;

	whole_story(w);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		struct fw_buf b = { 0 };
		char *save = NULL;

		fw_report_text(&w->report, &b, widths[i], false);
		fw_buf_str(&b);
		for (char *line = strtok_r(b.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			if (strlen(line) > widths[i])
				fail_msg("longer than %u columns: %s", widths[i], line);
		}
		fw_buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(text),
		watch_test(json),
		watch_test(twice),
		watch_test(fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
