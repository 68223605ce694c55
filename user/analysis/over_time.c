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
static const uint8_t order[] = { FW_SYN_SENT, FW_SYN_RECV, FW_ESTABLISHED, FW_FIN_WAIT_1,
				 FW_FIN_WAIT_2, FW_CLOSING, FW_TIME_WAIT, FW_CLOSE_WAIT,
				 FW_LAST_ACK };
#define NR_STATES FW_ARRAY_SIZE(order)

static struct fw_table *table_of(struct fw_report *r, struct fw_section *s)
{
	static char scratch[FW_STATE_NAME_LEN];
	const char *columns[2 * (NR_STATES + 3) + 1] = { "at", "at" };
	size_t n = 2;

	for (size_t i = 0; i < NR_STATES; i++) {
		columns[n++] = fw_state_name(order[i], scratch);
		columns[n++] = fw_state_name(order[i], scratch);
	}
	columns[n++] = "transitions";
	columns[n++] = "transitions";
	columns[n++] = "lost";
	columns[n] = "events lost";
	return fw_section_table(r, s, "steps", "At the end of each step", columns);
}

static void row(struct fw_report *r, struct fw_table *t, uint64_t at_ns, const int64_t *level,
		const struct step *step)
{
	struct fw_cell cells[NR_STATES + 3];
	size_t n = 0;

	cells[n++] = fw_cell_duration(at_ns);
	for (size_t i = 0; i < NR_STATES; i++) {
		int64_t count = level[order[i]];

		cells[n++] = fw_cell_count(count > 0 ? (uint64_t)count : 0);
	}
	cells[n++] = fw_cell_count(step->events);
	cells[n] = fw_cell_count(step->lost);
	fw_table_row(r, t, cells);
}

/* What was before the first step. */
static void rewind_to_start(const struct over_time *o, int64_t *level)
{
	for (size_t i = 0; i < STEPS_MAX; i++) {
		for (unsigned int s = 0; s < FW_STATE_MAX; s++)
			level[s] -= o->steps[i].delta[s];
	}
}

static void rows(struct over_time *o, const struct fw_analysis_context *ctx, struct fw_report *r,
		 struct fw_table *t)
{
	static const struct step nothing;
	int64_t level[FW_STATE_MAX] = { 0 };
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c))) {
		if (!(c->flags & FW_CONN_LISTENER) && fw_conn_state(c) < FW_STATE_MAX)
			level[fw_conn_state(c)]++;
	}
	step_at(o, ctx->now_ns);
	rewind_to_start(o, level);
	row(r, t, 0, level, &nothing);
	for (size_t i = 0; (o->first + i) * o->width_ns < ctx->now_ns; i++) {
		uint64_t end = (o->first + i + 1) * o->width_ns;

		for (unsigned int s = 0; s < FW_STATE_MAX; s++)
			level[s] += o->steps[i].delta[s];
		end = end < ctx->now_ns ? end : ctx->now_ns;
		row(r, t, end > ctx->start_ns ? end - ctx->start_ns : 0, level, &o->steps[i]);
	}
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "over_time", "States over time");
	struct over_time *o = self;
	uint64_t forgotten = ctx->tracker->counters.evicted + ctx->tracker->counters.no_memory;

	s->detail = true;
	step_at(o, ctx->start_ns);
	rows(o, ctx, r, table_of(r, s));
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
