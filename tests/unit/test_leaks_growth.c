// SPDX-License-Identifier: GPL-2.0-only
/* Proves what three looks say of a leak: whether and how fast it grows, when descriptors run out, and what is
 * a pool or a burst.
 */
#include "leaks.h"

/* curl/7 has sockets 1 to @nr in CLOSE_WAIT, @fds descriptors and is allowed @nofile. */
static void look(struct scene *s, double ms, unsigned int nr, uint32_t fds, uint64_t nofile)
{
	snap_begin(s, ms);
	leaked(s, ms, 1, nr);
	held(s, ms, 7, 1, nr);
	process(s, ms, 7, "curl", .fds = fds, .nofile = nofile);
	snap_end(s, ms);
}

static double growth(const struct leaky *l)
{
	return leaky_cell(l, "growth")->d;
}

static enum fw_severity severity(const struct leaky *l)
{
	return l->w.report.findings[0].severity;
}

static void one_look_knows_no_growth_and_no_forecast(void **state)
{
	struct leaky *l = *state;

	look(&l->w.scene, 100000, 3, 100, 1024);
	leaky_report(l);
	assert_false(leaky_has(l, "growth"));
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_false(leaky_cell(l, "pool")->u);
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void the_limit_is_reached_at_the_rate_seen(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	/* 20 in 10 s; 1024 - 120 left at 2 descriptors per second. */
	look(s, 100000, 10, 100, 1024);
	look(s, 105000, 20, 110, 1024);
	look(s, 110000, 30, 120, 1024);
	leaky_report(l);
	assert_true(growth(l) == 2);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 452000000000ULL);
	assert_true(leaky_cell(l, "fds_growth")->d == 2);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	assert_int_equal(l->w.report.findings[0].fails_in_ns, 452000000000ULL);
	expect_fact(&l->w, "close_wait", "watched", 10000000000ULL);
}

/* Two looks tell a difference, but not whether it was a burst. */
static void two_looks_foresee_nothing(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 20, 100, 1024);
	look(s, 105000, 30, 120, 1024);
	leaky_report(l);
	assert_true(growth(l) == 2);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void a_burst_is_no_growth(void **state)
{
	static const unsigned int nr[][3] = { { 0, 20, 20 }, { 3, 3, 20 }, { 3, 20, 20 } };

	for (unsigned int i = 0; i < ARRAY_SIZE(nr); i++) {
		struct leaky *l = *state;
		struct scene *s = &l->w.scene;

		for (unsigned int k = 0; k < 3; k++)
			look(s, 100000 + 5000 * k, nr[i][k], 30 + nr[i][k], 64);
		leaky_report(l);
		assert_int_equal(severity(l), FW_SEVERITY_WARNING);
		assert_false(leaky_has(l, "limit_reached_in"));
		assert_null(strstr(l->w.report.findings[0].title, "more each second"));
		leaky_teardown(state);
		leaky_setup(state);
	}
}

/* curl/7 has sockets @first to @last in CLOSE_WAIT, each since 3 s. */
static void passing(struct scene *s, double ms, unsigned int first, unsigned int last)
{
	snap_begin(s, ms);
	for (unsigned int i = first; i <= last; i++) {
		scene_connection(s, i);
		sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 3000);
	}
	held(s, ms, 7, first, last);
	process(s, ms, 7, "curl", .fds = 100, .nofile = 1024);
	snap_end(s, ms);
}

/* A busy server has some at every look, and more at times, but never the same. */
static void sockets_that_come_and_go_are_no_leak(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	passing(s, 100000, 1, 5);
	passing(s, 110000, 101, 110);
	passing(s, 120000, 201, 220);
	leaky_report(l);
	expect_ids(&l->w, "");
	assert_int_equal(l->nr_leaks, 0);
	leaky_teardown(state);
	leaky_setup(state);
	/* The same ones, that stay: a leak, before any is as old as the leak age. */
	passing(s, 100000, 1, 5);
	passing(s, 110000, 1, 10);
	passing(s, 120000, 1, 15);
	leaky_report(l);
	expect_ids(&l->w, "close-wait-leak");
	assert_int_equal(leaky_cell(l, "old")->u, 0);
	assert_true(growth(l) == 0.5);
}

/* A recording may break off anywhere. */
static void a_look_that_breaks_off_does_not_count(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 20, 100, 1024);
	look(s, 105000, 30, 120, 1024);
	snap_begin(s, 110000);
	leaked(s, 110000, 1, 3);
	leaky_report(l);
	assert_true(growth(l) == 2);
	expect_fact(&l->w, "close_wait", "sockets", 30);
	expect_fact(&l->w, "close_wait", "watched", 5000000000ULL);
}

static void a_limit_hours_away_is_a_warning(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	/* 0.2 per second, 1000 left: 5000 s. */
	look(s, 100000, 20, 20, 1024);
	look(s, 110000, 22, 22, 1024);
	look(s, 120000, 24, 24, 1024);
	leaky_report(l);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 5000000000000ULL);
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

/* Of four looks, the one nearest to the half of the time watched. */
static void growth_is_over_the_whole_time(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 10, 100, 1024);
	look(s, 101000, 90, 180, 1024);
	look(s, 105000, 15, 105, 1024);
	look(s, 110000, 20, 110, 1024);
	leaky_report(l);
	assert_true(growth(l) == 1);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 914000000000ULL);
	expect_evidence(&l->w, "close-wait-leak", "count", 20);
	expect_fact(&l->w, "close_wait", "watched", 10000000000ULL);
}

static void a_look_that_was_not_finished_is_none(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 10, 100, 1024);
	snap_begin(s, 102000);
	leaked(s, 102000, 1, 3);
	look(s, 105000, 20, 110, 1024);
	leaky_report(l);
	assert_true(growth(l) == 2);
	expect_evidence(&l->w, "close-wait-leak", "count", 20);
}

static void what_does_not_grow_or_shrinks_has_no_forecast(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 20, 100, 1024);
	look(s, 105000, 20, 100, 1024);
	leaky_report(l);
	assert_true(growth(l) == 0);
	assert_false(leaky_has(l, "limit_reached_in"));
	look(s, 110000, 10, 90, 1024);
	leaky_report(l);
	assert_true(growth(l) == -2);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void without_a_limit_it_is_never_reached(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 20, 100, UINT64_MAX);
	look(s, 105000, 30, 110, UINT64_MAX);
	look(s, 110000, 40, 120, UINT64_MAX);
	leaky_report(l);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_false(leaky_has(l, "fds_limit"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void a_limit_centuries_away_is_not_foreseen(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	/* What systemd allows itself: more than 64 bits of nanoseconds at three a minute. */
	look(s, 100000, 20, 100, 1073741816);
	look(s, 130000, 23, 102, 1073741816);
	look(s, 160000, 26, 103, 1073741816);
	leaky_report(l);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void a_limit_that_is_reached_is_critical(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	/* It cannot grow any more. */
	look(s, 100000, 20, 64, 64);
	leaky_report(l);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	/* setrlimit() may go below what is open. */
	look(s, 105000, 20, 64, 32);
	leaky_report(l);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	assert_false(leaky_has(l, "limit_reached_in"));
}

static void a_leak_of_a_new_process_has_grown_from_nothing(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	snap_begin(s, 100000);
	snap_end(s, 100000);
	look(s, 105000, 10, 20, 1024);
	leaky_report(l);
	assert_true(growth(l) == 2);
	assert_false(leaky_has(l, "limit_reached_in")); /* how many it had then is not known */
}

/* A client with sockets 1 to @nr in CLOSE_WAIT and an open one that has sent @sent. */
static void pool(struct scene *s, double ms, unsigned int nr, uint64_t sent, uint32_t unread)
{
	snap_begin(s, ms);
	for (unsigned int i = 1; i <= nr; i++) {
		scene_connection(s, i);
		sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 60000, .unread = unread);
	}
	scene_connection(s, 1000);
	sock(s, ms, FW_ESTABLISHED, .sent = sent);
	held(s, ms, 7, 1, nr);
	held(s, ms, 7, 1000, 1000);
	process(s, ms, 7, "java", .fds = 100);
	snap_end(s, ms);
}

static void few_in_a_process_that_works_are_an_idle_pool(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	pool(s, 100000, 5, 1000, 0);
	pool(s, 105000, 5, 2000, 0);
	leaky_report(l);
	assert_true(leaky_cell(l, "pool")->u);
	assert_int_equal(severity(l), FW_SEVERITY_INFO);
	assert_int_equal(l->nr_leaks, 0); /* told, but no leak */
	expect_fact(&l->w, "close_wait", "groups", 1);
	expect_fact(&l->w, "close_wait", "leaks", 0);
	expect_ids(&l->w, "idle-pool");
	assert_non_null(strstr(l->w.report.findings[0].title, "5 idle connections to 198.51.100.2:80"));
}

static void what_lacks_one_mark_of_a_pool_is_a_leak(void **state)
{
	static const struct {
		unsigned int then, now;
		uint64_t sent;
		uint32_t unread;
	} cases[] = {
		{ 5, 6, 2000, 0 },   /* it grows */
		{ 65, 65, 2000, 0 }, /* too many */
		{ 5, 5, 1000, 0 },   /* the process does nothing */
		{ 5, 5, 2000, 2 },   /* there is data that it has not read */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leaky *l = *state;

		pool(&l->w.scene, 100000, cases[i].then, 1000, cases[i].unread);
		pool(&l->w.scene, 105000, cases[i].now, cases[i].sent, cases[i].unread);
		leaky_report(l);
		if (leaky_cell(l, "pool")->u || l->nr_leaks != 1)
			fail_msg("case %u", i);
		leaky_teardown(state);
		leaky_setup(state);
	}
}

/* Blocking clients do not see the end before they use the connection; some are replaced meanwhile. */
static void a_pool_need_not_have_read_the_end(void **state)
{
	struct leaky *l = *state;

	pool(&l->w.scene, 100000, 6, 1000, 1);
	pool(&l->w.scene, 105000, 5, 2000, 1);
	leaky_report(l);
	expect_ids(&l->w, "idle-pool");
	assert_int_equal(l->nr_leaks, 0);
}

static void a_servers_connections_are_no_pool(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	for (unsigned int k = 0; k < 2; k++) {
		double ms = 100000 + 5000 * k;

		snap_begin(s, ms);
		scene_server_side(s, 99);
		sock(s, ms, FW_LISTEN);
		scene_server_side(s, 1);
		sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 60000);
		scene_server_side(s, 2);
		sock(s, ms, FW_ESTABLISHED, .sent = 1000 * k);
		holder(s, ms, 80, 5, "httpd");
		scene_server_side(s, 1);
		holder(s, ms, 80, 4, "httpd");
		process(s, ms, 80, "httpd", .fds = 6);
		snap_end(s, ms);
	}
	leaky_report(l);
	assert_int_equal(l->nr_leaks, 1);
	assert_false(leaky_cell(l, "pool")->u);
}

/* ---- Other states ------------------------------------------------------------------------- */

/* A client with established connections 1 to @nr; of each @unread bytes are not read. */
static void established(struct scene *s, double ms, unsigned int nr, uint32_t unread, uint64_t sent)
{
	snap_begin(s, ms);
	for (unsigned int i = 1; i <= nr; i++) {
		scene_connection(s, i);
		sock(s, ms, FW_ESTABLISHED, .unread = unread, .sent = sent);
	}
	held(s, ms, 7, 1, nr);
	process(s, ms, 7, "go", .fds = 10 + nr, .nofile = 512);
	snap_end(s, ms);
}

static void established_connections_that_only_become_more(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	established(s, 100000, 20, 30000, 80);
	established(s, 110000, 70, 30000, 80);
	established(s, 120000, 120, 30000, 80);
	leaky_report(l);
	expect_ids(&l->w, "connection-leak");
	assert_true(growth(l) == 5);
	assert_int_equal(leaky_cell(l, "with_unread")->u, 120);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 76400000000ULL);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
}

static void established_connections_of_use_are_no_leak(void **state)
{
	static const struct {
		unsigned int nr[3];
		uint64_t sent_later;
		uint32_t unread;
	} cases[] = {
		{ { 20, 70, 120 }, 160, 0 }, /* used meanwhile */
		{ { 20, 70, 70 }, 80, 0 },   /* a pool that has been filled */
		{ { 20, 20, 70 }, 80, 0 },   /* a burst */
		{ { 0, 10, 20 }, 80, 0 },    /* few */
		{ { 120, 70, 120 }, 80, 0 }, /* they come and go */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leaky *l = *state;

		for (unsigned int k = 0; k < 3; k++)
			established(&l->w.scene, 100000 + 10000 * k, cases[i].nr[k], cases[i].unread,
				    k == 2 ? cases[i].sent_later : 80);
		leaky_report(l);
		if (l->w.report.nr_findings)
			fail_msg("case %u: %s", i, l->w.report.findings[0].title);
		leaky_teardown(state);
		leaky_setup(state);
	}
}

/* go/7 holds @nr dead sockets, and @nr_unconnected that were never connected. */
static void hold_dead(struct scene *s, double ms, unsigned int nr, unsigned int nr_unconnected)
{
	for (unsigned int i = 1; i <= nr + nr_unconnected; i++) {
		struct fw_rec_holder rec = { .pid = 7, .fd = 10 + i, .comm = "go" };

		scene_connection(s, i);
		rec.head = scene_head(s, ms, FW_REC_HOLDER, FW_CLOSE, FW_CLOSE);
		rec.head.lport = 0;
		rec.head.flags = i <= nr ? FW_REC_SHUT_RD | FW_REC_SHUT_WR : 0;
		scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
	}
}

static void dead(struct scene *s, double ms, unsigned int nr, unsigned int nr_unconnected, uint32_t fds)
{
	snap_begin(s, ms);
	hold_dead(s, ms, nr, nr_unconnected);
	process(s, ms, 7, "go", .fds = fds, .nofile = 512);
	snap_end(s, ms);
}

static void dead_sockets_that_are_held_are_a_leak(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	dead(s, 100000, 50, 20, 100);
	dead(s, 110000, 100, 20, 150);
	dead(s, 120000, 150, 20, 200);
	leaky_report(l);
	expect_ids(&l->w, "closed-socket-held");
	assert_int_equal(leaky_cell(l, "count")->u, 150);
	assert_true(growth(l) == 5);
	assert_string_equal(leaky_says(l, "fds"), "11-160");
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 62400000000ULL);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	/* At the limit nothing grows any more. */
	dead(s, 140000, 450, 20, 512);
	dead(s, 180000, 450, 20, 512);
	leaky_report(l);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	assert_int_equal(l->w.report.findings[0].fails_in_ns, 0);
	assert_non_null(strstr(l->w.report.findings[0].title, "LIMIT REACHED: 512 of 512"));
}

static void some_dead_sockets_are_worth_knowing_only(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	for (unsigned int k = 0; k < 3; k++)
		dead(s, 100000 + 10000 * k, 5, 20, 50);
	leaky_report(l);
	expect_ids(&l->w, "closed-socket-held");
	assert_int_equal(severity(l), FW_SEVERITY_INFO);
	assert_int_equal(l->nr_leaks, 0);
}

/* As many die as come: neither CLOSE_WAIT nor the dead grow as the descriptors do. */
static void a_leak_that_passes_through_states_is_one(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	for (unsigned int k = 0; k < 3; k++) {
		double ms = 100000 + 10000 * k;
		unsigned int nr_dead = 20 + 50 * k;

		snap_begin(s, ms);
		for (unsigned int i = nr_dead + 1; i <= nr_dead + 50; i++) {
			scene_connection(s, i);
			sock(s, ms, FW_CLOSE_WAIT, .idle_ms = 40000, .unread = 9);
		}
		hold_dead(s, ms, nr_dead, 0);
		held(s, ms, 7, nr_dead + 1, nr_dead + 50);
		process(s, ms, 7, "go", .fds = 100 + 50 * k, .nofile = 512);
		snap_end(s, ms);
	}
	leaky_report(l);
	expect_ids(&l->w, "closed-socket-held");
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	assert_int_equal(l->w.report.findings[0].nr_also, 1);
	assert_string_equal(l->w.report.findings[0].also[0].id, "close-wait-leak");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leaky_test(one_look_knows_no_growth_and_no_forecast),
		leaky_test(the_limit_is_reached_at_the_rate_seen),
		leaky_test(a_look_that_breaks_off_does_not_count),
		leaky_test(two_looks_foresee_nothing),
		leaky_test(a_burst_is_no_growth),
		leaky_test(sockets_that_come_and_go_are_no_leak),
		leaky_test(a_limit_hours_away_is_a_warning),
		leaky_test(growth_is_over_the_whole_time),
		leaky_test(a_look_that_was_not_finished_is_none),
		leaky_test(what_does_not_grow_or_shrinks_has_no_forecast),
		leaky_test(without_a_limit_it_is_never_reached),
		leaky_test(a_limit_centuries_away_is_not_foreseen),
		leaky_test(a_limit_that_is_reached_is_critical),
		leaky_test(a_leak_of_a_new_process_has_grown_from_nothing),
		leaky_test(few_in_a_process_that_works_are_an_idle_pool),
		leaky_test(what_lacks_one_mark_of_a_pool_is_a_leak),
		leaky_test(a_pool_need_not_have_read_the_end),
		leaky_test(a_servers_connections_are_no_pool),
		leaky_test(established_connections_that_only_become_more),
		leaky_test(established_connections_of_use_are_no_leak),
		leaky_test(dead_sockets_that_are_held_are_a_leak),
		leaky_test(some_dead_sockets_are_worth_knowing_only),
		leaky_test(a_leak_that_passes_through_states_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
