// SPDX-License-Identifier: GPL-2.0-only
/* Proves how connections end without a minisock: table full, skipped, reset, answered by RST. */
#include "events.h"

#include <errno.h>

#define OPENED "active SYN_SENT=1 ESTABLISHED=98 "

/* ---- No minisock ------------------------------------------------------------------------- */

struct no_minisock {
	const char *what;
	uint32_t fin_wait_2_flags, close_flags;
	uint32_t close_segs_in; /* FIN_WAIT_2 began with the second segment */
	double close_ms;	/* it began at 200 */
	enum { NO_RST, RST, RST_TO_DATA } rst;
	const char *want;
};

static void without_minisock(void **state)
{
	const uint32_t both = FW_REC_SHUT_RD | FW_REC_SHUT_WR;
	const struct no_minisock cases[] = {
		{ "table full, FIN+ACK, orphan", FW_REC_ORPHAN,
		  FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_TABLE_FULL, 2, 200.02, NO_RST,
		  "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, FIN+ACK, half-closed", FW_REC_HAS_FILE,
		  FW_REC_HAS_FILE | FW_REC_FIN_RECEIVED | FW_REC_TABLE_FULL, 2, 200.02, NO_RST,
		  "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, ACK, orphan", FW_REC_ORPHAN, FW_REC_ORPHAN | FW_REC_TABLE_FULL, 2,
		  200.02, NO_RST, "FIN_WAIT_1=100.02 time_wait_overflow local\n" },
		{ "table full, FIN after ACK", FW_REC_HAS_FILE,
		  FW_REC_HAS_FILE | FW_REC_FIN_RECEIVED | FW_REC_TABLE_FULL, 3, 400, NO_RST,
		  "FIN_WAIT_1=100 FIN_WAIT_2=200 time_wait_overflow local\n" },
		{ "TCP_LINGER2 < 0", FW_REC_ORPHAN, both | FW_REC_ORPHAN | FW_REC_LINGER2_NEG, 2,
		  200.02, NO_RST, "FIN_WAIT_1=100.02 fin_wait_2_skipped local\n" },
		{ "TCP_LINGER2 < 0 answers by RST", FW_REC_ORPHAN,
		  both | FW_REC_ORPHAN | FW_REC_LINGER2_NEG, 2, 200.02, RST_TO_DATA,
		  "FIN_WAIT_1=100.02 fin_wait_2_skipped local\n" },
		{ "data with the ACK after close()", FW_REC_ORPHAN, both | FW_REC_ORPHAN, 2, 200.02,
		  RST_TO_DATA, "FIN_WAIT_1=100.02 reset_sent local\n" },
		{ "the same, and the table is full", FW_REC_ORPHAN,
		  both | FW_REC_ORPHAN | FW_REC_TABLE_FULL, 2, 200.02, RST_TO_DATA,
		  "FIN_WAIT_1=100.02 reset_sent local\n" },
		{ "data after close(), in the full socket", FW_REC_ORPHAN, both | FW_REC_ORPHAN, 3,
		  400, RST_TO_DATA,
		  "FIN_WAIT_1=100 FIN_WAIT_2=200(orphaned) fin_wait_2_data local\n" },
		{ "SO_LINGER 0 when half-closed", FW_REC_HAS_FILE, both | FW_REC_HAS_FILE, 2, 400,
		  RST, "FIN_WAIT_1=100 FIN_WAIT_2=200 reset_sent local\n" },
		{ "the same, and the table is full", FW_REC_HAS_FILE,
		  both | FW_REC_HAS_FILE | FW_REC_TABLE_FULL, 2, 400, RST,
		  "FIN_WAIT_1=100 FIN_WAIT_2=200 reset_sent local\n" },
		{ "SO_LINGER 0 at once", FW_REC_HAS_FILE, both | FW_REC_HAS_FILE, 2, 202, RST,
		  "FIN_WAIT_1=100 FIN_WAIT_2=2 reset_sent local\n" },
		{ "close() with unread data when half-closed", FW_REC_HAS_FILE,
		  both | FW_REC_HAS_FILE, 3, 400, RST,
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
		if (c->rst != NO_RST)
			reset_sent(s, c->close_ms + 0.02,
				   .flags = c->rst == RST_TO_DATA ? FW_REC_ANSWERS_DATA : 0);
		fw_tracker_advance(&s->tracker, ns_of(c->close_ms + 150));
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
	full(s, 2120, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_TABLE_FULL,
	     .segs_in = 2);
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
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300.01(orphaned) "
				     "fin_wait_2_skipped local\n");
}

/* Real, however short: two calls made it. */
static void half_closed_then_linger2_negative_at_once(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 202, FW_FIN_WAIT_2, FW_FIN_WAIT_2, .flags = FW_REC_HAS_FILE, .segs_in = 2);
	full(s, 202, FW_FIN_WAIT_2, FW_CLOSE, .segs_in = 2,
	     .flags = FW_REC_ORPHAN | FW_REC_LINGER2_NEG | FW_REC_SHUT_RD | FW_REC_SHUT_WR);
	expect_connections(s, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=2(orphaned) fin_wait_2_skipped "
				     "local\n");
}

static void overflow_in_closing(void **state)
{
	struct scene *s = *state;

	open_and_close(s, 100);
	full(s, 200, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED);
	full(s, 300, FW_CLOSING, FW_CLOSE,
	     .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED | FW_REC_FIN_ACKED | FW_REC_TABLE_FULL);
	expect_connections(s, "");
	fw_tracker_advance(&s->tracker, ns_of(400));
	expect_connections(s, OPENED "FIN_WAIT_1=100 CLOSING=100 time_wait_overflow "
				     "simultaneous\n");
}

/* ---- RST --------------------------------------------------------------------------------- */

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
		{ 599, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
				      "fin_wait_2_data local\n" },
		{ 601, FW_FIN_WAIT_2, OPENED "FIN_WAIT_1=100 FIN_WAIT_2=300(orphaned) "
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
			full(s, 200, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN,
			     .segs_in = 2);
		full(s, 500, cases[i].in, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_SHUT_RD,
		     .err = cases[i].in == FW_FIN_WAIT_1 ? ECONNRESET : EPIPE, .segs_in = 3);
		expect_connections(s, "");
		if (cases[i].reset_sent_ms > 0)
			reset_sent(s, cases[i].reset_sent_ms, .flags = FW_REC_ANSWERS_DATA);
		fw_tracker_advance(&s->tracker, ns_of(700));
		expect_connections(s, cases[i].want);
	}
}

/* Without evidence that the connection was reset by this host, how it ended is not known. */
static void resets_by_this_host_are_proven_by_their_rst(void **state)
{
	const uint32_t linger = FW_REC_SHUT_RD | FW_REC_SHUT_WR | FW_REC_HAS_FILE;
	static const struct {
		double rst_ms; /* the end is at 500; 0: none */
		bool other_cpu;
		const char *want;
	} cases[] = {
		{ 500.01, false, "reset_sent\n" },
		{ 500.01, true, "reset_sent\n" },
		{ 0, false, "unknown\n" },
		{ 601, false, "unknown\n" },
		/* tcp_out_of_resources() and an abort by a timer send it before */
		{ 499.99, false, "reset_sent\n" },
		{ 499.99, true, "unknown\n" },
		{ 480, false, "unknown\n" },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[200];

		scene_fini(s);
		scene_init(s, 10);
		active_open(s, 400);
		s->cpu = cases[i].other_cpu;
		if (cases[i].rst_ms > 0 && cases[i].rst_ms < 500)
			reset_sent(s, cases[i].rst_ms);
		s->cpu = 0;
		full(s, 500, FW_ESTABLISHED, FW_CLOSE, .flags = linger);
		s->cpu = cases[i].other_cpu;
		if (cases[i].rst_ms > 500)
			reset_sent(s, cases[i].rst_ms);
		fw_tracker_advance(&s->tracker, ns_of(700));
		snprintf(want, sizeof(want), "active SYN_SENT=1 ESTABLISHED=99 %s", cases[i].want);
		expect_connections(s, want);
	}
}

/* An orphan that is dropped for lack of resources is reset, too; only its state tells the two apart. */
static void too_many_orphans(void **state)
{
	const uint32_t orphan = FW_REC_SHUT_RD | FW_REC_SHUT_WR | FW_REC_ORPHAN;
	struct scene *s = *state;

	for (int before = 0; before < 2; before++) {
		open_and_close(s, 100);
		if (before)
			reset_sent(s, 300);
		full(s, 300, FW_FIN_WAIT_1, FW_CLOSE, .flags = orphan, .segs_in = 2);
		if (!before)
			reset_sent(s, 300.01);
		expect_connections(s, OPENED "FIN_WAIT_1=200 orphan_limit local\n");
	}
	open_and_close(s, 1100);
	full(s, 1300, FW_FIN_WAIT_1, FW_CLOSE, .flags = orphan, .segs_in = 2);
	fw_tracker_advance(&s->tracker, ns_of(1500));
	expect_connections(s, OPENED "FIN_WAIT_1=200 unknown local\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(without_minisock),
		scene_test(orphan_finds_table_full_late),
		scene_test(half_closed_then_linger2_negative),
		scene_test(half_closed_then_linger2_negative_at_once),
		scene_test(overflow_in_closing),
		scene_test(data_or_reset_after_close),
		scene_test(resets_by_this_host_are_proven_by_their_rst),
		scene_test(too_many_orphans),
		scene_test(reset_of_another_connection_explains_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
