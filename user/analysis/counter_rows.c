// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's counters beside finwait's, with the reason for each difference. A reason is given only if it
 * can make a difference of that sign and size.
 */
#include "analysis/counter_rows.h"

#include <stdio.h>
#include <string.h>

struct fw_cell fw_counter_cell(int64_t n)
{
	return n < 0 ? fw_cell_unknown() : fw_cell_count((uint64_t)n);
}

/* A cause of differences, and how far it can take finwait's count below and above the kernel's. */
struct reason {
	const char *text; /* NULL: none */
	int64_t below, above;
};

#define ANY_NUMBER INT64_MAX
#define REASONS_MAX 3

/* A row of the kernel's counters beside our own. */
struct comparison {
	const struct fw_analysis_context *ctx;
	const struct fw_own_netns *own;
	struct fw_report *r;
	struct fw_table *t;
	struct reason reasons[REASONS_MAX]; /* of all rows */
};

#define UNEXPLAINED "not explained"
#define WHY_LEN 160

static int64_t reach(const struct reason *reason, bool above)
{
	return reason->text ? above ? reason->above : reason->below : 0;
}

/* The first reason that explains @difference alone; else so many of them as do together. */
static void explain(const struct reason *reasons, size_t nr, int64_t difference, char why[WHY_LEN])
{
	bool above = difference > 0;
	int64_t left = above ? difference : -difference;
	size_t len = 0;

	for (size_t i = 0; i < nr; i++) {
		if (reach(&reasons[i], above) >= left) {
			snprintf(why, WHY_LEN, "%s", reasons[i].text);
			return;
		}
	}
	for (size_t i = 0; i < nr && left > 0 && len < WHY_LEN; i++) {
		int64_t part = reach(&reasons[i], above);

		if (!part)
			continue;
		len += (size_t)snprintf(why + len, WHY_LEN - len, "%s%s", len ? " and " : "",
					reasons[i].text);
		left -= part;
	}
	if (left > 0)
		snprintf(why, WHY_LEN, "%s", UNEXPLAINED);
}

static struct fw_cell why(const struct comparison *k, int64_t difference, int64_t edge,
			  struct reason special)
{
	struct reason all[REASONS_MAX + 2] = { special, { "happened during a reading", edge, edge } };
	char text[WHY_LEN];

	if (!difference)
		return fw_cell_unknown();
	memcpy(all + 2, k->reasons, sizeof(k->reasons));
	explain(all, REASONS_MAX + 2, difference, text);
	return fw_cell_printf("%s", text);
}

/* @edge: of @own, during the readings. @special: what holds for this counter only. */
static void counter_row(const struct comparison *k, const char *name, int64_t kernel, int64_t own,
			int64_t edge, struct reason special)
{
	bool comparable = kernel >= 0 && own >= 0;
	int64_t difference = comparable ? own - kernel : 0;

	if (kernel < 0)
		return;
	fw_table_row(k->r, k->t, (struct fw_cell[]){
		fw_cell_text(name, SIZE_MAX), fw_counter_cell(kernel), fw_counter_cell(own),
		comparable ? fw_cell_printf("%+lld", (long long)difference) : fw_cell_unknown(),
		why(k, difference, edge, special) });
}

/* Those that finwait has no count of its own beside. */
static void kernel_rows(const struct comparison *k, const struct fw_netns_values *values)
{
	for (size_t i = 0; i < fw_nr_values; i++) {
		const struct fw_value *which = &fw_values[i];

		if (which->kind != FW_VALUE_SETTING && which->label)
			counter_row(k, which->label, fw_value_get(values, which), FW_VALUE_UNKNOWN, 0,
				    (struct reason){ 0 });
	}
}

/* What is missing here and counted there, or the other way round, whatever the counter. */
static void set_reasons(struct comparison *k)
{
	const struct fw_tracker_counters *c = &k->ctx->tracker->counters;
	struct reason *r = k->reasons;

	if (k->ctx->filtered_within_netns)
		*r++ = (struct reason){ "the filter", ANY_NUMBER, 0 };
	*r++ = (struct reason){ "events were lost", (int64_t)c->lost, 0 };
	*r++ = (struct reason){ "connections were forgotten", (int64_t)(c->evicted + c->no_memory), 0 };
}

static void note_unexplained(const struct comparison *k, struct fw_section *s)
{
	size_t why_column = k->t->nr_columns - 1;

	for (size_t i = 0; i < k->t->nr_rows; i++) {
		const struct fw_cell *cell = &k->t->cells[i * k->t->nr_columns + why_column];

		if (cell->kind != FW_CELL_TEXT || strcmp(cell->text, UNEXPLAINED))
			continue;
		fw_section_note(k->r, s,
				"A difference that is not explained may be events that no hook "
				"reported: finwait doctor --self-test checks the hooks.");
		return;
	}
}

static int64_t open_in(const struct fw_analysis_context *ctx, uint32_t netns, unsigned int state)
{
	const struct fw_conn *c = NULL;
	int64_t n = 0;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && fw_conn_is_in(c, state);
	return n;
}

/*
 * A request socket that was only counted may have been reset. With tcp_abort_on_overflow finwait takes a
 * full accept queue for such a reset; the kernel counts ListenOverflows then.
 */
static struct reason attempts_unlike(const struct fw_analysis_context *ctx,
				     const struct fw_kernel_counters *k)
{
	return (struct reason){ "half-open connections", (int64_t)ctx->suppressed,
				k->listen_overflows > 0 ? k->listen_overflows : 0 };
}

/* At the moment of the reading. */
static int64_t minisocks_now(const struct fw_analysis_context *ctx, const struct fw_own_netns *own,
			     uint32_t netns)
{
	int64_t n = own->later.ended - own->later.minisocks;
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && c->flags & FW_CONN_MINI;
	return n;
}

int64_t fw_counter_minisocks(const struct fw_kernel_counters *k)
{
	return k->tw < 0 || k->tw_killed < 0 ? FW_VALUE_UNKNOWN : k->tw + k->tw_killed;
}

void fw_counter_rows(const struct fw_analysis_context *ctx, const struct fw_netns_values *values,
		   const struct fw_own_netns *own, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"counter", "Counter", "kernel", "Kernel", "finwait", "finwait", "difference",
		"Difference", "why", "Why they differ", NULL,
	};
	const struct fw_kernel_counters *k = &values->counters;
	const struct fw_own_counts *mine = &own->upto, *edge = &own->edge;
	const struct reason none = { 0 };
	struct comparison row = {
		ctx, own, r, fw_section_table(r, s, "counters", "The kernel's own counters", columns), {},
	};

	set_reasons(&row);

	counter_row(&row, "ActiveOpens", k->active_opens, mine->active_opens, edge->active_opens,
		    (struct reason){ "SYNs not sent yet (Fast Open)", 0,
				     open_in(ctx, values->netns, FW_SYN_SENT) });
	counter_row(&row, "PassiveOpens", k->passive_opens, mine->passive_opens,
		    edge->passive_opens, none);
	counter_row(&row, "AttemptFails", k->attempt_fails, mine->attempt_fails,
		    edge->attempt_fails, attempts_unlike(ctx, k));
	counter_row(&row, "EstabResets", k->estab_resets, mine->estab_resets, edge->estab_resets,
		    none);
	counter_row(&row, "TW + TWKilled", fw_counter_minisocks(k), mine->minisocks, edge->minisocks, none);
	counter_row(&row, "TWRecycled", k->tw_recycled, mine->reused, edge->reused, none);
	counter_row(&row, "TCPTimeWaitOverflow", k->time_wait_overflow, mine->overflow,
		    edge->overflow, none);
	counter_row(&row, "minisocks now (sockstat tw)", k->tw_now,
		    minisocks_now(ctx, own, values->netns), edge->minisocks + edge->ended, none);
	kernel_rows(&row, values);
	note_unexplained(&row, s);
}
