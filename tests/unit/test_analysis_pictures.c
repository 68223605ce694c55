// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what pictures are drawn from: edges of the state diagram, states over time, and TIME_WAIT
 * durations by what ended them.
 */
#include "analysis.h"

/* How often an edge was taken; @end NULL: any that has none. */
static uint64_t taken(const struct watch *w, const char *from, const char *to, const char *end)
{
	const struct fw_table *t = &watch_section(w, "transitions")->tables[0];

	for (size_t row = 0; row < t->nr_rows; row++) {
		const struct fw_cell *c = &t->cells[row * t->nr_columns];

		if (strcmp(c[0].text, from) || strcmp(c[1].text, to))
			continue;
		if (end ? c[3].kind == FW_CELL_TEXT && !strcmp(c[3].text, end) :
			  c[3].kind == FW_CELL_UNKNOWN)
			return c[2].u;
	}
	return 0;
}

/* The segment that acknowledges our FIN brings the peer's: FIN_WAIT_2 is no edge of the path. */
static void three_segments_are_one_edge(void **state)
{
	struct watch *w = *state;

	three_segment_close(&w->scene, 500);
	mini(&w->scene, 60600, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	watch_report(w, 61000);
	assert_int_equal(taken(w, "CLOSE", "SYN_SENT", NULL), 1);
	assert_int_equal(taken(w, "FIN_WAIT_1", "TIME_WAIT", NULL), 1);
	assert_int_equal(taken(w, "FIN_WAIT_1", "FIN_WAIT_2", NULL), 0);
	assert_int_equal(taken(w, "FIN_WAIT_2", "TIME_WAIT", NULL), 0);
	assert_int_equal(taken(w, "TIME_WAIT", "CLOSE", "time_wait_expired"), 1);
}

static void ends_are_told_apart(void **state)
{
	struct watch *w = *state;

	for (unsigned int n = 1; n <= 3; n++) {
		scene_connection(&w->scene, n);
		orphan_in_minisock(&w->scene, 500 * n);
	}
	mini(&w->scene, 1600, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	mini(&w->scene, 1700, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	scene_connection(&w->scene, 1);
	mini(&w->scene, 61000, FW_REC_TW_END, FW_FIN_WAIT_2, FW_CAUSE_EXPIRED);
	watch_report(w, 61500);
	assert_int_equal(taken(w, "FIN_WAIT_1", "FIN_WAIT_2", NULL), 3);
	assert_int_equal(taken(w, "FIN_WAIT_2", "TIME_WAIT", NULL), 1);
	assert_int_equal(taken(w, "TIME_WAIT", "TIME_WAIT", NULL), 1);
	assert_int_equal(taken(w, "FIN_WAIT_2", "CLOSE", "fin_wait_2_timeout"), 1);
}

static void listeners_come_and_go(void **state)
{
	struct watch *w = *state;

	full(&w->scene, 1, FW_CLOSE, FW_LISTEN, .flags = FW_REC_OWNER, .pid = 7);
	full(&w->scene, 1000, FW_LISTEN, FW_CLOSE);
	scene_connection(&w->scene, 2);
	full(&w->scene, 1001, FW_CLOSE, FW_LISTEN);
	watch_report(w, 2000);
	assert_int_equal(taken(w, "CLOSE", "LISTEN", NULL), 2);
	assert_int_equal(taken(w, "LISTEN", "CLOSE", NULL), 1);
}

/* ---- Over time --------------------------------------------------------------------------- */

static const struct fw_table *steps_of(const struct watch *w)
{
	return &watch_section(w, "over_time")->tables[0];
}

/* How many were in @name at @s seconds: the first step that ends then or later. */
static uint64_t level_at(const struct watch *w, double s, const char *name)
{
	const struct fw_table *t = steps_of(w);
	size_t k = 0;

	while (k < t->nr_columns && strcmp(t->columns[k].key, name))
		k++;
	for (size_t row = 0; k < t->nr_columns && row < t->nr_rows; row++) {
		if ((double)t->cells[row * t->nr_columns].u >= s * 1e9)
			return t->cells[row * t->nr_columns + k].u;
	}
	fail_msg("no %s at %g s", name, s);
	return 0;
}

static void levels_rise_and_fall(void **state)
{
	struct watch *w = *state;

	for (unsigned int n = 1; n <= 4; n++) {
		scene_connection(&w->scene, n);
		active_open(&w->scene, 1000 * n);
	}
	for (unsigned int n = 1; n <= 2; n++) {
		scene_connection(&w->scene, n);
		full(&w->scene, 6000 + 1000 * n, FW_ESTABLISHED, FW_CLOSE_WAIT,
		     .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
	}
	watch_report(w, 10000);
	assert_int_equal(level_at(w, 0, "ESTABLISHED"), 0);
	assert_int_equal(level_at(w, 0.9, "ESTABLISHED"), 0);
	assert_int_equal(level_at(w, 1.5, "ESTABLISHED"), 1);
	assert_int_equal(level_at(w, 4.5, "ESTABLISHED"), 4);
	assert_int_equal(level_at(w, 7.5, "ESTABLISHED"), 3);
	assert_int_equal(level_at(w, 9.9, "ESTABLISHED"), 2);
	assert_int_equal(level_at(w, 9.9, "CLOSE_WAIT"), 2);
}

/* Nothing was seen of it before it left its state: it had been there since before the start. */
static void older_ones_are_there_from_the_start(void **state)
{
	struct watch *w = *state;

	full(&w->scene, 5000, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED,
	     .segs_in = 2);
	watch_report(w, 10000);
	assert_int_equal(level_at(w, 0, "ESTABLISHED"), 1);
	assert_int_equal(level_at(w, 4, "ESTABLISHED"), 1);
	assert_int_equal(level_at(w, 9, "ESTABLISHED"), 0);
	assert_int_equal(level_at(w, 9, "CLOSE_WAIT"), 1);
}

/* A day in as many rows as a minute; what was early is still there. */
static void steps_become_longer(void **state)
{
	struct watch *w = *state;
	const struct fw_table *t;

	active_open(&w->scene, 1000);
	for (unsigned int hour = 1; hour <= 24; hour++) {
		scene_connection(&w->scene, 1 + hour);
		active_open(&w->scene, hour * 3600000.0);
	}
	watch_report(w, 24.5 * 3600000.0);
	t = steps_of(w);
	assert_in_range(t->nr_rows, 100, 260);
	assert_int_equal(level_at(w, 1800, "ESTABLISHED"), 1);
	assert_int_equal(level_at(w, 12.5 * 3600, "ESTABLISHED"), 13);
	assert_int_equal(level_at(w, 24.4 * 3600, "ESTABLISHED"), 25);
}

static void losses_are_in_their_step(void **state)
{
	struct watch *w = *state;

	active_open(&w->scene, 1000);
	fw_tracker_lost(&w->scene.tracker, 5, ns_of(4000));
	fw_tracker_lost(&w->scene.tracker, 2, ns_of(4020));
	watch_report(w, 10000);
	assert_int_equal(level_at(w, 3.8, "lost"), 0);
	assert_int_equal(level_at(w, 4.02, "lost"), 7);
	assert_int_equal(level_at(w, 5, "lost"), 0);
}

/* ---- TIME_WAIT --------------------------------------------------------------------------- */

static void time_wait_ends(struct watch *w, unsigned int n, double after_ms, enum fw_cause cause)
{
	scene_connection(&w->scene, n);
	three_segment_close(&w->scene, 500);
	mini(&w->scene, 500 + after_ms, FW_REC_TW_END, FW_TIME_WAIT, cause);
}

static void durations_by_end(void **state)
{
	struct watch *w = *state;
	const struct fw_bars *fine;
	uint64_t all = 0;

	time_wait_ends(w, 1, 5000, FW_CAUSE_RESET);
	time_wait_ends(w, 2, 61250, FW_CAUSE_EXPIRED);
	time_wait_ends(w, 3, 61260, FW_CAUSE_EXPIRED);
	time_wait_ends(w, 4, 65000, FW_CAUSE_EXPIRED);
	watch_report(w, 70000);
	assert_int_equal(watch_at(w, "time_wait_bars", "by_end", 4, "time_wait_reset")->u, 1);
	assert_int_equal(watch_at(w, "time_wait_bars", "by_end", 4, "time_wait_expired")->u, 0);
	assert_int_equal(watch_at(w, "time_wait_bars", "by_end", 10, "time_wait_expired")->u, 3);
	fine = &watch_section(w, "time_wait_bars")->bars[0];
	for (size_t i = 0; i < fine->nr; i++)
		all += fine->bar[i].count;
	assert_int_equal(all, 3);
	assert_int_equal(fine->bar[17].from_ns, 61200000000);
	assert_int_equal(fine->bar[17].count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(three_segments_are_one_edge),
		watch_test(ends_are_told_apart),
		watch_test(listeners_come_and_go),
		watch_test(levels_rise_and_fall),
		watch_test(older_ones_are_there_from_the_start),
		watch_test(steps_become_longer),
		watch_test(losses_are_in_their_step),
		watch_test(durations_by_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
