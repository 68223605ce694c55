// SPDX-License-Identifier: GPL-2.0-only
/*
 * States over time: how many connections were in each, at steps of equal length.
 *
 * What is kept is by how much each state grew or shrank in a step. The report starts from what is open
 * now and goes back: so connections that are older than the trace are in it from the beginning, though
 * nothing was seen of them until the snapshot. Memory is fixed: when the steps are full, each two become
 * one of twice the length.
 *
 *	steps   |+3 -1|+9 -2|     |+1   |     100 ms each
 *	        |+12 -3     |+1         |     200 ms
 *
 * Weakness: a connection that was forgotten (--max-connections) or whose end was lost is missing before
 * that moment. No count goes below zero for it.
 */
#include <string.h>

#include "analysis/words.h"

#define STEPS_MAX 256
#define STEP_FIRST_NS 100000000ULL

struct step {
	int64_t delta[FW_STATE_MAX];
	uint64_t events, lost;
};

struct over_time {
	uint64_t width_ns;
	uint64_t first; /* the first step is [first * width, (first + 1) * width) */
	bool any;
	struct step steps[STEPS_MAX];
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct over_time *o = self;

	(void)opt;
	o->width_ns = STEP_FIRST_NS;
	return 0;
}

static void add(struct step *to, const struct step *from)
{
	for (unsigned int s = 0; s < FW_STATE_MAX; s++)
		to->delta[s] += from->delta[s];
	to->events += from->events;
	to->lost += from->lost;
}

static void double_width(struct over_time *o)
{
	uint64_t first = o->first / 2;

	for (uint64_t i = 0; i < STEPS_MAX; i++) {
		struct step one = o->steps[i];

		memset(&o->steps[i], 0, sizeof(one));
		add(&o->steps[(o->first + i) / 2 - first], &one);
	}
	o->first = first;
	o->width_ns *= 2;
}

/* Late records of what happened before the first one count there. */
static struct step *step_at(struct over_time *o, uint64_t ts_ns)
{
	if (!o->any)
		o->first = ts_ns / o->width_ns;
	o->any = true;
	while (ts_ns / o->width_ns >= o->first + STEPS_MAX)
		double_width(o);
	return &o->steps[ts_ns / o->width_ns > o->first ? ts_ns / o->width_ns - o->first : 0];
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct step *step;

	if (c->flags & FW_CONN_LISTENER || tr->from >= FW_STATE_MAX || tr->to >= FW_STATE_MAX)
		return;
	step = step_at(self, tr->ts_ns);
	step->delta[tr->from]--;
	step->delta[tr->to]++;
	step->events++;
}

static void on_lost(void *self, uint64_t count, uint64_t ts_ns)
{
	step_at(self, ts_ns)->lost += count;
}

/* In the order of a connection's life. No CLOSE and no LISTEN: these are no connections. */
static const uint8_t *const order = fw_states_in_order + 1;
#define NR_STATES (FW_STATES_ORDERED - 1)

/* A column for each state that anything was in. */
struct rows {
	struct fw_report *r;
	struct fw_table *t;
	bool shown[NR_STATES];
	int64_t level[FW_STATE_MAX];
};

static void make_table(struct rows *rows, struct fw_section *s)
{
	const char *columns[2 * (NR_STATES + 3) + 1] = { "at", "at" };
	char scratch[NR_STATES][FW_STATE_NAME_LEN];
	size_t n = 2;

	for (size_t i = 0; i < NR_STATES; i++) {
		const char *name = fw_state_name(order[i], scratch[i]);

		if (!rows->shown[i])
			continue;
		columns[n++] = name;
		columns[n++] = name;
	}
	columns[n++] = "transitions";
	columns[n++] = "transitions";
	columns[n++] = "lost";
	columns[n] = "events lost";
	rows->t = fw_section_table(rows->r, s, "steps", "At the end of each step", columns);
}

static void row(const struct rows *rows, uint64_t at_ns, const struct step *step)
{
	struct fw_cell cells[NR_STATES + 3];
	size_t n = 0;

	cells[n++] = fw_cell_duration(at_ns);
	for (size_t i = 0; i < NR_STATES; i++) {
		int64_t count = rows->level[order[i]];

		if (rows->shown[i])
			cells[n++] = fw_cell_count(count > 0 ? (uint64_t)count : 0);
	}
	cells[n++] = fw_cell_count(step->events);
	cells[n] = fw_cell_count(step->lost);
	fw_table_row(rows->r, rows->t, cells);
}

/* What is now, and what was before the first step. */
static void find_levels(const struct over_time *o, const struct fw_analysis_context *ctx,
			struct rows *rows)
{
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c))) {
		if (!(c->flags & FW_CONN_LISTENER) && fw_conn_state(c) < FW_STATE_MAX)
			rows->level[fw_conn_state(c)]++;
	}
	for (size_t i = 0; i < NR_STATES; i++) {
		unsigned int s = order[i];

		rows->shown[i] = rows->level[s];
		for (size_t k = 0; k < STEPS_MAX; k++) {
			rows->shown[i] |= o->steps[k].delta[s] != 0;
			rows->level[s] -= o->steps[k].delta[s];
		}
	}
}

static void fill(const struct over_time *o, const struct fw_analysis_context *ctx,
		 struct rows *rows)
{
	static const struct step nothing;

	row(rows, 0, &nothing);
	if (o->first * o->width_ns > ctx->start_ns)
		row(rows, o->first * o->width_ns - ctx->start_ns, &nothing);
	/* Times may come from a recording: near the end of 64 bits the product starts again at 0. */
	for (size_t i = 0; i < STEPS_MAX && (o->first + i) * o->width_ns < ctx->now_ns; i++) {
		uint64_t end = (o->first + i + 1) * o->width_ns;

		for (unsigned int s = 0; s < FW_STATE_MAX; s++)
			rows->level[s] += o->steps[i].delta[s];
		end = end < ctx->now_ns ? end : ctx->now_ns;
		row(rows, end > ctx->start_ns ? end - ctx->start_ns : 0, &o->steps[i]);
	}
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "over_time", "States over time");
	uint64_t forgotten = ctx->counters.evicted + ctx->counters.no_memory;
	struct rows rows = { .r = r };
	struct over_time *o = self;

	s->detail = true;
	step_at(o, ctx->now_ns);
	find_levels(o, ctx, &rows);
	make_table(&rows, s);
	fill(o, ctx, &rows);
	fw_section_fact(r, s, "step", "Length of a step", fw_cell_duration(o->width_ns));
	if (forgotten)
		fw_section_note(r, s, "%s forgotten for lack of room: missing before that.",
				fw_words_plural(forgotten, "connection").text);
}

const struct fw_analysis fw_analysis_over_time = {
	.name = "over_time",
	.size = sizeof(struct over_time),
	.init = init,
	.on = { .transition = on_transition, .lost = on_lost },
	.report = report,
};
