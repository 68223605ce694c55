// SPDX-License-Identifier: GPL-2.0-only
/* Proves how each way to close a socket is named, from what the kernel leaves on it. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "core/tracker_internal.h"

#define BOTH_SHUT (FW_REC_SHUT_RD | FW_REC_SHUT_WR)

static const struct {
	const char *what;
	unsigned int state;
	uint16_t err, flags;
	enum fw_end end;
	bool wait;
} closes[] = {
	{ "connect() refused", FW_SYN_SENT, ECONNREFUSED, 0, FW_END_REFUSED, false },
	{ "RST in SYN_SENT, odd errno", FW_SYN_SENT, ECONNRESET, 0, FW_END_REFUSED, false },
	{ "nobody answers SYN", FW_SYN_SENT, ETIMEDOUT, 0, FW_END_TIMED_OUT, false },
	{ "ICMP: host unreachable", FW_SYN_SENT, EHOSTUNREACH, 0, FW_END_ABORTED, false },
	{ "ICMP: prohibited", FW_SYN_SENT, EACCES, 0, FW_END_ABORTED, false },
	{ "close() while connecting", FW_SYN_SENT, 0, 0, FW_END_ABORTED, false },
	{ "EADDRNOTAVAIL", FW_SYN_SENT, 0, FW_REC_SYN_UNSENT, FW_END_NO_PORT, false },
	{ "RST in SYN_RECV", FW_SYN_RECV, ECONNRESET, 0, FW_END_RESET_RECEIVED, false },
	{ "SYN_RECV given up", FW_SYN_RECV, ETIMEDOUT, 0, FW_END_TIMED_OUT, false },
	{ "SYN_RECV aborted", FW_SYN_RECV, 0, 0, FW_END_ABORTED, true },
	{ "RST in ESTABLISHED", FW_ESTABLISHED, ECONNRESET, FW_REC_HAS_FILE, FW_END_RESET_RECEIVED,
	  false },
	{ "peer unreachable", FW_ESTABLISHED, ETIMEDOUT, FW_REC_HAS_FILE, FW_END_TIMED_OUT, false },
	{ "retries end with an ICMP error", FW_ESTABLISHED, EHOSTUNREACH, FW_REC_HAS_FILE,
	  FW_END_TIMED_OUT, false },
	{ "ss -K", FW_ESTABLISHED, ECONNABORTED, FW_REC_HAS_FILE, FW_END_ABORTED, false },
	{ "SO_LINGER 0, unread data", FW_ESTABLISHED, 0, BOTH_SHUT | FW_REC_HAS_FILE,
	  FW_END_RESET_SENT, false },
	{ "connect(AF_UNSPEC)", FW_ESTABLISHED, 0, FW_REC_HAS_FILE, FW_END_ABORTED, false },
	{ "listener closed, never accepted", FW_ESTABLISHED, 0, 0, FW_END_RESET_SENT, false },
	{ "RST in CLOSE_WAIT", FW_CLOSE_WAIT, EPIPE, FW_REC_SHUT_RD | FW_REC_HAS_FILE,
	  FW_END_RESET_RECEIVED, false },
	{ "SO_LINGER 0 in CLOSE_WAIT", FW_CLOSE_WAIT, 0, BOTH_SHUT | FW_REC_HAS_FILE,
	  FW_END_RESET_SENT, false },
	{ "connect(AF_UNSPEC) in CLOSE_WAIT", FW_CLOSE_WAIT, 0, FW_REC_SHUT_RD | FW_REC_HAS_FILE,
	  FW_END_ABORTED, false },
	{ "listener closed in CLOSE_WAIT", FW_CLOSE_WAIT, 0, FW_REC_SHUT_RD, FW_END_RESET_SENT,
	  false },
	{ "last ACK", FW_LAST_ACK, 0, FW_REC_FIN_ACKED | BOTH_SHUT, FW_END_LAST_ACK, false },
	{ "LAST_ACK without the ACK", FW_LAST_ACK, 0, BOTH_SHUT, FW_END_ABORTED, true },
	{ "RST in LAST_ACK", FW_LAST_ACK, ECONNRESET, BOTH_SHUT, FW_END_RESET_RECEIVED, false },
	{ "FIN never acknowledged", FW_LAST_ACK, ETIMEDOUT, BOTH_SHUT, FW_END_TIMED_OUT, false },
	{ "RST or data in FIN_WAIT_1", FW_FIN_WAIT_1, ECONNRESET, BOTH_SHUT, FW_END_RESET_RECEIVED,
	  true },
	{ "RST in FIN_WAIT_1, half-closed", FW_FIN_WAIT_1, ECONNRESET, FW_REC_SHUT_WR,
	  FW_END_RESET_RECEIVED, false },
	{ "FIN_WAIT_1 times out", FW_FIN_WAIT_1, ETIMEDOUT, BOTH_SHUT, FW_END_TIMED_OUT, false },
	{ "FIN_WAIT_1 aborted", FW_FIN_WAIT_1, 0, BOTH_SHUT, FW_END_ABORTED, true },
	{ "RST or data in FIN_WAIT_2", FW_FIN_WAIT_2, EPIPE, BOTH_SHUT, FW_END_RESET_RECEIVED,
	  true },
	{ "RST in FIN_WAIT_2, half-closed", FW_FIN_WAIT_2, ECONNRESET, FW_REC_SHUT_WR,
	  FW_END_RESET_RECEIVED, false },
	{ "TCP_LINGER2 < 0", FW_FIN_WAIT_2, 0, BOTH_SHUT | FW_REC_LINGER2_NEG | FW_REC_ORPHAN,
	  FW_END_FIN_WAIT_2_SKIPPED, false },
	{ "connect(AF_UNSPEC) in FIN_WAIT_2", FW_FIN_WAIT_2, 0, FW_REC_SHUT_WR | FW_REC_HAS_FILE,
	  FW_END_ABORTED, false },
	{ "connect(AF_UNSPEC) in FIN_WAIT_1", FW_FIN_WAIT_1, 0, FW_REC_SHUT_WR | FW_REC_HAS_FILE,
	  FW_END_ABORTED, false },
	{ "table full, FIN_WAIT_2", FW_FIN_WAIT_2, 0, BOTH_SHUT, FW_END_TIME_WAIT_OVERFLOW, true },
	{ "table full, CLOSING", FW_CLOSING, 0, BOTH_SHUT | FW_REC_FIN_ACKED,
	  FW_END_TIME_WAIT_OVERFLOW, true },
	{ "CLOSING aborted", FW_CLOSING, 0, BOTH_SHUT, FW_END_ABORTED, true },
	{ "RST in CLOSING", FW_CLOSING, ECONNRESET, BOTH_SHUT, FW_END_RESET_RECEIVED, false },
	{ "ss -K in FIN_WAIT_2", FW_FIN_WAIT_2, ECONNABORTED, BOTH_SHUT, FW_END_ABORTED, false },
	{ "a listener", FW_LISTEN, 0, 0, FW_END_UNKNOWN, false },
	{ "a state of a kernel to come", 14, 0, 0, FW_END_ABORTED, true },
};

static void closes_have_their_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(closes); i++) {
		const struct fw_rec_state rec = {
			.head = { .oldstate = (uint8_t)closes[i].state, .newstate = FW_CLOSE,
				  .flags = closes[i].flags },
			.err = closes[i].err,
		};
		struct fw_verdict v = verdict_of_close(&rec);

		if (v.end != closes[i].end || v.wait != closes[i].wait)
			fail_msg("%s: %s%s", closes[i].what, fw_end_name(v.end),
				 v.wait ? ", unless an RST follows" : "");
	}
}

/* SO_LINGER 0 disconnects before the socket is orphaned: nothing is skipped, an RST follows. */
static void lingering_goes_before_linger2(void **state)
{
	const struct fw_rec_state rec = {
		.head = { .oldstate = FW_FIN_WAIT_2, .newstate = FW_CLOSE,
			  .flags = BOTH_SHUT | FW_REC_LINGER2_NEG | FW_REC_HAS_FILE },
	};
	struct fw_verdict v = verdict_of_close(&rec);

	(void)state;
	assert_string_not_equal(fw_end_name(v.end), "fin_wait_2_skipped");
	assert_true(v.wait);
}

static void reset_sent_explains(void **state)
{
	static const struct {
		unsigned int state;
		uint16_t flags;
		enum fw_end end;
	} cases[] = {
		{ FW_FIN_WAIT_2, FW_CONN_ORPHANED, FW_END_FIN_WAIT_2_DATA },
		{ FW_FIN_WAIT_2, 0, FW_END_RESET_SENT }, /* SO_LINGER 0 when half-closed */
		{ FW_FIN_WAIT_1, FW_CONN_ORPHANED, FW_END_RESET_SENT },
		{ FW_CLOSING, FW_CONN_ORPHANED, FW_END_RESET_SENT },
		{ FW_SYN_RECV, 0, FW_END_RESET_SENT },
		{ FW_LAST_ACK, FW_CONN_ORPHANED, FW_END_RESET_SENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fw_conn c = { .nr_steps = 1, .steps = { (uint8_t)cases[i].state },
					   .flags = cases[i].flags };

		assert_string_equal(fw_end_name(verdict_with_reset_sent(&c)),
				    fw_end_name(cases[i].end));
	}
}

/* Of every pair of substate and cause, also those that make no sense. */
static void minisock_ends_are_never_open(void **state)
{
	(void)state;
	for (unsigned int cause = 0; cause < 20; cause++) {
		for (unsigned int substate = 0; substate < 16; substate++)
			assert_int_not_equal(verdict_of_minisock(substate, (enum fw_cause)cause),
					     FW_END_OPEN);
	}
	assert_int_equal(verdict_of_minisock(FW_TIME_WAIT, FW_CAUSE_COMPLETED), FW_END_UNKNOWN);
	assert_int_equal(verdict_of_minisock(FW_FIN_WAIT_2, FW_CAUSE_REUSED), FW_END_UNKNOWN);
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
		cmocka_unit_test(lingering_goes_before_linger2),
		cmocka_unit_test(reset_sent_explains),
		cmocka_unit_test(minisock_ends_are_never_open),
		cmocka_unit_test(names_of_ends),
		cmocka_unit_test(names_of_roles_and_closers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
