// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a report tells CLOSE_WAIT leaks by verdict when it has looked at the sockets, that it says so
 * when it has not, and that filters on owners hold for a report.
 */
#include "leaks.h"

#include <string.h>

/* Descriptors of sockets that were never closed, and of some that were never read. */
static void look(struct scene *s, double ms, unsigned int closed, unsigned int unread)
{
	snap_begin(s, ms);
	leaked(s, ms, 1, closed);
	for (unsigned int i = 101; i < 101 + unread; i++) {
		scene_connection(s, i);
		sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = 10);
	}
	held(s, ms + 1, 7, 1, closed);
	process(s, ms + 1, 7, "curl", .fds = 20, .nofile = 1024);
	held(s, ms + 2, 8, 101, 100 + unread);
	process(s, ms + 2, 8, "java", .fds = 30, .nofile = 1024);
	snap_end(s, ms + 3);
}

static const struct fw_finding *nth(const struct watch *w, size_t i)
{
	assert_true(i < w->report.nr_findings);
	return &w->report.findings[i];
}

static void by_verdict(void **state)
{
	struct watch *w = *state;

	look(&w->scene, 100000, 5, 4);
	look(&w->scene, 160000, 5, 4);
	watch_report(w, 160010);
	expect_ids(w, "close-wait-leak close-wait-leak");
	assert_string_equal(watch_cell(&nth(w, 0)->evidence, "verdict")->text, "never_closed");
	assert_int_equal(watch_cell(&nth(w, 0)->evidence, "count")->u, 5);
	assert_string_equal(watch_cell(&nth(w, 0)->evidence, "fds")->text, "11-15");
	assert_string_equal(watch_cell(&nth(w, 1)->evidence, "verdict")->text, "never_read");
	assert_int_equal(watch_cell(&nth(w, 1)->evidence, "unread")->u, 36);
	assert_non_null(strstr(nth(w, 1)->advice, "left its poll set"));
	assert_non_null(strstr(nth(w, 1)->confidence, "only a lower bound"));
	assert_non_null(strstr(nth(w, 1)->confidence, "Every event of the"));
	assert_string_equal(watch_at(w, "close_wait", "by_process", 0, "verdict")->text,
			    "never closed");
	assert_int_equal(watch_at(w, "close_wait", "by_process", 1, "fds_limit")->u, 1024);
}

/* Two are too few to be told about, but stand in the table. */
static void few(void **state)
{
	struct watch *w = *state;

	look(&w->scene, 160000, 2, 0);
	watch_report(w, 160010);
	expect_ids(w, "");
	assert_int_equal(watch_at(w, "close_wait", "by_process", 0, "count")->u, 2);
}

/* Ten a second into 1,024 descriptors: critical, and when. */
static void growing(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 10);
	held(s, 100000, 7, 1, 10);
	process(s, 100000, 7, "curl", .fds = 24, .nofile = 1024);
	snap_end(s, 100000);
	snap_begin(s, 110000);
	leaked(s, 110000, 1, 50);
	held(s, 110000, 7, 1, 50);
	process(s, 110000, 7, "curl", .fds = 124, .nofile = 1024);
	snap_end(s, 110000);
	watch_report(w, 110010);
	expect_ids(w, "close-wait-leak");
	assert_int_equal(nth(w, 0)->severity, FW_SEVERITY_CRITICAL);
	assert_int_equal(watch_evidence(w, "close-wait-leak", "limit_reached_in"), 90000000000);
	assert_true(watch_cell(&nth(w, 0)->evidence, "growth")->d == 4);
}

/* An old look is not of this report: what the events tell is, and that more is not known. */
static void not_looked(void **state)
{
	struct watch *w = *state;

	look(&w->scene, 100000, 5, 0);
	watch_report(w, 160000);
	expect_ids(w, "close-wait-leak");
	assert_non_null(strstr(nth(w, 0)->confidence, "what the application forgot is not known"));
}

static void of_one_process(void **state)
{
	struct watch *w = *state;
	struct fw_filter filter = { .nr_pids = 1, .pids = { 8 } };

	watch_fini(w);
	watch_init_with(w, (struct fw_analysis_options){ .top = 10, .stall_ns = FW_NS_PER_S,
							 .leak_age_ns = 30 * FW_NS_PER_S,
							 .filter = &filter });
	look(&w->scene, 160000, 5, 4);
	watch_report(w, 160010);
	expect_ids(w, "close-wait-leak");
	assert_string_equal(watch_cell(&nth(w, 0)->evidence, "verdict")->text, "never_read");
	expect_fact(w, "close_wait", "now", 4);
	/* Transitions and ends of others are not counted either. */
	scene_connection(&w->scene, 200);
	three_segment_close(&w->scene, 161000);
	watch_report(w, 161010);
	expect_fact(w, "time_wait", "entered", 0);
	filter.pids[0] = 7;
	scene_connection(&w->scene, 201);
	three_segment_close(&w->scene, 162000);
	watch_report(w, 162010);
	expect_fact(w, "time_wait", "entered", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(by_verdict), watch_test(few), watch_test(growing),
		watch_test(not_looked), watch_test(of_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
