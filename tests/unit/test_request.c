// SPDX-License-Identifier: GPL-2.0-only
/* Proves that SYN_RECV is measured in the request socket and goes on as its child. */
#include "events.h"

#include <errno.h>

/* The third segment of the handshake, as the kernel reports it. */
static void handshake_completes(struct scene *s, double ms)
{
	full(s, ms, FW_LISTEN, FW_SYN_RECV);
	request(s, ms + 0.01, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	full(s, ms + 0.02, FW_SYN_RECV, FW_ESTABLISHED);
}

static void reset_by_peer(struct scene *s, double ms)
{
	full(s, ms, FW_ESTABLISHED, FW_CLOSE, .err = ECONNRESET);
}

/* Before Linux 6.15 the child does not know its peer yet when it is born. */
static void old_and_new_kernels_agree(void **state)
{
	static const uint8_t raddr[16] = { 198, 51, 100, 2 };
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_connection(s, i + 1);
		s->child_peer_known = i;
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		assert_int_equal(s->tracker.table.nr, 1);
		handshake_completes(s, 200);
		assert_int_equal(s->tracker.table.nr, 1);
		reset_by_peer(s, 300);
		expect_transitions(s, "LISTEN>SYN_RECV ? minisock\n"
				      "SYN_RECV>ESTABLISHED 100.02\n"
				      "ESTABLISHED>CLOSE 99.98 reset_received\n");
		expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=99.98 reset_received\n");
		assert_int_equal(s->last.lport, 40001 + i);
		assert_int_equal(s->last.rport, 80);
		assert_memory_equal(s->last.raddr, raddr, 16);
		assert_int_equal(s->last.cookie, i + 1);
	}
	assert_int_equal(s->tracker.counters.connections, 2);
}

/* The kernel side may leave out that the request was completed: the child says so. */
static void completion_goes_without_saying(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_connection(s, i + 1);
		s->child_peer_known = i;
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		full(s, 200, FW_LISTEN, FW_SYN_RECV);
		full(s, 200.02, FW_SYN_RECV, FW_ESTABLISHED);
		reset_by_peer(s, 300.02);
		expect_transitions(s, "LISTEN>SYN_RECV ? minisock\n"
				      "SYN_RECV>ESTABLISHED 100.02\n"
				      "ESTABLISHED>CLOSE 100 reset_received\n");
		expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=100 reset_received\n");
		assert_int_equal(s->tracker.table.nr, 0);
	}
}

/* SYN cookies: there never was a request socket. */
static void child_without_a_request(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_connection(s, i + 1);
		s->child_peer_known = i;
		full(s, 200, FW_LISTEN, FW_SYN_RECV);
		full(s, 200.02, FW_SYN_RECV, FW_ESTABLISHED);
		reset_by_peer(s, 300);
		expect_transitions(s, "LISTEN>SYN_RECV ?\n"
				      "SYN_RECV>ESTABLISHED 0.02\n"
				      "ESTABLISHED>CLOSE 99.98 reset_received\n");
		expect_connections(s, "passive SYN_RECV=0.02 ESTABLISHED=99.98 reset_received\n");
		assert_int_equal(s->last.rport, 80);
		assert_int_equal(s->without_peer, 0);
	}
}

/*
 * Above --half-open-limit requests are only counted; others are older than the trace. The child says that it was
 * one, and since when: however slow the handshake was, SYN_RECV has a lower bound.
 */
static void child_of_a_request_that_was_not_reported(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_connection(s, 1 + i);
		s->child_peer_known = i;
		full(s, 9200, FW_LISTEN, FW_SYN_RECV);
		full(s, 9200.02, FW_SYN_RECV, FW_ESTABLISHED, .flags = FW_REC_HAD_REQUEST,
		     .since_ms = 1200.02);
		reset_by_peer(s, 9300);
		expect_connections(s, "passive SYN_RECV>=8000 ESTABLISHED=99.98 reset_received\n");
		expect_transitions(s, "LISTEN>SYN_RECV ?\n"
				      "SYN_RECV>ESTABLISHED >=8000\n"
				      "ESTABLISHED>CLOSE 99.98 reset_received\n");
		/* ... or none that says more than the child itself */
		full(s, 9400, FW_LISTEN, FW_SYN_RECV);
		full(s, 9400.02, FW_SYN_RECV, FW_ESTABLISHED, .flags = FW_REC_HAD_REQUEST);
		reset_by_peer(s, 9500);
		expect_connections(s, "passive SYN_RECV>=0.02 ESTABLISHED=99.98 reset_received\n");
		/* ... but one that was followed has an exact time */
		request(s, 9600, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		full(s, 9700, FW_LISTEN, FW_SYN_RECV);
		full(s, 9700.02, FW_SYN_RECV, FW_ESTABLISHED, .flags = FW_REC_HAD_REQUEST,
		     .since_ms = 9600.01);
		reset_by_peer(s, 9800);
		expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=99.98 reset_received\n");
		fw_buf_clear(&s->transitions);
	}
}

/* What was suppressed at its birth is not a connection when its timer is set again. */
static void suppressed_requests_stay_suppressed(void **state)
{
	struct scene *s = *state;

	request(s, 1100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1, .since_ms = 100,
		.flags = FW_REC_REQ_UNSEEN);
	request(s, 3100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 1, .since_ms = 100,
		.flags = FW_REC_REQ_UNSEEN);
	fw_tracker_advance(&s->tracker, ns_of(4000));
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 0);
}

/* Its listener has closed: the kernel makes a copy for another one (net.ipv4.tcp_migrate_req). */
static void migrated_to_another_listener(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 1100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .since_ms = 100.01,
		.flags = FW_REC_LISTENER_GONE);
	s->request_skaddr += 0x100;
	request(s, 1100.02, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1, .since_ms = 100.01);
	fw_tracker_advance(&s->tracker, ns_of(1500));
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 1);
	handshake_completes(s, 2100);
	reset_by_peer(s, 2200.02);
	expect_connections(s, "passive SYN_RECV=2000.02 ESTABLISHED=100 reset_received\n");
}

/* A later request of the same pair whose beginning was missed is another one: its SYN-ACK is younger. */
static void a_copy_is_told_from_a_later_request(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	s->request_skaddr += 0x100;
	request(s, 5100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 2, .since_ms = 2100);
	expect_connections(s, "passive SYN_RECV<=5000 unknown gap\n");
	request(s, 5200, FW_REC_REQ_END, FW_CAUSE_RESET, .timeouts = 2, .since_ms = 2100);
	expect_connections(s, "passive SYN_RECV>=3100 half_open_dropped since_before\n");
}

/* The same addresses and ports on two devices (link-local addresses, VRFs) are two connections. */
static void twins_on_two_devices(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		s->ifindex = 2 + i;
		s->request_skaddr += i * 0x100;
		request(s, 100 + 50 * i, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	}
	assert_int_equal(s->tracker.table.nr, 2);
	for (unsigned int i = 0; i < 2; i++) {
		s->ifindex = 2 + i;
		s->cookie = 1 + i;
		s->skaddr += i * 0x100;
		s->child_peer_known = true;
		handshake_completes(s, 200);
		reset_by_peer(s, 300.02);
	}
	expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=100 reset_received\n"
			      "passive SYN_RECV=50.02 ESTABLISHED=100 reset_received\n");
}

/* The timer fires, sends a SYN-ACK and is set again: two records, and no end. */
static void expires_after_retransmissions(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 1100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 0);
	request(s, 1100.02, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1);
	fw_tracker_advance(&s->tracker, ns_of(1200));
	request(s, 3100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 1);
	request(s, 3100.02, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 2);
	fw_tracker_advance(&s->tracker, ns_of(4000));
	expect_connections(s, "");
	request(s, 7100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 2);
	expect_connections(s, "");
	fw_tracker_advance(&s->tracker, ns_of(7201));
	expect_connections(s, "passive SYN_RECV=7000 half_open_expired\n");
	assert_int_equal(s->last.retransmits, 2);
	expect_transitions(s, "LISTEN>SYN_RECV ? minisock\n"
			      "SYN_RECV>CLOSE 7000 half_open_expired\n");
}

static void completes_after_retransmissions(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_connection(s, i + 1);
		s->child_peer_known = i;
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		request(s, 1100, FW_REC_REQ_END, FW_CAUSE_EXPIRED);
		request(s, 1100.02, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1);
		/* within the time in which the last end would have been decided */
		handshake_completes(s, 1110);
		reset_by_peer(s, 1210.02);
		fw_tracker_advance(&s->tracker, ns_of(2000));
		expect_connections(s, "passive SYN_RECV=1010.02 ESTABLISHED=100 reset_received\n");
	}
}

static void open_requests_and_children(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	handshake_completes(s, 200);
	fw_tracker_finish(&s->tracker, ns_of(300.02));
	expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=100 open\n");
	request(s, 400, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 1400, FW_REC_REQ_END, FW_CAUSE_EXPIRED);
	request(s, 1400.02, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1);
	fw_tracker_finish(&s->tracker, ns_of(1500));
	expect_connections(s, "passive SYN_RECV=1100 open\n");
	assert_int_equal(s->last.retransmits, 1);
}

/* Once it is completed, taking it off its queue is not another end. */
static void completed_then_dropped_from_the_queue(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	full(s, 200, FW_LISTEN, FW_SYN_RECV);
	request(s, 200.01, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	request(s, 200.01, FW_REC_REQ_END, FW_CAUSE_UNKNOWN);
	full(s, 200.02, FW_SYN_RECV, FW_ESTABLISHED);
	reset_by_peer(s, 300.02);
	expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=100 reset_received\n");
}

static void listener_is_gone_when_the_timer_fires(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 1100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .flags = FW_REC_LISTENER_GONE);
	fw_tracker_advance(&s->tracker, ns_of(1200));
	expect_connections(s, "passive SYN_RECV=1000 half_open_dropped\n");
}

static void dropped(void **state)
{
	static const enum fw_cause causes[] = { FW_CAUSE_RESET, FW_CAUSE_SEGMENT,
						FW_CAUSE_DESTROYED, FW_CAUSE_UNKNOWN };
	struct scene *s = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(causes); i++) {
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		request(s, 250, FW_REC_REQ_END, FW_CAUSE_REARMED);
		expect_connections(s, "");
		request(s, 250, FW_REC_REQ_END, causes[i]);
		expect_connections(s, "passive SYN_RECV=150 half_open_dropped\n");
		request(s, 250.01, FW_REC_REQ_END, causes[i]); /* seen by a second hook */
		expect_connections(s, "");
	}
}

/* A new SYN from the same port, while the old request's end waits to be decided. */
static void the_next_request_of_the_same_pair(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 1100, FW_REC_REQ_END, FW_CAUSE_EXPIRED);
	s->request_skaddr += 0x100;
	request(s, 1105, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	expect_connections(s, "passive SYN_RECV=1000 half_open_expired\n");
	request(s, 1205, FW_REC_REQ_END, FW_CAUSE_RESET);
	expect_connections(s, "passive SYN_RECV=100 half_open_dropped\n");
}

/* The end of the old one was lost: it did end, and nobody knows how. */
static void the_next_request_shows_that_an_end_was_lost(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	s->request_skaddr += 0x100;
	request(s, 1105, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	expect_connections(s, "passive SYN_RECV<=1005 unknown gap\n");
}

/* A completed request whose child never says another word: lost a race, or filtered. */
static void completed_without_a_child(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	request(s, 200, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
	fw_tracker_advance(&s->tracker, ns_of(300));
	expect_connections(s, "");
	assert_int_equal(s->tracker.table.nr, 0);
}

static void end_of_an_older_request(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	s->request_skaddr += 0x100;
	request(s, 200, FW_REC_REQ_END, FW_CAUSE_RESET);
	expect_connections(s, "");
	fw_tracker_finish(&s->tracker, ns_of(300));
	expect_connections(s, "passive SYN_RECV=200 open\n");
}

static void older_than_the_trace(void **state)
{
	struct scene *s = *state;

	/* its end alone tells nothing about its beginning */
	request(s, 100, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 5);
	assert_int_equal(s->tracker.table.nr, 0);
	request(s, 1000, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 3, .since_ms = -6000);
	request(s, 5000, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 4, .since_ms = -6000);
	fw_tracker_advance(&s->tracker, ns_of(6000));
	expect_connections(s, "passive SYN_RECV>=11000 half_open_expired since_before\n");
	/* recordings of version 1 do not have the time of the first SYN-ACK */
	request(s, 7000, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 3);
	request(s, 8000, FW_REC_REQ_END, FW_CAUSE_EXPIRED, .timeouts = 4);
	fw_tracker_advance(&s->tracker, ns_of(9000));
	expect_connections(s, "passive SYN_RECV>=1000 half_open_expired since_before\n");
}

/*
 * Two CPUs make a child each of one request; the loser is freed without a word. One connection is
 * reported, with the time that the handshake really took.
 */
static void child_that_lost_the_race(void **state)
{
	struct scene *s = *state;

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t winner;

		scene_connection(s, i + 1);
		s->child_peer_known = i;
		winner = s->skaddr;
		request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		s->skaddr = winner + 0x200; /* the loser, born first */
		full(s, 200, FW_LISTEN, FW_SYN_RECV);
		s->skaddr = winner;
		handshake_completes(s, 200.01);
		reset_by_peer(s, 300.03);
		expect_connections(s, "passive SYN_RECV=100.03 ESTABLISHED=100 reset_received\n");
		fw_tracker_finish(&s->tracker, ns_of(400));
		expect_connections(s, "");
	}
}

/* Memory is used again: whoever was born there before is no more. */
static void child_at_the_address_of_a_lost_one(void **state)
{
	struct scene *s = *state;

	full(s, 100, FW_LISTEN, FW_SYN_RECV);
	full(s, 200, FW_LISTEN, FW_SYN_RECV);
	full(s, 200.02, FW_SYN_RECV, FW_ESTABLISHED);
	reset_by_peer(s, 300.02);
	expect_connections(s, "passive SYN_RECV=0.02 ESTABLISHED=100 reset_received\n");
	assert_int_equal(s->tracker.table.nr, 0);
}

/* Fast Open: SYN_RECV is a full socket from the start, for as long as it takes. */
static void fast_open(void **state)
{
	struct scene *s = *state;

	full(s, 100, FW_LISTEN, FW_SYN_RECV);
	full(s, 300, FW_SYN_RECV, FW_FIN_WAIT_1);
	full(s, 400, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 400, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, 400, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 500, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_RESET);
	expect_connections(s, "passive SYN_RECV=200 FIN_WAIT_1=100 FIN_WAIT_2=100(orphaned) "
			      "reset_received local\n");
	scene_connection(s, 2);
	full(s, 600, FW_LISTEN, FW_SYN_RECV);
	full(s, 7600, FW_SYN_RECV, FW_CLOSE, .err = ETIMEDOUT);
	expect_connections(s, "passive SYN_RECV=7000 timed_out\n");
}

/* Linux 6.15 and later: its peer is known at once, so it can be shown at once. */
static void fast_open_is_shown_when_it_begins(void **state)
{
	struct scene *s = *state;

	s->child_peer_known = true;
	full(s, 100, FW_LISTEN, FW_SYN_RECV);
	expect_transitions(s, "LISTEN>SYN_RECV ?\n");
	fw_tracker_finish(&s->tracker, ns_of(300));
	expect_connections(s, "passive SYN_RECV=200 open\n");
}

/* Handshake and FIN in one segment. */
static void fin_with_the_handshake(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	handshake_completes(s, 200);
	full(s, 200.04, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED);
	full(s, 400.04, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_OWNER, .pid = 9);
	full(s, 450.04, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED);
	expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=0.02 CLOSE_WAIT=200 LAST_ACK=50 "
			      "last_ack remote\n");
}

/* A child that is older than the trace, but for the last step of its handshake. */
static void child_born_before_the_trace(void **state)
{
	struct scene *s = *state;

	full(s, 100, FW_SYN_RECV, FW_ESTABLISHED);
	reset_by_peer(s, 200);
	expect_connections(s, "SYN_RECV>=100 ESTABLISHED=100 reset_received since_before\n");
}

/* A TIME_WAIT is reopened by a SYN: the pair's next connection, with a request of its own. */
static void reopened_pair(void **state)
{
	struct scene *s = *state;

	request(s, 100, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	handshake_completes(s, 150);
	full(s, 250, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .segs_in = 1);
	full(s, 350, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 350, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 350, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, 1350, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_SEGMENT);
	expect_connections(s, "passive SYN_RECV=50.02 ESTABLISHED=99.98 FIN_WAIT_1=100 "
			      "TIME_WAIT=1000 time_wait_reopened local three_segment\n");
	s->cookie = 2;
	request(s, 1350.01, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	handshake_completes(s, 1450.01);
	reset_by_peer(s, 1550.03);
	expect_connections(s, "passive SYN_RECV=100.02 ESTABLISHED=100 reset_received\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(old_and_new_kernels_agree),
		scene_test(completion_goes_without_saying),
		scene_test(child_without_a_request),
		scene_test(child_of_a_request_that_was_not_reported),
		scene_test(suppressed_requests_stay_suppressed),
		scene_test(migrated_to_another_listener),
		scene_test(a_copy_is_told_from_a_later_request),
		scene_test(twins_on_two_devices),
		scene_test(expires_after_retransmissions),
		scene_test(completes_after_retransmissions),
		scene_test(open_requests_and_children),
		scene_test(completed_then_dropped_from_the_queue),
		scene_test(listener_is_gone_when_the_timer_fires),
		scene_test(dropped),
		scene_test(the_next_request_of_the_same_pair),
		scene_test(the_next_request_shows_that_an_end_was_lost),
		scene_test(completed_without_a_child),
		scene_test(end_of_an_older_request),
		scene_test(older_than_the_trace),
		scene_test(child_that_lost_the_race),
		scene_test(child_at_the_address_of_a_lost_one),
		scene_test(fast_open),
		scene_test(fast_open_is_shown_when_it_begins),
		scene_test(fin_with_the_handshake),
		scene_test(child_born_before_the_trace),
		scene_test(reopened_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
