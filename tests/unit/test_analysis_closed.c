// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what is said of the ways connections close: by the server when they are idle, after few exchanges or
 * many, with data that the peer does not read, and of ports in TIME_WAIT that are used again.
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

/* ---- Addresses in TIME_WAIT ------------------------------------------------------------------ */

static void time_waits(struct watch *w, enum fw_cause cause, double again_ms)
{
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 20; n++) {
		double ms = 1000 + n * 10;

		scene_server_side(s, n);
		handshake(s, ms);
		server_closes(s, ms + 2);
		mini(s, ms + 500, FW_REC_TW_END, FW_TIME_WAIT, cause);
		scene_connection(s, 1000 + n);
		s->lport = 80;
		s->rport = (uint16_t)(50000 + n);
		handshake(s, ms + 500 + again_ms);
	}
	watch_report(w, 9000);
}

static void a_reopened_time_wait_is_harmless(void **state)
{
	struct watch *w = *state;

	time_waits(w, FW_CAUSE_SEGMENT, 0.1);
	expect_ids(w, "");
	expect_fact(w, "time_wait_early", "reopened", 20);
}

static void a_delayed_syn_says_how_long(void **state)
{
	struct watch *w = *state;

	time_waits(w, FW_CAUSE_RESET, 1000);
	expect_ids(w, "time-wait-behind-nat");
	expect_words(w, "time-wait-behind-nat", "connects from 198.51.100.2 were delayed by 1.00 s");
	expect_evidence(w, "time-wait-behind-nat", "delay_longest", 1000000000);
}

/* Another connect() that meets the same port soon: nothing has waited. */
static void a_quick_return_is_not_delayed(void **state)
{
	struct watch *w = *state;

	time_waits(w, FW_CAUSE_RESET, 20);
	expect_ids(w, "time-wait-reset");
	expect_severity(w, "time-wait-reset", FW_SEVERITY_INFO);
}

/* ---- Connections that carry much ------------------------------------------------------------- */

static void served(struct scene *s, unsigned int n, double ms, uint32_t exchanges)
{
	scene_server_side(s, n);
	handshake(s, ms);
	full(s, ms + 50, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 80,
	     .comm = "httpd", .segs_in = 3);
	full(s, ms + 51, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 4);
	mini(s, ms + 52, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, ms + 52, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 5, .segs_out = 9, .exchanges = exchanges);
}

static void requested(struct scene *s, unsigned int n, double ms, uint32_t exchanges)
{
	scene_connection(s, 5000 + n);
	s->lport = (uint16_t)(20000 + n);
	open_and_close(s, ms);
	full(s, ms + 1, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, ms + 1, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, ms + 1, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 2, .segs_out = 9, .exchanges = exchanges);
}

static void exchanges_decide(struct watch *w, uint32_t exchanges)
{
	for (unsigned int n = 1; n <= 400; n++) {
		served(&w->scene, n, 1000 + n * 20, exchanges);
		requested(&w->scene, n, 1010 + n * 20, exchanges);
	}
	watch_report(w, 10000);
}

static void keep_alive_is_neither_short_nor_closed_early(void **state)
{
	struct watch *w = *state;

	exchanges_decide(w, 1000);
	expect_ids(w, "");
	assert_int_equal(watch_at(w, "closers", "by_service", 0, "exchanges")->u, 1000);
}

static void a_connection_per_request_is_worth_knowing(void **state)
{
	struct watch *w = *state;

	exchanges_decide(w, 1);
	expect_ids(w, "short-connections server-closes-first");
	expect_severity(w, "short-connections", FW_SEVERITY_INFO);
	expect_severity(w, "server-closes-first", FW_SEVERITY_INFO);
}

/* ---- Idle connections that the server closes ---------------------------------------------------- */

/* The client's end of a connection that the server closed after @idle_ms. */
static void pooled(struct scene *s, unsigned int n, double ms, double idle_ms, uint64_t sent_after)
{
	scene_connection(s, n);
	active_open(s, ms - idle_ms - 10);
	full(s, ms, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED, .segs_in = 3,
	     .sent = 100, .received = 200, .sent_ago_ms = idle_ms, .received_ago_ms = idle_ms);
	if (sent_after)
		full(s, ms + 100, FW_CLOSE_WAIT, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .err = EPIPE,
		     .sent = 100 + sent_after, .received = 200);
	if (sent_after)
		return;
	full(s, ms + 100, FW_CLOSE_WAIT, FW_LAST_ACK, .flags = FW_REC_FIN_RECEIVED);
	full(s, ms + 101, FW_LAST_ACK, FW_CLOSE, .flags = FW_REC_FIN_ACKED, .sent = 100, .received = 200);
}

static void used_after_the_server_closed(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 10; n++)
		pooled(s, n, 5000 + n * 1000, 3000, n <= 4 ? 50 : 0);
	watch_report(w, 15900);
	expect_ids(w, "stale-connection-reuse");
	expect_severity(w, "stale-connection-reuse", FW_SEVERITY_WARNING);
	expect_evidence(w, "stale-connection-reuse", "reused", 4);
	expect_evidence(w, "stale-connection-reuse", "closed", 10);
	expect_evidence(w, "stale-connection-reuse", "idle_mean", 3000000000);
	expect_fact(w, "closers", "reset_after_fin", 4);
}

static void a_pool_that_closes_in_time_is_healthy(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 10; n++)
		pooled(s, n, 5000 + n * 1000, 3000, 0);
	watch_report(w, 16000);
	expect_ids(w, "");
	expect_fact(w, "stale", "closed", 10);
	expect_fact(w, "stale", "reused", 0);
}

/* The server's end: data after close() is answered with an RST. */
static void the_server_sees_it_too(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 5; n++) {
		double ms = 5000 + n * 1000;

		scene_server_side(s, n);
		handshake(s, ms - 3000);
		full(s, ms, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 80,
		     .comm = "httpd", .sent = 200, .received = 100, .sent_ago_ms = 2900,
		     .received_ago_ms = 2901, .segs_in = 3);
		full(s, ms + 1, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 4);
		mini(s, ms + 1, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
		full(s, ms + 1, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 4);
		mini(s, ms + 300, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_SEGMENT);
	}
	watch_report(w, 16000);
	expect_ids(w, "stale-connection-reuse");
	expect_words(w, "stale-connection-reuse", "5 of 5 connections that httpd/80 (192.0.2.1:80) closed");
}

/* ---- Orphans ------------------------------------------------------------------------------------- */

static void orphans(struct watch *w, uint32_t flags, uint32_t bytes)
{
	struct scene *s = &w->scene;

	snap_begin(s, 10);
	for (unsigned int n = 1; n <= 10; n++) {
		scene_server_side(s, n);
		sock(s, 11, FW_FIN_WAIT_1, .flags = FW_REC_ORPHAN | flags, .queued = bytes);
	}
	snap_end(s, 12);
	watch_report(w, 100);
}

static void orphans_hold_memory(void **state)
{
	struct watch *w = *state;

	orphans(w, FW_REC_WINDOW_SHUT, 4 << 20);
	expect_ids(w, "orphans-hold-memory");
	expect_words(w, "orphans-hold-memory", "198.51.100.2 does not read: 10 connections");
	expect_evidence(w, "orphans-hold-memory", "queued", 40 << 20);
}

/* Clients that are slow, but read. */
static void orphans_that_drain_are_healthy(void **state)
{
	struct watch *w = *state;

	orphans(w, 0, 4 << 20);
	expect_ids(w, "");
	expect_fact(w, "orphans", "queued", 40 << 20);
}

/* A FIN behind data that the peer does not read is not lost. */
static void a_shut_window_explains_a_stall(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		open_and_close(s, 1000);
	}
	snap_begin(s, 7000);
	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(s, n);
		sock(s, 7000, FW_FIN_WAIT_1, .flags = FW_REC_ORPHAN | FW_REC_WINDOW_SHUT, .queued = 1000);
	}
	snap_end(s, 7001);
	watch_report(w, 7100);
	expect_ids(w, "fin-wait-1-stall");
	expect_words(w, "fin-wait-1-stall", "does not read: its window is shut");
	expect_evidence(w, "fin-wait-1-stall", "window_shut", 3);
	expect_evidence(w, "fin-wait-1-stall", "queued", 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(a_reopened_time_wait_is_harmless),
		watch_test(a_delayed_syn_says_how_long),
		watch_test(a_quick_return_is_not_delayed),
		watch_test(keep_alive_is_neither_short_nor_closed_early),
		watch_test(a_connection_per_request_is_worth_knowing),
		watch_test(used_after_the_server_closed),
		watch_test(a_pool_that_closes_in_time_is_healthy),
		watch_test(the_server_sees_it_too),
		watch_test(orphans_hold_memory),
		watch_test(orphans_that_drain_are_healthy),
		watch_test(a_shut_window_explains_a_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
