// SPDX-License-Identifier: GPL-2.0-only
/* Proves what is called a CLOSE_WAIT leak: whose, what it forgot, and what belongs together. */
#include "leaks.h"

static void read_to_the_end_and_not_closed_is_never_closed(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 3);
	held(s, 100001, 7, 1, 3);
	process(s, 100001, 7, "curl", .fds = 20);
	snap_end(s, 100002);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	expect_ids(&l->w, "close-wait-leak");
	assert_string_equal(l->w.report.findings[0].title,
			    "curl/7: 3 connections in CLOSE_WAIT from 198.51.100.2:80, "
			    "never closed, the oldest for >= 60.0 s");
	assert_string_equal(leaky_says(l, "verdict"), "never_closed");
	assert_string_equal(leaky_says(l, "fds"), "11-13");
	expect_evidence(&l->w, "close-wait-leak", "pid", 7);
	expect_evidence(&l->w, "close-wait-leak", "count", 3);
	expect_evidence(&l->w, "close-wait-leak", "fds_used", 20);
	expect_evidence(&l->w, "close-wait-leak", "fds_limit", 1024);
	expect_evidence(&l->w, "close-wait-leak", "unread", 0);
	/* less the margin of a lower bound */
	assert_int_equal(leaky_cell(l, "oldest")->u, 59992000000ULL);
	assert_true(leaky_cell(l, "oldest")->at_least);
}

static void an_age_that_was_watched_is_exact(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	active_open(s, 10);
	full(s, 1000, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	snap_begin(s, 100000);
	leaked(s, 100000, 1, 1);
	held(s, 100001, 7, 1, 1);
	snap_end(s, 101000);
	leaky_report(l);
	assert_int_equal(leaky_cell(l, "oldest")->u, 100000000000ULL);
	assert_false(leaky_cell(l, "oldest")->at_least);
}

static void the_verdict_follows_from_what_the_socket_says(void **state)
{
	static const struct {
		uint32_t unread;
		unsigned int holders;
		bool unaccepted;
		const char *verdict;
	} cases[] = {
		{ 0, 1, false, "never_closed" },
		{ 1, 1, false, "never_read" },	 /* only the FIN */
		{ 5000, 1, false, "never_read" },
		{ 0, 2, false, "shared" },
		{ 1, 2, false, "shared" },
		{ 1, 0, true, "never_accepted" },
		{ 0, 0, true, "never_accepted" },
		{ 0, 0, false, "never_closed" }, /* held by nobody who has descriptors */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leaky *l = *state;
		struct scene *s = &l->w.scene;

		snap_begin(s, 100000);
		sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = cases[i].unread,
		     .unaccepted = cases[i].unaccepted);
		for (unsigned int k = 0; k < cases[i].holders; k++)
			holder(s, 100001, 7 + k, 3, "curl");
		snap_end(s, 100002);
		leaky_report(l);
		assert_string_equal(leaky_says(l, "verdict"), cases[i].verdict);
		expect_ids(&l->w, cases[i].holders > 1 ? "inherited-sockets" : "close-wait-leak");
		assert_int_equal(leaky_cell(l, "unread")->u,
				 cases[i].unread ? cases[i].unread - 1 : 0);
		leaky_teardown(state);
		leaky_setup(state);
	}
}

static void what_waits_for_accept_is_the_listeners(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;
	uint64_t listener;

	snap_begin(s, 100000);
	scene_server_side(s, 99);
	sock(s, 100000, FW_LISTEN);
	listener = s->skaddr;
	scene_server_side(s, 1);
	sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = 1, .unaccepted = true,
	     .listener = listener);
	scene_server_side(s, 2);
	sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = 9, .unaccepted = true,
	     .listener = listener);
	scene_server_side(s, 99);
	holder(s, 100001, 80, 3, "httpd");
	process(s, 100001, 80, "httpd", .fds = 5);
	snap_end(s, 100002);
	leaky_report(l);
	assert_string_equal(l->w.report.findings[0].title,
			    "httpd/80: 2 connections in CLOSE_WAIT from 198.51.100.2 to our "
			    "port 80, never accepted, the oldest for >= 60.0 s");
	assert_false(leaky_has(l, "fds")); /* they have none */
	expect_evidence(&l->w, "close-wait-leak", "unread", 8); /* without the FINs */
}

static void what_is_shared_names_all_who_have_it_once(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 1);
	holder(s, 100001, 7, 3, "parent");
	holder(s, 100001, 7, 4, "parent"); /* dup() is not sharing */
	process(s, 100001, 7, "parent");
	holder(s, 100001, 8, 9, "child");
	process(s, 100001, 8, "child");
	snap_end(s, 100002);
	leaky_report(l);
	assert_string_equal(leaky_says(l, "verdict"), "shared");
	assert_string_equal(leaky_says(l, "holders"), "parent/7, child/8");
	assert_string_equal(leaky_says(l, "fds"), "3");
}

static void two_descriptors_of_one_process_are_not_shared(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 1);
	holder(s, 100001, 7, 3, "curl");
	holder(s, 100001, 7, 4, "curl");
	snap_end(s, 100002);
	leaky_report(l);
	assert_string_equal(leaky_says(l, "verdict"), "never_closed");
}

static void younger_ones_are_no_leak_but_one_old_one_makes_its_group_one(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 29000);
	snap_end(s, 100000);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 0);
	expect_ids(&l->w, "");
	expect_fact(&l->w, "close_wait", "sockets", 1);
	expect_fact(&l->w, "close_wait", "groups", 0);
	snap_begin(s, 100100);
	sock(s, 100100, FW_CLOSE_WAIT);
	scene_connection(s, 2);
	sock(s, 100100, FW_CLOSE_WAIT, .idle_ms = 30010);
	snap_end(s, 100100);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	expect_evidence(&l->w, "close-wait-leak", "count", 2);
}

static void other_states_and_objects_are_no_leak(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	sock(s, 100000, FW_ESTABLISHED, .idle_ms = 60000);
	scene_connection(s, 2);
	sock(s, 100000, FW_LAST_ACK, .idle_ms = 60000);
	scene_connection(s, 3);
	sock_mini(s, 100000, FW_CLOSE_WAIT, .armed_ms = 10);
	snap_end(s, 100000);
	leaky_report(l);
	expect_fact(&l->w, "close_wait", "sockets", 0);
	assert_int_equal(l->nr_leaks, 0);
}

/* Sockets of one process to one peer belong together; everything else keeps them apart. */
static void groups_are_by_process_peer_and_verdict(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 6);
	scene_connection(s, 7);
	sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = 1);
	scene_connection(s, 8);
	s->rport = 443;
	sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000);
	held(s, 100001, 7, 1, 4);
	held(s, 100001, 7, 7, 8);
	process(s, 100001, 7, "curl");
	held(s, 100001, 8, 5, 6);
	process(s, 100001, 8, "curl");
	snap_end(s, 100002);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 4);
	/* The largest first. */
	expect_evidence(&l->w, "close-wait-leak", "count", 4);
	assert_int_equal(watch_cell(&l->w.report.findings[1].evidence, "count")->u, 2);
	assert_int_equal(watch_cell(&l->w.report.findings[1].evidence, "pid")->u, 8);
	expect_fact(&l->w, "close_wait", "sockets", 8);
	expect_fact(&l->w, "close_wait", "groups", 4);
}

static void clients_of_our_port_are_one_group_whatever_theirs(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	scene_server_side(s, 99);
	sock(s, 100000, FW_LISTEN);
	for (unsigned int i = 1; i <= 3; i++) {
		scene_server_side(s, i);
		sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000);
		holder(s, 100001, 80, 10 + 2 * i, "httpd");
	}
	snap_end(s, 100002);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	assert_string_equal(leaky_says(l, "peer"), "198.51.100.2 to our port 80");
	assert_string_equal(leaky_says(l, "fds"), "12,14,16");
}

static void a_filter_leaves_out_what_is_not_asked_for(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 2);
	held(s, 100001, 7, 1, 1);
	process(s, 100001, 7, "curl");
	held(s, 100001, 8, 2, 2);
	process(s, 100001, 8, "wget");
	snap_end(s, 100002);
	l->filter = (struct fw_filter){ .nr_pids = 1, .pids = { 8 } };
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	expect_evidence(&l->w, "close-wait-leak", "pid", 8);
	l->filter = (struct fw_filter){ .nr_comms = 1, .comms = { "cu*" } };
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	expect_evidence(&l->w, "close-wait-leak", "pid", 7);
}

/* Addresses do not divide a leak: neither clients', nor those of one service. */
static void a_leak_to_many_addresses_is_one(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	for (unsigned int i = 1; i <= 4; i++) {
		scene_connection(s, i);
		s->peer = (uint8_t)i;
		sock(s, 100000, FW_CLOSE_WAIT, .idle_ms = 60000);
	}
	held(s, 100001, 7, 1, 4);
	process(s, 100001, 7, "curl");
	snap_end(s, 100002);
	leaky_report(l);
	expect_ids(&l->w, "close-wait-leak");
	expect_evidence(&l->w, "close-wait-leak", "count", 4);
	assert_string_equal(leaky_says(l, "peer"), "several addresses, port 80");
}

/* Children that run another program: one finding for the port, whichever child has which. */
static void what_children_hold_is_inherited(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	for (unsigned int i = 1; i <= 3; i++) {
		scene_server_side(s, i);
		s->child_peer_known = true;
		request(s, 1000 * i, FW_REC_REQ_SCHED, FW_CAUSE_UNKNOWN);
		full(s, 1000 * i, FW_LISTEN, FW_SYN_RECV, 0);
		request(s, 1000 * i, FW_REC_REQ_END, FW_CAUSE_COMPLETED);
		full(s, 1000 * i, FW_SYN_RECV, FW_ESTABLISHED, .segs_in = 2);
		accepted(s, 1000 * i + 1, .flags = FW_REC_OWNER, .pid = 80, .comm = "httpd");
		full(s, 1000 * i + 2, FW_ESTABLISHED, FW_CLOSE_WAIT, .segs_in = 2);
	}
	snap_begin(s, 100000);
	scene_server_side(s, 99);
	sock(s, 100000, FW_LISTEN);
	for (unsigned int i = 1; i <= 3; i++) {
		scene_server_side(s, i);
		sock(s, 100000, FW_CLOSE_WAIT, .unread = 1);
	}
	scene_server_side(s, 99);
	holder(s, 100001, 80, 3, "httpd");
	process(s, 100001, 80, "httpd", .fds = 5);
	for (unsigned int i = 1; i <= 3; i++) {
		scene_server_side(s, i);
		holder(s, 100001, 90 + i, 4, "sleep");
		process(s, 100001, 90 + i, "sleep", .fds = 5);
	}
	snap_end(s, 100002);
	leaky_report(l);
	expect_ids(&l->w, "inherited-sockets");
	assert_string_equal(leaky_says(l, "holders"), "sleep/91, sleep/92, sleep/93");
	assert_non_null(strstr(l->w.report.findings[0].title, "inherited by 3 processes (sleep/91"));
}

static void many_descriptors_are_not_all_listed(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	leaked(s, 100000, 1, 20);
	for (unsigned int i = 1; i <= 20; i++) {
		scene_connection(s, i);
		holder(s, 100001, 7, 2 * i, "curl");
	}
	snap_end(s, 100002);
	leaky_report(l);
	assert_string_equal(leaky_says(l, "fds"), "2,4,6,8,10,12,14,16,18,20,22,24,...");
}

/* The descriptor is an MPTCP socket: its state counts, not that of its subflow. */
static void an_mptcp_socket_leaks_like_any_other(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	scene_server_side(s, 1);
	sock(s, 100000, FW_ESTABLISHED, .token = 77);
	s->cookie = 0;
	scene_sock(s, 100000, FW_OBJECT_MPTCP, FW_CLOSE_WAIT,
		   (struct seen){ .flags = FW_REC_HAS_FILE | FW_REC_CLONED, .token = 77, .idle_ms = 60000 });
	holder(s, 100001, 80, 4, "httpd");
	process(s, 100001, 80, "httpd", .fds = 5);
	snap_end(s, 100002);
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	assert_string_equal(l->w.report.findings[0].title,
			    "httpd/80: 1 MPTCP connection in CLOSE_WAIT from 198.51.100.2 to our port 80, "
			    "never closed, the oldest for >= 60.0 s");
	assert_string_equal(leaky_says(l, "fds"), "4");
	assert_true(leaky_has(l, "mptcp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leaky_test(read_to_the_end_and_not_closed_is_never_closed),
		leaky_test(an_age_that_was_watched_is_exact),
		leaky_test(the_verdict_follows_from_what_the_socket_says),
		leaky_test(what_waits_for_accept_is_the_listeners),
		leaky_test(an_mptcp_socket_leaks_like_any_other),
		leaky_test(what_is_shared_names_all_who_have_it_once),
		leaky_test(two_descriptors_of_one_process_are_not_shared),
		leaky_test(younger_ones_are_no_leak_but_one_old_one_makes_its_group_one),
		leaky_test(other_states_and_objects_are_no_leak),
		leaky_test(groups_are_by_process_peer_and_verdict),
		leaky_test(clients_of_our_port_are_one_group_whatever_theirs),
		leaky_test(a_filter_leaves_out_what_is_not_asked_for),
		leaky_test(a_leak_to_many_addresses_is_one),
		leaky_test(what_children_hold_is_inherited),
		leaky_test(many_descriptors_are_not_all_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
