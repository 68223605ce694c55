// SPDX-License-Identifier: GPL-2.0-only
/* Proves that transitions of full sockets become the path, dwells and owner of a connection. */
#include "events.h"

#include <errno.h>

#define OPENED "active SYN_SENT=1 ESTABLISHED=98 "

static void active_open_passive_close(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, 101, FW_SYN_SENT, FW_ESTABLISHED);
	full(s, 201, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED);
	full(s, 401, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER | FW_REC_FIN_RECEIVED);
	full(s, 501, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED | FW_REC_FIN_RECEIVED);
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 100\n"
			      "ESTABLISHED>CLOSE_WAIT 100\n"
			      "CLOSE_WAIT>LAST_ACK 200\n"
			      "LAST_ACK>CLOSE 100 last_ack\n");
	expect_connections(s, "active SYN_SENT=100 ESTABLISHED=100 CLOSE_WAIT=200 LAST_ACK=100 "
			      "last_ack remote\n");
	assert_int_equal(s->tracker.counters.connections, 1);
	assert_int_equal(s->tracker.counters.events, 5);
	assert_int_equal(s->tracker.table.nr, 0);
}

static void simultaneous_open(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT);
	full(s, 101, FW_SYN_SENT, FW_SYN_RECV);
	full(s, 201, FW_SYN_RECV, FW_ESTABLISHED);
	full(s, 301, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	expect_connections(s, "active SYN_SENT=100 SYN_RECV=100 ESTABLISHED=100 reset_received\n");
	assert_int_equal(s->tracker.counters.illegal, 0);
	assert_int_equal(s->tracker.counters.gaps, 0);
}

static void simultaneous_close(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED);
	mini(s, 350, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 350.01, FW_CLOSING, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED);
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=100 CLOSING=150 TIME_WAIT=60650 time_wait_expired "
				     "simultaneous\n");
}

/* close() after shutdown() shows as a transition from a state to itself. */
static void closed_in_closing(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_FIN_RECEIVED);
	full(s, 300, FW_CLOSING, FW_CLOSING, .flags = FW_REC_FIN_RECEIVED);
	mini(s, 400, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 400.01, FW_CLOSING, FW_CLOSE);
	mini(s, 60401, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=100 CLOSING=200 TIME_WAIT=60001 time_wait_expired "
				     "simultaneous\n");
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>FIN_WAIT_1 98\n"
			      "FIN_WAIT_1>CLOSING 100\n"
			      "CLOSING>CLOSING 100 orphaned\n"
			      "CLOSING>TIME_WAIT 200 minisock\n"
			      "TIME_WAIT>CLOSE 60001 time_wait_expired\n");
}

static void closed_in_last_ack(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	full(s, 10, FW_ESTABLISHED, FW_CLOSE_WAIT);
	full(s, 20, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER);
	full(s, 30, FW_LAST_ACK, FW_LAST_ACK);
	full(s, 40, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=8 CLOSE_WAIT=10 LAST_ACK=20 last_ack "
			      "remote\n");
}

static void half_closed_is_not_orphaned(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	mini(s, 500, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 500, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_HAS_FILE, .segs_in = 3);
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300 TIME_WAIT=60500 "
				     "time_wait_expired local\n");
}

/* shutdown(), then close() in FIN_WAIT_2: one dwell over both objects, orphaned from then on. */
static void half_closed_then_orphaned(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>FIN_WAIT_1 98\n"
			      "FIN_WAIT_1>FIN_WAIT_2 100\n");
	full(s, 400, FW_FIN_WAIT_2, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	mini(s, 400.01, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 400.02, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 600, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(s, 61600, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_transitions(s, "FIN_WAIT_2>FIN_WAIT_2 200 orphaned\n"
			      "FIN_WAIT_2>TIME_WAIT 400 minisock\n"
			      "TIME_WAIT>CLOSE 61000 time_wait_expired\n");
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=400(orphaned) TIME_WAIT=61000 "
				     "time_wait_expired local\n");
}

static void half_closed_then_orphaned_in_fin_wait_1(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 150, FW_FIN_WAIT_1, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .segs_in = 1);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 200.01, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 200.02, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 1200, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=1000(orphaned) fin_wait_2_timeout "
				     "local\n");
}

/* tcp_fin_timeout = 62: first 2 s in the full socket, then 2 s in the minisock. */
static void orphan_in_both_objects(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 120, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 2120, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 2120, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 4120, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=20 FIN_WAIT_2=4000(orphaned) fin_wait_2_timeout "
				     "local\n");
}

/* FIN and ACK in one segment: RFC 9293's FIN_WAIT_1 -> TIME_WAIT. */
static void fin_and_ack_in_one_segment(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 300, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 300.02, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 300.04, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 60800, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=200 TIME_WAIT=60500 time_wait_expired local "
				     "three_segment\n");
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>FIN_WAIT_1 98\n"
			      "FIN_WAIT_1>FIN_WAIT_2 200\n"
			      "FIN_WAIT_2>TIME_WAIT 0.02 same_segment minisock\n"
			      "TIME_WAIT>CLOSE 60500 time_wait_expired\n");
}

/* However short, it was FIN_WAIT_2 if two segments made it so. */
static void fin_right_after_ack(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 300, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .segs_in = 2);
	mini(s, 300.01, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 300.02, FW_FIN_WAIT_2, FW_CLOSE, .segs_in = 3);
	mini(s, 60300.01, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=200 FIN_WAIT_2=0.01 TIME_WAIT=60000 "
				     "time_wait_expired local\n");
}

/* ---- What else is known ------------------------------------------------------------------ */

static void owner_is_who_acted(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl",
	     .uid = 1000, .cgroup_id = 4711);
	/* softirq, on top of somebody else */
	full(s, 2, FW_SYN_SENT, FW_ESTABLISHED, .pid = 99, .comm = "swapper", .uid = 1000);
	full(s, 3, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET, .uid = 1000);
	assert_int_equal(s->last.pid, 7);
	assert_string_equal(s->last.comm, "curl");
	assert_int_equal(s->last.uid, 1000);
	assert_int_equal(s->last.cgroup_id, 4711);
	assert_true(s->last.flags & FW_CONN_SOCKET_SEEN);
	/* handed to another process, which closed it */
	scene_connection(s, 2);
	active_open(s, 10);
	full(s, 12, FW_ESTABLISHED, FW_CLOSE_WAIT);
	full(s, 13, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER, .pid = 8,
	     .comm = "sixteen bytes...");
	full(s, 14, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	assert_int_equal(s->last.pid, 8);
	assert_memory_equal(s->last.comm, "sixteen bytes...", 16);
}

static void totals_are_those_of_the_last_transition(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	full(s, 100, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .sent = 300,
	     .received = 501, .retransmits = 2);
	full(s, 200, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_FIN_RECEIVED, .sent = 400,
	     .received = 501, .retransmits = 3);
	full(s, 300, FW_LAST_ACK, FW_CLOSE, .sent = 400, .received = 501, .retransmits = 5,
	     .flags = FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED);
	assert_int_equal(s->last.bytes_sent, 400);
	assert_int_equal(s->last.bytes_received, 500); /* the FIN is not payload */
	assert_int_equal(s->last.retransmits, 5);
	/* no FIN, and nothing to subtract from */
	scene_connection(s, 2);
	active_open(s, 400);
	full(s, 500, FW_ESTABLISHED, FW_CLOSE, .received = 501, .err = ETIMEDOUT);
	assert_int_equal(s->last.bytes_received, 501);
	assert_int_equal(s->last.err, ETIMEDOUT);
	scene_connection(s, 3);
	active_open(s, 600);
	full(s, 700, FW_ESTABLISHED, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .err = EPIPE);
	assert_int_equal(s->last.bytes_received, 0);
}

/* At connect() the local port is not there yet; at CLOSE it is not there any more. */
static void endpoints_are_kept(void **state)
{
	static const uint8_t laddr[16] = { 192, 0, 2, 1 }, raddr[16] = { 198, 51, 100, 2 };
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT);
	full(s, 2, FW_SYN_SENT, FW_ESTABLISHED);
	full(s, 3, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	assert_int_equal(s->last.lport, 40001);
	assert_int_equal(s->last.rport, 80);
	assert_int_equal(s->last.family, AF_INET);
	assert_int_equal(s->last.netns, 4026531840U);
	assert_memory_equal(s->last.laddr, laddr, 16);
	assert_memory_equal(s->last.raddr, raddr, 16);
}

static void connect_without_a_port(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER | FW_REC_SYN_UNSENT, .pid = 7);
	full(s, 1.01, FW_SYN_SENT, FW_CLOSE, .flags = FW_REC_SYN_UNSENT | FW_REC_NO_PORT);
	expect_connections(s, "active SYN_SENT=0.01 no_port\n");
	assert_int_equal(s->last.lport, 0);
	assert_int_equal(s->last.rport, 80);
}

static void listeners_are_not_connections(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_LISTEN, .flags = FW_REC_OWNER, .pid = 7);
	full(s, 1000, FW_LISTEN, FW_CLOSE);
	scene_connection(s, 2); /* older than the trace */
	full(s, 1001, FW_LISTEN, FW_CLOSE);
	scene_connection(s, 3); /* never closed */
	full(s, 1002, FW_CLOSE, FW_LISTEN);
	fw_tracker_finish(&s->tracker, ns_of(2000));
	expect_connections(s, "");
	expect_transitions(s, "CLOSE>LISTEN ?\n"
			      "LISTEN>CLOSE 999 unknown\n"
			      "LISTEN>CLOSE >=1001 unknown\n"
			      "CLOSE>LISTEN ?\n");
	assert_int_equal(s->tracker.counters.connections, 0);
	assert_int_equal(s->tracker.counters.illegal, 0);
}

static void older_than_the_trace(void **state)
{
	struct scene *s = *state;

	full(s, 500, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED);
	full(s, 600, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER | FW_REC_FIN_RECEIVED);
	full(s, 700, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED | FW_REC_FIN_RECEIVED);
	expect_connections(s, "ESTABLISHED>=500 CLOSE_WAIT=100 LAST_ACK=100 last_ack remote "
			      "since_before\n");
	expect_transitions(s, "ESTABLISHED>CLOSE_WAIT >=500\n"
			      "CLOSE_WAIT>LAST_ACK 100\n"
			      "LAST_ACK>CLOSE 100 last_ack\n");
	assert_int_equal(s->tracker.counters.gaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(active_open_passive_close),
		scene_test(simultaneous_open),
		scene_test(simultaneous_close),
		scene_test(closed_in_closing),
		scene_test(closed_in_last_ack),
		scene_test(half_closed_is_not_orphaned),
		scene_test(half_closed_then_orphaned),
		scene_test(half_closed_then_orphaned_in_fin_wait_1),
		scene_test(orphan_in_both_objects),
		scene_test(fin_and_ack_in_one_segment),
		scene_test(fin_right_after_ack),
		scene_test(owner_is_who_acted),
		scene_test(totals_are_those_of_the_last_transition),
		scene_test(endpoints_are_kept),
		scene_test(connect_without_a_port),
		scene_test(listeners_are_not_connections),
		scene_test(older_than_the_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
