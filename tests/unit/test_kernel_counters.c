// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that finwait's counts are of the same span as the kernel's beside them, that a difference is
 * explained only by what can explain it, and that namespaces are kept apart.
 */
#include "analysis.h"

#include <errno.h>
#include <string.h>

#define ROW_ACTIVE_OPENS 0
#define ROW_PASSIVE_OPENS 1
#define ROW_ATTEMPT_FAILS 2
#define ROW_ESTAB_RESETS 3
#define ROW_MINISOCKS 4
#define ROW_MINISOCKS_NOW 7

static void read_counters(struct watch *w, double from_ms, double ms)
{
	w->values.read_from_ns = ns_of(from_ms);
	w->values.read_ns = ns_of(ms);
	fw_analyses_counters_read(&w->analyses, &w->values, 1);
}

static void expect_row(struct watch *w, size_t row, uint64_t finwait, const char *difference,
		       const char *why)
{
	const struct fw_cell *cell = watch_at(w, "kernel", "counters", row, "why");

	assert_int_equal(watch_at(w, "kernel", "counters", row, "finwait")->u, finwait);
	assert_string_equal(watch_at(w, "kernel", "counters", row, "difference")->text, difference);
	assert_int_equal(cell->kind, why ? FW_CELL_TEXT : FW_CELL_UNKNOWN);
	if (why && !strstr(cell->text, why))
		fail_msg("%s", cell->text);
}

static void close_at(struct watch *w, unsigned int n, double ms)
{
	scene_connection(&w->scene, n);
	three_segment_close(&w->scene, ms);
}

/* Hooks are attached before the counters are read first, and detached after they are read last. */
static void same_span(void **state)
{
	struct watch *w = *state;

	read_counters(w, 99, 100);
	close_at(w, 1, 50);
	close_at(w, 2, 300);
	close_at(w, 3, 400);
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 2, .tw = 2, .tw_now = 3 };
	read_counters(w, 499, 500);
	close_at(w, 4, 800);
	scene_connection(&w->scene, 3);
	mini(&w->scene, 900, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 2, "+0", NULL);
	expect_row(w, ROW_MINISOCKS, 2, "+0", NULL);
	/* One and two are in TIME_WAIT still, three has ended since, and four was born since. */
	expect_row(w, ROW_MINISOCKS_NOW, 3, "+0", NULL);
	/* The next report has the one that came too late for this one. */
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 3, .tw = 3 };
	read_counters(w, 1999, 2000);
	watch_report(w, 2000);
	expect_row(w, ROW_ACTIVE_OPENS, 3, "+0", NULL);
	expect_row(w, ROW_MINISOCKS, 3, "+0", NULL);
}

static void while_reading(void **state)
{
	struct watch *w = *state;

	read_counters(w, 0, 0);
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 0, .tw = 1 };
	read_counters(w, 199, 500);
	close_at(w, 1, 400);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 1, "+1", "during a reading");
	/* More than there were is something else. */
	w->values.counters.active_opens = 90;
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 1, "-89", "not explained");
}

static void lost(void **state)
{
	struct watch *w = *state;

	read_counters(w, 0, 0);
	close_at(w, 1, 200);
	fw_tracker_lost(&w->scene.tracker, 7, ns_of(300));
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 3, .tw = 1 };
	read_counters(w, 400, 400);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 1, "-2", "events were lost");
	expect_row(w, ROW_MINISOCKS, 1, "+0", NULL);
}

static void fail_in_syn_sent(struct watch *w, unsigned int n, double ms, struct detail d)
{
	scene_connection(&w->scene, n);
	full(&w->scene, ms, FW_CLOSE, FW_SYN_SENT);
	scene_full(&w->scene, ms + 10, FW_REC_STATE, FW_SYN_SENT, FW_CLOSE, d);
}

/* The kernel counts in tcp_done(), which close() does not call, and SYNs that were sent. */
static void failed_attempts(void **state)
{
	struct watch *w = *state;

	read_counters(w, 0, 0);
	fail_in_syn_sent(w, 1, 100, (struct detail){ .err = ECONNREFUSED });
	fail_in_syn_sent(w, 2, 100, (struct detail){ .err = ETIMEDOUT });
	fail_in_syn_sent(w, 3, 100, (struct detail){ .flags = FW_REC_SHUT_RD | FW_REC_SHUT_WR });
	fail_in_syn_sent(w, 4, 100, (struct detail){ .flags = FW_REC_SYN_UNSENT });
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 3, .attempt_fails = 2 };
	read_counters(w, 500, 500);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 3, "+0", NULL);
	expect_row(w, ROW_ATTEMPT_FAILS, 2, "+0", NULL);
}

/* One that had begun before the first reading, and ends after it without a SYN, was not counted. */
static void unsent_across_a_reading(void **state)
{
	struct watch *w = *state;

	read_counters(w, 104, 105);
	fail_in_syn_sent(w, 1, 100, (struct detail){ .flags = FW_REC_SYN_UNSENT });
	w->values.counters = (struct fw_kernel_counters){ 0 };
	read_counters(w, 500, 500);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 0, "+0", NULL);
}

static void half_open_attempts(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	read_counters(w, 0, 0);
	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		request(s, 110, FW_REC_REQ_END, n < 3 ? FW_CAUSE_RESET : FW_CAUSE_UNKNOWN);
	}
	/* A child of Fast Open: the RST is counted for its request socket, and for itself. */
	s->child_peer_known = true;
	scene_connection(s, 4);
	full(s, 120, FW_LISTEN, FW_SYN_RECV);
	full(s, 130, FW_SYN_RECV, FW_CLOSE, .err = ECONNRESET);
	w->values.counters = (struct fw_kernel_counters){ .attempt_fails = 4, .passive_opens = 1 };
	read_counters(w, 500, 500);
	watch_report(w, 1000);
	expect_row(w, ROW_ATTEMPT_FAILS, 4, "+0", NULL);
	expect_row(w, ROW_PASSIVE_OPENS, 1, "+0", NULL);
}

/* An end that was concluded from lost events may have been in another state. */
static void unseen_end(void **state)
{
	struct watch *w = *state;

	read_counters(w, 0, 0);
	scene_connection(&w->scene, 1);
	active_open(&w->scene, 100);
	active_open(&w->scene, 200); /* the same socket again */
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 2 };
	read_counters(w, 500, 500);
	watch_report(w, 1000);
	expect_row(w, ROW_ESTAB_RESETS, 0, "+0", NULL);
}

/* A filter and lost events explain that finwait counts less, not more, and so many as there were. */
static void reasons_fit(void **state)
{
	static const struct {
		int64_t kernel; /* finwait counts one */
		bool filtered;
		uint64_t lost;
		const char *why;
	} cases[] = {
		{ 9, true, 0, "the filter" },
		{ 0, true, 0, "not explained" },
		{ 4, false, 3, "events were lost" },
		{ 5, false, 3, "not explained" },
		{ 0, false, 3, "not explained" },
		{ 9, true, 3, "the filter" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct watch *w = *state;

		read_counters(w, 0, 0);
		close_at(w, 1, 200);
		fw_tracker_lost(&w->scene.tracker, cases[i].lost, ns_of(300));
		w->filtered = cases[i].filtered;
		w->values.counters = (struct fw_kernel_counters){ .active_opens = cases[i].kernel };
		read_counters(w, 400, 400);
		watch_report(w, 1000);
		assert_string_equal(watch_at(w, "kernel", "counters", ROW_ACTIVE_OPENS, "why")->text,
				    cases[i].why);
		watch_teardown(state);
		watch_setup(state);
	}
}

static void reasons_together(void **state)
{
	struct watch *w = *state;

	read_counters(w, 0, 0);
	fw_tracker_lost(&w->scene.tracker, 2, ns_of(300));
	w->values.counters = (struct fw_kernel_counters){ .active_opens = 4 };
	read_counters(w, 199, 500);
	close_at(w, 1, 400);
	watch_report(w, 1000);
	expect_row(w, ROW_ACTIVE_OPENS, 1, "-3", "happened during a reading and events were lost");
}

/* A minisock that was there before finwait is not one that was born meanwhile. */
static void older_minisock(void **state)
{
	struct watch *w = *state;

	scene_connection(&w->scene, 1);
	mini(&w->scene, 100, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	watch_report(w, 1000);
	expect_row(w, ROW_MINISOCKS, 0, "+0", NULL);
}

static void elsewhere(void **state)
{
	struct watch *w = *state;
	struct fw_netns_values values[2] = { watch_values(), watch_values() };
	struct fw_report r = { 0 };
	struct fw_analysis_context ctx = {
		.start_ns = SCENE_START_NS, .now_ns = ns_of(1000), .tracker = &w->scene.tracker,
		.hooks = "timer", .values = values, .nr_values = 2,
	};

	values[0].counters.active_opens = 1;
	values[1].netns = WATCH_NETNS + 1;
	values[1].sysctls.tcp_tw_reuse = 1;
	values[1].counters.active_opens = 2;
	close_at(w, 1, 100);
	w->scene.netns = WATCH_NETNS + 1;
	close_at(w, 2, 200);
	close_at(w, 3, 300);
	fw_analyses_report(&w->analyses, &ctx, &r);
	fw_report_fini(&w->report);
	w->report = r;
	assert_int_equal(watch_at(w, "kernel", "by_netns", 0, "active_finwait")->u, 1);
	assert_int_equal(watch_at(w, "kernel", "by_netns", 1, "active_finwait")->u, 2);
	assert_int_equal(watch_at(w, "kernel", "by_netns", 1, "netns")->u, WATCH_NETNS + 1);
	/* The busier one's settings are shown, so the other one's are the different ones. */
	assert_int_equal(watch_at(w, "kernel", "other_sysctls", 0, "netns")->u, WATCH_NETNS);
	assert_string_equal(watch_at(w, "kernel", "other_sysctls", 0, "name")->text, "tcp_tw_reuse");
	assert_int_equal(watch_at(w, "kernel", "other_sysctls", 0, "value")->u, 2);
	/* And rows about connections say whose they are. */
	assert_int_equal(watch_at(w, "flows", "by_destination", 0, "netns")->u, WATCH_NETNS + 1);
	assert_int_equal(watch_at(w, "flows", "by_destination", 1, "netns")->u, WATCH_NETNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(same_span), watch_test(while_reading), watch_test(lost),
		watch_test(failed_attempts), watch_test(unsent_across_a_reading),
		watch_test(half_open_attempts), watch_test(unseen_end), watch_test(reasons_fit),
		watch_test(reasons_together), watch_test(older_minisock), watch_test(elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
