// SPDX-License-Identifier: GPL-2.0-only
/*
 * States: how many are in each now, how many entered it, and how long they stayed.
 *
 *	STATE        NOW  ENTERED  P50      P90      P99      MAX      OLDEST NOW
 *	FIN_WAIT_2   3    1,204    40.1 ms  41.9 ms  958 ms   60.0 s   12.1 s
 *
 * Durations are of those who left the state while finwait watched and had entered it then too.
 */
#include "analysis/words.h"

struct states {
	uint64_t entered[FW_STATE_MAX];
	uint64_t at_least[FW_STATE_MAX]; /* left, but entered before the trace */
	struct fw_hist dwell[FW_STATE_MAX];
};

/* FIN_WAIT_2 that the segment which entered it also left (RFC 9293: it was not visited). */
static bool is_passing(const struct fw_conn *c, const struct fw_transition *tr)
{
	return tr->from == FW_FIN_WAIT_2 &&
	       (tr->flags & FW_TR_SAME_SEGMENT || c->flags & FW_CONN_TRANSIT);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct states *s = self;

	if (tr->from >= FW_STATE_MAX || tr->to >= FW_STATE_MAX || tr->from == tr->to)
		return;
	if (!(tr->flags & FW_TR_END))
		s->entered[tr->to]++;
	if (is_passing(c, tr))
		s->entered[FW_FIN_WAIT_2]--;
	else if (tr->flags & FW_TR_DWELL_AT_LEAST)
		s->at_least[tr->from]++;
	else if (!(tr->flags & FW_TR_DWELL_UNKNOWN))
		fw_hist_record(&s->dwell[tr->from], tr->dwell_ns);
}

struct now {
	uint64_t count[FW_STATE_MAX];
	const struct fw_conn *oldest[FW_STATE_MAX];
};

static void count_open(const struct fw_analysis_context *ctx, struct now *now)
{
	const struct fw_conn *c = NULL;

	*now = (struct now){ 0 };
	while ((c = fw_open_next(ctx, c))) {
		unsigned int state = fw_conn_state(c);
		const struct fw_conn *oldest;

		if (state >= FW_STATE_MAX)
			continue;
		oldest = now->oldest[state];
		now->count[state]++;
		if (!oldest || fw_open_age_ns(ctx, c) > fw_open_age_ns(ctx, oldest))
			now->oldest[state] = c;
	}
}

static struct fw_cell oldest_cell(const struct fw_analysis_context *ctx, const struct fw_conn *c)
{
	struct fw_cell cell;

	if (!c)
		return fw_cell_unknown();
	cell = fw_cell_duration(fw_open_age_ns(ctx, c));
	return c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST ? fw_cell_at_least(cell) : cell;
}

static void state_row(const struct states *s, const struct now *now, unsigned int state,
		      const struct fw_analysis_context *ctx, struct fw_report *r,
		      struct fw_table *t)
{
	char scratch[FW_STATE_NAME_LEN];
	const struct fw_hist *h = &s->dwell[state];
	const struct fw_cell cells[] = {
		fw_cell_text(fw_state_name(state, scratch), SIZE_MAX),
		fw_cell_count(now->count[state]),
		fw_cell_count(s->entered[state]),
		fw_cell_hist(h, 50), fw_cell_hist(h, 90), fw_cell_hist(h, 99), fw_cell_hist(h, 100),
		oldest_cell(ctx, now->oldest[state]),
	};

	fw_table_row(r, t, cells);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	static const char *const columns[] = {
		"state", "state", "now", "now", "entered", "entered", "p50", "p50", "p90", "p90",
		"p99", "p99", "max", "max", "oldest", "oldest now", NULL,
	};
	struct fw_section *section = fw_report_section(r, "states", "States");
	struct states *s = self;
	struct fw_table *t = NULL;
	uint64_t at_least = 0;
	struct now now;

	count_open(ctx, &now);
	for (const uint8_t *state = fw_states_in_order; *state; state++) {
		at_least += s->at_least[*state];
		if (!now.count[*state] && !s->entered[*state] && !s->dwell[*state].count)
			continue;
		if (!t)
			t = fw_section_table(r, section, "states", "Now, and since the start",
					     columns);
		state_row(s, &now, *state, ctx, r, t);
	}
	fw_section_fact(r, section, "percentile_error", "Percentiles are within",
			fw_cell_percent(100 * FW_HIST_ERROR));
	if (at_least)
		fw_section_note(r, section,
				"Not in the percentiles: %s that had begun before finwait.",
				fw_words_plural(at_least, "stay").text);
	if (!t)
		fw_section_note(r, section, "Nothing happened: no connection changed its state.");
}

const struct fw_analysis fw_analysis_states = {
	.name = "states",
	.size = sizeof(struct states),
	.on = { .transition = on_transition },
	.report = report,
};
