// SPDX-License-Identifier: GPL-2.0-only
/* Proves how each way to close a socket is named, from what the kernel leaves on it. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/tracker_internal.h"

#define BOTH_SHUT (FW_REC_SHUT_RD | FW_REC_SHUT_WR)
/* close() has been called: both directions are shut, and no file is left. */
#define ORPHAN (BOTH_SHUT | FW_REC_ORPHAN)
#define FILE_OPEN FW_REC_HAS_FILE

/* What the verdict may still wait for. */
enum how {
	NOW,
	UNLESS_RST,  /* an RST sent next makes it another end */
	SHORT,	     /* the same, and that RST proves that resources were short */
};

struct close_case {
	const char *what;
	unsigned int state;
	uint16_t err;
	uint32_t flags;
	enum fw_end end;
	enum how how;
};

static const struct close_case closes[] = {
	/* SYN_SENT */
	{ "connect() refused", FW_SYN_SENT, ECONNREFUSED, FILE_OPEN, FW_END_REFUSED, NOW },
	{ "RST in SYN_SENT, odd errno", FW_SYN_SENT, ECONNRESET, FILE_OPEN, FW_END_REFUSED, NOW },
	{ "no answer to the SYN", FW_SYN_SENT, ETIMEDOUT, FILE_OPEN, FW_END_TIMED_OUT, NOW },
	{ "ICMP: host unreachable", FW_SYN_SENT, EHOSTUNREACH, FILE_OPEN, FW_END_UNREACHABLE, NOW },
	{ "ICMP: network unreachable", FW_SYN_SENT, ENETUNREACH, FILE_OPEN, FW_END_UNREACHABLE, NOW },
	{ "ICMP: prohibited", FW_SYN_SENT, EACCES, FILE_OPEN, FW_END_UNREACHABLE, NOW },
	{ "ICMP: no such protocol", FW_SYN_SENT, ENOPROTOOPT, FILE_OPEN, FW_END_UNREACHABLE, NOW },
	{ "ss -K in SYN_SENT", FW_SYN_SENT, ECONNABORTED, FILE_OPEN, FW_END_KILLED, NOW },
	{ "close() while connecting", FW_SYN_SENT, 0, BOTH_SHUT, FW_END_ABORTED, NOW },
	{ "SO_LINGER 0 while connecting", FW_SYN_SENT, 0, BOTH_SHUT | FILE_OPEN, FW_END_ABORTED, NOW },
	{ "connect(AF_UNSPEC) while connecting", FW_SYN_SENT, 0, FILE_OPEN, FW_END_DISCONNECTED, NOW },
	{ "no port", FW_SYN_SENT, 0, FW_REC_SYN_UNSENT | FW_REC_NO_PORT | FILE_OPEN, FW_END_NO_PORT,
	  NOW },
	{ "Fast Open: SYN deferred, then close()", FW_SYN_SENT, 0, FW_REC_SYN_UNSENT | BOTH_SHUT,
	  FW_END_ABORTED, NOW },
	{ "Fast Open: SYN deferred, then connect(AF_UNSPEC)", FW_SYN_SENT, 0,
	  FW_REC_SYN_UNSENT | FILE_OPEN, FW_END_ABORTED, NOW },
	{ "no route at connect()", FW_SYN_SENT, 0, FW_REC_SYN_UNSENT | FILE_OPEN, FW_END_ABORTED, NOW },
	/* SYN_RECV */
	{ "RST in SYN_RECV", FW_SYN_RECV, ECONNRESET, 0, FW_END_RESET_RECEIVED, NOW },
	{ "SYN_RECV given up", FW_SYN_RECV, ETIMEDOUT, 0, FW_END_TIMED_OUT, NOW },
	{ "ss -K in SYN_RECV", FW_SYN_RECV, ECONNABORTED, 0, FW_END_KILLED, NOW },
	{ "ICMP in SYN_RECV", FW_SYN_RECV, EHOSTUNREACH, FILE_OPEN, FW_END_UNREACHABLE, NOW },
	{ "SYN_RECV aborted", FW_SYN_RECV, 0, 0, FW_END_ABORTED, UNLESS_RST },
	/* ESTABLISHED and CLOSE_WAIT */
	{ "RST in ESTABLISHED", FW_ESTABLISHED, ECONNRESET, FILE_OPEN, FW_END_RESET_RECEIVED, NOW },
	{ "peer does not answer", FW_ESTABLISHED, ETIMEDOUT, FILE_OPEN, FW_END_TIMED_OUT, NOW },
	{ "retries end with an ICMP error", FW_ESTABLISHED, EHOSTUNREACH, FILE_OPEN,
	  FW_END_UNREACHABLE, NOW },
	{ "ss -K", FW_ESTABLISHED, ECONNABORTED, FILE_OPEN, FW_END_KILLED, NOW },
	{ "SO_LINGER 0, unread data", FW_ESTABLISHED, 0, BOTH_SHUT | FILE_OPEN, FW_END_UNKNOWN,
	  UNLESS_RST },
	{ "SO_LINGER 0 with a leftover of IP_RECVERR", FW_ESTABLISHED, EHOSTUNREACH,
	  BOTH_SHUT | FILE_OPEN, FW_END_UNKNOWN, UNLESS_RST },
	{ "SO_LINGER 0 after an error that was not read", FW_ESTABLISHED, ETIMEDOUT,
	  BOTH_SHUT | FILE_OPEN, FW_END_UNKNOWN, UNLESS_RST },
	{ "connect(AF_UNSPEC)", FW_ESTABLISHED, 0, FILE_OPEN, FW_END_DISCONNECTED, NOW },
	{ "connect(AF_UNSPEC) after shutdown(SHUT_RD)", FW_ESTABLISHED, 0,
	  FW_REC_SHUT_RD | FILE_OPEN, FW_END_DISCONNECTED, NOW },
	{ "listener closed, never accepted", FW_ESTABLISHED, 0, 0, FW_END_UNKNOWN, UNLESS_RST },
	{ "RST in CLOSE_WAIT", FW_CLOSE_WAIT, EPIPE, FW_REC_SHUT_RD | FILE_OPEN,
	  FW_END_RESET_RECEIVED, NOW },
	{ "SO_LINGER 0 in CLOSE_WAIT", FW_CLOSE_WAIT, 0, BOTH_SHUT | FILE_OPEN, FW_END_UNKNOWN,
	  UNLESS_RST },
	{ "ss -K in CLOSE_WAIT", FW_CLOSE_WAIT, ECONNABORTED, FW_REC_SHUT_RD | FILE_OPEN,
	  FW_END_KILLED, NOW },
	{ "connect(AF_UNSPEC) in CLOSE_WAIT", FW_CLOSE_WAIT, 0, FW_REC_SHUT_RD | FILE_OPEN,
	  FW_END_DISCONNECTED, NOW },
	{ "listener closed in CLOSE_WAIT", FW_CLOSE_WAIT, 0, FW_REC_SHUT_RD, FW_END_UNKNOWN,
	  UNLESS_RST },
	/* LAST_ACK: an acknowledged FIN counts before an error */
	{ "last ACK", FW_LAST_ACK, 0, FW_REC_FIN_ACKED | ORPHAN, FW_END_LAST_ACK, NOW },
	{ "last ACK with a leftover of IP_RECVERR", FW_LAST_ACK, EHOSTUNREACH,
	  FW_REC_FIN_ACKED | ORPHAN, FW_END_LAST_ACK, NOW },
	{ "last ACK with a leftover timeout", FW_LAST_ACK, ETIMEDOUT, FW_REC_FIN_ACKED | ORPHAN,
	  FW_END_LAST_ACK, NOW },
	{ "RST in LAST_ACK", FW_LAST_ACK, ECONNRESET, ORPHAN, FW_END_RESET_RECEIVED, NOW },
	{ "FIN never acknowledged", FW_LAST_ACK, ETIMEDOUT, ORPHAN, FW_END_TIMED_OUT, NOW },
	{ "ss -K in LAST_ACK", FW_LAST_ACK, ECONNABORTED, ORPHAN, FW_END_KILLED, NOW },
	{ "too many orphans in LAST_ACK", FW_LAST_ACK, 0, ORPHAN, FW_END_UNKNOWN, SHORT },
	{ "connect(AF_UNSPEC) in LAST_ACK", FW_LAST_ACK, 0, FW_REC_SHUT_WR | FILE_OPEN,
	  FW_END_DISCONNECTED, NOW },
	/* FIN_WAIT_1 */
	{ "RST or data in FIN_WAIT_1", FW_FIN_WAIT_1, ECONNRESET, BOTH_SHUT, FW_END_RESET_RECEIVED,
	  UNLESS_RST },
	{ "RST in FIN_WAIT_1, half-closed", FW_FIN_WAIT_1, ECONNRESET, FW_REC_SHUT_WR | FILE_OPEN,
	  FW_END_RESET_RECEIVED, NOW },
	{ "FIN_WAIT_1 times out", FW_FIN_WAIT_1, ETIMEDOUT, ORPHAN, FW_END_TIMED_OUT, NOW },
	{ "ss -K in FIN_WAIT_1", FW_FIN_WAIT_1, ECONNABORTED, ORPHAN, FW_END_KILLED, NOW },
	{ "too many orphans in FIN_WAIT_1", FW_FIN_WAIT_1, 0, ORPHAN, FW_END_UNKNOWN, SHORT },
	{ "SO_LINGER 0 in FIN_WAIT_1", FW_FIN_WAIT_1, 0, BOTH_SHUT | FILE_OPEN, FW_END_ABORTED,
	  UNLESS_RST },
	{ "connect(AF_UNSPEC) in FIN_WAIT_1", FW_FIN_WAIT_1, 0, FW_REC_SHUT_WR | FILE_OPEN,
	  FW_END_DISCONNECTED, NOW },
	/* FIN_WAIT_2: a minisock, unless something proves otherwise */
	{ "RST or data in FIN_WAIT_2", FW_FIN_WAIT_2, EPIPE, BOTH_SHUT, FW_END_RESET_RECEIVED,
	  UNLESS_RST },
	{ "RST in FIN_WAIT_2, half-closed", FW_FIN_WAIT_2, ECONNRESET, FW_REC_SHUT_WR | FILE_OPEN,
	  FW_END_RESET_RECEIVED, NOW },
	{ "keepalive or user timeout in FIN_WAIT_2", FW_FIN_WAIT_2, ETIMEDOUT,
	  FW_REC_SHUT_WR | FILE_OPEN, FW_END_TIMED_OUT, NOW },
	{ "ss -K in FIN_WAIT_2", FW_FIN_WAIT_2, ECONNABORTED, BOTH_SHUT, FW_END_KILLED, NOW },
	{ "TCP_LINGER2 < 0", FW_FIN_WAIT_2, 0, ORPHAN | FW_REC_LINGER2_NEG,
	  FW_END_FIN_WAIT_2_SKIPPED, NOW },
	/* SO_LINGER 0 disconnects before the socket is orphaned: nothing is skipped, an RST follows. */
	{ "SO_LINGER 0 goes before TCP_LINGER2", FW_FIN_WAIT_2, 0,
	  BOTH_SHUT | FW_REC_LINGER2_NEG | FILE_OPEN, FW_END_OPEN, NOW },
	{ "connect(AF_UNSPEC) in FIN_WAIT_2", FW_FIN_WAIT_2, 0, FW_REC_SHUT_WR | FILE_OPEN,
	  FW_END_DISCONNECTED, NOW },
	{ "table full, FIN_WAIT_2", FW_FIN_WAIT_2, 0, ORPHAN | FW_REC_TABLE_FULL,
	  FW_END_TIME_WAIT_OVERFLOW, UNLESS_RST },
	{ "table full, FIN_WAIT_2, leftover of IP_RECVERR", FW_FIN_WAIT_2, EHOSTUNREACH,
	  ORPHAN | FW_REC_TABLE_FULL, FW_END_TIME_WAIT_OVERFLOW, UNLESS_RST },
	{ "minisock not seen, FIN_WAIT_2", FW_FIN_WAIT_2, 0, ORPHAN, FW_END_OPEN, NOW },
	/* CLOSING */
	{ "table full, CLOSING", FW_CLOSING, 0, ORPHAN | FW_REC_FIN_ACKED | FW_REC_TABLE_FULL,
	  FW_END_TIME_WAIT_OVERFLOW, UNLESS_RST },
	{ "minisock not seen, CLOSING", FW_CLOSING, 0, ORPHAN | FW_REC_FIN_ACKED, FW_END_OPEN, NOW },
	{ "table full, FIN not acknowledged", FW_CLOSING, 0, ORPHAN | FW_REC_TABLE_FULL,
	  FW_END_UNKNOWN, SHORT },
	{ "RST in CLOSING", FW_CLOSING, ECONNRESET, ORPHAN, FW_END_RESET_RECEIVED, NOW },
	{ "CLOSING times out", FW_CLOSING, ETIMEDOUT, ORPHAN, FW_END_TIMED_OUT, NOW },
	{ "too many orphans in CLOSING", FW_CLOSING, 0, ORPHAN, FW_END_UNKNOWN, SHORT },
	{ "SO_LINGER 0 in CLOSING", FW_CLOSING, 0, BOTH_SHUT | FILE_OPEN, FW_END_ABORTED,
	  UNLESS_RST },
	/* whatever the state and the error are */
	{ "TCP_REPAIR in ESTABLISHED", FW_ESTABLISHED, 0, BOTH_SHUT | FW_REC_REPAIR,
	  FW_END_REPAIRED, NOW },
	{ "TCP_REPAIR in CLOSE_WAIT", FW_CLOSE_WAIT, 0, BOTH_SHUT | FW_REC_REPAIR, FW_END_REPAIRED,
	  NOW },
	{ "TCP_REPAIR in FIN_WAIT_2", FW_FIN_WAIT_2, 0, BOTH_SHUT | FW_REC_REPAIR, FW_END_REPAIRED,
	  NOW },
	{ "TCP_REPAIR with a leftover", FW_ESTABLISHED, EHOSTUNREACH, BOTH_SHUT | FW_REC_REPAIR,
	  FW_END_REPAIRED, NOW },
	{ "a listener", FW_LISTEN, 0, 0, FW_END_UNKNOWN, NOW },
	{ "a state of a later kernel", 14, 0, 0, FW_END_ABORTED, UNLESS_RST },
};

static void expect_verdict(const struct close_case *c, bool subflow)
{
	const struct fw_rec_state rec = {
		.head = { .oldstate = (uint8_t)c->state, .newstate = FW_CLOSE, .flags = c->flags },
		.err = c->err,
	};
	struct fw_verdict v = verdict_of_close(&rec, subflow);

	if (v.end != c->end || v.wait != (c->how != NOW) || v.is_short != (c->how == SHORT))
		fail_msg("%s: %s%s%s", c->what, fw_end_name(v.end), v.wait ? ", unless an RST follows" : "",
			 v.is_short ? " (short)" : "");
}

static void closes_have_their_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(closes); i++)
		expect_verdict(&closes[i], false);
}

/* MPTCP disconnects and closes its subflows itself, so their ends prove less. */
static void subflows_are_ended_by_their_connection(void **state)
{
	static const struct close_case cases[] = {
		{ "no error, ESTABLISHED", FW_ESTABLISHED, 0, FILE_OPEN, FW_END_UNKNOWN, UNLESS_RST },
		{ "no error, CLOSE_WAIT", FW_CLOSE_WAIT, 0, FW_REC_SHUT_RD | FILE_OPEN,
		  FW_END_UNKNOWN, UNLESS_RST },
		{ "no error, FIN_WAIT_2", FW_FIN_WAIT_2, 0, FW_REC_SHUT_WR | FILE_OPEN,
		  FW_END_UNKNOWN, UNLESS_RST },
		{ "no error, FIN_WAIT_1", FW_FIN_WAIT_1, 0, FW_REC_SHUT_WR | FILE_OPEN,
		  FW_END_UNKNOWN, UNLESS_RST },
		{ "orphan in FIN_WAIT_1", FW_FIN_WAIT_1, 0, ORPHAN, FW_END_ABORTED, UNLESS_RST },
		{ "RST", FW_ESTABLISHED, ECONNRESET, FILE_OPEN, FW_END_RESET_RECEIVED, NOW },
		{ "last ACK", FW_LAST_ACK, 0, FW_REC_FIN_ACKED | ORPHAN, FW_END_LAST_ACK, NOW },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_verdict(&cases[i], true);
}

/* An end that blames a host needs evidence of its own: no combination without it may give such an end. */
static void blame_needs_evidence(void **state)
{
	static const uint32_t flags[] = {
		FW_REC_ORPHAN, FW_REC_FIN_RECEIVED, FW_REC_FIN_ACKED, FW_REC_HAS_FILE,
		FW_REC_LINGER2_NEG, FW_REC_SHUT_RD, FW_REC_SHUT_WR, FW_REC_SYN_UNSENT,
		FW_REC_WINDOW_SHUT,
	};
	static const uint16_t errs[] = { 0, ECONNRESET, EPIPE, ECONNREFUSED, ETIMEDOUT, ECONNABORTED,
					 EHOSTUNREACH };

	(void)state;
	for (unsigned int set = 0; set < 1U << ARRAY_SIZE(flags); set++) {
		struct fw_rec_state rec = { .head = { .newstate = FW_CLOSE } };

		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			rec.head.flags |= set >> i & 1 ? flags[i] : 0;
		for (size_t i = 0; i < ARRAY_SIZE(errs) * 16; i++) {
			struct fw_verdict v;

			rec.err = errs[i / 16];
			rec.head.oldstate = i % 16;
			v = verdict_of_close(&rec, false);
			assert_int_not_equal(v.end, FW_END_NO_PORT);
			assert_int_not_equal(v.end, FW_END_TIME_WAIT_OVERFLOW);
			assert_int_not_equal(v.end, FW_END_RESET_SENT);
			assert_int_not_equal(v.end, FW_END_FIN_WAIT_2_DATA);
			assert_int_not_equal(v.end, FW_END_ORPHAN_LIMIT);
			assert_int_not_equal(v.end, FW_END_REPAIRED);
			assert_true(v.end != FW_END_KILLED || rec.err == ECONNABORTED);
			assert_true(v.end != FW_END_UNREACHABLE || rec.err == EHOSTUNREACH);
			assert_true(v.end != FW_END_TIMED_OUT || rec.err == ETIMEDOUT);
		}
	}
}

static void reset_sent_explains(void **state)
{
	static const struct {
		unsigned int state;
		uint32_t flags;
		bool answers_data;
		enum fw_end end;
	} cases[] = {
		{ FW_FIN_WAIT_2, FW_CONN_ORPHANED, true, FW_END_FIN_WAIT_2_DATA },
		/* a SYN, or an abort: it answers no data */
		{ FW_FIN_WAIT_2, FW_CONN_ORPHANED, false, FW_END_RESET_SENT },
		{ FW_FIN_WAIT_2, 0, true, FW_END_RESET_SENT }, /* SO_LINGER 0 when half-closed */
		{ FW_FIN_WAIT_2, FW_CONN_ORPHANED | FW_CONN_TRANSIT, true, FW_END_RESET_SENT },
		{ FW_FIN_WAIT_1, FW_CONN_ORPHANED, true, FW_END_RESET_SENT },
		{ FW_FIN_WAIT_1, FW_CONN_ORPHANED | FW_CONN_SHORT, false, FW_END_ORPHAN_LIMIT },
		{ FW_LAST_ACK, FW_CONN_ORPHANED | FW_CONN_SHORT, false, FW_END_ORPHAN_LIMIT },
		{ FW_CLOSING, FW_CONN_ORPHANED | FW_CONN_SHORT, false, FW_END_ORPHAN_LIMIT },
		{ FW_CLOSING, FW_CONN_ORPHANED, false, FW_END_RESET_SENT },
		{ FW_SYN_RECV, 0, false, FW_END_RESET_SENT },
		{ FW_ESTABLISHED, 0, false, FW_END_RESET_SENT },
		{ FW_LAST_ACK, FW_CONN_ORPHANED, false, FW_END_RESET_SENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_conn c = { .nr_steps = 1, .steps = { (uint8_t)cases[i].state },
					   .flags = cases[i].flags };

		assert_string_equal(fw_end_name(verdict_with_reset(&c, cases[i].answers_data)),
				    fw_end_name(cases[i].end));
	}
}

/* Of every pair of substate and cause, also those that make no sense. */
static void minisock_ends_are_never_open(void **state)
{
	(void)state;
	for (unsigned int cause = 0; cause < 20; cause++) {
		for (unsigned int substate = 0; substate < 16; substate++)
			assert_int_not_equal(verdict_of_minisock(substate, (enum fw_cause)cause, cause & 1),
					     FW_END_OPEN);
	}
	assert_int_equal(verdict_of_minisock(FW_TIME_WAIT, FW_CAUSE_COMPLETED, false),
			 FW_END_UNKNOWN);
}

/* A segment ends FIN_WAIT_2 by an RST: what it answers decides whether it was data. */
static void segments_that_end_a_minisock(void **state)
{
	(void)state;
	assert_int_equal(verdict_of_minisock(FW_FIN_WAIT_2, FW_CAUSE_SEGMENT, true),
			 FW_END_FIN_WAIT_2_DATA);
	assert_int_equal(verdict_of_minisock(FW_FIN_WAIT_2, FW_CAUSE_SEGMENT, false),
			 FW_END_RESET_SENT);
	assert_int_equal(verdict_of_minisock(FW_TIME_WAIT, FW_CAUSE_SEGMENT, true),
			 FW_END_TIME_WAIT_REOPENED);
	assert_int_equal(verdict_of_minisock(FW_FIN_WAIT_2, FW_CAUSE_REUSED, false),
			 FW_END_TIME_WAIT_REUSED);
}

/* The names are the JSON contract of DESIGN section 6. */
static void names_of_ends(void **state)
{
	static const char *const names[FW_END_MAX] = {
		[FW_END_OPEN] = "open",
		[FW_END_LAST_ACK] = "last_ack",
		[FW_END_TIME_WAIT_EXPIRED] = "time_wait_expired",
		[FW_END_TIME_WAIT_RESET] = "time_wait_reset",
		[FW_END_TIME_WAIT_REOPENED] = "time_wait_reopened",
		[FW_END_TIME_WAIT_REUSED] = "time_wait_reused",
		[FW_END_TIME_WAIT_PURGED] = "time_wait_purged",
		[FW_END_TIME_WAIT_DESTROYED] = "time_wait_destroyed",
		[FW_END_TIME_WAIT_OVERFLOW] = "time_wait_overflow",
		[FW_END_FIN_WAIT_2_TIMEOUT] = "fin_wait_2_timeout",
		[FW_END_FIN_WAIT_2_SKIPPED] = "fin_wait_2_skipped",
		[FW_END_FIN_WAIT_2_DATA] = "fin_wait_2_data",
		[FW_END_RESET_RECEIVED] = "reset_received",
		[FW_END_RESET_SENT] = "reset_sent",
		[FW_END_REFUSED] = "refused",
		[FW_END_TIMED_OUT] = "timed_out",
		[FW_END_NO_PORT] = "no_port",
		[FW_END_HALF_OPEN_EXPIRED] = "half_open_expired",
		[FW_END_HALF_OPEN_DROPPED] = "half_open_dropped",
		[FW_END_ABORTED] = "aborted",
		[FW_END_UNKNOWN] = "unknown",
		[FW_END_UNREACHABLE] = "unreachable",
		[FW_END_KILLED] = "killed",
		[FW_END_ORPHAN_LIMIT] = "orphan_limit",
		[FW_END_DISCONNECTED] = "disconnected",
		[FW_END_REPAIRED] = "repaired",
	};

	(void)state;
	for (unsigned int e = 0; e < FW_END_MAX; e++) {
		assert_string_equal(fw_end_name((enum fw_end)e), names[e]);
		assert_true(strlen(fw_end_words((enum fw_end)e)) > 2);
		for (unsigned int other = 0; other < e; other++)
			assert_string_not_equal(fw_end_words((enum fw_end)e),
						fw_end_words((enum fw_end)other));
	}
	assert_string_equal(fw_end_name(FW_END_MAX), "unknown");
	assert_string_equal(fw_end_words(FW_END_MAX), "unknown");
}

static void names_of_roles_and_closers(void **state)
{
	(void)state;
	assert_null(fw_role_name(FW_ROLE_UNKNOWN));
	assert_string_equal(fw_role_name(FW_ROLE_ACTIVE), "active");
	assert_string_equal(fw_role_name(FW_ROLE_PASSIVE), "passive");
	assert_null(fw_role_name(FW_ROLE_MAX));
	assert_null(fw_closed_by_name(FW_CLOSED_BY_UNKNOWN));
	assert_string_equal(fw_closed_by_name(FW_CLOSED_BY_LOCAL), "local");
	assert_string_equal(fw_closed_by_name(FW_CLOSED_BY_REMOTE), "remote");
	assert_string_equal(fw_closed_by_name(FW_CLOSED_BY_BOTH), "simultaneous");
	assert_null(fw_closed_by_name(FW_CLOSED_BY_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_have_their_end),
		cmocka_unit_test(subflows_are_ended_by_their_connection),
		cmocka_unit_test(blame_needs_evidence),
		cmocka_unit_test(reset_sent_explains),
		cmocka_unit_test(minisock_ends_are_never_open),
		cmocka_unit_test(segments_that_end_a_minisock),
		cmocka_unit_test(names_of_ends),
		cmocka_unit_test(names_of_roles_and_closers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
