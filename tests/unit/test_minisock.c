// SPDX-License-Identifier: GPL-2.0-only
/* Proves that FIN_WAIT_2 and TIME_WAIT are measured, seen by hooks or only by their timer. */
#include "events.h"

#define ORPHAN "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 FIN_WAIT_2="

static void orphan_lives_on_in_a_minisock(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>FIN_WAIT_1 98\n"
			      "FIN_WAIT_1>FIN_WAIT_2 10\n");
	mini(s, 1158, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 62560, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, ORPHAN "958(orphaned) TIME_WAIT=61402 time_wait_expired local\n");
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT 958 minisock\n"
			      "TIME_WAIT>CLOSE 61402 time_wait_expired\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

static void every_cause_has_its_end(void **state)
{
	static const struct {
		unsigned int substate;
		enum fw_cause cause;
		const char *want;
	} cases[] = {
		{ FW_TIME_WAIT, FW_CAUSE_EXPIRED, "time_wait_expired" },
		{ FW_TIME_WAIT, FW_CAUSE_RESET, "time_wait_reset" },
		{ FW_TIME_WAIT, FW_CAUSE_SEGMENT, "time_wait_reopened" },
		{ FW_TIME_WAIT, FW_CAUSE_REUSED, "time_wait_reused" },
		{ FW_TIME_WAIT, FW_CAUSE_PURGED, "time_wait_purged" },
		{ FW_TIME_WAIT, FW_CAUSE_DESTROYED, "time_wait_destroyed" },
		{ FW_TIME_WAIT, FW_CAUSE_UNKNOWN, "unknown" },
		{ FW_FIN_WAIT_2, FW_CAUSE_EXPIRED, "fin_wait_2_timeout" },
		{ FW_FIN_WAIT_2, FW_CAUSE_RESET, "reset_received" },
		{ FW_FIN_WAIT_2, FW_CAUSE_SEGMENT, "reset_sent" },
		{ FW_FIN_WAIT_2, FW_CAUSE_REUSED, "time_wait_reused" },
		{ FW_FIN_WAIT_2, FW_CAUSE_PURGED, "time_wait_purged" },
		{ FW_FIN_WAIT_2, FW_CAUSE_DESTROYED, "time_wait_destroyed" },
		{ FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN, "unknown" },
	};
	struct scene *s = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[200];

		scene_connection(s, i + 1);
		orphan_in_minisock(s, 200);
		if (cases[i].substate == FW_TIME_WAIT)
			mini(s, 300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		mini(s, 400, FW_REC_TW_END, cases[i].substate, cases[i].cause);
		snprintf(want, sizeof(want), ORPHAN "%s%s local\n",
			 cases[i].substate == FW_TIME_WAIT ? "100(orphaned) TIME_WAIT=100 " :
							     "200(orphaned) ",
			 cases[i].want);
		expect_connections(s, want);
	}
}

/* The RST that answers a segment goes out before the minisock ends, on the same CPU. */
static void what_a_segment_was_is_told_by_its_answer(void **state)
{
	static const struct {
		unsigned int reset_n; /* of which connection the RST was */
		uint32_t flags;
		double reset_ms;
		const char *want;
	} cases[] = {
		{ 1, FW_REC_ANSWERS_DATA, 399.99, "fin_wait_2_data" },
		{ 1, 0, 399.99, "reset_sent" },
		{ 2, FW_REC_ANSWERS_DATA, 399.99, "reset_sent" },
		{ 1, FW_REC_ANSWERS_DATA, 250, "reset_sent" }, /* an earlier one, of something else */
	};
	struct scene *s = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[200];

		scene_fini(s);
		scene_init(s, 10);
		orphan_in_minisock(s, 200);
		scene_connection(s, cases[i].reset_n);
		reset_sent(s, cases[i].reset_ms, .flags = cases[i].flags);
		scene_connection(s, 1);
		mini(s, 400, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_SEGMENT);
		snprintf(want, sizeof(want), ORPHAN "200(orphaned) %s local\n", cases[i].want);
		expect_connections(s, want);
	}
}

/* The timer front end sees a cancel whenever the timer is set again. */
static void rearmed_is_not_ended(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	mini(s, 300, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_REARMED);
	mini(s, 300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	expect_connections(s, "");
	mini(s, 60400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, ORPHAN "100(orphaned) TIME_WAIT=60100 time_wait_expired local\n");
}

static void restarts_are_seen(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 200);
	fw_buf_clear(&s->transitions);
	mini(s, 5200, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 6200, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 67000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 "
			      "TIME_WAIT=66800(2 restarts) time_wait_expired local "
			      "three_segment\n");
	expect_transitions(s, "TIME_WAIT>TIME_WAIT 5000 minisock restart\n"
			      "TIME_WAIT>TIME_WAIT 6000 minisock restart\n"
			      "TIME_WAIT>CLOSE 66800 time_wait_expired\n");
}

/* A FIN_WAIT_2 minisock never restarts TIME_WAIT. */
static void fin_wait_2_set_again(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	mini(s, 300, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	mini(s, 400, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, ORPHAN "200(orphaned) fin_wait_2_timeout local\n");
}

/* ---- What fires no hook is told by the timer's own expiry -------------------------------- */

static int timer_front_end(void **state)
{
	struct scene *s;

	scene_setup(state);
	s = *state;
	s->tracker.rearms_unseen = true;
	return 0;
}

static void time_wait_found_at_its_end(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	fw_buf_clear(&s->transitions);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1200);
	expect_connections(s, ORPHAN "1000(orphaned) TIME_WAIT=60800 time_wait_expired local\n");
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT 1000 minisock\n"
			      "TIME_WAIT>CLOSE 60800 time_wait_expired\n");
}

static void time_wait_found_by_looking(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	mini(s, 1000, FW_REC_TW_SEEN, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	mini(s, 2000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 1200);
	mini(s, 3000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 1200);
	mini(s, 61600, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1200);
	expect_connections(s, ORPHAN "1000(orphaned) TIME_WAIT=60400 time_wait_expired local\n");
}

static void restarts_found_later(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 200);
	/* one found by looking, and not counted again; one found at the end */
	mini(s, 2000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 1200);
	mini(s, 3000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 1200);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1800);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 "
			      "TIME_WAIT=61800(2 restarts) time_wait_expired local "
			      "three_segment\n");
}

/* What the timer is set to is exact: the same jiffy is no restart, the next one is. */
static void restarts_are_told_by_jiffies(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 201);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 203);
	assert_int_equal(s->last.restarts, 0);
	scene_connection(s, 2);
	three_segment_close(s, 62201);
	mini(s, 124000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 62204);
	assert_int_equal(s->last.restarts, 1);
}

/* Where every restart has a hook, a timer set a jiffy after its record was made is none. */
static void hooks_that_see_all_are_believed(void **state)
{
	struct scene *s = *state;

	s->tracker.rearms_unseen = false;
	three_segment_close(s, 200);
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 204);
	assert_int_equal(s->last.restarts, 0);
}

/* ... but they, too, can lose a record. */
static void time_wait_whose_record_was_lost(void **state)
{
	struct scene *s = *state;

	s->tracker.rearms_unseen = false;
	orphan_in_minisock(s, 200);
	fw_tracker_lost(&s->tracker, 1, ns_of(1200));
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1200);
	expect_connections(s, ORPHAN "1000(orphaned) TIME_WAIT=60800 time_wait_expired local "
				     "gap\n");
}

/* The timer was set in a jiffy that began after the record's own now. */
static void timer_set_this_very_jiffy(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	mini(s, 1000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 1004);
	mini(s, 2000, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 2004);
	mini(s, 62400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 2004);
	expect_connections(s, ORPHAN "800(orphaned) TIME_WAIT=61400(1 restarts) time_wait_expired "
				     "local\n");
}

/* The timer of a minisock is set again, but its birth was missed: so may have been an earlier restart. */
static void birth_whose_record_was_lost(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	mini(s, 300, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_REARMED);
	mini(s, 300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 60400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1<=200 TIME_WAIT>=60100 "
			      "time_wait_expired local gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
}

/* A timer from before FIN_WAIT_2 makes no sense: TIME_WAIT follows FIN_WAIT_2. */
static void timer_older_than_the_state(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	mini(s, 60400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 100);
	expect_connections(s, ORPHAN "0(orphaned) TIME_WAIT=60200 time_wait_expired local\n");
}

/* Without the kernel's HZ a jiffy has no length: that it happened is known, but not when. */
static void without_hz(void **state)
{
	struct scene *s = *state;

	s->tracker.hz = 0;
	three_segment_close(s, 200);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1200);
	assert_int_equal(s->last.restarts, 1);
	scene_connection(s, 2);
	orphan_in_minisock(s, 62200);
	mini(s, 123000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 63000);
	assert_int_equal(s->last.end, FW_END_TIME_WAIT_EXPIRED);
}

static void gone_or_unknown_tells_nothing(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	/* what lies at that address now is something else */
	mini(s, 300, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_GONE,
	     .armed_ms = 240);
	scene_connection(s, 2);
	mini(s, 400, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 300);
	active_open(s, 500);
	fw_buf_clear(&s->transitions);
	mini(s, 600, FW_REC_TW_SEEN, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .armed_ms = 300);
	expect_transitions(s, "");
	fw_tracker_finish(&s->tracker, ns_of(1000));
	expect_connections(s, ORPHAN "800(orphaned) open local\n"
			      "active SYN_SENT=1 ESTABLISHED=499 open\n");
}

/* ---- Who is to be looked at -------------------------------------------------------------- */

static struct fw_buf looked;

static void look(void *arg, uint64_t skaddr, uint64_t cookie)
{
	struct scene *s = arg;

	scene_connection(s, (unsigned int)cookie);
	assert_int_equal(skaddr, s->mini_skaddr);
	fw_buf_printf(&looked, "%llu ", (unsigned long long)cookie);
}

static void only_unsettled_orphans_are_looked_at(void **state)
{
	struct scene *s = *state;

	for (unsigned int n = 1; n <= 4; n++) {
		scene_connection(s, n);
		if (n == 4)
			three_segment_close(s, 200);
		else
			orphan_in_minisock(s, 200);
	}
	fw_tracker_unsettled(&s->tracker, look, s);
	expect_buf(&looked, "1 2 3 ");
	/* one enters TIME_WAIT, one ends */
	scene_connection(s, 1);
	mini(s, 300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	scene_connection(s, 3);
	mini(s, 300, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_RESET);
	fw_tracker_unsettled(&s->tracker, look, s);
	expect_buf(&looked, "2 ");
	fw_tracker_unsettled(&s->tracker, look, s);
	expect_buf(&looked, "2 ");
	fw_buf_free(&looked);
}

static void hooks_that_see_all_need_no_looking(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 200);
	fw_tracker_unsettled(&s->tracker, look, s);
	expect_buf(&looked, "");
	fw_buf_free(&looked);
}

/* Also one whose life before the minisock is not known. */
static void orphans_from_before_are_looked_at(void **state)
{
	struct scene *s = *state;

	mini(s, 200, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	fw_tracker_unsettled(&s->tracker, look, s);
	expect_buf(&looked, "1 ");
	fw_buf_free(&looked);
}

static void many_orphans(void **state)
{
	struct scene *s = *state;

	for (unsigned int n = 1; n <= 300; n++) {
		scene_connection(s, n);
		orphan_in_minisock(s, 200);
	}
	fw_tracker_unsettled(&s->tracker, look, s);
	assert_int_equal(looked.len, 9 * 2 + 90 * 3 + 201 * 4);
	fw_buf_free(&looked);
}

#define timer_test(f) cmocka_unit_test_setup_teardown(f, timer_front_end, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(orphan_lives_on_in_a_minisock),
		scene_test(every_cause_has_its_end),
		scene_test(what_a_segment_was_is_told_by_its_answer),
		scene_test(rearmed_is_not_ended),
		scene_test(restarts_are_seen),
		scene_test(fin_wait_2_set_again),
		timer_test(time_wait_found_at_its_end),
		timer_test(time_wait_found_by_looking),
		timer_test(restarts_found_later),
		timer_test(restarts_are_told_by_jiffies),
		timer_test(hooks_that_see_all_are_believed),
		timer_test(time_wait_whose_record_was_lost),
		timer_test(birth_whose_record_was_lost),
		timer_test(timer_set_this_very_jiffy),
		timer_test(timer_older_than_the_state),
		timer_test(without_hz),
		timer_test(gone_or_unknown_tells_nothing),
		timer_test(only_unsettled_orphans_are_looked_at),
		scene_test(hooks_that_see_all_need_no_looking),
		timer_test(orphans_from_before_are_looked_at),
		timer_test(many_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
