// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves whose a connection is: the listener's until it is accepted, then its acceptor's, or the
 * holder's if it is older than the trace; and that a name stays after the process is gone.
 */
#include "snapshot.h"

static void expect_owner(const struct scene *s, uint32_t pid, const char *comm)
{
	const struct fw_conn *c = tracked(s);

	assert_non_null(c);
	assert_int_equal(c->pid, pid);
	assert_string_equal(c->comm, comm);
}

/* httpd/80 listens, in control group 11. */
static void a_listener(struct scene *s, double ms)
{
	scene_server_side(s, 99);
	sock(s, ms, FW_LISTEN, .cgroup_id = 11);
	holder(s, ms, 80, 3, "httpd");
}

/* The address of the socket of that listener. */
static uint64_t the_listener(struct scene *s)
{
	scene_server_side(s, 99);
	return s->skaddr;
}

/* Connection @n comes in, by the hooks. */
static void incoming(struct scene *s, double ms, unsigned int n)
{
	uint64_t listener = the_listener(s);

	scene_server_side(s, n);
	request(s, ms, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .listener = listener);
	full(s, ms + 1, FW_LISTEN, FW_SYN_RECV, 0);
	request(s, ms + 1, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	full(s, ms + 1, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
}

static void nobody_has_accepted_it_so_it_is_its_listeners(void **state)
{
	struct scene *s = *state;

	a_listener(s, 10);
	incoming(s, 20, 1);
	expect_owner(s, 80, "httpd");
	assert_true(tracked(s)->flags & FW_CONN_OWNER_LISTENS);
	assert_int_equal(tracked(s)->cgroup_id, 11);
}

static void accept_makes_it_the_acceptors(void **state)
{
	struct scene *s = *state;

	a_listener(s, 10);
	incoming(s, 20, 1);
	accepted(s, 30, .pid = 81, .comm = "worker", .cgroup_id = 12);
	expect_owner(s, 81, "worker");
	assert_false(tracked(s)->flags & FW_CONN_OWNER_LISTENS);
	assert_int_equal(tracked(s)->cgroup_id, 12);
}

static void accept_without_a_cookie_finds_it_by_its_address(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 5);
	scene_server_side(s, 1);
	sock(s, 6, FW_ESTABLISHED, .no_cookie = true, .unaccepted = true);
	snap_end(s, 7);
	s->cookie = 0;
	accepted(s, 30, .pid = 81, .comm = "worker");
	assert_int_equal(fw_conn_table_by_skaddr(&s->tracker.table, s->skaddr)->pid, 81);
}

static void accept_names_no_listener_and_no_minisock(void **state)
{
	struct scene *s = *state;

	a_listener(s, 10);
	accepted(s, 20, .pid = 81, .comm = "worker");
	expect_owner(s, 80, "httpd");
	scene_connection(s, 2);
	orphan_in_minisock(s, 200);
	accepted(s, 210, .pid = 81, .comm = "worker");
	expect_owner(s, 7, "curl");
}

static void what_waited_before_the_trace_is_its_listeners_too(void **state)
{
	struct scene *s = *state;
	uint64_t listener = the_listener(s);

	/* Holders, the listener's among them, are reported after all sockets. */
	snap_begin(s, 10);
	scene_server_side(s, 99);
	sock(s, 10, FW_LISTEN);
	scene_server_side(s, 1);
	sock(s, 11, FW_CLOSE_WAIT, .unaccepted = true, .listener = listener);
	scene_server_side(s, 99);
	holder(s, 12, 80, 3, "httpd");
	snap_end(s, 13);
	scene_server_side(s, 1);
	expect_owner(s, 80, "httpd");
	assert_int_equal(tracked(s)->role, FW_ROLE_PASSIVE);
	assert_true(tracked(s)->flags & FW_CONN_UNACCEPTED);
}

static void what_was_born_before_its_listener_was_known_gets_it_at_the_end(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	incoming(s, 11, 1);
	expect_owner(s, 0, "");
	a_listener(s, 20);
	snap_end(s, 21);
	scene_server_side(s, 1);
	expect_owner(s, 80, "httpd");
}

/* Nothing better can be known of it; one whose process was seen keeps that. */
static void an_orphan_from_before_the_trace_is_its_listeners(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	a_listener(s, 10);
	scene_server_side(s, 1);
	sock(s, 11, FW_FIN_WAIT_1, .flags = FW_REC_ORPHAN);
	scene_server_side(s, 2);
	sock_mini(s, 12, FW_TIME_WAIT, .armed_ms = 5);
	snap_end(s, 13);
	expect_owner(s, 80, "httpd");
	scene_server_side(s, 1);
	expect_owner(s, 80, "httpd");
	assert_true(tracked(s)->flags & FW_CONN_OWNER_LISTENS);
	/* That it listens there does not tell who connected. */
	assert_int_equal(tracked(s)->role, FW_ROLE_UNKNOWN);
}

static void a_holder_is_a_better_owner_than_a_listener(void **state)
{
	struct scene *s = *state;

	a_listener(s, 10);
	incoming(s, 20, 1);
	snap_begin(s, 50);
	sock(s, 51, FW_ESTABLISHED);
	holder(s, 52, 81, 9, "worker");
	snap_end(s, 53);
	expect_owner(s, 81, "worker");
	assert_false(tracked(s)->flags & FW_CONN_OWNER_LISTENS);
}

static void of_several_holders_the_first_told_is_the_owner(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	sock(s, 10, FW_ESTABLISHED);
	holder(s, 11, 7, 3, "parent");
	holder(s, 12, 8, 3, "child");
	snap_end(s, 13);
	expect_owner(s, 7, "parent");
}

static void a_holder_does_not_take_it_from_who_connected(void **state)
{
	struct scene *s = *state;

	active_open(s, 10);
	snap_begin(s, 50);
	sock(s, 51, FW_ESTABLISHED);
	holder(s, 52, 8, 3, "child"); /* after fork() */
	snap_end(s, 53);
	expect_owner(s, 7, "curl");
}

static void a_process_that_is_gone_still_has_its_time_waits(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	sock(s, 10, FW_ESTABLISHED);
	holder(s, 11, 7, 3, "curl");
	process(s, 11, 7, "curl", .fds = 4);
	snap_end(s, 12);
	/* It exits: the kernel closes the socket in its name, then in nobody's. */
	full(s, 20, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, 30, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 30, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 30, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 3);
	snap_begin(s, 100);
	sock_mini(s, 100, FW_TIME_WAIT, .armed_ms = 30);
	snap_end(s, 101);
	expect_owner(s, 7, "curl");
	mini(s, 61030, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	assert_int_equal(s->last.pid, 7);
	assert_string_equal(s->last.comm, "curl");
}

static void a_name_of_sixteen_bytes_is_kept_whole(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	sock(s, 10, FW_ESTABLISHED);
	holder(s, 11, 7, 3, "0123456789abcdef");
	snap_end(s, 12);
	assert_memory_equal(tracked(s)->comm, "0123456789abcdef", 16);
}

static void what_has_been_accepted_meanwhile_waits_no_more(void **state)
{
	struct scene *s = *state;

	snap_begin(s, 10);
	scene_server_side(s, 1);
	sock(s, 11, FW_ESTABLISHED, .unaccepted = true);
	snap_end(s, 12);
	assert_true(tracked(s)->flags & FW_CONN_UNACCEPTED);
	/* The process was not seen. */
	snap_begin(s, 50);
	sock(s, 51, FW_ESTABLISHED);
	snap_end(s, 52);
	assert_false(tracked(s)->flags & FW_CONN_UNACCEPTED);
	assert_int_equal(tracked(s)->role, FW_ROLE_PASSIVE);
}

/* Fast Open: accepted in SYN_RECV, and shut down there; the ACK's softirq or the holder of the lock does it. */
static void a_deferred_shutdown_names_no_bystander(void **state)
{
	struct scene *s = *state;

	scene_server_side(s, 1);
	full(s, 10, FW_LISTEN, FW_SYN_RECV, 0);
	s->cookie = 0;
	accepted(s, 11, .pid = 81, .comm = "worker");
	s->cookie = 1;
	full(s, 500, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 3);
	full(s, 500.02, FW_ESTABLISHED, FW_FIN_WAIT_1, .segs_in = 3, .flags = FW_REC_OWNER, .pid = 90,
	     .comm = "ss");
	expect_owner(s, 81, "worker");
	assert_int_equal(tracked(s)->closed_by, FW_CLOSED_BY_LOCAL);
}

static void a_close_after_a_segment_names_who_closed(void **state)
{
	struct scene *s = *state;

	a_listener(s, 5);
	incoming(s, 20, 1);
	accepted(s, 21, .pid = 81, .comm = "worker");
	full(s, 22, FW_ESTABLISHED, FW_FIN_WAIT_1, .segs_in = 3, .flags = FW_REC_OWNER, .pid = 82,
	     .comm = "child");
	expect_owner(s, 82, "child");
}

static void a_role_is_known_by_the_kernels_marks_alone(void **state)
{
	struct scene *s = *state;

	/* Connected from the port on which it listens (SO_REUSEPORT): hole punching. */
	snap_begin(s, 10);
	scene_server_side(s, 99);
	sock(s, 10, FW_LISTEN);
	scene_server_side(s, 1);
	sock(s, 11, FW_ESTABLISHED);
	assert_int_equal(tracked(s)->role, FW_ROLE_UNKNOWN);
	scene_server_side(s, 2);
	sock(s, 11, FW_ESTABLISHED, .flags = FW_REC_CLONED);
	assert_int_equal(tracked(s)->role, FW_ROLE_PASSIVE);
	scene_connection(s, 3);
	sock(s, 11, FW_SYN_SENT);
	assert_int_equal(tracked(s)->role, FW_ROLE_ACTIVE);
	snap_end(s, 12);
}

static void what_has_no_file_any_more_was_not_thereby_accepted(void **state)
{
	struct scene *s = *state;

	/* close() of an MPTCP socket takes the file from its subflows. */
	active_open(s, 10);
	snap_begin(s, 50);
	sock(s, 51, FW_ESTABLISHED, .unaccepted = true);
	snap_end(s, 52);
	assert_int_equal(tracked(s)->role, FW_ROLE_ACTIVE);
	assert_false(fw_conn_has(tracked(s), FW_CONN_UNACCEPTED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(nobody_has_accepted_it_so_it_is_its_listeners),
		scene_test(accept_makes_it_the_acceptors),
		scene_test(accept_without_a_cookie_finds_it_by_its_address),
		scene_test(accept_names_no_listener_and_no_minisock),
		scene_test(what_waited_before_the_trace_is_its_listeners_too),
		scene_test(what_was_born_before_its_listener_was_known_gets_it_at_the_end),
		scene_test(an_orphan_from_before_the_trace_is_its_listeners),
		scene_test(a_holder_is_a_better_owner_than_a_listener),
		scene_test(of_several_holders_the_first_told_is_the_owner),
		scene_test(a_holder_does_not_take_it_from_who_connected),
		scene_test(a_process_that_is_gone_still_has_its_time_waits),
		scene_test(a_name_of_sixteen_bytes_is_kept_whole),
		scene_test(what_has_been_accepted_meanwhile_waits_no_more),
		scene_test(a_deferred_shutdown_names_no_bystander),
		scene_test(a_close_after_a_segment_names_who_closed),
		scene_test(a_role_is_known_by_the_kernels_marks_alone),
		scene_test(what_has_no_file_any_more_was_not_thereby_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
