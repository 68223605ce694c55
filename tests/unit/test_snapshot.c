// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a snapshot merges what was there before: each object once, with the age that is known. */
#include "snapshot.h"

static void what_the_hooks_know_is_not_doubled_by_a_snapshot(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED, .idle_ms = 50);
	snap_end(s, 102);
	assert_int_equal(s->tracker.table.nr, 1);
	assert_int_equal(s->tracker.counters.gaps, 0);
	scene_finish(s, 200);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=189 open\n");
}

static void what_a_snapshot_finds_is_as_old_as_its_idleness_at_least(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10000);
	sock(s, 10001, FW_ESTABLISHED, .idle_ms = 4000);
	snap_end(s, 10002);
	full(s, 11001, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 9);
	expect_transitions(s, "ESTABLISHED>CLOSE_WAIT >=4990\n");
	full(s, 12001, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER, .pid = 7, .comm = "x");
	expect_transitions(s, "CLOSE_WAIT>LAST_ACK 1000\n"); /* of this both ends were seen */
	scene_finish(s, 12500);
	expect_connections(s, "ESTABLISHED>=4990 CLOSE_WAIT=1000 LAST_ACK=499 open remote "
			      "since_before\n");
}

static void nothing_is_told_as_a_transition_that_was_only_found(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED);
	scene_connection(s, 2);
	sock_mini(s, 101, FW_TIME_WAIT, .armed_ms = 50);
	scene_connection(s, 3);
	sock_request(s, 101);
	snap_end(s, 102);
	expect_transitions(s, "");
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 3);
	assert_int_equal(s->tracker.counters.events, 0); /* of the hooks */
}

/* The segment that made the state came before the transition: a margin is taken off. */
static void a_state_is_no_older_than_its_last_segment_proves(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_CLOSE_WAIT, .idle_ms = 5);
	scene_connection(s, 2);
	sock(s, 101, FW_CLOSE_WAIT);
	snap_end(s, 102);
	scene_finish(s, 201);
	expect_connections(s, "CLOSE_WAIT>=100 open remote since_before\n"
			      "CLOSE_WAIT>=100 open remote since_before\n");
}

static void a_jiffies_rate_that_is_not_known_gives_a_timer_no_age(void **state)
{
	struct scene *s = *state;

	s->tracker.hz = 0;
	snap_begin(s, 100);
	sock_mini(s, 101, FW_TIME_WAIT, .armed_ms = 50, .idle_ms = 51);
	snap_end(s, 102);
	scene_finish(s, 201);
	expect_connections(s, "TIME_WAIT>=100 open since_before\n");
}

static void a_time_wait_is_as_old_as_its_timer_says_at_least(void **state)
{
	struct scene *s = *state;

	/* It may have been restarted, and jiffies may have been late. */
	snap_begin(s, 20000);
	sock_mini(s, 20000, FW_TIME_WAIT, .armed_ms = 8000);
	snap_end(s, 20001);
	s->armed_ms = 8000;
	mini(s, 69000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60900 time_wait_expired since_before\n");
}

static void a_time_wait_is_as_old_as_its_stamp_says_exactly(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 20000);
	sock_mini(s, 20000, FW_TIME_WAIT, .armed_ms = 8000, .idle_ms = 12001);
	snap_end(s, 20001);
	s->armed_ms = 8000;
	mini(s, 69000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT=61001 time_wait_expired since_before\n");
	/* the stamp of its birth in FIN_WAIT_2, or of an entry before a restart */
	scene_connection(s, 2);
	snap_begin(s, 70000);
	sock_mini(s, 70000, FW_TIME_WAIT, .armed_ms = 60000, .idle_ms = 15000);
	snap_end(s, 70001);
	s->armed_ms = 60000;
	mini(s, 121000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT>=60900 time_wait_expired since_before\n");
}

static void an_orphan_in_fin_wait_2_has_only_a_lower_bound(void **state)
{
	struct scene *s = *state;

	/* Its timer counts down tcp_fin_timeout, which may be anything. */
	snap_begin(s, 20000);
	sock_mini(s, 20000, FW_FIN_WAIT_2, .armed_ms = 8000);
	snap_end(s, 20001);
	mini(s, 21000, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT >=1000 minisock\n");
	mini(s, 82000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=1000(orphaned) TIME_WAIT=61000 time_wait_expired "
			      "since_before\n");
}

static void a_half_closed_and_an_orphaned_fin_wait_2_are_told_apart(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 5000);
	sock(s, 5000, FW_FIN_WAIT_2, .idle_ms = 1000);
	scene_connection(s, 2);
	sock(s, 5000, FW_FIN_WAIT_2, .idle_ms = 2000, .flags = FW_REC_ORPHAN);
	snap_end(s, 5001);
	scene_finish(s, 6000);
	expect_connections(s, "FIN_WAIT_2>=1990 open local since_before\n"
			      "FIN_WAIT_2>=2990(orphaned) open local since_before\n");
}

static void who_closed_first_is_concluded_from_the_state(void **state)
{
	static const struct {
		unsigned int state;
		enum fw_closed_by by;
	} cases[] = {
		{ FW_ESTABLISHED, FW_CLOSED_BY_UNKNOWN }, { FW_SYN_SENT, FW_CLOSED_BY_UNKNOWN },
		{ FW_FIN_WAIT_1, FW_CLOSED_BY_LOCAL },	  { FW_FIN_WAIT_2, FW_CLOSED_BY_LOCAL },
		{ FW_CLOSE_WAIT, FW_CLOSED_BY_REMOTE },	  { FW_LAST_ACK, FW_CLOSED_BY_REMOTE },
		{ FW_CLOSING, FW_CLOSED_BY_BOTH },
	};
	struct scene *s = *state;

	snap_begin(s, 100);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		scene_connection(s, i + 1);
		sock(s, 101, cases[i].state);
		assert_int_equal(tracked(s)->closed_by, cases[i].by);
	}
	snap_end(s, 102);
}

static void a_half_open_connection_is_as_old_as_its_syn_acks(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10000);
	sock_request(s, 10000, .timeouts = 2, .idle_ms = 3000);
	snap_end(s, 10001);
	assert_int_equal(s->tracker.table.nr, 1);
	request(s, 10500, FW_REC_REQ_END, FW_CAUSE_RESET, .since_ms = 7000);
	expect_connections(s, "passive SYN_RECV>=3500 half_open_dropped since_before\n");
	/* recordings of version 1 do not have their time */
	snap_begin(s, 20000);
	sock_request(s, 20000, .timeouts = 2);
	snap_end(s, 20001);
	request(s, 20500, FW_REC_REQ_END, FW_CAUSE_RESET);
	expect_connections(s, "passive SYN_RECV>=500 half_open_dropped since_before\n");
}

static void a_half_open_connection_that_was_found_completes_as_one(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	snap_begin(s, 10000);
	sock_request(s, 10000, .timeouts = 1, .idle_ms = 1000);
	snap_end(s, 10001);
	full(s, 10100, FW_LISTEN, FW_SYN_RECV, 0);
	request(s, 10100, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	full(s, 10100, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
	assert_int_equal(s->tracker.table.nr, 1);
	scene_finish(s, 11000);
	expect_connections(s, "passive SYN_RECV>=1100 ESTABLISHED=900 open since_before\n");
}

static void a_request_the_hooks_know_keeps_its_exact_age(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	request(s, 9000, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	snap_begin(s, 10000);
	sock_request(s, 10000, .timeouts = 1);
	snap_end(s, 10001);
	request(s, 10500, FW_REC_REQ_END, FW_CAUSE_RESET);
	expect_connections(s, "passive SYN_RECV=1500 half_open_dropped\n");
}

static void two_namespaces_with_the_same_addresses_are_two_connections(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	snap_begin(s, 100);
	sock_request(s, 101);
	s->request_skaddr += 0x40;
	sock_request(s, 102, .netns = SCENE_NETNS + 1);
	snap_end(s, 103);
	assert_int_equal(s->tracker.table.nr, 2);
}

static void a_socket_without_a_cookie_is_known_by_its_address(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_CLOSE_WAIT, .no_cookie = true);
	scene_connection(s, 2);
	sock(s, 101, FW_CLOSE_WAIT, .no_cookie = true);
	snap_end(s, 102);
	assert_int_equal(s->tracker.table.nr, 2);
	snap_begin(s, 200);
	sock(s, 201, FW_CLOSE_WAIT, .no_cookie = true);
	scene_connection(s, 1);
	sock(s, 201, FW_CLOSE_WAIT, .no_cookie = true);
	snap_end(s, 202);
	assert_int_equal(s->tracker.table.nr, 2);
	assert_int_equal(s->tracker.counters.gaps, 0);
	assert_null(fw_conn_table_by_cookie(&s->tracker.table, 0));
}

static void bytes_and_user_come_with_the_socket(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED, .sent = 5, .received = 6, .uid = 33, .cgroup_id = 4711);
	snap_end(s, 102);
	assert_int_equal(tracked(s)->bytes_sent, 5);
	assert_int_equal(tracked(s)->bytes_received, 6);
	assert_int_equal(tracked(s)->uid, 33);
	assert_int_equal(tracked(s)->cgroup_id, 4711);
	/* Before Linux 5.11 the control group is not read from the socket: keep what is known. */
	snap_begin(s, 200);
	sock(s, 201, FW_ESTABLISHED, .sent = 7, .received = 8, .uid = 33);
	snap_end(s, 202);
	assert_int_equal(tracked(s)->bytes_sent, 7);
	assert_int_equal(tracked(s)->cgroup_id, 4711);
}

static void the_peers_fin_is_no_byte_received(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_CLOSE_WAIT, .received = 101, .flags = FW_REC_FIN_RECEIVED);
	snap_end(s, 102);
	assert_int_equal(tracked(s)->bytes_received, 100);
}

static void what_was_met_counts_as_seen_until_then(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 5000);
	sock(s, 5000, FW_CLOSE_WAIT, .idle_ms = 3000);
	snap_end(s, 5001);
	assert_int_equal(fw_conn_dwell_ns(tracked(s), 0), 2990000000ULL);
	snap_begin(s, 9000);
	sock(s, 9000, FW_CLOSE_WAIT, .idle_ms = 7000);
	snap_end(s, 9001);
	assert_int_equal(fw_conn_dwell_ns(tracked(s), 0), 6990000000ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(what_the_hooks_know_is_not_doubled_by_a_snapshot),
		scene_test(what_a_snapshot_finds_is_as_old_as_its_idleness_at_least),
		scene_test(nothing_is_told_as_a_transition_that_was_only_found),
		scene_test(a_state_is_no_older_than_its_last_segment_proves),
		scene_test(a_jiffies_rate_that_is_not_known_gives_a_timer_no_age),
		scene_test(a_time_wait_is_as_old_as_its_timer_says_at_least),
		scene_test(a_time_wait_is_as_old_as_its_stamp_says_exactly),
		scene_test(an_orphan_in_fin_wait_2_has_only_a_lower_bound),
		scene_test(a_half_closed_and_an_orphaned_fin_wait_2_are_told_apart),
		scene_test(who_closed_first_is_concluded_from_the_state),
		scene_test(a_half_open_connection_is_as_old_as_its_syn_acks),
		scene_test(a_half_open_connection_that_was_found_completes_as_one),
		scene_test(a_request_the_hooks_know_keeps_its_exact_age),
		scene_test(two_namespaces_with_the_same_addresses_are_two_connections),
		scene_test(a_socket_without_a_cookie_is_known_by_its_address),
		scene_test(bytes_and_user_come_with_the_socket),
		scene_test(the_peers_fin_is_no_byte_received),
		scene_test(what_was_met_counts_as_seen_until_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
