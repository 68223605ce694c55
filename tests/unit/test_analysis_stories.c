// SPDX-License-Identifier: GPL-2.0-only
/* Proves that one fact is one finding: both ends of a connection, a proxy and its backend, a port that
 * children have inherited.
 */
#include <errno.h>

#include "leaks.h"

/* The scene is about connection @n to @port, seen from the client's or from the server's side. */
static void end_of(struct scene *s, unsigned int n, uint16_t port, bool server)
{
	scene_connection(s, 2 * n + server);
	s->far_end = server;
	s->lport = (uint16_t)(server ? port : 40000 + n);
	s->rport = (uint16_t)(server ? 40000 + n : port);
}

static void listener(struct scene *s, double ms, unsigned int n, uint16_t port, uint32_t flags)
{
	end_of(s, n, port, true);
	sock(s, ms, FW_LISTEN, .flags = flags);
}

/* Connections @first to @last, of @pid or (0) orphans. */
static void ends(struct scene *s, double ms, unsigned int first, unsigned int last, uint16_t port,
		 bool server, unsigned int state)
{
	for (unsigned int n = first; n <= last; n++) {
		end_of(s, n, port, server);
		sock(s, ms, state, .idle_ms = 40000, .unread = state == FW_CLOSE_WAIT);
	}
}

static void held_by(struct scene *s, double ms, uint32_t pid, const char *comm, unsigned int first,
		    unsigned int last, uint16_t port, bool server)
{
	for (unsigned int n = first; n <= last; n++) {
		end_of(s, n, port, server);
		holder(s, ms, pid, 10 + n, comm);
	}
}

static const struct fw_finding *only(const struct watch *w)
{
	assert_int_equal(w->report.nr_findings, 1);
	return w->report.findings;
}

/* A client does not close what its server, on the same host, has closed. */
static void both_ends_are_here(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 100000);
	listener(s, 100000, 99, 80, 0);
	ends(s, 100000, 1, 6, 80, true, FW_FIN_WAIT_2);
	ends(s, 100000, 1, 6, 80, false, FW_CLOSE_WAIT);
	held_by(s, 100000, 7, "curl", 1, 6, 80, false);
	process(s, 100000, 7, "curl", .fds = 20);
	held_by(s, 100000, 8, "httpd", 1, 6, 80, true);
	process(s, 100000, 8, "httpd", .fds = 20);
	snap_end(s, 100000);
	watch_report(w, 100010);
	expect_ids(w, "close-wait-leak");
	assert_non_null(strstr(only(w)->title, "curl/7: 6 connections in CLOSE_WAIT"));
	assert_int_equal(only(w)->nr_also, 1);
	assert_string_equal(only(w)->also[0].id, "fin-wait-2-peer-stall");
	assert_non_null(strstr(only(w)->also[0].title, "httpd/8, 6 connections"));
	/* The sections have all of it. */
	expect_fact(w, "fin_wait_2", "stalls", 6);
}

/* Others wait, too, for a peer that is not here. */
static void a_stall_of_another_peer_stays(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 100000);
	ends(s, 100000, 1, 6, 80, true, FW_FIN_WAIT_2);
	ends(s, 100000, 1, 6, 80, false, FW_CLOSE_WAIT);
	ends(s, 100000, 11, 18, 443, false, FW_FIN_WAIT_2);
	held_by(s, 100000, 7, "curl", 1, 6, 80, false);
	held_by(s, 100000, 7, "curl", 11, 18, 443, false);
	process(s, 100000, 7, "curl", .fds = 20);
	snap_end(s, 100000);
	watch_report(w, 100010);
	expect_ids(w, "close-wait-leak fin-wait-2-peer-stall");
	expect_evidence(w, "fin-wait-2-peer-stall", "stalls", 8);
	assert_non_null(strstr(w->report.findings[1].title, "198.51.100.2:443 does not close"));
}

/* An application that sends its request, shuts down its side and waits for the answer. */
static void who_answers_late_has_done_nothing_wrong(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int n = 1; n <= 9; n++) {
		scene_connection(s, n);
		open_and_close(s, 1000 + n);
		full(s, 1001 + n, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .segs_in = 2);
		mini(s, 3500 + n, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
		full(s, 3500 + n, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .segs_in = 3);
	}
	watch_report(w, 5000);
	expect_ids(w, "fin-wait-2-peer-stall");
	assert_int_equal(only(w)->severity, FW_SEVERITY_INFO);
	expect_evidence(w, "fin-wait-2-peer-stall", "stalls", 9);
}

/* haproxy/20 has clients 1 to 5 on port 9999, and connections 11 to 15 to a backend on port 9000. */
static void proxy(struct scene *s, double ms, bool backend_is_here)
{
	snap_begin(s, ms);
	listener(s, ms, 99, 9999, 0);
	if (backend_is_here)
		listener(s, ms, 98, 9000, 0);
	ends(s, ms, 1, 5, 9999, true, FW_CLOSE_WAIT);
	ends(s, ms, 11, 15, 9000, false, FW_FIN_WAIT_2);
	if (backend_is_here)
		ends(s, ms, 11, 15, 9000, true, FW_CLOSE_WAIT);
	held_by(s, ms, 20, "haproxy", 1, 5, 9999, true);
	held_by(s, ms, 20, "haproxy", 11, 15, 9000, false);
	process(s, ms, 20, "haproxy", .fds = 20);
	if (backend_is_here) {
		held_by(s, ms, 30, "python3", 11, 15, 9000, true);
		process(s, ms, 30, "python3", .fds = 20);
	}
	snap_end(s, ms);
}

static void a_proxy_is_the_messenger_of_its_backend(void **state)
{
	struct watch *w = *state;

	proxy(&w->scene, 100000, true);
	watch_report(w, 100010);
	expect_ids(w, "close-wait-leak");
	assert_non_null(strstr(only(w)->title, "python3/30: 5 connections"));
	assert_int_equal(only(w)->nr_also, 2);
}

static void a_proxy_is_the_messenger_of_a_backend_elsewhere(void **state)
{
	struct watch *w = *state;

	proxy(&w->scene, 100000, false);
	watch_report(w, 100010);
	expect_ids(w, "fin-wait-2-peer-stall");
	assert_non_null(strstr(only(w)->title, "198.51.100.2:9000 does not close"));
	assert_int_equal(only(w)->nr_also, 1);
	assert_non_null(strstr(only(w)->also[0].title, "haproxy/20: 5 connections in CLOSE_WAIT"));
}

/* Without as many half-closed connections it is its own leak. */
static void a_server_with_few_upstreams_is_no_messenger(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	snap_begin(s, 100000);
	listener(s, 100000, 99, 9999, 0);
	ends(s, 100000, 1, 20, 9999, true, FW_CLOSE_WAIT);
	ends(s, 100000, 31, 34, 9000, false, FW_FIN_WAIT_2);
	held_by(s, 100000, 20, "haproxy", 1, 20, 9999, true);
	held_by(s, 100000, 20, "haproxy", 31, 34, 9000, false);
	process(s, 100000, 20, "haproxy", .fds = 30);
	snap_end(s, 100000);
	watch_report(w, 100010);
	expect_ids(w, "close-wait-leak");
	assert_int_equal(only(w)->nr_also, 0);
}

/* The accept queue is full of connections whose clients have given up. */
static void what_is_never_accepted_is_a_part_of_the_full_queue(void **state)
{
	struct watch *w = *state;
	struct scene *s = &w->scene;

	for (unsigned int k = 0; k < 2; k++) {
		double ms = 100000 + 10000 * k;

		snap_begin(s, ms);
		end_of(s, 99, 80, true);
		sock(s, ms, FW_LISTEN, .unread = 5, .unsent = 4, .drops = 10 + 20 * k);
		for (unsigned int n = 1; n <= 5; n++) {
			end_of(s, n, 80, true);
			sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 40000, .unread = 9, .unaccepted = true);
		}
		end_of(s, 99, 80, true);
		holder(s, ms, 8, 3, "httpd");
		process(s, ms, 8, "httpd", .fds = 20);
		snap_end(s, ms);
	}
	watch_report(w, 110010);
	expect_ids(w, "accept-queue-full");
	assert_int_equal(only(w)->nr_also, 1);
	assert_non_null(strstr(only(w)->also[0].title, "5 connections in CLOSE_WAIT"));
}

/* ---- Inherited listeners ------------------------------------------------------------------ */

static void bind_failed(struct scene *s, double ms, const char *comm)
{
	end_of(s, 99, 80, true);
	s->rport = 0;
	scene_full(s, ms, FW_REC_BIND_FAILED, 0, 0,
		   (struct detail){ .flags = FW_REC_OWNER, .pid = 500, .comm = comm, .err = EADDRINUSE });
}

static void port_held_by(struct watch *w, const char *comm, unsigned int nr, uint32_t flags,
			 const char *wanted_by)
{
	struct scene *s = &w->scene;

	snap_begin(s, 1000);
	listener(s, 1000, 99, 80, flags);
	for (unsigned int i = 1; i <= nr; i++) {
		end_of(s, 99, 80, true);
		holder(s, 1001, 70 + i, 3, comm);
		process(s, 1001, 70 + i, comm, .fds = 4);
	}
	snap_end(s, 1002);
	bind_failed(s, 2000, wanted_by);
	watch_report(w, 3000);
	expect_ids(w, "bind-in-use");
}

static void a_port_can_be_held_by_children(void **state)
{
	struct watch *w = *state;

	port_held_by(w, "sleep", 2, FW_REC_UNATTENDED, "python3");
	assert_non_null(strstr(only(w)->title, "inherited by 2 processes (sleep/71, sleep/72)"));
	assert_non_null(strstr(only(w)->advice, "close-on-exec"));
}

/* By a server that waits for connections, or by one of the same name: nothing was inherited. */
static void a_port_can_be_held_by_right(void **state)
{
	static const struct {
		const char *comm, *wanted_by;
		uint32_t flags;
	} cases[] = {
		{ "nginx", "python3", 0 },
		{ "python3", "python3", FW_REC_UNATTENDED },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct watch *w = *state;

		port_held_by(w, cases[i].comm, 1, cases[i].flags, cases[i].wanted_by);
		assert_null(strstr(only(w)->title, "inherited"));
		assert_null(strstr(only(w)->advice, "close-on-exec"));
		assert_non_null(strstr(only(w)->title, cases[i].comm));
		watch_teardown(state);
		watch_setup(state);
	}
}

/* ---- Keys -------------------------------------------------------------------------------- */

static void both_ends_have_one_key(void **state)
{
	const uint8_t a[16] = { 10, 0, 0, 1 }, b[16] = { 10, 0, 0, 2 }, loopback[16] = { 127, 0, 0, 1 };
	uint64_t key = fw_story_key(1, AF_INET, a, 80, b, 50000);

	(void)state;
	assert_true(key == fw_story_key(2, AF_INET, b, 50000, a, 80));
	assert_true(key != fw_story_key(1, AF_INET, a, 80, b, 50001));
	assert_true(key != fw_story_key(1, AF_INET, a, 50000, b, 80));
	assert_true(fw_story_key(1, AF_INET, loopback, 80, loopback, 50000) !=
		    fw_story_key(2, AF_INET, loopback, 50000, loopback, 80));
}

static void the_first_claim_stands(void **state)
{
	struct fw_stories st;

	(void)state;
	fw_stories_init(&st);
	assert_int_equal(fw_stories_find(&st, 1), 0);
	assert_int_equal(fw_stories_find(NULL, 1), 0);
	for (uint64_t key = 1; key <= 5000; key++)
		fw_stories_claim(&st, key * 256, (uint32_t)key);
	fw_stories_claim(&st, 256, 77);
	for (uint64_t key = 1; key <= 5000; key++)
		assert_int_equal(fw_stories_find(&st, key * 256), key);
	assert_int_equal(fw_stories_find(&st, 3), 0);
	assert_false(st.failed);
	fw_stories_fini(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(both_ends_are_here),
		watch_test(a_stall_of_another_peer_stays),
		watch_test(who_answers_late_has_done_nothing_wrong),
		watch_test(a_proxy_is_the_messenger_of_its_backend),
		watch_test(a_proxy_is_the_messenger_of_a_backend_elsewhere),
		watch_test(a_server_with_few_upstreams_is_no_messenger),
		watch_test(what_is_never_accepted_is_a_part_of_the_full_queue),
		watch_test(a_port_can_be_held_by_children),
		watch_test(a_port_can_be_held_by_right),
		cmocka_unit_test(both_ends_have_one_key),
		cmocka_unit_test(the_first_claim_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
