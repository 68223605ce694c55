// SPDX-License-Identifier: GPL-2.0-only
/* Proves what is known of minisocks whose connections are older than the trace. */
#include "events.h"

/* Only the end is seen. The timer tells when it was set last, which is a lower bound. */
static void first_seen_at_its_end(void **state)
{
	struct scene *s = *state;

	s->tracker.rearms_unseen = true;
	mini(s, 20000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = -41000);
	expect_connections(s, "TIME_WAIT>=61000 time_wait_expired since_before\n");
	assert_false(s->last.flags & FW_CONN_SOCKET_SEEN);
	mini(s, 21000, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=21000(orphaned) fin_wait_2_timeout since_before\n");
	assert_int_equal(s->tracker.counters.unmatched, 2);
	assert_int_equal(s->last.lport, 40001);
	/* set in a jiffy that began after the record's own now */
	mini(s, 22000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET, .armed_ms = 22004);
	expect_connections(s, "TIME_WAIT>=0 time_wait_reset since_before\n");
}

static void first_seen_when_it_restarts(void **state)
{
	struct scene *s = *state;

	s->tracker.rearms_unseen = true;
	mini(s, 1000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 61400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=61400 time_wait_expired since_before\n");
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
	expect_connections(s, "TIME_WAIT>=5000 open since_before\n"
			      "TIME_WAIT>=5000 open since_before\n"
			      "TIME_WAIT>=5000 open since_before\n");
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
	expect_connections(s, "TIME_WAIT>=300 time_wait_reset since_before\n");
	/* a minisock without a cookie, and one with */
	mini(s, 400, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	s->no_mini_cookie = false;
	s->cookie = 2;
	mini(s, 500, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED, .armed_ms = 480);
	expect_connections(s, "TIME_WAIT>=20 time_wait_expired since_before\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(first_seen_at_its_end),
		scene_test(first_seen_when_it_restarts),
		scene_test(anonymous_minisock_joins_its_socket),
		scene_test(anonymous_minisock_in_fin_wait_2),
		scene_test(anonymous_minisock_joins_once),
		scene_test(anonymous_minisock_of_somebody_else),
		scene_test(address_is_used_again),
		scene_test(address_of_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
