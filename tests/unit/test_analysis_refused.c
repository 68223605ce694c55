// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what is said of connections that are not accepted or refused, and what is not said of healthy hosts
 * that look alike.
 */
#include "analysis.h"

#include <errno.h>

/* Before snapshot.h, which has another word of that name. */
static void handshake(struct scene *s, double ms)
{
	accepted(s, ms);
}

#include "snapshot.h"

static void expect_severity(const struct watch *w, const char *id, enum fw_severity want)
{
	assert_int_equal(watch_finding(w, id)->severity, want);
}

static void expect_words(const struct watch *w, const char *id, const char *words)
{
	const struct fw_finding *f = watch_finding(w, id);

	if (!strstr(f->title, words) && !strstr(f->advice, words))
		fail_msg("no '%s' in '%s' or '%s'", words, f->title, f->advice);
}

/* ---- Accept queues ------------------------------------------------------------------------ */

static void listener(struct scene *s, double ms, struct seen d)
{
	scene_server_side(s, 99);
	scene_sock(s, ms, FW_OBJECT_FULL, FW_LISTEN, d);
	holder(s, ms, 80, 3, "httpd");
}

static void accept_is_too_slow(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	w->values.counters.listen_overflows = 91;
	snap_begin(s, 10);
	listener(s, 10, (struct seen){ .unread = 3, .unsent = 4, .drops = 7 });
	snap_end(s, 11);
	for (unsigned int n = 1; n <= 20; n++) {
		scene_server_side(s, n);
		handshake(s, 1000 + n * 500);
		accepted(s, 3001 + n * 500, .pid = 80, .comm = "httpd");
	}
	snap_begin(s, 19000);
	listener(s, 19000, (struct seen){ .unread = 5, .unsent = 4, .drops = 98 });
	process(s, 19001, 80, "httpd", .fds = 12, .nofile = 1024);
	snap_end(s, 19002);
	watch_report(w, 20000);
	expect_ids(w, "accept-queue-full");
	expect_severity(w, "accept-queue-full", FW_SEVERITY_CRITICAL);
	expect_words(w, "accept-queue-full",
		     "httpd/80 accepts too slowly: its accept queue on port 80 is full (5 of 4), 91 SYNs");
	expect_evidence(w, "accept-queue-full", "dropped", 91);
	expect_evidence(w, "accept-queue-full", "wait_mean", 2000000000);
	/* None of its descriptors left. */
	snap_begin(s, 20001);
	listener(s, 20001, (struct seen){ .unread = 5, .unsent = 4, .drops = 98 });
	process(s, 20002, 80, "httpd", .fds = 1024, .nofile = 1024);
	snap_end(s, 20003);
	watch_report(w, 21000);
	expect_words(w, "accept-queue-full", "all its descriptors are in use (1024 of 1024)");
}

static void nothing_is_accepted(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 10);
	listener(s, 10, (struct seen){ .unread = 21, .unsent = 20 });
	scene_server_side(s, 1);
	sock(s, 11, FW_ESTABLISHED, .unaccepted = true, .idle_ms = 9000);
	snap_end(s, 12);
	watch_report(w, 2000);
	expect_words(w, "accept-queue-full", "accepts too slowly");
	watch_report(w, 20000);
	expect_words(w, "accept-queue-full", "httpd/80 has accepted nothing for 20.0 s");
}

/* Drops of other kinds, a queue that is used, a listener that nothing comes to. */
static void a_queue_that_keeps_up_is_no_finding(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 10);
	listener(s, 10, (struct seen){ .unread = 2, .unsent = 4, .drops = 7 });
	snap_end(s, 11);
	for (unsigned int n = 1; n <= 20; n++) {
		scene_server_side(s, n);
		handshake(s, 1000 + n * 500);
		accepted(s, 1010 + n * 500, .pid = 80, .comm = "httpd");
	}
	snap_begin(s, 19000);
	listener(s, 19000, (struct seen){ .unread = 2, .unsent = 4, .drops = 40 });
	snap_end(s, 19002);
	watch_report(w, 20000);
	expect_ids(w, "");
	assert_int_equal(watch_at(w, "accept_queues", "by_listener", 0, "queue")->u, 2);
	assert_int_equal(watch_at(w, "accept_queues", "by_listener", 0, "dropped")->u, 33);
}

static void slow_connects_to(struct watch *w, uint32_t drops)
{
	struct scene *s = &w->scene;

	snap_begin(s, 10);
	scene_connection(s, 98);
	s->lport = 80;
	sock(s, 10, FW_LISTEN, .unsent = 4);
	holder(s, 10, 80, 3, "httpd");
	snap_end(s, 11);
	for (unsigned int n = 1; n <= 4; n++) {
		struct fw_rec_state rec = { 0 };

		scene_connection(s, n);
		rec.head = scene_head(s, 1000, FW_REC_STATE, FW_CLOSE, FW_SYN_SENT);
		memset(rec.head.raddr, 0, sizeof(rec.head.raddr));
		memcpy(rec.head.raddr, rec.head.laddr, 4);
		rec.head.rport = 80;
		scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
		rec.head.ts_ns = ns_of(2100);
		rec.head.oldstate = FW_SYN_SENT;
		rec.head.newstate = FW_ESTABLISHED;
		scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
	}
	snap_begin(s, 5000);
	scene_connection(s, 98);
	s->lport = 80;
	sock(s, 5000, FW_LISTEN, .unread = drops ? 5 : 0, .unsent = 4, .drops = drops);
	holder(s, 5000, 80, 3, "httpd");
	snap_end(s, 5001);
	watch_report(w, 6000);
}

static void the_queue_is_ruled_out(void **state)
{
	struct watch *w = *state;

	slow_connects_to(w, 0);
	expect_ids(w, "syn-stall");
	expect_severity(w, "syn-stall", FW_SEVERITY_WARNING);
	expect_words(w, "syn-stall", "The listener (httpd/80) is on this host");
	expect_evidence(w, "syn-stall", "queue_dropped", 0);
}

static void the_queue_is_confirmed(void **state)
{
	struct watch *w = *state;

	slow_connects_to(w, 12);
	expect_ids(w, "accept-queue-full syn-stall");
	expect_severity(w, "syn-stall", FW_SEVERITY_INFO);
	expect_words(w, "syn-stall", "its accept queue is full");
}

/* The clients that give up are told of, but the cause comes first. */
static void giving_up_on_a_full_queue_is_one_story(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 4; n++) {
		struct fw_rec_state rec = { .pid = 7, .comm = "curl" };

		scene_connection(s, 200 + n);
		rec.head = scene_head(s, 1000, FW_REC_STATE, FW_CLOSE, FW_SYN_SENT);
		rec.head.flags = FW_REC_OWNER;
		memcpy(rec.head.raddr, rec.head.laddr, 4);
		rec.head.rport = 80;
		scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
		rec.head.ts_ns = ns_of(2000);
		rec.head.flags = FW_REC_SHUT_RD | FW_REC_SHUT_WR;
		rec.head.oldstate = FW_SYN_SENT;
		rec.head.newstate = FW_CLOSE;
		scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
	}
	slow_connects_to(w, 12);
	watch_report(w, 6000);
	expect_severity(w, "accept-queue-full", FW_SEVERITY_CRITICAL);
	expect_severity(w, "connect-failures", FW_SEVERITY_INFO);
	expect_words(w, "connect-failures", "see accept-queue-full");
}

/* ---- Handshakes that do not complete ------------------------------------------------------- */

static void a_health_check_is_no_flood(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 300; n++) {
		scene_server_side(s, n);
		request(s, 1000 + n, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		request(s, 1000.1 + n, FW_REC_REQ_END, FW_CAUSE_RESET);
	}
	watch_report(w, 9000);
	expect_ids(w, "");
	expect_fact(w, "half_open", "reset", 300);
	expect_fact(w, "half_open", "dropped", 0);
	assert_int_equal(watch_at(w, "half_open", "by_peer", 0, "reset")->u, 300);
}

/* Answered, and no room in the queue: it is not the client that is silent. */
static void an_answered_handshake_is_no_flood(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 300; n++) {
		scene_server_side(s, n);
		request(s, 1000 + n, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		request(s, 2000 + n, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN, .timeouts = 1,
			.flags = FW_REC_ACKED);
	}
	watch_report(w, 9000);
	expect_ids(w, "");
	expect_fact(w, "half_open", "open", 300);
}

/* ---- connect() and bind() that fail ------------------------------------------------------------ */

/* connect() of "curl" that ends with @err after @waited_ms; 0: it is given up. */
static void refused(struct scene *s, unsigned int n, double ms, double waited_ms, uint16_t err)
{
	scene_connection(s, n);
	full(s, ms, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, ms + waited_ms, FW_SYN_SENT, FW_CLOSE, .err = err);
}

static void failed_connects(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 6; n++)
		refused(s, n, 1000 + n * 1000, 0.1, ECONNREFUSED);
	refused(s, 7, 9000, 500, 0);
	watch_report(w, 10000);
	expect_ids(w, "connect-failures");
	expect_severity(w, "connect-failures", FW_SEVERITY_WARNING);
	expect_words(w, "connect-failures",
		     "curl/7 cannot connect to 198.51.100.2:80: 7 of 7 connect() calls failed, 6 refused");
	expect_evidence(w, "connect-failures", "given_up", 1);
	assert_int_equal(watch_at(w, "connect_failures", "by_destination", 1, "wait_mean")->u, 500000000);
}

static void a_restart_is_no_failure(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 40; n++)
		refused(s, n, 1000 + n * 20, 0.1, ECONNREFUSED);
	for (unsigned int n = 101; n <= 130; n++) {
		scene_connection(s, n);
		active_open(s, 2000 + n);
	}
	watch_report(w, 10000);
	expect_ids(w, "");
	expect_fact(w, "connect_failures", "refused", 40);
	/* The next restart is under way. */
	scene_connection(s, 199);
	active_open(s, 16000);
	for (unsigned int n = 201; n <= 220; n++)
		refused(s, n, 17000 + n, 0.1, ECONNREFUSED);
	watch_report(w, 17500);
	expect_ids(w, "");
	/* It does not come back. */
	refused(s, 221, 19000, 0.1, ECONNREFUSED);
	refused(s, 222, 20000, 0.1, ECONNREFUSED);
	watch_report(w, 22000);
	expect_ids(w, "connect-failures");
}

static void call_failed(struct scene *s, double ms, unsigned int kind, uint16_t port, uint16_t err)
{
	struct fw_rec_state rec = {
		.head = scene_head(s, ms, kind, FW_CLOSE, FW_CLOSE),
		.pid = 7, .err = err, .comm = "curl",
	};

	rec.head.flags = FW_REC_OWNER;
	if (kind == FW_REC_BIND_FAILED)
		rec.head.lport = port;
	else
		rec.head.rport = port;
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

/* The kernel says the same twice: by a transition, and as the result of connect(). */
static void one_failure_counts_once(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 5; n++) {
		refused(s, n, 1000 + n * 1000, 5, EHOSTUNREACH);
		call_failed(s, 1006 + n * 1000, FW_REC_CONNECT_FAILED, 80, EHOSTUNREACH);
	}
	watch_report(w, 10000);
	expect_fact(w, "connect_failures", "failed", 5);
	s->cookie = 0;
	call_failed(s, 10001, FW_REC_CONNECT_FAILED, 80, ENETUNREACH);
	watch_report(w, 10002);
	expect_fact(w, "connect_failures", "failed", 6);
	expect_fact(w, "connect_failures", "no_route", 1);
}

static void an_address_that_is_not_there(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	call_failed(s, 1000, FW_REC_BIND_FAILED, 8080, EADDRNOTAVAIL);
	watch_report(w, 10000);
	expect_ids(w, "address-not-local");
	expect_words(w, "address-not-local", "curl/7 cannot bind to 192.0.2.1:8080");
	assert_null(strstr(watch_finding(w, "address-not-local")->title, "port"));
}

/* ::1 first, then 127.0.0.1: what every resolver does. */
static void the_next_address_answers(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 20; n++) {
		scene_connection(s, n);
		s->cookie = 0;
		call_failed(s, 1000 + n * 100, FW_REC_CONNECT_FAILED, 80, EADDRNOTAVAIL);
		scene_connection(s, n);
		active_open(s, 1001 + n * 100);
	}
	watch_report(w, 10000);
	expect_ids(w, "");
	expect_fact(w, "not_local", "connect", 20);
}

/* EADDRNOTAVAIL for want of a port has a transition. */
static void no_port_is_not_an_address(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 5; n++) {
		scene_connection(s, n);
		full(s, 1000 + n, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
		s->lport = 0;
		full(s, 1000 + n, FW_SYN_SENT, FW_CLOSE, .flags = FW_REC_SYN_UNSENT | FW_REC_NO_PORT);
		call_failed(s, 1000.1 + n, FW_REC_CONNECT_FAILED, 80, EADDRNOTAVAIL);
	}
	watch_report(w, 10000);
	expect_ids(w, "time-wait-port-exhaustion");
	expect_words(w, "time-wait-port-exhaustion", "has no ports left");
}

static void no_port_for_a_source(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	w->values.sysctls.port_low = 40000;
	w->values.sysctls.port_high = 40009;
	for (unsigned int n = 0; n < 10; n++) {
		scene_connection(s, n + 1);
		s->lport = (uint16_t)(40000 + n);
		s->rport = (uint16_t)(9000 + n % 5);
		active_open(s, 1000 + n);
	}
	for (unsigned int n = 1; n <= 5; n++)
		call_failed(s, 2000 + n, FW_REC_BIND_FAILED, 0, EADDRINUSE);
	watch_report(w, 10000);
	expect_ids(w, "bind-port-exhaustion");
	expect_severity(w, "bind-port-exhaustion", FW_SEVERITY_CRITICAL);
	expect_words(w, "bind-port-exhaustion", "curl/7 has no port left for source 192.0.2.1");
	expect_evidence(w, "bind-port-exhaustion", "used", 10);
	expect_evidence(w, "bind-port-exhaustion", "available", 10);
	expect_evidence(w, "bind-port-exhaustion", "destinations", 5);
}

/* What is older than finwait takes ports too, and what has happened is not foretold. */
static void older_connections_take_ports(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	w->values.sysctls.port_low = 40000;
	w->values.sysctls.port_high = 40009;
	snap_begin(s, 10);
	for (unsigned int n = 0; n < 10; n++) {
		scene_connection(s, n + 1);
		s->lport = (uint16_t)(40000 + n);
		sock_mini(s, 11, FW_TIME_WAIT, .armed_ms = 5);
	}
	snap_end(s, 12);
	scene_connection(s, 100);
	full(s, 1000, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	s->lport = 0;
	full(s, 1000, FW_SYN_SENT, FW_CLOSE, .flags = FW_REC_SYN_UNSENT | FW_REC_NO_PORT);
	watch_report(w, 5000);
	expect_ids(w, "time-wait-port-exhaustion");
	expect_evidence(w, "time-wait-port-exhaustion", "time_wait", 10);
	assert_true(watch_at(w, "ports", "by_destination", 0, "used")->d == 100);
	assert_int_equal(watch_at(w, "ports", "by_destination", 0, "exhausted_in")->kind, FW_CELL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(accept_is_too_slow),
		watch_test(nothing_is_accepted),
		watch_test(a_queue_that_keeps_up_is_no_finding),
		watch_test(the_queue_is_ruled_out),
		watch_test(the_queue_is_confirmed),
		watch_test(giving_up_on_a_full_queue_is_one_story),
		watch_test(a_health_check_is_no_flood),
		watch_test(an_answered_handshake_is_no_flood),
		watch_test(failed_connects),
		watch_test(a_restart_is_no_failure),
		watch_test(one_failure_counts_once),
		watch_test(an_address_that_is_not_there),
		watch_test(the_next_address_answers),
		watch_test(no_port_is_not_an_address),
		watch_test(no_port_for_a_source),
		watch_test(older_connections_take_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
