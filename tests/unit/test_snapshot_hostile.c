// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a snapshot larger than the table, or made up by somebody, is survived and counted. */
#include "snapshot.h"

#define SMALL 10U

static int small_setup(void **state)
{
	static struct scene scene;

	scene_init(&scene, SMALL);
	*state = &scene;
	return 0;
}

static void a_snapshot_larger_than_the_table_forgets_the_first_and_counts(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	for (unsigned int i = 1; i <= SMALL + 5; i++) {
		scene_connection(s, i);
		sock(s, 100 + i, FW_CLOSE_WAIT);
	}
	assert_int_equal(s->tracker.counters.evicted, 5);
	assert_int_equal(s->tracker.table.nr, SMALL);
	scene_connection(s, 5);
	assert_null(tracked(s));
	holder(s, 200, 7, 5, "curl"); /* of what is forgotten */
	scene_connection(s, 6);
	assert_non_null(tracked(s));
	snap_end(s, 201);
	assert_int_equal(s->tracker.table.nr, SMALL);
	assert_int_equal(s->tracker.counters.gaps, 0);
}

static void a_forgotten_listener_serves_nobody(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 99);
	snap_begin(s, 100);
	sock(s, 100, FW_LISTEN);
	for (unsigned int i = 1; i <= SMALL; i++) {
		scene_connection(s, i);
		sock(s, 100 + i, FW_ESTABLISHED);
	}
	snap_end(s, 201);
	assert_int_equal(s->tracker.counters.evicted, 1);
	assert_false(fw_listeners_serve(&s->tracker.listeners, SCENE_NETNS,
					(const uint8_t[16]){ 192, 0, 2, 1 }, 80));
}

static void a_time_in_the_future_is_no_age(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 100, FW_CLOSE_WAIT, .since_ns = UINT64_MAX - 5);
	snap_end(s, 101);
	scene_finish(s, 150);
	expect_connections(s, "CLOSE_WAIT>=50 open remote since_before\n");
}

static void a_first_syn_ack_in_the_future_is_no_age(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 200000);
	sock_request(s, 200000, .timeouts = UINT32_MAX, .since_ns = UINT64_MAX);
	snap_end(s, 200001);
	scene_finish(s, 200001);
	expect_connections(s, "passive SYN_RECV>=1 open since_before\n");
}

static void a_time_wait_timer_set_in_the_future_is_set_now(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock_mini(s, 100, FW_TIME_WAIT, .armed_ms = 5000);
	snap_end(s, 101);
	scene_finish(s, 160);
	expect_connections(s, "TIME_WAIT>=60 open since_before\n");
}

static void an_older_state_never_began_before_the_known_one(void **state)
{
	struct scene *s = *state;

	active_open(s, 1000);
	snap_begin(s, 2000);
	sock(s, 2001, FW_CLOSE_WAIT, .idle_ms = 1800); /* before it was connected */
	snap_end(s, 2002);
	scene_finish(s, 3001);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED<=0 CLOSE_WAIT>=2000 open remote gap\n");
}

static void records_out_of_place_are_survived(void **state)
{
	struct scene *s = *state;

	/* An end without a beginning, a holder of nothing, a namespace of no snapshot, cookie 0. */
	snap_end(s, 10);
	holder(s, 11, 7, 3, "curl");
	process(s, 12, 7, "curl");
	s->cookie = s->skaddr = 0;
	holder(s, 13, 7, 3, "curl");
	accepted(s, 14, .pid = 7, .comm = "curl");
	sock(s, 15, FW_ESTABLISHED);
	sock(s, 16, 31);
	sock_mini(s, 17, FW_LISTEN);
	scene_head_only(s, 1e9, FW_REC_SNAP_BEGIN, 0);
	snap_begin(s, 18);
	snap_begin(s, 18);
	snap_end(s, 19);
	scene_finish(s, 20);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* Each kind of object under each state, in any order, at any time: nothing crashes, nothing leaks. */
static void no_order_of_objects_and_states_breaks_the_tracker(void **state)
{
	struct scene *s = *state;
	uint32_t random = 1;

	for (unsigned int i = 0; i < 20000; i++) {
		double ms;

		random = random * 1664525 + 1013904223;
		scene_connection(s, random >> 28);
		s->lport = random >> 18 & 3; /* 0: not filled in */
		ms = random >> 12 & 0xfff;
		if ((random >> 24 & 7) == 0)
			snap_begin(s, ms);
		else if ((random >> 24 & 7) == 1)
			snap_end(s, ms);
		else if ((random >> 24 & 7) == 2)
			full(s, ms, random >> 8 & 15, random >> 4 & 15, .flags = (uint16_t)random);
		else if ((random >> 24 & 7) == 3)
			mini(s, ms, FW_REC_TW_SCHED + (random >> 4) % 5, random >> 8 & 15,
			     FW_CAUSE_EXPIRED);
		else
			scene_sock(s, ms, (random >> 4) % FW_OBJECT_MAX, random >> 8 & 15,
				   (struct seen){ .no_cookie = random >> 20 & 1,
						  .flags = (uint16_t)random, .armed_ms = ms / 2 });
		assert_in_range(s->tracker.table.nr, 0, SMALL);
		fw_buf_clear(&s->connections);
		fw_buf_clear(&s->transitions);
	}
	scene_finish(s, 5000);
	assert_int_equal(s->tracker.table.nr, 0);
	for (unsigned int i = 0; i < FW_LISTENER_BUCKETS; i++)
		assert_null(s->tracker.listeners.buckets[i]);
}

#define small_test(f) cmocka_unit_test_setup_teardown(f, small_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		small_test(a_snapshot_larger_than_the_table_forgets_the_first_and_counts),
		small_test(a_forgotten_listener_serves_nobody),
		small_test(a_time_in_the_future_is_no_age),
		small_test(a_first_syn_ack_in_the_future_is_no_age),
		small_test(a_time_wait_timer_set_in_the_future_is_set_now),
		small_test(an_older_state_never_began_before_the_known_one),
		small_test(records_out_of_place_are_survived),
		small_test(no_order_of_objects_and_states_breaks_the_tracker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
