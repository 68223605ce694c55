// SPDX-License-Identifier: GPL-2.0-only
/* Proves what two looks at a leak say: how fast it grows, when descriptors run out, what is a pool. */
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

	/* 10 in 5 s; 1024 - 120 left at 4 descriptors per second. */
	look(s, 100000, 20, 100, 1024);
	look(s, 105000, 30, 120, 1024);
	leaky_report(l);
	assert_true(growth(l) == 2);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 226000000000ULL);
	assert_int_equal(severity(l), FW_SEVERITY_CRITICAL);
	expect_fact(&l->w, "close_wait", "watched", 5000000000ULL);
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
	look(s, 100000, 20, 23, 1024);
	look(s, 105000, 21, 24, 1024);
	leaky_report(l);
	assert_int_equal(leaky_cell(l, "limit_reached_in")->u, 5000000000000ULL);
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void growth_is_over_all_looks(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 10, 100, 1024);
	look(s, 105000, 90, 180, 1024);
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
	assert_true(growth(l) == -1);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void without_a_limit_it_is_never_reached(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	look(s, 100000, 20, 100, UINT64_MAX);
	look(s, 105000, 30, 110, UINT64_MAX);
	leaky_report(l);
	assert_false(leaky_has(l, "limit_reached_in"));
	assert_false(leaky_has(l, "fds_limit"));
	assert_int_equal(severity(l), FW_SEVERITY_WARNING);
}

static void a_limit_centuries_away_is_not_foreseen(void **state)
{
	struct leaky *l = *state;
	struct scene *s = &l->w.scene;

	/* What systemd allows itself: 340 years at one descriptor in 10 s, and more than 64 bits of
	 * nanoseconds at one a minute.
	 */
	look(s, 100000, 20, 100, 1073741816);
	look(s, 110000, 21, 101, 1073741816);
	leaky_report(l);
	assert_false(leaky_has(l, "limit_reached_in"));
	look(s, 160000, 21, 101, 1073741816);
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
	assert_non_null(strstr(l->w.report.findings[0].title, "idle connection pool"));
}

static void what_lacks_one_mark_of_a_pool_is_a_leak(void **state)
{
	static const struct {
		unsigned int then, now;
		uint64_t sent;
		uint32_t unread;
	} cases[] = {
		{ 5, 6, 2000, 0 },   /* it grows */
		{ 6, 5, 2000, 0 },   /* somebody closes: no pool that has not noticed */
		{ 33, 33, 2000, 0 }, /* too many */
		{ 5, 5, 1000, 0 },   /* the process does nothing */
		{ 5, 5, 2000, 1 },   /* it has not read */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		leaky_test(one_look_knows_no_growth_and_no_forecast),
		leaky_test(the_limit_is_reached_at_the_rate_seen),
		leaky_test(a_look_that_breaks_off_does_not_count),
		leaky_test(a_limit_hours_away_is_a_warning),
		leaky_test(growth_is_over_all_looks),
		leaky_test(a_look_that_was_not_finished_is_none),
		leaky_test(what_does_not_grow_or_shrinks_has_no_forecast),
		leaky_test(without_a_limit_it_is_never_reached),
		leaky_test(a_limit_centuries_away_is_not_foreseen),
		leaky_test(a_limit_that_is_reached_is_critical),
		leaky_test(a_leak_of_a_new_process_has_grown_from_nothing),
		leaky_test(few_in_a_process_that_works_are_an_idle_pool),
		leaky_test(what_lacks_one_mark_of_a_pool_is_a_leak),
		leaky_test(a_servers_connections_are_no_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
