// SPDX-License-Identifier: GPL-2.0-only
/* Proves what is told of a bind() that failed: what holds the address, and for how long still. */
#include "snapshot.h"

struct told {
	struct fw_bind_failure failure;
	uint32_t listener_pid;
	unsigned int times;
};

static struct told told;

static void on_bind_failed(void *arg, const struct fw_bind_failure *failure)
{
	(void)arg;
	told.failure = *failure;
	told.listener_pid = failure->listener ? failure->listener->pid : 0;
	told.times++;
}

static int setup(void **state)
{
	struct scene *s;

	scene_setup(state);
	s = *state;
	s->tracker.observer.bind_failed = on_bind_failed;
	told = (struct told){ 0 };
	return 0;
}

/* httpd wants @laddr (NULL: all) and @lport. */
static void bind_failed_in(struct scene *s, double ms, const uint8_t *laddr, uint16_t lport,
			   uint32_t netns)
{
	struct fw_rec_state rec = {
		.head = {
			.ts_ns = ns_of(ms), .kind = FW_REC_BIND_FAILED, .family = AF_INET,
			.netns = netns, .lport = lport,
		},
		.pid = 80, .comm = "httpd", .err = 98,
	};

	if (laddr)
		memcpy(rec.head.laddr, laddr, 16);
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static void bind_failed(struct scene *s, double ms, const uint8_t *laddr, uint16_t lport)
{
	bind_failed_in(s, ms, laddr, lport, SCENE_NETNS);
}

static const uint8_t here[16] = { 192, 0, 2, 1 }, there[16] = { 192, 0, 2, 9 };

/* Three connections of port 80: TIME_WAIT since 1000 ms and 5000 ms, and one open. */
static void the_port_is_taken(struct scene *s)
{
	snap_begin(s, 10000);
	scene_server_side(s, 1);
	sock_mini(s, 10000, FW_TIME_WAIT, .armed_ms = 1000, .idle_ms = 9000);
	scene_server_side(s, 2);
	sock_mini(s, 10000, FW_TIME_WAIT, .armed_ms = 5000, .idle_ms = 5000);
	scene_server_side(s, 3);
	sock(s, 10000, FW_ESTABLISHED);
	snap_end(s, 10000);
}

static void time_waits_and_live_connections_hold_the_address(void **state)
{
	struct scene *s = *state;

	the_port_is_taken(s);
	bind_failed(s, 20000, here, 80);
	assert_int_equal(told.times, 1);
	assert_true(told.failure.searched);
	assert_int_equal(told.failure.time_waits, 2);
	assert_int_equal(told.failure.live, 1);
	assert_null(told.failure.listener);
	/* The last of them began at 5000 ms and lasts a minute. */
	assert_int_equal(told.failure.time_wait_ns, 45000000000ULL);
	assert_int_equal(s->tracker.counters.bind_failures, 1);
}

static void a_time_wait_that_is_overdue_lasts_no_negative_time(void **state)
{
	struct scene *s = *state;

	/* The kernel's timers are coarse: a minute is up to 64 s. */
	the_port_is_taken(s);
	bind_failed(s, 66000, here, 80);
	assert_int_equal(told.failure.time_waits, 2);
	assert_int_equal(told.failure.time_wait_ns, 0);
}

static void only_the_same_address_port_and_namespace_are_in_the_way(void **state)
{
	static const struct {
		const uint8_t *laddr;
		uint16_t lport;
		uint32_t netns, time_waits;
	} cases[] = {
		{ here, 80, SCENE_NETNS, 2 },  { NULL, 80, SCENE_NETNS, 2 },
		{ there, 80, SCENE_NETNS, 0 }, { here, 81, SCENE_NETNS, 0 },
		{ here, 80, SCENE_NETNS + 1, 0 },
	};
	struct scene *s = *state;

	the_port_is_taken(s);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		bind_failed_in(s, 20000 + 1000 * i, cases[i].laddr, cases[i].lport, cases[i].netns);
		assert_int_equal(told.failure.time_waits, cases[i].time_waits);
		assert_int_equal(told.failure.live, cases[i].time_waits ? 1 : 0);
	}
}

static void a_listener_on_all_addresses_is_in_the_way_of_each(void **state)
{
	struct scene *s = *state;
	struct fw_rec_sock rec;

	scene_server_side(s, 99);
	rec = sock_record(s, 10, FW_OBJECT_FULL, FW_LISTEN, (struct seen){ 0 });
	memset(rec.head.laddr, 0, 16);
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
	holder(s, 11, 4711, 3, "nginx");
	bind_failed(s, 20, there, 80);
	assert_int_equal(told.failure.live, 1);
	assert_non_null(told.failure.listener);
	assert_int_equal(told.listener_pid, 4711);
}

static void what_has_just_ended_is_not_in_the_way(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	snap_begin(s, 10);
	sock(s, 10, FW_ESTABLISHED);
	snap_end(s, 10);
	/* Aborted; whether an RST has left is not known yet. */
	full(s, 20, FW_ESTABLISHED, FW_CLOSE, .flags = FW_REC_ORPHAN);
	s->lport = 80;
	bind_failed(s, 21, here, 80);
	assert_int_equal(told.failure.live, 0);
}

static void who_tries_again_and_again_is_searched_for_now_and_then(void **state)
{
	struct scene *s = *state;

	the_port_is_taken(s);
	bind_failed(s, 20000, here, 80);
	bind_failed(s, 20099, here, 80);
	assert_int_equal(told.times, 2);
	assert_false(told.failure.searched);
	assert_int_equal(told.failure.time_waits, 0);
	bind_failed(s, 20100, here, 80);
	assert_true(told.failure.searched);
	assert_int_equal(told.failure.time_waits, 2);
	assert_int_equal(s->tracker.counters.bind_failures, 3);
}

static void failures_are_counted_when_nobody_listens(void **state)
{
	struct scene *s = *state;

	s->tracker.observer.bind_failed = NULL;
	bind_failed(s, 20000, here, 80);
	assert_int_equal(s->tracker.counters.bind_failures, 1);
	assert_int_equal(told.times, 0);
}

#define bind_test(f) cmocka_unit_test_setup_teardown(f, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bind_test(time_waits_and_live_connections_hold_the_address),
		bind_test(a_time_wait_that_is_overdue_lasts_no_negative_time),
		bind_test(only_the_same_address_port_and_namespace_are_in_the_way),
		bind_test(a_listener_on_all_addresses_is_in_the_way_of_each),
		bind_test(what_has_just_ended_is_not_in_the_way),
		bind_test(who_tries_again_and_again_is_searched_for_now_and_then),
		bind_test(failures_are_counted_when_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
