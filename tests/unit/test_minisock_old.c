// SPDX-License-Identifier: GPL-2.0-only
/* Proves what is known of minisocks whose connections are older than the trace. */
#include "events.h"

/*
 * Only the end is seen. The timer tells when it was last set, which is a lower bound, less a margin for late
 * jiffies.
 */
static void first_seen_at_its_end(void **state)
{
	struct scene *s = *state;

	s->tracker.rearms_unseen = true;
	mini(s, 20000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = -41000);
	expect_connections(s, "TIME_WAIT>=60900 time_wait_expired since_before\n");
	assert_false(s->last.flags & FW_CONN_SOCKET_SEEN);
	mini(s, 21000, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=21000(orphaned) fin_wait_2_timeout since_before\n");
	assert_int_equal(s->tracker.counters.unmatched, 2);
	assert_int_equal(s->last.lport, 40001);
	/* at least since its minisock was born */
	mini(s, 21500, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED, .since_ms = 1500);
	expect_connections(s, "FIN_WAIT_2>=20000(orphaned) fin_wait_2_timeout since_before\n");
	/* set in a jiffy that began after the record's own now */
	mini(s, 22000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET, .armed_ms = 22004);
	expect_connections(s, "TIME_WAIT>=0 time_wait_reset since_before\n");
}

/* The kernel's own time of entry is exact, if the timer confirms that it is not that of the birth. */
static void the_entry_stamp_is_believed_with_the_timer(void **state)
{
	static const struct {
		double since_ms, armed_ms;
		const char *want;
	} cases[] = {
		{ -41003, -41000, "TIME_WAIT=61003 time_wait_expired since_before\n" },
		{ -40997, -41000, "TIME_WAIT=60997 time_wait_expired since_before\n" },
		/* restarted since, or born in FIN_WAIT_2 then */
		{ -45000, -41000, "TIME_WAIT>=60900 time_wait_expired since_before\n" },
		/* no such kernel */
		{ 30000, -41000, "TIME_WAIT>=60900 time_wait_expired since_before\n" },
	};
	struct scene *s = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		mini(s, 20000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED,
		     .since_ms = cases[i].since_ms, .armed_ms = cases[i].armed_ms);
		expect_connections(s, cases[i].want);
	}
}

/* A timer that was running is set again: its state began at some time before. */
static void first_seen_when_it_restarts(void **state)
{
	struct scene *s = *state;

	mini(s, 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN, .flags = FW_REC_REARMED);
	mini(s, 61400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60400 time_wait_expired since_before\n");
	/* the timer front end sees a cancel just before, on the same CPU */
	s->tracker.rearms_unseen = true;
	scene_connection(s, 2);
	mini(s, 70000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_REARMED);
	mini(s, 70000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 130400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60400 time_wait_expired since_before\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

/* A birth: its state begins now, and its socket's last transition says what came before. */
static void first_seen_when_it_is_born(void **state)
{
	struct scene *s = *state;

	/* Its cookie was given to it by another tracer, ss, or an earlier finwait. */
	mini(s, 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 1000.01, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .sent = 10);
	mini(s, 61400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=1000 TIME_WAIT=60400 time_wait_expired since_before\n");
	assert_int_equal(s->last.bytes_sent, 10);
	/* FIN_WAIT_2 in both objects is one state, older than the birth */
	scene_connection(s, 2);
	mini(s, 70000, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 70000.01, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN);
	mini(s, 71000, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=71000(orphaned) fin_wait_2_timeout since_before\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

/* The record that tells a birth from a restart may be lost: without it a birth is none yet. */
static void a_birth_is_proven_by_the_end_of_its_socket(void **state)
{
	struct scene *s = *state;

	mini(s, 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 61400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60400 time_wait_expired since_before\n");
}

/* What is known only since a snapshot, a loss or an eviction is not as old as the trace. */
static void what_may_have_been_missed_has_no_bound(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 3; i++) {
		scene_fini(s);
		scene_init(s, 10);
		if (i == 0)
			fw_tracker_lost(&s->tracker, 1, ns_of(10));
		if (i == 1)
			s->tracker.counters.evicted++;
		if (i == 2)
			s->tracker.snapshot_done = true;
		mini(s, 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		full(s, 1000.01, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN);
		mini(s, 2000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
		expect_connections(s, "FIN_WAIT_2=? TIME_WAIT=1000 time_wait_reset since_before gap\n");
		mini(s, 3000, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_RESET);
		expect_connections(s, "FIN_WAIT_2=?(orphaned) reset_received since_before gap\n");
		assert_int_equal(s->tracker.counters.gaps, 2);
	}
}

/* Nothing happened to this connection since before the trace, so it got its cookie only when its
 * full socket closed, after the minisock was born without one.
 */
static void anonymous_minisock_joins_its_socket(void **state)
{
	struct scene *s = *state;

	s->no_mini_cookie = true;
	mini(s, 500, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 500.01, FW_FIN_WAIT_2, FW_CLOSE, .sent = 10, .segs_in = 9);
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT >=500 minisock\n");
	/* the minisock stays without a cookie */
	mini(s, 1500, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 62000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=500 TIME_WAIT=61500(1 restarts) time_wait_expired "
			      "since_before\n");
	assert_int_equal(s->last.bytes_sent, 10);
	assert_int_equal(s->last.lport, 40001);
	assert_int_equal(s->last.id, 1);
}

/* tcp_fin_timeout above 60 s: FIN_WAIT_2 moves from object to object. */
static void anonymous_minisock_in_fin_wait_2(void **state)
{
	struct scene *s = *state;

	s->no_mini_cookie = true;
	mini(s, 500, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 500.01, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN);
	expect_transitions(s, "");
	mini(s, 1500, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=1500(orphaned) fin_wait_2_timeout since_before\n");
}

/* It is one socket's minisock, not that of the next as well. */
static void anonymous_minisock_joins_once(void **state)
{
	struct scene *s = *state;

	s->no_mini_cookie = true;
	mini(s, 500, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 500.01, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN);
	scene_connection(s, 2);
	full(s, 500.02, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	expect_connections(s, "LAST_ACK>=500.02 last_ack since_before\n");
	assert_int_equal(s->tracker.table.nr, 1);
}

static void anonymous_minisock_of_somebody_else(void **state)
{
	struct scene *s = *state;

	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		s->no_mini_cookie = true;
		s->cpu = 0;
		mini(s, n * 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		if (n == 1)
			s->cpu = 1;
		if (n == 2)
			s->rport = 81;
		full(s, n * 1000 + (n == 3 ? 101 : 0.01), FW_LAST_ACK, FW_CLOSE,
		     .flags = FW_REC_FIN_ACKED);
	}
	expect_connections(s, "LAST_ACK>=1000.01 last_ack since_before\n"
			      "LAST_ACK>=2000.01 last_ack since_before\n"
			      "LAST_ACK>=3101 last_ack since_before\n");
	fw_tracker_finish(&s->tracker, ns_of(5000));
	expect_connections(s, "TIME_WAIT>=4000 open since_before\n"
			      "TIME_WAIT>=3000 open since_before\n"
			      "TIME_WAIT>=2000 open since_before\n");
}

/* Two anonymous minisocks, one after the other at the same address. */
static void address_is_used_again(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 2; i++) {
		s->no_mini_cookie = true;
		mini(s, 100 + i * 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		full(s, 100.01 + i * 1000, FW_CLOSING, FW_CLOSE);
		mini(s, 200 + i * 1000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
		s->cookie++;
	}
	expect_connections(s, "CLOSING>=100 TIME_WAIT=100 time_wait_reset since_before\n"
			      "CLOSING>=1100 TIME_WAIT=100 time_wait_reset since_before\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

/* What was at that address before, and whose end was lost, is not it. */
static void address_of_somebody_else(void **state)
{
	struct scene *s = *state;

	/* a child that lost the race for its request */
	full(s, 100, FW_LISTEN, FW_SYN_RECV);
	s->no_mini_cookie = true;
	s->mini_skaddr = s->skaddr;
	mini(s, 200, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 300, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
	expect_connections(s, "TIME_WAIT>=100 time_wait_reset since_before\n");
	/* a minisock without a cookie, and one with */
	mini(s, 400, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	s->no_mini_cookie = false;
	s->cookie = 2;
	mini(s, 500, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 480);
	expect_connections(s, "TIME_WAIT>=0 time_wait_expired since_before\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(first_seen_at_its_end),
		scene_test(the_entry_stamp_is_believed_with_the_timer),
		scene_test(first_seen_when_it_restarts),
		scene_test(first_seen_when_it_is_born),
		scene_test(a_birth_is_proven_by_the_end_of_its_socket),
		scene_test(what_may_have_been_missed_has_no_bound),
		scene_test(anonymous_minisock_joins_its_socket),
		scene_test(anonymous_minisock_in_fin_wait_2),
		scene_test(anonymous_minisock_joins_once),
		scene_test(anonymous_minisock_of_somebody_else),
		scene_test(address_is_used_again),
		scene_test(address_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
