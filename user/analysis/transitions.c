// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transitions: how often each edge of the state diagram was taken, and, of those that end a
 * connection, how it ended.
 *
 *	FROM         TO          COUNT  END
 *	FIN_WAIT_1   TIME_WAIT   1,204
 *	FIN_WAIT_2   CLOSE       3      fin_wait_2_timeout
 *
 * The edges are RFC 9293's: a FIN_WAIT_2 that the segment which entered it also left was not visited.
 * Listeners come and go too: CLOSE to LISTEN and back.
 */
#include "analysis/words.h"

struct transitions {
	uint64_t count[FW_STATE_MAX][FW_STATE_MAX];
	uint64_t ends[FW_STATE_MAX][FW_END_MAX];
};

static bool is_passing(const struct fw_conn *c, const struct fw_transition *tr)
{
	return tr->from == FW_FIN_WAIT_2 &&
	       (tr->flags & FW_TR_SAME_SEGMENT || c->flags & FW_CONN_TRANSIT);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct transitions *t = self;
	unsigned int from = tr->from;

	if (from >= FW_STATE_MAX || tr->to >= FW_STATE_MAX)
		return;
	if (c->flags & FW_CONN_LISTENER) {
		t->count[from][tr->to] += from != tr->to;
		return;
	}
	if (from == tr->to && !(tr->flags & FW_TR_RESTART))
		return;
	if (is_passing(c, tr)) {
		from = FW_FIN_WAIT_1;
		if (t->count[FW_FIN_WAIT_1][FW_FIN_WAIT_2])
			t->count[FW_FIN_WAIT_1][FW_FIN_WAIT_2]--;
	}
	if (tr->flags & FW_TR_END)
		t->ends[from][c->end < FW_END_MAX ? c->end : FW_END_UNKNOWN]++;
	else
		t->count[from][tr->to]++;
}

static void row(struct fw_report *r, struct fw_table *t, unsigned int from, unsigned int to,
		uint64_t count, const char *end)
{
	char one[FW_STATE_NAME_LEN], two[FW_STATE_NAME_LEN];

	if (!count)
		return;
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_text(fw_state_name(from, one), SIZE_MAX),
		fw_cell_text(fw_state_name(to, two), SIZE_MAX),
		fw_cell_count(count), fw_cell_text(end, SIZE_MAX) });
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	static const char *const columns[] = { "from", "from", "to", "to", "count", "count",
					       "end", "end", NULL };
	struct fw_section *s = fw_report_section(r, "transitions", "Transitions");
	struct fw_table *table = fw_section_table(r, s, "edges", "Since the start", columns);
	struct transitions *t = self;

	(void)ctx;
	s->detail = true;
	for (unsigned int from = 1; from < FW_STATE_MAX; from++) {
		for (unsigned int to = 1; to < FW_STATE_MAX; to++)
			row(r, table, from, to, t->count[from][to], NULL);
		for (unsigned int end = 0; end < FW_END_MAX; end++)
			row(r, table, from, FW_CLOSE, t->ends[from][end], fw_end_name(end));
	}
}

const struct fw_analysis fw_analysis_transitions = {
	.name = "transitions",
	.size = sizeof(struct transitions),
	.on = { .transition = on_transition },
	.report = report,
};
