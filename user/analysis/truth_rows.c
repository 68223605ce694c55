// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's counters beside finwait's, with the reason for each difference. A reason is given only if it
 * can make a difference of that sign and size.
 */
#include "analysis/truth_rows.h"

#include <stdio.h>
#include <string.h>

struct fw_cell fw_truth_count(int64_t n)
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
	const struct fw_truth_own *own;
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
		fw_cell_text(name, SIZE_MAX), fw_truth_count(kernel), fw_truth_count(own),
		comparable ? fw_cell_printf("%+lld", (long long)difference) : fw_cell_unknown(),
		why(k, difference, edge, special) });
}

static void kernel_row(const struct comparison *k, const char *name, int64_t kernel)
{
	counter_row(k, name, kernel, FW_TRUTH_UNKNOWN, 0, (struct reason){ 0 });
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
static int64_t minisocks_now(const struct fw_analysis_context *ctx, const struct fw_truth_own *own,
			     uint32_t netns)
{
	int64_t n = own->later.ended - own->later.minisocks;
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && c->flags & FW_CONN_MINI;
	return n;
}

int64_t fw_truth_minisocks(const struct fw_kernel_counters *k)
{
	return k->tw < 0 || k->tw_killed < 0 ? FW_TRUTH_UNKNOWN : k->tw + k->tw_killed;
}

void fw_truth_rows(const struct fw_analysis_context *ctx, const struct fw_truth *truth,
		   const struct fw_truth_own *own, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"counter", "Counter", "kernel", "Kernel", "finwait", "finwait", "difference",
		"Difference", "why", "Why they differ", NULL,
	};
	const struct fw_kernel_counters *k = &truth->counters;
	const struct fw_truth_counts *mine = &own->upto, *edge = &own->edge;
	const struct reason none = { 0 };
	struct comparison row = {
		ctx, own, r, fw_section_table(r, s, "counters", "The kernel's own counters", columns), {},
	};

	set_reasons(&row);

	counter_row(&row, "ActiveOpens", k->active_opens, mine->active_opens, edge->active_opens,
		    (struct reason){ "SYNs not sent yet (Fast Open)", 0,
				     open_in(ctx, truth->netns, FW_SYN_SENT) });
	counter_row(&row, "PassiveOpens", k->passive_opens, mine->passive_opens,
		    edge->passive_opens, none);
	counter_row(&row, "AttemptFails", k->attempt_fails, mine->attempt_fails,
		    edge->attempt_fails, attempts_unlike(ctx, k));
	counter_row(&row, "EstabResets", k->estab_resets, mine->estab_resets, edge->estab_resets,
		    none);
	counter_row(&row, "TW + TWKilled", fw_truth_minisocks(k), mine->minisocks, edge->minisocks, none);
	counter_row(&row, "TWRecycled", k->tw_recycled, mine->reused, edge->reused, none);
	counter_row(&row, "TCPTimeWaitOverflow", k->time_wait_overflow, mine->overflow,
		    edge->overflow, none);
	counter_row(&row, "minisocks now (sockstat tw)", k->tw_now,
		    minisocks_now(ctx, own, truth->netns), edge->minisocks + edge->ended, none);
	kernel_row(&row, "orphans now, host (sockstat)", k->orphans_now);
	kernel_row(&row, "ListenOverflows", k->listen_overflows);
	kernel_row(&row, "ListenDrops", k->listen_drops);
	kernel_row(&row, "SyncookiesSent", k->syncookies_sent);
	kernel_row(&row, "TCPReqQFullDrop", k->req_q_full_drop);
	kernel_row(&row, "TCPAbortOnData", k->abort_on_data);
	kernel_row(&row, "TCPAbortOnTimeout", k->abort_on_timeout);
	kernel_row(&row, "TCPAbortOnMemory", k->abort_on_memory);
	note_unexplained(&row, s);
}
