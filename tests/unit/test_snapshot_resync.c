// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a snapshot among events neither doubles nor ends what it should not, and that after a
 * loss it puts right, and marks, what the tracker has missed.
 */
#include "snapshot.h"

static void a_transition_before_the_iterator_comes_by_is_met(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	full(s, 110, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	sock(s, 111, FW_CLOSE_WAIT, .idle_ms = 1);
	snap_end(s, 112);
	scene_finish(s, 200);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=99 CLOSE_WAIT=90 open remote\n");
}

static void a_transition_after_the_iterator_came_by_follows(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 110, FW_ESTABLISHED, .idle_ms = 60);
	full(s, 111, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	snap_end(s, 112);
	scene_finish(s, 200);
	expect_connections(s, "ESTABLISHED>=51 CLOSE_WAIT=89 open remote since_before\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

static void a_connection_that_becomes_a_minisock_meanwhile_is_shown_twice_and_one(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_FIN_WAIT_1);
	full(s, 102, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 102, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	sock_mini(s, 102, FW_FIN_WAIT_2, .armed_ms = 102); /* its -> CLOSE is still to come */
	full(s, 102, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	sock_mini(s, 103, FW_FIN_WAIT_2, .armed_ms = 102);
	snap_end(s, 104);
	assert_int_equal(s->tracker.table.nr, 1);
	assert_int_equal(s->tracker.counters.gaps, 0);
	scene_finish(s, 202);
	expect_connections(s, "FIN_WAIT_1>=1 FIN_WAIT_2=100(orphaned) open local since_before\n");
}

static void what_ends_during_a_snapshot_has_ended_once(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED);
	full(s, 105, FW_ESTABLISHED, FW_CLOSE, .err = 104, .flags = FW_REC_ORPHAN);
	snap_end(s, 110);
	fw_tracker_advance(&s->tracker, ns_of(500));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=94 reset_received\n");
	assert_int_equal(s->tracker.table.nr, 0);
	assert_int_equal(s->tracker.counters.gaps, 0);
}

static void what_a_whole_namespace_does_not_show_has_ended_unknown(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	expect_transitions(s, "CLOSE>SYN_SENT ?\nSYN_SENT>ESTABLISHED 1\n");
	snap_begin(s, 100);
	snap_end(s, 111);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=100 unknown gap\n");
	expect_transitions(s, "ESTABLISHED>CLOSE ? unknown\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_int_equal(s->tracker.table.nr, 0);
}

static void what_a_namespace_that_was_not_finished_does_not_show_stays(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	snap_netns(s, 101, SCENE_NETNS + 1);
	scene_head_only(s, 102, FW_REC_SNAP_END, 0);
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 1);
	/* What one snapshot finished is not finished in the next. */
	snap_begin(s, 200);
	sock(s, 201, FW_ESTABLISHED);
	snap_end(s, 202);
	snap_begin(s, 300);
	scene_head_only(s, 301, FW_REC_SNAP_END, 0);
	expect_connections(s, "");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

static void every_namespace_of_many_is_remembered_as_finished(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	snap_netns(s, 101, SCENE_NETNS);
	for (uint32_t i = 1; i <= 100; i++)
		snap_netns(s, 102, SCENE_NETNS + i);
	scene_head_only(s, 111, FW_REC_SNAP_END, 0);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=100 unknown gap\n");
}

static void what_was_born_during_a_snapshot_stays(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	active_open(s, 100); /* behind the iterator's back */
	snap_end(s, 110);
	expect_connections(s, "");
	/* The next one should have seen it. */
	snap_begin(s, 200);
	snap_end(s, 201);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=100 unknown gap\n");
}

static void after_a_loss_another_state_is_put_right_and_marked(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	expect_transitions(s, "CLOSE>SYN_SENT ?\nSYN_SENT>ESTABLISHED 1\n");
	fw_tracker_lost(&s->tracker, 3, ns_of(50));
	snap_begin(s, 100);
	sock(s, 101, FW_CLOSE_WAIT, .idle_ms = 40);
	snap_end(s, 102);
	expect_transitions(s, "ESTABLISHED>CLOSE_WAIT ?\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	scene_finish(s, 201);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=60 CLOSE_WAIT>=130 open remote gap\n");
}

static void after_a_loss_an_orphan_is_known_as_one(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 100);
	sock(s, 101, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN);
	snap_end(s, 102);
	scene_finish(s, 201);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=90 FIN_WAIT_2>=100(orphaned) open "
			      "local gap\n");
}

static void after_a_loss_a_minisock_is_still_the_same_connection(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 110);
	fw_tracker_lost(&s->tracker, 3, ns_of(150));
	snap_begin(s, 200);
	sock_mini(s, 204, FW_TIME_WAIT, .armed_ms = 120, .idle_ms = 84);
	snap_end(s, 205);
	assert_int_equal(s->tracker.table.nr, 1);
	assert_false(tracked(s)->flags & FW_CONN_SOCKET_SEEN); /* its totals were in a lost record */
	s->armed_ms = 120;
	mini(s, 60400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1<=10 TIME_WAIT=60280 "
			      "time_wait_expired local gap\n");
}

static void after_a_loss_a_time_wait_the_hooks_missed_is_entered(void **state)
{
	struct scene *s = *state;

	orphan_in_minisock(s, 120);
	snap_begin(s, 500);
	sock_mini(s, 500, FW_TIME_WAIT, .armed_ms = 400);
	snap_end(s, 501);
	s->armed_ms = 400;
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 "
			      "FIN_WAIT_2=280(orphaned) TIME_WAIT=60600 time_wait_expired local\n");
}

static void what_is_found_after_a_loss_may_be_younger_than_the_trace(void **state)
{
	struct scene *s = *state;

	fw_tracker_lost(&s->tracker, 3, ns_of(50));
	snap_begin(s, 100);
	sock(s, 100, FW_ESTABLISHED);
	scene_connection(s, 2);
	sock_mini(s, 100, FW_TIME_WAIT, .armed_ms = 40, .idle_ms = 60);
	scene_connection(s, 3);
	sock_mini(s, 100, FW_TIME_WAIT, .armed_ms = 40);
	snap_end(s, 101);
	scene_finish(s, 200);
	expect_connections(s, "ESTABLISHED>=100 open since_before gap\n"
			      "TIME_WAIT=160 open since_before gap\n"
			      "TIME_WAIT>=100 open since_before gap\n");
}

/* The socket has been connected again while its former life is in TIME_WAIT, under the same cookie. */
static void both_lives_of_a_socket(struct scene *s, bool mini_first)
{
	snap_begin(s, 1000);
	if (mini_first)
		sock_mini(s, 1000, FW_TIME_WAIT, .armed_ms = 400, .idle_ms = 600);
	s->lport++;
	sock(s, 1001, FW_ESTABLISHED);
	s->lport--;
	if (!mini_first)
		sock_mini(s, 1004, FW_TIME_WAIT, .armed_ms = 400, .idle_ms = 604);
	snap_end(s, 1005);
	assert_int_equal(s->tracker.table.nr, 2);
	assert_int_equal(s->tracker.counters.gaps, 0);
	s->lport++;
	full(s, 2001, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	s->lport--;
	s->armed_ms = 400;
	mini(s, 61400, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "TIME_WAIT=61000 time_wait_expired since_before\n");
	scene_finish(s, 62001);
	expect_connections(s, "ESTABLISHED>=1000 CLOSE_WAIT=60000 open remote since_before\n");
}

static void two_lives_of_a_socket_are_kept_apart_minisock_first(void **state)
{
	both_lives_of_a_socket(*state, true);
}

static void two_lives_of_a_socket_are_kept_apart_minisock_last(void **state)
{
	both_lives_of_a_socket(*state, false);
}

static void a_minisock_that_the_iterator_gave_a_cookie_ends_once(void **state)
{
	struct scene *s = *state;

	/* Nothing had happened to its socket since before the trace. */
	s->no_mini_cookie = true;
	mini(s, 10, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 10, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN);
	snap_begin(s, 50);
	sock_mini(s, 51, FW_TIME_WAIT, .armed_ms = 10);
	snap_end(s, 52);
	s->no_mini_cookie = false;
	mini(s, 61010, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, "FIN_WAIT_2>=10 TIME_WAIT=61000 time_wait_expired since_before\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

static void a_listener_that_is_gone_is_forgotten_without_a_connection(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	snap_begin(s, 100);
	sock(s, 101, FW_LISTEN);
	snap_end(s, 102);
	assert_true(fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS,
				       (const uint8_t[16]){ 192, 0, 2, 1 }, 80));
	snap_begin(s, 200);
	snap_end(s, 202);
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 0);
	assert_false(fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS,
					(const uint8_t[16]){ 192, 0, 2, 1 }, 80));
}

/* In TIME_WAIT, but the last transition of its socket, which tells of it, is lost. */
static void half_told_time_wait(struct scene *s)
{
	active_open(s, 10);
	full(s, 20, FW_ESTABLISHED, FW_FIN_WAIT_1, .segs_in = 1);
	full(s, 30, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .segs_in = 2);
	mini(s, 40, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	fw_tracker_lost(&s->tracker, 1, ns_of(41));
	fw_buf_clear(&s->transitions);
}

static void a_minisock_whose_birth_was_half_lost_is_told_of_when_met(void **state)
{
	struct scene *s = *state;

	half_told_time_wait(s);
	snap_begin(s, 200);
	sock_mini(s, 201, FW_TIME_WAIT, .armed_ms = 40);
	snap_end(s, 202);
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT 10 minisock\n");
	snap_begin(s, 300);
	snap_end(s, 302);
	expect_transitions(s, "TIME_WAIT>CLOSE ? unknown\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

static void a_minisock_whose_birth_was_half_lost_ends_when_it_is_gone(void **state)
{
	struct scene *s = *state;

	half_told_time_wait(s);
	/* Not yet: the rest may be on its way. */
	snap_begin(s, 41);
	snap_end(s, 42);
	assert_int_equal(s->tracker.table.nr, 1);
	snap_begin(s, 200);
	snap_end(s, 202);
	assert_int_equal(s->tracker.table.nr, 0);
	expect_transitions(s, "FIN_WAIT_2>TIME_WAIT 10 minisock\nTIME_WAIT>CLOSE ? unknown\n");
	assert_true(s->last.flags & FW_CONN_GAP);
}

/* The handshake completes, but the child's first own transition is lost. */
static void half_told_child(struct scene *s)
{
	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	full(s, 200, FW_LISTEN, FW_SYN_RECV);
	request(s, 200.01, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	fw_tracker_lost(&s->tracker, 1, ns_of(201));
	fw_buf_clear(&s->transitions);
}

static void a_child_that_was_half_told_of_is_one_connection_when_met(void **state)
{
	struct scene *s = *state;

	half_told_child(s);
	snap_begin(s, 1000);
	sock(s, 1001, FW_ESTABLISHED, .idle_ms = 800);
	snap_end(s, 1002);
	assert_int_equal(s->tracker.table.nr, 1);
	assert_non_null(tracked(s));
	full(s, 1100, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	assert_int_equal(s->tracker.table.nr, 1);
	assert_int_equal(tracked(s)->role, FW_ROLE_PASSIVE);
	assert_int_equal(fw_conn_state(tracked(s)), FW_CLOSE_WAIT);
}

static void a_child_that_was_half_told_of_is_nobody_when_it_is_gone(void **state)
{
	struct scene *s = *state;

	half_told_child(s);
	snap_begin(s, 1000);
	snap_end(s, 1002);
	assert_int_equal(s->tracker.table.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(a_transition_before_the_iterator_comes_by_is_met),
		scene_test(a_transition_after_the_iterator_came_by_follows),
		scene_test(a_connection_that_becomes_a_minisock_meanwhile_is_shown_twice_and_one),
		scene_test(what_ends_during_a_snapshot_has_ended_once),
		scene_test(what_a_whole_namespace_does_not_show_has_ended_unknown),
		scene_test(what_a_namespace_that_was_not_finished_does_not_show_stays),
		scene_test(every_namespace_of_many_is_remembered_as_finished),
		scene_test(what_was_born_during_a_snapshot_stays),
		scene_test(after_a_loss_another_state_is_put_right_and_marked),
		scene_test(after_a_loss_an_orphan_is_known_as_one),
		scene_test(after_a_loss_a_minisock_is_still_the_same_connection),
		scene_test(after_a_loss_a_time_wait_the_hooks_missed_is_entered),
		scene_test(what_is_found_after_a_loss_may_be_younger_than_the_trace),
		scene_test(two_lives_of_a_socket_are_kept_apart_minisock_first),
		scene_test(two_lives_of_a_socket_are_kept_apart_minisock_last),
		scene_test(a_minisock_that_the_iterator_gave_a_cookie_ends_once),
		scene_test(a_listener_that_is_gone_is_forgotten_without_a_connection),
		scene_test(a_minisock_whose_birth_was_half_lost_is_told_of_when_met),
		scene_test(a_minisock_whose_birth_was_half_lost_ends_when_it_is_gone),
		scene_test(a_child_that_was_half_told_of_is_one_connection_when_met),
		scene_test(a_child_that_was_half_told_of_is_nobody_when_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
