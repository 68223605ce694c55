// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the tracker is bounded, decides in time, and reports what is open or lost. */
#include "events.h"

#include <errno.h>

static void open_connections_are_reported_at_the_end(void **state)
{
	struct scene *s = *state;

	active_open(s, 100);
	scene_connection(s, 2);
	orphan_in_minisock(s, 300);
	scene_connection(s, 3);
	request(s, 400, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	scene_connection(s, 4);
	full(s, 500, FW_ESTABLISHED, FW_CLOSE_WAIT);
	scene_connection(s, 5);
	three_segment_close(s, 600);
	fw_buf_clear(&s->transitions);
	fw_tracker_finish(&s->tracker, ns_of(1000));
	expect_connections(s,
		"active SYN_SENT=1 ESTABLISHED=899 open\n"
		"active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 FIN_WAIT_2=700(orphaned) open "
		"local\n"
		"passive SYN_RECV=600 open\n"
		"ESTABLISHED>=500 CLOSE_WAIT=500 open remote since_before\n"
		"active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=10 TIME_WAIT=400 open local "
		"three_segment\n");
	expect_transitions(s, "");
	assert_int_equal(s->tracker.counters.connections, 0);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* What had ended but was still to be explained is not open. */
static void finish_decides_first(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	scene_connection(s, 2);
	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 201, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	fw_tracker_finish(&s->tracker, ns_of(202));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=100 reset_received "
			      "local\n");
	assert_int_equal(s->tracker.counters.connections, 1);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* Time comes with events as well as by itself. */
static void ends_are_decided_after_100_ms(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	fw_tracker_advance(&s->tracker, ns_of(299.9));
	expect_connections(s, "");
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=100 reset_received "
			      "local\n");
	scene_connection(s, 2);
	open_and_close(s, 400);
	full(s, 500, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	scene_connection(s, 3);
	full(s, 600, FW_CLOSE, FW_SYN_SENT);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 FIN_WAIT_1=100 reset_received "
			      "local\n");
}

/* More than the ring of undecided ends holds at first. */
static void many_undecided(void **state)
{
	struct scene *s = *state;
	size_t len, lines = 0;
	const char *text;

	for (unsigned int n = 1; n <= 500; n++) {
		double ms = 1000 + n * 0.5;

		scene_connection(s, n);
		full(s, ms, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
		if (n == 300)
			fw_tracker_advance(&s->tracker, ns_of(1100));
	}
	fw_tracker_advance(&s->tracker, ns_of(3000));
	text = fw_buf_str(&s->connections);
	for (len = strlen(text); len; len--)
		lines += text[len - 1] == '\n';
	assert_int_equal(lines, 500);
	assert_int_equal(s->last.cookie, 500);
	assert_int_equal(s->tracker.table.nr, 0);
	assert_int_equal(s->tracker.nr_undecided, 0);
}

/* All within 100 ms: the ring grows, and keeps the order. */
static void the_undecided_keep_their_order(void **state)
{
	struct scene *s = *state;

	/* the ring's beginning is not its first slot when it has to grow */
	for (unsigned int n = 1001; n <= 1030; n++) {
		scene_connection(s, n);
		full(s, 1, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	}
	fw_tracker_advance(&s->tracker, ns_of(101));
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int n = 1; n <= 100; n++) {
			scene_connection(s, round * 100 + n);
			full(s, 1000 * round + 200 + n * 0.1, FW_FIN_WAIT_1, FW_CLOSE,
			     .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
		}
		assert_true(s->tracker.nr_undecided == 100);
		fw_tracker_advance(&s->tracker, ns_of(1000 * round + 305.05));
		assert_int_equal(s->last.cookie, round * 100 + 50);
		assert_int_equal(s->tracker.nr_undecided, 50);
		fw_tracker_advance(&s->tracker, ns_of(1000 * round + 400));
		assert_int_equal(s->last.cookie, round * 100 + 100);
	}
	assert_int_equal(s->tracker.counters.connections, 330);
}

/* ---- Memory ------------------------------------------------------------------------------ */

static void longest_idle_is_evicted(void **state)
{
	struct scene *s = *state;

	scene_fini(s);
	scene_init(s, 3);
	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		active_open(s, n * 10);
	}
	scene_connection(s, 1); /* not idle any more: the second is the longest idle now */
	full(s, 100, FW_ESTABLISHED, FW_CLOSE_WAIT);
	scene_connection(s, 4);
	active_open(s, 110);
	assert_int_equal(s->tracker.counters.evicted, 1);
	assert_int_equal(s->tracker.table.nr, 3);
	fw_tracker_finish(&s->tracker, ns_of(200));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=169 open\n"
			      "active SYN_SENT=1 ESTABLISHED=89 CLOSE_WAIT=100 open remote\n"
			      "active SYN_SENT=1 ESTABLISHED=89 open\n");
}

/* Lists of connections to come back to must not mistake a new one for the evicted one. */
static void evicted_ones_are_really_forgotten(void **state)
{
	struct scene *s = *state;

	scene_fini(s);
	scene_init(s, 1);
	s->tracker.rearms_unseen = true;
	orphan_in_minisock(s, 200);
	scene_connection(s, 2);
	full(s, 300, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER);
	full(s, 310, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	scene_connection(s, 3); /* takes the place of the undecided one, whose end is known */
	full(s, 311, FW_CLOSE, FW_SYN_SENT);
	expect_connections(s, "ESTABLISHED=? FIN_WAIT_1=10 reset_received local since_before gap\n");
	fw_tracker_advance(&s->tracker, ns_of(400));
	expect_connections(s, "");
	fw_tracker_unsettled(&s->tracker, NULL, NULL);
	assert_int_equal(s->tracker.counters.evicted, 1);
	fw_tracker_finish(&s->tracker, ns_of(500));
	expect_connections(s, "active SYN_SENT=189 open\n");
}

/* The evicted one's turn to be decided is not that of the one in its memory. */
static void undecided_in_the_memory_of_an_evicted_one(void **state)
{
	struct scene *s = *state;

	scene_fini(s);
	scene_init(s, 1);
	full(s, 310, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	scene_connection(s, 2);
	full(s, 325, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	expect_connections(s, "FIN_WAIT_1>=310 reset_received since_before\n");
	fw_tracker_advance(&s->tracker, ns_of(335));
	expect_connections(s, "");
	reset_sent(s, 340);
	expect_connections(s, "FIN_WAIT_1>=325 reset_sent since_before\n");
}

/* Not even one fits: everything is counted, nothing breaks. */
static void no_room_at_all(void **state)
{
	struct scene *s = *state;

	scene_fini(s);
	scene_init(s, 0);
	active_open(s, 100);
	mini(s, 200, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 300, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	request(s, 400, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 500, FW_REC_REQ_END, FW_CAUSE_EXPIRED);
	full(s, 600, FW_LISTEN, FW_SYN_RECV);
	full(s, 600, FW_SYN_RECV, FW_ESTABLISHED);
	full(s, 700, FW_ESTABLISHED, FW_CLOSE);
	reset_sent(s, 700);
	fw_tracker_finish(&s->tracker, ns_of(1000));
	expect_connections(s, "");
	assert_true(s->tracker.counters.no_memory > 0);
	assert_int_equal(s->tracker.counters.evicted, 0);
}

static void ids_count_what_appeared(void **state)
{
	struct scene *s = *state;

	for (unsigned int n = 1; n <= 5; n++) {
		scene_connection(s, 100 + n);
		active_open(s, n * 10);
		full(s, n * 10 + 5, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
		assert_int_equal(s->last.id, n);
		assert_int_equal(s->last_id, n);
	}
}

/* ---- Lost records ------------------------------------------------------------------------ */

static void losses_mark_the_connections_of_their_time(void **state)
{
	struct scene *s = *state;

	active_open(s, 100); /* alive when records were lost */
	scene_connection(s, 4); /* began in between */
	active_open(s, 450);
	fw_tracker_lost(&s->tracker, 10, ns_of(500));
	fw_tracker_lost(&s->tracker, 5, ns_of(400)); /* another CPU's */
	full(s, 550, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	scene_connection(s, 1);
	full(s, 600, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	scene_connection(s, 2); /* began afterwards */
	active_open(s, 700);
	full(s, 800, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	scene_connection(s, 3); /* first seen afterwards, but older */
	full(s, 900, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=99 reset_received gap\n"
			      "active SYN_SENT=1 ESTABLISHED=499 reset_received gap\n"
			      "active SYN_SENT=1 ESTABLISHED=99 reset_received\n"
			      "ESTABLISHED=? reset_received since_before gap\n");
	assert_int_equal(s->tracker.counters.lost, 15);
	assert_int_equal(s->tracker.counters.gaps, 1); /* the last one: how old it is is not known */
}

/* Without an observer the tracker still counts. */
static void nobody_listens(void **state)
{
	const struct fw_observer nobody = { 0 };
	struct scene *s = *state;

	scene_fini(s);
	scene_init(s, 10);
	s->tracker.observer = nobody;
	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_1);
	full(s, 300, FW_FIN_WAIT_1, FW_CLOSE, .err = ETIMEDOUT);
	assert_int_equal(s->tracker.counters.connections, 1);
}

static void fini_of_nothing(void **state)
{
	struct fw_tracker t = { 0 };

	(void)state;
	fw_tracker_fini(NULL);
	fw_tracker_fini(&t);
}

/* Any record that decodes may come at any time, as from a damaged recording: nothing breaks. */
static void any_order_of_records(void **state)
{
	struct scene *s = *state;
	uint32_t seed = 1;

	scene_fini(s);
	scene_init(s, 20);
	s->tracker.rearms_unseen = true;
	for (unsigned int i = 0; i < 8000; i++) {
		uint32_t r;

		seed = seed * 1664525U + 1013904223U;
		r = seed >> 8;
		scene_connection(s, r % 31);
		s->skaddr = s->mini_skaddr = s->request_skaddr = 0x1000 + r % 29;
		s->child_peer_known = r & 1;
		s->no_mini_cookie = r & 2;
		if (r % 7 < 4)
			scene_full(s, i, (r >> 2) % 8 ? FW_REC_STATE : FW_REC_RESET_SENT,
				   (r >> 4) % 15, (r >> 8) % 15,
				   (struct detail){ .flags = (uint16_t)(r >> 3), .segs_in = r % 3,
						    .err = r % 3 ? 0 : ECONNRESET });
		else
			scene_mini(s, i, FW_REC_TW_SCHED + (r >> 2) % 5, (r >> 4) % 3 ? 6 : 5,
				   (enum fw_cause)((r >> 6) % FW_CAUSE_MAX),
				   (struct detail){ .armed_ms = (double)(i - r % 100000),
						    .timeouts = r % 3,
						    .flags = (uint16_t)(r >> 5) });
		assert_in_range(s->tracker.table.nr, 0, 20);
		fw_buf_clear(&s->connections);
		fw_buf_clear(&s->transitions);
	}
	fw_tracker_finish(&s->tracker, ns_of(8000));
	assert_int_equal(s->tracker.table.nr, 0);
	assert_int_equal(s->tracker.counters.events, 8000);
}

/* What is open in a namespace that is gone ends with it; the next one of its number is another. */
static void reborn_netns(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	scene_connection(s, 2);
	s->netns = 7;
	active_open(s, 2);
	scene_connection(s, 3);
	active_open(s, 50);
	fw_tracker_netns_reborn(&s->tracker, 7, ns_of(10));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=7 unknown gap\n");
	assert_int_equal(s->tracker.table.nr, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(reborn_netns),
		scene_test(open_connections_are_reported_at_the_end),
		scene_test(finish_decides_first),
		scene_test(ends_are_decided_after_100_ms),
		scene_test(many_undecided),
		scene_test(the_undecided_keep_their_order),
		scene_test(longest_idle_is_evicted),
		scene_test(evicted_ones_are_really_forgotten),
		scene_test(undecided_in_the_memory_of_an_evicted_one),
		scene_test(no_room_at_all),
		scene_test(ids_count_what_appeared),
		scene_test(losses_mark_the_connections_of_their_time),
		scene_test(nobody_listens),
		cmocka_unit_test(fini_of_nothing),
		scene_test(any_order_of_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
