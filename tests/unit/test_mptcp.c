// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the subflows of an MPTCP connection have the owner of its socket, and a common token; and that
 * the MPTCP socket's own state is known while it exists, and no longer.
 */
#include <errno.h>

#include "snapshot.h"

#define TOKEN 0x1a2b3c4dU
#define MSK 0xffff88800f000000ULL

/* A record of the MPTCP socket, whose address is not that of a subflow. */
static void mptcp(struct scene *s, double ms, unsigned int from, unsigned int to, struct detail d)
{
	uint64_t skaddr = s->skaddr, cookie = s->cookie;

	s->skaddr = MSK;
	s->cookie = 0;
	d.flags |= FW_REC_MPTCP;
	scene_full(s, ms, FW_REC_STATE, from, to, d);
	s->skaddr = skaddr;
	s->cookie = cookie;
}
#define mptcp(s, ms, from, to, ...) mptcp(s, ms, from, to, (struct detail){ __VA_ARGS__ })

/* As a snapshot shows it, held or in an accept queue. */
static void mptcp_seen(struct scene *s, double ms, unsigned int state, uint64_t first, uint32_t token)
{
	uint64_t skaddr = s->skaddr;

	s->skaddr = MSK;
	scene_sock(s, ms, FW_OBJECT_MPTCP, state,
		   (struct seen){ .token = token, .listener = first, .idle_ms = 5 });
	s->skaddr = skaddr;
}

static void mptcp_holder(struct scene *s, double ms, uint32_t pid, const char *comm, uint32_t token)
{
	struct fw_rec_holder rec = {
		.head = { .ts_ns = ns_of(ms), .kind = FW_REC_HOLDER, .family = AF_INET, .skaddr = MSK,
			  .netns = SCENE_NETNS },
		.pid = pid, .fd = 3, .mptcp_token = token,
	};

	memcpy(rec.comm, comm, strnlen(comm, sizeof(rec.comm)));
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static const struct fw_mptcp *known(const struct scene *s)
{
	return fw_mptcps_find(&s->tracker.mptcps, MSK, 0);
}

static void expect_owner(const struct scene *s, uint32_t pid)
{
	assert_non_null(tracked(s));
	assert_int_equal(tracked(s)->pid, pid);
	assert_int_equal(fw_conn_mptcp_token(tracked(s)), TOKEN);
}

/* Process 7 connects; the token is known with the first subflow. */
static void connects(struct scene *s)
{
	mptcp(s, 10, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, 10.1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl",
	     .token = TOKEN);
	full(s, 11, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1, .token = TOKEN);
	mptcp(s, 11.1, FW_SYN_SENT, FW_ESTABLISHED, .token = TOKEN);
}

/* One more subflow, made by a worker. */
static void joins(struct scene *s, double ms, unsigned int n)
{
	scene_connection(s, n);
	full(s, ms, FW_CLOSE, FW_SYN_SENT, .token = TOKEN);
	full(s, ms + 1, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1, .token = TOKEN);
}

static void a_subflow_that_joins_has_the_owner_of_the_first(void **state)
{
	struct scene *s = *state;

	connects(s);
	expect_owner(s, 7);
	joins(s, 20, 2);
	expect_owner(s, 7);
	assert_int_equal(known(s)->nr_subflows, 2);
	assert_int_equal(known(s)->conn.role, FW_ROLE_ACTIVE);
}

static void who_closes_the_mptcp_socket_owns_its_subflows(void **state)
{
	struct scene *s = *state;

	connects(s);
	mptcp(s, 50, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 8, .comm = "child",
	      .token = TOKEN);
	full(s, 51, FW_ESTABLISHED, FW_FIN_WAIT_1, .segs_in = 4);
	expect_owner(s, 8);
}

static void an_acceptor_owns_those_that_join_later(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	request(s, 10, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	full(s, 11, FW_LISTEN, FW_SYN_RECV, 0);
	full(s, 11, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2, .token = TOKEN);
	accepted(s, 12, .flags = FW_REC_OWNER, .pid = 80, .comm = "httpd", .token = TOKEN);
	expect_owner(s, 80);
	scene_server_side(s, 2);
	request(s, 20, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	full(s, 21, FW_LISTEN, FW_SYN_RECV, 0);
	full(s, 21, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2, .token = TOKEN);
	expect_owner(s, 80);
}

static void a_snapshot_finds_the_owner_by_the_descriptor(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED, .token = TOKEN);
	mptcp_seen(s, 102, FW_CLOSE_WAIT, s->skaddr, TOKEN);
	mptcp_holder(s, 102, 80, "httpd", TOKEN);
	snap_end(s, 103);
	expect_owner(s, 80);
	assert_int_equal(fw_conn_state(&known(s)->conn), FW_CLOSE_WAIT);
	assert_int_equal(known(s)->conn.pid, 80);
	assert_true(known(s)->conn.step_flags[0] & FW_STEP_AT_LEAST);
}

static void a_listener_is_held_by_who_holds_the_mptcp_socket(void **state)
{
	struct scene *s = *state;
	const struct fw_listener *listener;

	snap_begin(s, 100);
	scene_server_side(s, 99);
	sock(s, 101, FW_LISTEN);
	mptcp_seen(s, 102, FW_LISTEN, s->skaddr, 0);
	mptcp_holder(s, 102, 80, "httpd", 0);
	mptcp_seen(s, 102, FW_LISTEN, s->skaddr, 0);
	mptcp_holder(s, 102, 81, "httpd", 0);
	snap_end(s, 103);
	listener = fw_listeners_at(&s->tracker.listeners, s->skaddr);
	assert_int_equal(listener->conn->pid, 80);
	assert_int_equal(listener->nr_holders, 2);
}

struct told {
	unsigned int sockets;
	uint32_t state;
};

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct told *told = arg;

	assert_int_equal(sock->object, FW_OBJECT_MPTCP);
	assert_true(fw_conn_has(c, FW_CONN_MPTCP));
	told->sockets++;
	told->state = fw_conn_state(c);
}

static void it_is_told_before_each_of_its_holders(void **state)
{
	struct scene *s = *state;
	struct told told = { 0 };

	s->tracker.observer = (struct fw_observer){ .socket = on_socket, .arg = &told };
	for (unsigned int i = 1; i <= 2; i++) {
		snap_begin(s, 100 * i);
		mptcp_seen(s, 100 * i, FW_CLOSE_WAIT, 0, TOKEN);
		mptcp_holder(s, 100 * i, 80, "parent", TOKEN);
		mptcp_seen(s, 100 * i, FW_CLOSE_WAIT, 0, TOKEN);
		mptcp_holder(s, 100 * i, 81, "child", TOKEN);
		snap_end(s, 100 * i + 1);
		assert_int_equal(told.sockets, 2 * i);
	}
	assert_int_equal(told.state, FW_CLOSE_WAIT);
}

static void a_state_that_was_seen_to_begin_is_exact(void **state)
{
	struct scene *s = *state;

	connects(s);
	mptcp(s, 40, FW_ESTABLISHED, FW_CLOSE_WAIT, .token = TOKEN);
	snap_begin(s, 100);
	sock(s, 101, FW_ESTABLISHED, .token = TOKEN);
	mptcp_seen(s, 102, FW_CLOSE_WAIT, s->skaddr, TOKEN);
	snap_end(s, 103);
	assert_int_equal(known(s)->conn.enter_ns[0], ns_of(40));
	assert_int_equal(known(s)->conn.step_flags[0], 0);
}

static void it_goes_with_its_last_subflow(void **state)
{
	struct scene *s = *state;

	connects(s);
	joins(s, 20, 2);
	mptcp(s, 50, FW_FIN_WAIT_2, FW_CLOSE, .token = TOKEN);
	assert_non_null(known(s));
	full(s, 51, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	scene_connection(s, 1);
	full(s, 52, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	fw_tracker_advance(&s->tracker, ns_of(1000));
	assert_null(known(s));
	assert_int_equal(s->tracker.mptcps.nr, 0);
	assert_int_equal(s->last.pid, 7);
}

static void one_that_a_snapshot_does_not_find_is_gone(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 100);
	mptcp_seen(s, 102, FW_CLOSE_WAIT, 0, TOKEN);
	mptcp_holder(s, 102, 80, "httpd", TOKEN);
	snap_end(s, 103);
	assert_non_null(known(s));
	snap_begin(s, 200);
	snap_end(s, 203);
	assert_null(known(s));
}

static void without_a_record_of_its_own_it_lives_as_long_as_its_subflows(void **state)
{
	struct scene *s = *state;

	joins(s, 10, 1);
	joins(s, 20, 2);
	assert_int_equal(s->tracker.mptcps.nr, 1);
	full(s, 51, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	scene_connection(s, 1);
	full(s, 52, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	fw_tracker_advance(&s->tracker, ns_of(1000));
	assert_int_equal(s->tracker.mptcps.nr, 0);
}

static void two_connections_are_kept_apart(void **state)
{
	struct scene *s = *state;

	connects(s);
	scene_connection(s, 2);
	full(s, 20, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 9, .comm = "wget",
	     .token = TOKEN + 1);
	assert_int_equal(tracked(s)->pid, 9);
	scene_connection(s, 1);
	expect_owner(s, 7);
	assert_int_equal(s->tracker.mptcps.nr, 2);
}

static void the_set_is_bounded(void **state)
{
	static struct fw_mptcps m;
	struct fw_mptcp *one = NULL;
	uint32_t n = 0;

	(void)state;
	while (fw_mptcps_add(&m, n % 3 ? 64 * n : 0, n % 5 ? n : 0))
		n++;
	assert_int_equal(n, FW_MPTCP_MAX);
	assert_int_equal(fw_mptcps_find(&m, 0, 1234)->extra.mptcp_token, 1234);
	assert_int_equal(fw_mptcps_find(&m, 64 * 1235, 0)->conn.skaddr, 64 * 1235);
	for (n = 0; (one = fw_mptcps_next(&m, one));)
		n++;
	assert_int_equal(n, FW_MPTCP_MAX);
	fw_mptcps_fini(&m);
	assert_int_equal(m.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(a_subflow_that_joins_has_the_owner_of_the_first),
		scene_test(who_closes_the_mptcp_socket_owns_its_subflows),
		scene_test(an_acceptor_owns_those_that_join_later),
		scene_test(a_snapshot_finds_the_owner_by_the_descriptor),
		scene_test(a_listener_is_held_by_who_holds_the_mptcp_socket),
		scene_test(it_is_told_before_each_of_its_holders),
		scene_test(a_state_that_was_seen_to_begin_is_exact),
		scene_test(it_goes_with_its_last_subflow),
		scene_test(one_that_a_snapshot_does_not_find_is_gone),
		scene_test(without_a_record_of_its_own_it_lives_as_long_as_its_subflows),
		scene_test(two_connections_are_kept_apart),
		cmocka_unit_test(the_set_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
