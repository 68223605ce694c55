// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that one stream of events gives one report, to the letter, as text and as JSON. The reports
 * stand in tests/unit/golden/; FINWAIT_GOLDEN=write writes them anew, to be read before they are kept.
 */
#include "analysis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A proxy that opens a connection per request; three are reset in TIME_WAIT. */
static void proxy(struct scene *s)
{
	for (unsigned int n = 1; n <= 300; n++) {
		scene_connection(s, n);
		three_segment_close(s, 1000 + n * 20);
	}
	for (unsigned int n = 100; n <= 300; n += 100) {
		scene_connection(s, n);
		mini(s, 9000 + n, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
	}
}

/* Its upstream stalls six; then the timers of the others. */
static void proxy_later(struct scene *s)
{
	for (unsigned int n = 301; n <= 306; n++) {
		scene_connection(s, n);
		orphan_in_minisock(s, 61000 + n);
	}
	for (unsigned int n = 1; n < 300; n++) {
		scene_connection(s, n);
		if (n % 100)
			mini(s, 62000 + n * 20, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	}
}

static void leaks(struct scene *s)
{
	for (unsigned int n = 401; n <= 412; n++) {
		scene_connection(s, n);
		s->rport = 5432;
		active_open(s, 20000 + n);
		full(s, 20500 + n, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED,
		     .segs_in = 2);
	}
}

static void server(struct scene *s)
{
	for (unsigned int n = 501; n <= 580; n++) {
		scene_connection(s, n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		accepted(s, 50000 + n * 10);
		server_closes(s, 52000 + n * 10);
	}
}

static void crossing(struct scene *s)
{
	scene_connection(s, 600);
	open_and_close(s, 69000);
	full(s, 69010, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
	mini(s, 69050, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 69050, FW_CLOSING, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .segs_in = 3);
}

static void whole_story(struct watch *w)
{
	proxy(&w->scene);
	leaks(&w->scene);
	server(&w->scene);
	proxy_later(&w->scene);
	crossing(&w->scene);
	w->truth.counters = (struct fw_kernel_counters){
		.active_opens = 319, .passive_opens = 81, .tw = 387, .attempt_fails = 0,
		.listen_drops = FW_TRUTH_UNKNOWN,
	};
	watch_report(w, 70000);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(text),
		watch_test(json),
		watch_test(twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
