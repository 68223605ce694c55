// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a minisock whose end no program has seen does not stay open for ever. */
#include "events.h"

static bool overdue(struct scene *s, double ms)
{
	return fw_tracker_overdue(&s->tracker, ns_of(ms));
}

static void expire(struct scene *s, double ms)
{
	fw_tracker_expire(&s->tracker, ns_of(ms));
}

/* As recordings of version 1 have it. */
static void a_minisock_that_is_gone_has_ended_at_some_time(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	assert_false(overdue(s, 70400));
	assert_true(overdue(s, 70600));
	mini(s, 70600, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_GONE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT<=70100 unknown "
			      "local three_segment gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_false(overdue(s, 80000));
}

/* Its timer was restarted unseen, or it is just late: nothing is concluded. */
static void a_minisock_that_is_there_stays(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	assert_true(overdue(s, 71000));
	mini(s, 71000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	expire(s, 71500);
	expect_connections(s, "");
	mini(s, 72000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT=71500 "
			      "time_wait_expired local three_segment\n");
}

/* Nothing is known but that it was there: a lower bound, and no end. */
static void what_no_snapshot_has_met_is_not_kept_for_ever(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	expire(s, 71000);
	expire(s, 102000);
	expect_connections(s, "");
	expire(s, 133000);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT>=0 unknown "
			      "local three_segment gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
}

static void the_end_of_the_trace_does_not_call_it_open(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	fw_tracker_finish(&s->tracker, ns_of(71000));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT>=0 unknown "
			      "local three_segment gap\n");
}

/* "Gone" of one that is not due may be older than the record of its end. */
static void gone_before_its_time_is_nothing(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 500);
	mini(s, 1000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_GONE);
	expect_connections(s, "");
}

static void full_sockets_are_never_due(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 500);
	assert_false(overdue(s, 500000));
	expire(s, 500000);
	expect_connections(s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(a_minisock_that_is_gone_has_ended_at_some_time),
		scene_test(a_minisock_that_is_there_stays),
		scene_test(what_no_snapshot_has_met_is_not_kept_for_ever),
		scene_test(the_end_of_the_trace_does_not_call_it_open),
		scene_test(gone_before_its_time_is_nothing),
		scene_test(full_sockets_are_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
