// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a connection whose minisock should exist, but was not seen, waits for the record that tells how it
 * goes on, and that nothing is concluded from what was not seen.
 */
#include "snapshot.h"

#define OPENED "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=100 "

/* FIN_WAIT_2 from 200 ms on; the socket closes at 300 ms, and no minisock was seen. */
static void without_birth(struct scene *s)
{
	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 300, FW_FIN_WAIT_2, FW_CLOSE, .segs_in = 2, .sent = 10,
	     .flags = FW_REC_ORPHAN | FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	fw_tracker_advance(&s->tracker, ns_of(1000));
	expect_connections(s, "");
	assert_int_equal(s->tracker.counters.gaps, 1);
	fw_buf_clear(&s->transitions);
}

static void its_end_in_fin_wait_2_is_the_end_of_one_state(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	mini(s, 2300, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_2=2100 fin_wait_2_timeout local gap\n");
	assert_int_equal(s->last.bytes_sent, 10);
	assert_int_equal(s->tracker.table.nr, 0);
}

static void its_end_in_time_wait_has_missed_a_transition(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	mini(s, 61500, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 1300);
	expect_connections(s, OPENED "FIN_WAIT_2<=1200 TIME_WAIT>=60100 time_wait_expired local gap\n");
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT ? minisock\n"
			      "TIME_WAIT>CLOSE >=60100 time_wait_expired\n");
	assert_int_equal(s->tracker.counters.gaps, 1); /* what was missed counts once */
}

static void its_re_arm_may_not_be_the_first(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	mini(s, 1300, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_REARMED);
	mini(s, 61500, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_2<=1100 TIME_WAIT>=60200 time_wait_expired local gap\n");
}

static void a_snapshot_finds_it(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	snap_begin(s, 1500);
	sock_mini(s, 1500, FW_FIN_WAIT_2, .armed_ms = 300);
	snap_end(s, 1501);
	mini(s, 1700, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_REARMED);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_2=1500(orphaned) TIME_WAIT=60300 time_wait_expired local "
				     "gap\n");
	assert_int_equal(s->last.bytes_sent, 10);
	assert_int_equal(s->tracker.counters.gaps, 1);
}

static void a_snapshot_does_not_find_it(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	snap_begin(s, 1500);
	snap_end(s, 1501);
	expect_connections(s, OPENED "FIN_WAIT_2<=1301 unknown local gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* FIN_WAIT_2 may take 60 s in the minisock, TIME_WAIT 60 s more, and timers are late. */
static void its_time_passes(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	fw_tracker_expire(&s->tracker, ns_of(140000));
	expect_connections(s, "");
	fw_tracker_expire(&s->tracker, ns_of(240000));
	expect_connections(s, OPENED "FIN_WAIT_2>=100 unknown local gap\n");
}

static void it_is_not_known_to_be_open_when_finwait_ends(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	scene_finish(s, 5000);
	expect_connections(s, OPENED "FIN_WAIT_2<=4800 unknown local gap\n");
	assert_int_equal(s->tracker.counters.connections, 1);
}

/* Its socket begins another life, with the same cookie: that of the former one is not known. */
static void its_socket_is_connected_again(void **state)
{
	struct scene *s = *state;

	without_birth(s);
	s->lport = 50000;
	active_open(s, 5000);
	expect_connections(s, OPENED "FIN_WAIT_2<=4800 unknown local gap\n");
	scene_finish(s, 6000);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=999 open\n");
}

/* An RST that is sent at once is the end, and nothing was missed; a later one is not this socket's. */
static void an_rst_ends_it_at_once_only(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 300, FW_FIN_WAIT_2, FW_CLOSE, .segs_in = 2,
	     .flags = FW_REC_HAS_FILE | FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	reset_sent(s, 300.01);
	expect_connections(s, OPENED "FIN_WAIT_2=100 reset_sent local\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
	scene_connection(s, 2);
	without_birth(s);
	reset_sent(s, 1001);
	expect_connections(s, "");
}

/* The peer's FIN came with the ACK of ours: FIN_WAIT_2 had no dwell only if TIME_WAIT followed it. */
static void a_fin_with_the_ack_proves_nothing_without_a_minisock(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	full(s, 200.02, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 2);
	scene_finish(s, 1200);
	expect_connections(s, OPENED "FIN_WAIT_2<=1000(orphaned) unknown local gap\n");
}

static void it_comes_from_closing_too(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED);
	full(s, 300, FW_CLOSING, FW_CLOSE,
	     .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED);
	mini(s, 60600, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 300, .since_ms = 300.4);
	expect_connections(s, OPENED "CLOSING<=100.4 TIME_WAIT=60299.6 time_wait_expired simultaneous gap\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(its_end_in_fin_wait_2_is_the_end_of_one_state),
		scene_test(its_end_in_time_wait_has_missed_a_transition),
		scene_test(its_re_arm_may_not_be_the_first),
		scene_test(a_snapshot_finds_it),
		scene_test(a_snapshot_does_not_find_it),
		scene_test(its_time_passes),
		scene_test(it_is_not_known_to_be_open_when_finwait_ends),
		scene_test(its_socket_is_connected_again),
		scene_test(an_rst_ends_it_at_once_only),
		scene_test(a_fin_with_the_ack_proves_nothing_without_a_minisock),
		scene_test(it_comes_from_closing_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
