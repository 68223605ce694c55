// SPDX-License-Identifier: GPL-2.0-only
/* Proves what the analyses of states, TIME_WAIT, FIN_WAIT_2, CLOSING and CLOSE_WAIT say. */
#include "analysis.h"

#include <errno.h>

static void nothing_happened(void **state)
{
	struct watch *w = *state;

	watch_report(w, 1000);
	expect_ids(w, "");
	assert_int_equal(watch_section(w, "states")->nr_tables, 0);
	assert_int_equal(watch_section(w, "states")->nr_notes, 1);
	expect_fact(w, "time_wait", "wheel_bucket", 2048000000);
	w->values_known = false;
	watch_report(w, 0);
	assert_int_equal(watch_section(w, "kernel")->nr_notes, 1);
}

/* 60 s in buckets of the timer wheel: level 3 of 512 jiffies, but level 4 of 4096 at HZ=1000. */
static void wheel(void **state)
{
	static const struct {
		unsigned int hz;
		uint64_t bucket_ms;
	} cases[] = { { 100, 5120 }, { 250, 2048 }, { 300, 1706 }, { 1000, 4096 } };
	struct watch *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		w->scene.tracker.hz = cases[i].hz;
		watch_report(w, 1000);
		expect_fact(w, "time_wait", "hz", cases[i].hz);
		assert_int_equal(watch_fact(w, "time_wait", "wheel_bucket") / 1000000,
				 cases[i].bucket_ms);
	}
	w->scene.tracker.hz = 0;
	watch_report(w, 1000);
	assert_int_equal(watch_section(w, "time_wait")->nr_notes, 0);
}

static void states_now_and_dwell(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 100; n++) {
		scene_connection(s, n);
		three_segment_close(s, 1000 + n);
	}
	watch_report(w, 2000);
	/* SYN_SENT, ESTABLISHED, FIN_WAIT_1, TIME_WAIT; FIN_WAIT_2 was only passed through */
	assert_string_equal(watch_at(w, "states", "states", 0, "state")->text, "SYN_SENT");
	assert_int_equal(watch_at(w, "states", "states", 0, "entered")->u, 100);
	assert_in_range(watch_at(w, "states", "states", 0, "p50")->u, 996000, 1004000);
	assert_string_equal(watch_at(w, "states", "states", 2, "state")->text, "FIN_WAIT_1");
	assert_string_equal(watch_at(w, "states", "states", 3, "state")->text, "TIME_WAIT");
	assert_int_equal(watch_at(w, "states", "states", 3, "now")->u, 100);
	assert_int_equal(watch_at(w, "states", "states", 3, "oldest")->u, 999000000);
	assert_int_equal(watch_at(w, "states", "states", 3, "p50")->kind, FW_CELL_UNKNOWN);
	expect_fact(w, "closers", "three_segment", 100);
	expect_fact(w, "closers", "local_first", 100);
}

/* Each end counted by its cause; durations only of what was seen from its beginning. */
static void time_wait_causes(void **state)
{
	static const struct {
		enum fw_cause cause;
		unsigned int n;
		double ms;
	} ends[] = { { FW_CAUSE_EXPIRED, 7, 61000 }, { FW_CAUSE_RESET, 3, 5000 },
		     { FW_CAUSE_SEGMENT, 2, 4000 },  { FW_CAUSE_REUSED, 4, 3000 } };
	struct watch *w = *state;
	struct scene *s = &w->scene;
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (unsigned int k = 0; k < ends[i].n; k++) {
			scene_connection(s, ++n);
			three_segment_close(s, 1000);
			if (i == 0 && k == 0)
				mini(s, 1500, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
			mini(s, 1000 + ends[i].ms, FW_REC_TW_END, FW_TIME_WAIT, ends[i].cause);
		}
	}
	scene_connection(s, ++n); /* older than the trace */
	mini(s, 70000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = -1000);
	watch_report(w, 80000);
	expect_fact(w, "time_wait", "entered", 16);
	expect_fact(w, "time_wait", "restarts", 1);
	expect_fact(w, "time_wait", "now", 0);
	assert_int_equal(watch_at(w, "time_wait", "durations", 0, "ended")->u, 16);
	assert_int_equal(watch_at(w, "time_wait", "durations", 0, "min")->u, 3000000000);
	assert_int_equal(watch_at(w, "time_wait", "durations", 1, "ended")->u, 6);
	assert_int_equal(watch_at(w, "time_wait", "ends", 0, "count")->u, 8);
	assert_string_equal(watch_at(w, "time_wait", "ends", 0, "end")->text, "time_wait_expired");
	assert_int_equal(watch_at(w, "time_wait", "ends", 1, "count")->u, 3);
	assert_int_equal(watch_at(w, "time_wait", "ends", 2, "count")->u, 2);
	assert_int_equal(watch_at(w, "time_wait", "ends", 3, "count")->u, 4);
	expect_fact(w, "time_wait", "excess_max", 1000000000);
	assert_string_equal(watch_at(w, "time_wait", "by_process", 0, "process")->text, "curl/7");
	assert_int_equal(watch_at(w, "time_wait", "by_process", 0, "early")->u, 9);
	expect_ids(w, "");
}

static void table_full(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	open_and_close(s, 100);
	full(s, 110, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	full(s, 110, FW_FIN_WAIT_2, FW_CLOSE,
	     .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_SHUT_WR | FW_REC_TABLE_FULL,
	     .segs_in = 2);
	watch_report(w, 1000);
	expect_ids(w, "time-wait-table-full");
	expect_evidence(w, "time-wait-table-full", "overflows", 1);
	expect_evidence(w, "time-wait-table-full", "tcp_max_tw_buckets", 8192);
}

/* Orphans that end by FIN and by timeout, one half-closed that is still open; and short ones. */
static void fin_wait_2(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		orphan_in_minisock(s, 300);
		mini(s, 2300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	}
	for (unsigned int n = 4; n <= 5; n++) {
		scene_connection(s, n);
		orphan_in_minisock(s, 2400);
		mini(s, 62400, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	}
	scene_connection(s, 6);
	orphan_in_minisock(s, 62500);
	mini(s, 62600, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	watch_report(w, 63000);
	expect_ids(w, "fin-wait-2-peer-stall");
	scene_connection(s, 7);
	open_and_close(s, 63000);
	full(s, 63010, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .segs_in = 2);
	watch_report(w, 70000);
	watch_report(w, 70000); /* a report changes nothing */
	expect_fact(w, "fin_wait_2", "stalls", 6);
	expect_fact(w, "fin_wait_2", "open", 1);
	expect_fact(w, "fin_wait_2", "orphaned", 5);
	expect_fact(w, "fin_wait_2", "half_closed", 1);
	expect_fact(w, "fin_wait_2", "peer_fin", 3);
	expect_fact(w, "fin_wait_2", "timeout", 2);
	expect_fact(w, "fin_wait_2", "longest", 60000000000);
	expect_evidence(w, "fin-wait-2-peer-stall", "stalls", 6);
	assert_string_equal(watch_at(w, "fin_wait_2", "by_peer", 0, "peer")->text,
			    "198.51.100.2:80");
}

static void closing(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	open_and_close(s, 200);
	full(s, 210, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
	watch_report(w, 220);
	expect_ids(w, "simultaneous-close");
	assert_string_equal(watch_at(w, "closing", "each", 0, "then")->text, "still in it");
	mini(s, 250, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 250, FW_CLOSING, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .segs_in = 3);
	watch_report(w, 300);
	expect_fact(w, "closing", "occurrences", 1);
	expect_fact(w, "closing", "both_here", 0);
	expect_fact(w, "closers", "simultaneous", 1);
	expect_fact(w, "closers", "local_first", 0);
	assert_string_equal(watch_at(w, "closing", "each", 0, "then")->text, "TIME_WAIT");
	assert_int_equal(watch_at(w, "closing", "each", 0, "dwell")->u, 40000000);
}

static void leak(struct scene *s, unsigned int n, double ms)
{
	scene_connection(s, n);
	active_open(s, ms - 10);
	full(s, ms, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
}

static void close_wait(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 2; n++)
		leak(s, n, 1000 * n);
	leak(s, 3, 40000);
	watch_report(w, 50000); /* two old ones: not yet a leak */
	expect_ids(w, "");
	expect_fact(w, "close_wait", "now", 3);
	expect_fact(w, "close_wait", "old", 2);
	watch_report(w, 91000);
	expect_ids(w, "close-wait-leak");
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_WARNING);
	expect_evidence(w, "close-wait-leak", "count", 3);
	expect_evidence(w, "close-wait-leak", "oldest", 90000000000);
	assert_non_null(strstr(w->report.findings[0].title, "curl/7"));
	for (unsigned int n = 10; n < 130; n++)
		leak(s, n, 91000);
	watch_report(w, 130000);
	/* How many descriptors it may have was not looked at: not critical. */
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_WARNING);
	expect_evidence(w, "close-wait-leak", "count", 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(nothing_happened),
		watch_test(wheel),
		watch_test(states_now_and_dwell),
		watch_test(time_wait_causes),
		watch_test(table_full),
		watch_test(fin_wait_2),
		watch_test(closing),
		watch_test(close_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
