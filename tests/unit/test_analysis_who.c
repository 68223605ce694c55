// SPDX-License-Identifier: GPL-2.0-only
/* Proves what the analyses of ports, flows, closers, handshakes, RSTs and binds say, and in which order. */
#include "analysis.h"
#include "analysis/groups.h"

#include <errno.h>

static void connect_once(struct scene *s, unsigned int n, double ms)
{
	scene_connection(s, n);
	s->lport = (uint16_t)(10000 + n);
	three_segment_close(s, ms);
}

/* 20 a second for ever need 1200 ports. */
static void ports_run_out_later(void **state)
{
	struct watch *w = *state;

	w->values.sysctls.port_low = 10000;
	w->values.sysctls.port_high = 10999;
	w->values.sysctls.ports_reserved = 100;
	for (unsigned int n = 0; n < 200; n++)
		connect_once(&w->scene, n + 1, 1000 + n * 50);
	watch_report(w, 11000);
	expect_ids(w, "time-wait-port-exhaustion short-connections");
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_CRITICAL);
	expect_evidence(w, "time-wait-port-exhaustion", "available", 900);
	expect_evidence(w, "time-wait-port-exhaustion", "time_wait", 200);
	/* (900 - 200) / 20 */
	assert_in_range(watch_evidence(w, "time-wait-port-exhaustion", "exhausted_in"), 34000000000,
			36000000000);
	assert_non_null(strstr(w->report.findings[0].title, "curl/7"));
	assert_non_null(strstr(w->report.findings[0].title, "198.51.100.2:80"));
	/* with reuse nothing runs out */
	w->values.sysctls.tcp_tw_reuse = 1;
	watch_report(w, 11000);
	expect_ids(w, "short-connections");
	/* but not without timestamps */
	w->values.sysctls.tcp_timestamps = 0;
	watch_report(w, 11000);
	expect_ids(w, "time-wait-port-exhaustion short-connections");
	/* and with plenty it is nobody's concern */
	w->values = watch_values();
	watch_report(w, 11000);
	expect_ids(w, "short-connections");
	expect_evidence(w, "short-connections", "connections", 200);
}

static void no_port(struct scene *s, unsigned int n, double ms)
{
	scene_connection(s, n);
	full(s, ms, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, ms, FW_SYN_SENT, FW_CLOSE, .flags = FW_REC_SYN_UNSENT | FW_REC_NO_PORT);
}

static void ports_ran_out(void **state)
{
	struct watch *w = *state;

	for (unsigned int n = 1; n <= 3; n++)
		no_port(&w->scene, n, 1000 + n);
	watch_report(w, 2000);
	expect_ids(w, "time-wait-port-exhaustion");
	expect_evidence(w, "time-wait-port-exhaustion", "no_port", 3);
	expect_fact(w, "closers", "never_established", 3);
	w->values_known = false;
	watch_report(w, 2000);
	expect_ids(w, "time-wait-port-exhaustion");
	assert_non_null(w->report.findings[0].confidence);
}

static void server_closes_first(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 100; n++) {
		scene_connection(s, n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		accepted(s, 1000 + n * 10);
		server_closes(s, 5000 + n * 10);
	}
	watch_report(w, 10000);
	expect_ids(w, "server-closes-first");
	expect_evidence(w, "server-closes-first", "closed", 100);
	expect_evidence(w, "server-closes-first", "time_waits", 100);
	assert_non_null(strstr(w->report.findings[0].title, "httpd/80 on port 80"));
	expect_fact(w, "half_open", "completed", 100);
}

/* A client that closes its own connections is nobody's fault. */
static void ordinary_traffic(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 60; n++) {
		connect_once(s, n, 1000 + n * 200);
		scene_connection(s, 1000 + n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		accepted(s, 1010 + n * 200);
		full(s, 1100 + n * 200, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 3);
		full(s, 1101 + n * 200, FW_CLOSE_WAIT, FW_LAST_ACK, .segs_in = 3);
		full(s, 1102 + n * 200, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED,
		     .segs_in = 4);
	}
	watch_report(w, 20000);
	expect_ids(w, "");
	expect_fact(w, "closers", "local_first", 60);
	expect_fact(w, "closers", "remote_first", 60);
}

static void half_open_flood(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 150; n++) {
		scene_connection(s, n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		request(s, 1000 + n, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
	}
	watch_report(w, 1500); /* they may yet complete */
	expect_ids(w, "");
	watch_report(w, 9000);
	expect_ids(w, "half-open-flood");
	expect_evidence(w, "half-open-flood", "pending", 150);
	assert_non_null(strstr(w->report.findings[0].title, "150 handshakes on port 80"));
	assert_non_null(strstr(w->report.findings[0].title, "from 1 peer"));
	w->suppressed = 5000;
	watch_report(w, 9000);
	expect_evidence(w, "half-open-flood", "begun", 5150);
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_CRITICAL);
}

/* A busy server above --half-open-limit: what was only counted has become connections. */
static void many_handshakes_are_no_flood(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 300; n++) {
		scene_connection(s, n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		s->child_peer_known = true;
		full(s, 1000 + n, FW_LISTEN, FW_SYN_RECV);
		full(s, 1000.02 + n, FW_SYN_RECV, FW_ESTABLISHED, .flags = FW_REC_HAD_REQUEST,
		     .since_ms = 950 + n);
	}
	w->suppressed = 310;
	watch_report(w, 2000);
	expect_ids(w, "");
	expect_fact(w, "half_open", "completed", 300);
	w->suppressed = 5300;
	watch_report(w, 2000);
	expect_ids(w, "half-open-flood");
	expect_evidence(w, "half-open-flood", "begun", 5300);
	/* Those that a filter leaves out are among them, so no flood is known. */
	w->suppressed_of_all = true;
	watch_report(w, 2000);
	expect_ids(w, "");
	assert_int_equal(watch_cell(&watch_section(w, "half_open")->facts, "suppressed")->kind,
			 FW_CELL_UNKNOWN);
}

static void slow_answers(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 4; n++) {
		scene_connection(s, n);
		full(s, 1000, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7,
		     .comm = "curl");
		if (n == 1)
			full(s, 2000, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1);
		if (n == 2)
			full(s, 3000, FW_SYN_SENT, FW_CLOSE, .err = ETIMEDOUT);
	}
	watch_report(w, 5000);
	expect_ids(w, "connect-failures syn-stall");
	expect_evidence(w, "connect-failures", "timed_out", 1);
	expect_evidence(w, "syn-stall", "answered", 1);
	expect_evidence(w, "syn-stall", "failed", 1);
	expect_evidence(w, "syn-stall", "open", 2);
	expect_evidence(w, "syn-stall", "longest", 4000000000);
	for (unsigned int n = 11; n <= 13; n++) {
		scene_connection(s, n);
		active_open(s, 5000);
		full(s, 5100, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
		full(s, 5200, FW_CLOSE_WAIT, FW_LAST_ACK, .segs_in = 2);
	}
	watch_report(w, 8000); /* the destination answers again */
	expect_ids(w, "syn-stall last-ack-stall");
	expect_evidence(w, "last-ack-stall", "open", 3);
	/* A few, for seconds: a peer that has gone away. */
	assert_int_equal(watch_finding(w, "last-ack-stall")->severity, FW_SEVERITY_INFO);
	watch_report(w, 11000);
	assert_int_equal(watch_finding(w, "last-ack-stall")->severity, FW_SEVERITY_WARNING);
	/* Two are too few; one of the three has been answered meanwhile, late. */
	for (unsigned int n = 21; n <= 23; n++) {
		scene_connection(s, n);
		open_and_close(s, 8000);
		if (n == 22) {
			watch_report(w, 9500);
			expect_ids(w, "syn-stall last-ack-stall");
		}
	}
	full(s, 9600, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .segs_in = 2);
	watch_report(w, 9700);
	expect_ids(w, "syn-stall last-ack-stall fin-wait-1-stall");
	expect_evidence(w, "fin-wait-1-stall", "open", 2);
	expect_evidence(w, "fin-wait-1-stall", "answered", 1);
}

/* TIME_WAIT of @n, cut short by an RST at @ms. */
static void reset_in_time_wait(struct scene *s, unsigned int n, double ms)
{
	scene_connection(s, n);
	s->lport = 80;
	s->rport = (uint16_t)(30000 + n % 1000);
	accepted(s, ms - 500);
	server_closes(s, ms - 400);
	mini(s, ms, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
}

static void nat_and_assassins(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 12; n++)
		reset_in_time_wait(s, n, 1000 + n);
	watch_report(w, 1500); /* a SYN may yet follow */
	expect_ids(w, "");
	watch_report(w, 9000);
	expect_ids(w, "time-wait-reset");
	expect_evidence(w, "time-wait-reset", "resets", 12);
	for (unsigned int n = 21; n <= 26; n++) {
		reset_in_time_wait(s, n, 10000 + n * 10);
		scene_connection(s, 1000 + n); /* the same 4-tuple */
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		accepted(s, 11000 + n * 10);
	}
	watch_report(w, 19000);
	expect_ids(w, "time-wait-behind-nat time-wait-reset");
	expect_evidence(w, "time-wait-behind-nat", "old_syn", 6);
	expect_evidence(w, "time-wait-reset", "resets", 12);
}

static void bind_in_use(void **state)
{
	struct watch *w = *state;
	struct fw_rec_state rec = {
		.head = { .netns = WATCH_NETNS, .lport = 8080, .family = AF_INET }, .pid = 9,
		.err = EADDRINUSE, .comm = "httpd",
	};
	const struct fw_conn listener = { .pid = 8, .comm = "java" };
	struct fw_bind_failure failure = {
		.ts_ns = ns_of(1000), .rec = &rec, .time_waits = 5, .time_wait_ns = 40000000000,
	};
	struct fw_observer *o = &w->scene.tracker.observer;

	o->bind_failed(o->arg, &failure);
	watch_report(w, 11000);
	expect_ids(w, "bind-in-use");
	expect_evidence(w, "bind-in-use", "of_time_wait", 1);
	assert_non_null(strstr(w->report.findings[0].title, "httpd cannot bind to any:8080"));
	assert_non_null(strstr(w->report.findings[0].advice, "SO_REUSEADDR before bind()"));
	assert_int_equal(watch_at(w, "binds", "by_address", 0, "free_in")->u, 30000000000);
	failure.listener = &listener;
	o->bind_failed(o->arg, &failure);
	watch_report(w, 11000);
	expect_evidence(w, "bind-in-use", "count", 2);
	expect_evidence(w, "bind-in-use", "of_time_wait", 1);
	assert_string_equal(watch_at(w, "binds", "by_address", 0, "held_by")->text, "java/8");
	/* What helps against TIME_WAIT does not against a listener. */
	assert_non_null(strstr(w->report.findings[0].title, "another process listens there"));
	assert_non_null(strstr(w->report.findings[0].meaning, "already serves"));
	assert_non_null(strstr(w->report.findings[0].advice, "SO_REUSEADDR does not help"));
}

static void lost_events(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 100; n++)
		connect_once(s, n, 1000 + n * 200);
	fw_tracker_lost(&s->tracker, 1, ns_of(5000));
	watch_report(w, 30000);
	expect_ids(w, "events-lost");
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_INFO);
	fw_tracker_lost(&s->tracker, 1000, ns_of(6000));
	watch_report(w, 30000);
	assert_int_equal(w->report.findings[0].severity, FW_SEVERITY_WARNING);
	expect_evidence(w, "events-lost", "lost", 1001);
}

/* More peers than there is room for: rows are bounded, sums are not. */
static void too_many_peers(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 5000; n++) {
		scene_connection(s, n);
		s->rport = (uint16_t)(10000 + n);
		three_segment_close(s, 1000 + n);
	}
	watch_report(w, 10000);
	expect_fact(w, "flows", "closed", 5000);
	expect_fact(w, "time_wait", "now", 5000);
	assert_int_equal(watch_section(w, "flows")->nr_notes, 1);
	assert_int_equal(watch_section(w, "flows")->tables[0].nr_rows, 10);
	assert_int_equal(watch_section(w, "flows")->tables[0].nr_more, FW_GROUPS_MAX - 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(ports_run_out_later),
		watch_test(ports_ran_out),
		watch_test(server_closes_first),
		watch_test(ordinary_traffic),
		watch_test(half_open_flood),
		watch_test(many_handshakes_are_no_flood),
		watch_test(slow_answers),
		watch_test(nat_and_assassins),
		watch_test(bind_in_use),
		watch_test(lost_events),
		watch_test(too_many_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
