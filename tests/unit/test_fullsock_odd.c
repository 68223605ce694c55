// SPDX-License-Identifier: GPL-2.0-only
/* Proves that lost and strange records, and sockets connected again, do no harm and are told. */
#include "events.h"

#include <errno.h>

#define OPENED "active SYN_SENT=1 ESTABLISHED=98 "

/* ---- Lost and strange records ------------------------------------------------------------ */

static void missing_transition_is_a_gap(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	/* ESTABLISHED -> CLOSE_WAIT was lost */
	full(s, 100, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER);
	full(s, 110, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=98 CLOSE_WAIT>=0 LAST_ACK=10 last_ack "
			      "gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_int_equal(s->tracker.counters.illegal, 0);
}

/* The record of the end was lost, and the application connects the same socket again. */
static void missing_end_is_a_gap(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	s->lport = 50000;
	active_open(s, 100);
	full(s, 201, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	fw_tracker_finish(&s->tracker, ns_of(500));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=98 unknown gap\n"
			      "active SYN_SENT=1 ESTABLISHED=100 reset_received\n");
}

static void illegal_transitions_are_counted_and_shown(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	full(s, 10, FW_ESTABLISHED, FW_SYN_SENT);
	full(s, 20, FW_SYN_SENT, 14); /* a state of a kernel to come */
	full(s, 30, 14, FW_CLOSE);
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>SYN_SENT 8 illegal\n"
			      "SYN_SENT>STATE(14) 10 illegal\n");
	assert_int_equal(s->tracker.counters.illegal, 2);
	fw_tracker_advance(&s->tracker, ns_of(200));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=8 SYN_SENT=10 STATE(14)=10 aborted\n");
}

/* More states than a connection can have: forged, but harmless. */
static void endless_path_stays_bounded(void **state)
{
	struct scene *s = *state;

	active_open(s, 0);
	for (int i = 1; i < 100; i++)
		full(s, i + 1, i % 2 ? FW_ESTABLISHED : FW_CLOSE_WAIT,
		     i % 2 ? FW_CLOSE_WAIT : FW_ESTABLISHED);
	full(s, 101, FW_CLOSE_WAIT, FW_CLOSE, .err = EPIPE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=1 CLOSE_WAIT=1 ESTABLISHED=1 "
			      "CLOSE_WAIT=1 ESTABLISHED=1 CLOSE_WAIT=94 CLOSE_WAIT=1 "
			      "reset_received remote gap\n");
}

static void time_never_runs_backwards(void **state)
{
	struct scene *s = *state;

	active_open(s, 100);
	full(s, 50, FW_ESTABLISHED, FW_CLOSE_WAIT);
	full(s, 40, FW_CLOSE_WAIT, FW_CLOSE, .err = EPIPE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=0 CLOSE_WAIT=0 reset_received "
			      "remote\n");
}

static void what_belongs_to_nobody(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_CLOSE); /* close() of a socket that was never connected */
	s->cookie = 0;
	full(s, 2, FW_ESTABLISHED, FW_CLOSE_WAIT);
	expect_connections(s, "");
	expect_transitions(s, "");
	assert_int_equal(s->tracker.counters.unmatched, 1);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* ---- A socket's second connection has the first one's cookie ----------------------------- */

static void connected_again_after_refusal(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT);
	full(s, 2, FW_SYN_SENT, FW_CLOSE, .err = ECONNREFUSED);
	active_open(s, 3);
	full(s, 5, FW_ESTABLISHED, FW_CLOSE, .flags = FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	reset_sent(s, 5.01);
	expect_connections(s, "active SYN_SENT=1 refused\n"
			      "active SYN_SENT=1 ESTABLISHED=1 reset_sent\n");
	assert_int_equal(s->last.id, 2);
}

/* The first one's end is still waiting for an RST that would explain it. */
static void connected_again_while_undecided(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	active_open(s, 205);
	full(s, 210, FW_ESTABLISHED, FW_CLOSE, .err = ETIMEDOUT);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=4 timed_out\n");
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, OPENED "FIN_WAIT_1=100 reset_received local\n");
}

/* The same, and the records of its beginning were lost. */
static void undecided_is_over(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	full(s, 210, FW_ESTABLISHED, FW_CLOSE, .err = ETIMEDOUT);
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, "ESTABLISHED>=210 timed_out since_before\n" OPENED
			      "FIN_WAIT_1=100 reset_received local\n");
}

/* connect(AF_UNSPEC) and connect() while the first connection is in TIME_WAIT. */
static void connected_again_during_time_wait(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 110);
	expect_connections(s, "");
	s->lport = 50000;
	active_open(s, 1000);
	s->lport = 40001;
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=10 TIME_WAIT=60890 time_wait_expired local "
				     "three_segment\n");
	s->lport = 50000;
	full(s, 62001, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=61000 reset_received\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

/* The same, but that first connection is older than the trace: only its minisock is ever seen. */
static void connected_again_after_a_life_never_seen(void **state)
{
	struct scene *s = *state;

	s->lport = 50000;
	active_open(s, 1000);
	s->lport = 40001;
	mini(s, 2000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	s->lport = 50000;
	full(s, 3001, FW_ESTABLISHED, FW_CLOSE_WAIT);
	s->lport = 40001;
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60000 time_wait_expired since_before\n");
	s->lport = 50000;
	full(s, 63001, FW_CLOSE_WAIT, FW_CLOSE, .err = EPIPE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=2000 CLOSE_WAIT=60000 reset_received "
			      "remote\n");
	/* ... and its end only */
	active_open(s, 70000);
	s->lport = 40002;
	mini(s, 71000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET, .armed_ms = 69000);
	expect_connections(s, "TIME_WAIT>=1900 time_wait_reset since_before\n");
	s->lport = 50000;
	full(s, 72001, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=2000 reset_received\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(missing_transition_is_a_gap),
		scene_test(missing_end_is_a_gap),
		scene_test(illegal_transitions_are_counted_and_shown),
		scene_test(endless_path_stays_bounded),
		scene_test(time_never_runs_backwards),
		scene_test(what_belongs_to_nobody),
		scene_test(connected_again_after_refusal),
		scene_test(connected_again_while_undecided),
		scene_test(undecided_is_over),
		scene_test(connected_again_during_time_wait),
		scene_test(connected_again_after_a_life_never_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
