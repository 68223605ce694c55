// SPDX-License-Identifier: GPL-2.0-only
/* Proves that the transitions of full sockets become the path, dwells, owner and end of a connection. */
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
			      "FIN_WAIT_1>TIME_WAIT 200 same_segment minisock\n"
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

/* ---- No minisock ------------------------------------------------------------------------------ */

struct no_minisock {
	const char *what;
	uint16_t fin_wait_2_flags, close_flags;
	uint32_t close_segs_in; /* FIN_WAIT_2 began with the second segment */
	double close_ms;	/* it began at 200 */
	bool reset_sent;
	const char *want;
};

static void without_minisock(void **state)
{
	const uint16_t both = FW_REC_SHUT_RD | FW_REC_SHUT_WR;
	const struct no_minisock cases[] = {
		{ "table full, FIN+ACK, orphan", FW_REC_ORPHAN, FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
		  2, 200.02, false, "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, FIN+ACK, half-closed", FW_REC_HAS_FILE,
		  FW_REC_HAS_FILE | FW_REC_FIN_RECEIVED, 2, 200.02, false,
		  "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, ACK, orphan", FW_REC_ORPHAN, FW_REC_ORPHAN, 2, 200.02, false,
		  "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, FIN after ACK", FW_REC_HAS_FILE, FW_REC_HAS_FILE | FW_REC_FIN_RECEIVED,
		  3, 400, false, "FIN_WAIT_1=100 FIN_WAIT_2=200 time_wait_overflow local\n" },
		{ "TCP_LINGER2 < 0", FW_REC_ORPHAN, both | FW_REC_ORPHAN | FW_REC_LINGER2_NEG, 2,
		  200.02, false, "FIN_WAIT_1=100.02 fin_wait_2_skipped local\n" },
		{ "TCP_LINGER2 < 0 answers by RST", FW_REC_ORPHAN,
		  both | FW_REC_ORPHAN | FW_REC_LINGER2_NEG, 2, 200.02, true,
		  "FIN_WAIT_1=100.02 fin_wait_2_skipped local\n" },
		{ "data with the ACK after close()", FW_REC_ORPHAN, both | FW_REC_ORPHAN, 2, 200.02,
		  true, "FIN_WAIT_1=100.02 reset_sent local\n" },
		{ "SO_LINGER 0 when half-closed", FW_REC_HAS_FILE, both | FW_REC_HAS_FILE, 2, 400,
		  true, "FIN_WAIT_1=100 FIN_WAIT_2=200 reset_sent local\n" },
		{ "close() with unread data when half-closed", FW_REC_HAS_FILE,
		  both | FW_REC_HAS_FILE, 3, 400, true,
		  "FIN_WAIT_1=100 FIN_WAIT_2=200 reset_sent local\n" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct no_minisock *c = &cases[i];
		char want[200];

		scene_fini(s);
		scene_init(s, 10);
		open_and_close(s, 100);
		full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = c->fin_wait_2_flags,
		     .segs_in = 2);
		full(s, c->close_ms, FW_FIN_WAIT_2, FW_CLOSE, .flags = c->close_flags,
		     .segs_in = c->close_segs_in);
		if (c->reset_sent)
			reset_sent(s, c->close_ms + 0.02);
		fw_tracker_advance(&s->tracker, ns_of(c->close_ms + 30));
		snprintf(want, sizeof(want), "%s: " OPENED "%s", c->what, c->want);
		fw_buf_clear(&s->transitions);
		fw_buf_printf(&s->transitions, "%s: %s", c->what, fw_buf_str(&s->connections));
		expect_transitions(s, want);
	}
}

/* The orphan was in the full socket for two seconds when it found the table full. */
static void orphan_finds_table_full_late(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 120, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	full(s, 2120, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	fw_tracker_advance(&s->tracker, ns_of(3000));
	expect_connections(s, OPENED "FIN_WAIT_1=20 FIN_WAIT_2=2000(orphaned) time_wait_overflow "
				     "local\n");
}

static void half_closed_then_linger2_negative(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 500, FW_FIN_WAIT_2, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 500.01, FW_FIN_WAIT_2, FW_CLOSE, .segs_in = 2,
	     .flags = FW_REC_ORPHAN | FW_REC_LINGER2_NEG | FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300.01(orphaned) fin_wait_2_skipped "
				     "local\n");
}

static void overflow_in_closing(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED);
	full(s, 300, FW_CLOSING, FW_CLOSE,
	     .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED);
	expect_connections(s, "");
	fw_tracker_advance(&s->tracker, ns_of(400));
	expect_connections(s, OPENED "FIN_WAIT_1=100 CLOSING=100 time_wait_overflow simultaneous\n");
}

/* ---- RST -------------------------------------------------------------------------------------- */

/* The kernel leaves the same on the socket whether an RST came or data that is answered by one. */
static void data_or_reset_after_close(void **state)
{
	static const struct {
		double reset_sent_ms; /* the end is at 500 */
		unsigned int in;
		const char *want;
	} cases[] = {
		{ 500.01, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
					 "fin_wait_2_data local\n" },
		{ 519, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
				      "fin_wait_2_data local\n" },
		{ 521, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
				      "reset_received local\n" },
		{ 0, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
				    "reset_received local\n" },
		{ 500.01, FW_FIN_WAIT_1, OPENED "FIN_WAIT_1=400 reset_sent local\n" },
		{ 0, FW_FIN_WAIT_1, OPENED "FIN_WAIT_1=400 reset_received local\n" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scene_fini(s);
		scene_init(s, 10);
		open_and_close(s, 100);
		if (cases[i].in == FW_FIN_WAIT_2)
			full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
		full(s, 500, cases[i].in, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_SHUT_RD,
		     .err = cases[i].in == FW_FIN_WAIT_1 ? ECONNRESET : EPIPE, .segs_in = 3);
		expect_connections(s, "");
		if (cases[i].reset_sent_ms > 0)
			reset_sent(s, cases[i].reset_sent_ms);
		fw_tracker_advance(&s->tracker, ns_of(600));
		expect_connections(s, cases[i].want);
	}
}

static void reset_of_another_connection_explains_nothing(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 500, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	scene_connection(s, 2);
	reset_sent(s, 500.01); /* never seen */
	active_open(s, 500.02);
	reset_sent(s, 502); /* alive: a segment out of nowhere was refused */
	fw_tracker_advance(&s->tracker, ns_of(600));
	expect_connections(s, OPENED "FIN_WAIT_1=400 reset_received local\n");
	fw_tracker_finish(&s->tracker, ns_of(600));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98.98 open\n");
}

/* ---- What else is known ----------------------------------------------------------------------- */

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
	full(s, 1.01, FW_SYN_SENT, FW_CLOSE, .flags = FW_REC_SYN_UNSENT);
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

/* ---- Lost and strange records ----------------------------------------------------------------- */

static void missing_transition_is_a_gap(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	/* ESTABLISHED -> CLOSE_WAIT was lost */
	full(s, 100, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER);
	full(s, 110, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 CLOSE_WAIT=0 LAST_ACK=10 last_ack "
			      "gap\n");
	assert_int_equal(s->tracker.counters.gaps, 1);
	assert_int_equal(s->tracker.counters.illegal, 0);
}

/* The record of the end was lost, and the application connects the same socket again. */
static void missing_end_is_a_gap(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	s->lport = 50000;
	active_open(s, 100);
	full(s, 201, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	fw_tracker_finish(&s->tracker, ns_of(500));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=98 unknown gap\n"
			      "active SYN_SENT=1 ESTABLISHED=100 reset_received\n");
}

static void illegal_transitions_are_counted_and_shown(void **state)
{
	struct scene *s = *state;

	active_open(s, 1);
	full(s, 10, FW_ESTABLISHED, FW_SYN_SENT);
	full(s, 20, FW_SYN_SENT, 14); /* a state of a kernel to come */
	full(s, 30, 14, FW_CLOSE);
	expect_transitions(s, "CLOSE>SYN_SENT ?\n"
			      "SYN_SENT>ESTABLISHED 1\n"
			      "ESTABLISHED>SYN_SENT 8 illegal\n"
			      "SYN_SENT>STATE(14) 10 illegal\n");
	assert_int_equal(s->tracker.counters.illegal, 2);
	fw_tracker_advance(&s->tracker, ns_of(100));
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=8 SYN_SENT=10 STATE(14)=10 aborted\n");
}

/* More states than a connection can have: forged, but harmless. */
static void endless_path_stays_bounded(void **state)
{
	struct scene *s = *state;

	active_open(s, 0);
	for (int i = 1; i < 100; i++)
		full(s, i + 1, i % 2 ? FW_ESTABLISHED : FW_CLOSE_WAIT,
		     i % 2 ? FW_CLOSE_WAIT : FW_ESTABLISHED);
	full(s, 101, FW_CLOSE_WAIT, FW_CLOSE, .err = EPIPE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=1 CLOSE_WAIT=1 ESTABLISHED=1 "
			      "CLOSE_WAIT=1 ESTABLISHED=1 CLOSE_WAIT=94 CLOSE_WAIT=1 "
			      "reset_received remote gap\n");
}

static void time_never_runs_backwards(void **state)
{
	struct scene *s = *state;

	active_open(s, 100);
	full(s, 50, FW_ESTABLISHED, FW_CLOSE_WAIT);
	full(s, 40, FW_CLOSE_WAIT, FW_CLOSE, .err = EPIPE);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=0 CLOSE_WAIT=0 reset_received "
			      "remote\n");
}

static void what_belongs_to_nobody(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_CLOSE); /* close() of a socket that was never connected */
	s->cookie = 0;
	full(s, 2, FW_ESTABLISHED, FW_CLOSE_WAIT);
	expect_connections(s, "");
	expect_transitions(s, "");
	assert_int_equal(s->tracker.counters.unmatched, 1);
	assert_int_equal(s->tracker.table.nr, 0);
}

/* ---- A socket's second connection has the first one's cookie ---------------------------------- */

static void connected_again_after_refusal(void **state)
{
	struct scene *s = *state;

	full(s, 1, FW_CLOSE, FW_SYN_SENT);
	full(s, 2, FW_SYN_SENT, FW_CLOSE, .err = ECONNREFUSED);
	active_open(s, 3);
	full(s, 5, FW_ESTABLISHED, FW_CLOSE, .flags = FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	expect_connections(s, "active SYN_SENT=1 refused\n"
			      "active SYN_SENT=1 ESTABLISHED=1 reset_sent\n");
	assert_int_equal(s->last.id, 2);
}

/* The first one's end is still waiting for an RST that would explain it. */
static void connected_again_while_undecided(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	active_open(s, 205);
	full(s, 210, FW_ESTABLISHED, FW_CLOSE, .err = ETIMEDOUT);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=4 timed_out\n");
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, OPENED "FIN_WAIT_1=100 reset_received local\n");
}

/* The same, and the records of its beginning were lost. */
static void undecided_is_over(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSE, .flags = FW_REC_SHUT_RD, .err = ECONNRESET);
	full(s, 210, FW_ESTABLISHED, FW_CLOSE, .err = ETIMEDOUT);
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, "ESTABLISHED>=210 timed_out since_before\n" OPENED
			      "FIN_WAIT_1=100 reset_received local\n");
}

/* connect(AF_UNSPEC) and connect() while the first connection is in TIME_WAIT. */
static void connected_again_during_time_wait(void **state)
{
	struct scene *s = *state;

	three_segment_close(s, 110);
	expect_connections(s, "");
	s->lport = 50000;
	active_open(s, 1000);
	s->lport = 40001;
	mini(s, 61000, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	expect_connections(s, OPENED "FIN_WAIT_1=10 TIME_WAIT=60890 time_wait_expired local "
				     "three_segment\n");
	s->lport = 50000;
	full(s, 62001, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
	expect_connections(s, "active SYN_SENT=1 ESTABLISHED=61000 reset_received\n");
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
		scene_test(without_minisock),
		scene_test(orphan_finds_table_full_late),
		scene_test(half_closed_then_linger2_negative),
		scene_test(overflow_in_closing),
		scene_test(data_or_reset_after_close),
		scene_test(reset_of_another_connection_explains_nothing),
		scene_test(owner_is_who_acted),
		scene_test(totals_are_those_of_the_last_transition),
		scene_test(endpoints_are_kept),
		scene_test(connect_without_a_port),
		scene_test(listeners_are_not_connections),
		scene_test(older_than_the_trace),
		scene_test(missing_transition_is_a_gap),
		scene_test(missing_end_is_a_gap),
		scene_test(illegal_transitions_are_counted_and_shown),
		scene_test(endless_path_stays_bounded),
		scene_test(time_never_runs_backwards),
		scene_test(what_belongs_to_nobody),
		scene_test(connected_again_after_refusal),
		scene_test(connected_again_while_undecided),
		scene_test(undecided_is_over),
		scene_test(connected_again_during_time_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
