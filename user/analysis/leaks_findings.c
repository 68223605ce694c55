// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOSE_WAIT leaks in a report: one table of all groups, one finding for each verdict that has enough.
 */
#include <stdlib.h>

#include "analysis/leaks_internal.h"
#include "analysis/words.h"

#define URGENT_NS FW_NS(3600)

static const char *const columns[] = {
	"process", "process", "peer", "peer", "listen_port", "listen port", "verdict", "verdict",
	"count", "count", "oldest", "oldest", "growth", "growth", "unread", "unread",
	"limit_reached_in", "full in", NULL,
};

static int most_first(const void *a, const void *b)
{
	const struct leak_group *x = a, *y = b;

	if (x->nr_old != y->nr_old)
		return x->nr_old < y->nr_old ? 1 : -1;
	return (x->oldest_ns < y->oldest_ns) - (x->oldest_ns > y->oldest_ns);
}

static struct fw_cell process_cell(const struct leak_group *g)
{
	return fw_cell_process(g->comm, g->pid);
}

static struct fw_cell oldest_cell(const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_duration(g->oldest_ns);

	return g->at_least ? fw_cell_at_least(cell) : cell;
}

static struct fw_cell growth_cell(const struct leak_group *g)
{
	return g->growth_known ? fw_cell_rate(g->growth_per_s) : fw_cell_unknown();
}

static struct fw_cell limit_cell(const struct leak_group *g)
{
	return g->limit_ns ? fw_cell_duration(g->limit_ns) : fw_cell_unknown();
}

static bool has_fds(const struct leak_group *g)
{
	return g->verdict != NEVER_ACCEPTED && g->first->nr_pids;
}

static struct fw_cell fds_cell(const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_unknown();
	struct fw_buf b = { 0 };

	if (has_fds(g)) {
		leak_say_fds(&b, g);
		cell = leak_text_cell(&b);
	}
	fw_buf_free(&b);
	return cell;
}

static struct fw_cell holders_cell(const struct fw_leaks *l, const struct leak_group *g)
{
	struct fw_cell cell = fw_cell_unknown();
	struct fw_buf b = { 0 };

	if (g->verdict == SHARED) {
		leak_say_holders(&b, l, g->first);
		cell = leak_text_cell(&b);
	}
	fw_buf_free(&b);
	return cell;
}

static struct fw_cell fds_used_cell(const struct leak_group *g)
{
	return g->process ? fw_cell_count(g->process->rec.fds) : fw_cell_unknown();
}

static struct fw_cell fds_limit_cell(const struct leak_group *g)
{
	if (!g->process || g->process->rec.nofile == LEAK_UNLIMITED)
		return fw_cell_unknown();
	return fw_cell_count(g->process->rec.nofile);
}

/* The columns that only programs want, and those that say whose it is. */
enum { FDS, FDS_USED, FDS_LIMIT, HOLDERS, POOL, NETNS, CGROUP, NR_MORE };

static void append(struct fw_report *r, struct fw_table *t, const struct fw_analysis_context *ctx,
		   bool cgroups_differ, size_t at[NR_MORE])
{
	at[FDS] = fw_table_append(r, t, "fds", "descriptors", true);
	at[FDS_USED] = fw_table_append(r, t, "fds_used", "descriptors in use", true);
	at[FDS_LIMIT] = fw_table_append(r, t, "fds_limit", "descriptors allowed", true);
	at[HOLDERS] = fw_table_append(r, t, "holders", "held by", true);
	at[POOL] = fw_table_append(r, t, "pool", "idle pool", true);
	at[NETNS] = fw_table_append(r, t, "netns", "netns", !ctx->many_netns);
	at[CGROUP] = fw_table_append(r, t, "cgroup", "cgroup", !cgroups_differ);
}

static void row(const struct fw_leaks *l, const struct fw_analysis_context *ctx,
		const struct leak_group *g, const size_t at[NR_MORE], struct fw_report *r,
		struct fw_table *t)
{
	const struct leak_sock *s = g->first;
	const struct fw_cell cells[] = {
		process_cell(g),
		fw_cell_endpoint(s->family, s->raddr, g->passive ? 0 : s->rport),
		g->passive ? fw_cell_id(s->lport) : fw_cell_unknown(),
		fw_cell_text(leak_verdicts[g->verdict].words, SIZE_MAX),
		fw_cell_count(g->nr_old), oldest_cell(g), growth_cell(g), fw_cell_bytes(g->unread),
		limit_cell(g),
	};

	fw_table_row(r, t, cells);
	fw_table_set(r, t, at[FDS], fds_cell(g));
	fw_table_set(r, t, at[FDS_USED], fds_used_cell(g));
	fw_table_set(r, t, at[FDS_LIMIT], fds_limit_cell(g));
	fw_table_set(r, t, at[HOLDERS], holders_cell(l, g));
	fw_table_set(r, t, at[POOL], fw_cell_bool(g->is_pool));
	fw_table_set(r, t, at[NETNS], fw_cell_netns(ctx, s->netns));
	fw_table_set(r, t, at[CGROUP], fw_cell_cgroup(ctx, leak_cgroup_of(g)));
}

/* Those of @verdict that are leaks; LEAK_VERDICT_MAX: all of any kind. */
static bool is_listed(const struct leak_group *g, enum leak_verdict verdict)
{
	return verdict == LEAK_VERDICT_MAX || (g->verdict == verdict && !g->is_pool);
}

static void table(const struct fw_leaks *l, const struct fw_analysis_context *ctx,
		  const struct leak_groups *groups, enum leak_verdict verdict, struct fw_report *r,
		  struct fw_table *t)
{
	bool cgroups_differ = false;
	size_t at[NR_MORE];

	for (size_t i = 1; i < groups->nr; i++)
		cgroups_differ |= leak_cgroup_of(&groups->group[i]) != leak_cgroup_of(groups->group);
	append(r, t, ctx, cgroups_differ, at);
	for (size_t i = 0; i < groups->nr; i++) {
		if (!is_listed(&groups->group[i], verdict))
			continue;
		if (t->nr_rows < ctx->opt.top)
			row(l, ctx, &groups->group[i], at, r, t);
		else
			t->nr_more++;
	}
}

static bool is_critical(const struct leak_group *g)
{
	return g->nr_old >= FW_LIMIT_LEAK_CRITICAL || g->is_full ||
	       (g->limit_ns && g->limit_ns < URGENT_NS) ||
	       (g->growth_known && g->growth_per_s * 60 >= FW_LIMIT_LEAK_PER_MIN);
}

static void evidence(const struct fw_leaks *l, const struct leak_group *worst, uint64_t count,
		     struct fw_report *r, struct fw_finding *f)
{
	const struct {
		const char *key, *label;
		struct fw_cell cell;
	} facts[] = {
		{ "verdict", "Verdict",
		  fw_cell_text(leak_verdicts[worst->verdict].name, SIZE_MAX) },
		{ "count", "In CLOSE_WAIT for long", fw_cell_count(count) },
		{ "oldest", "Oldest", oldest_cell(worst) },
		{ "growth", "Growth", growth_cell(worst) },
		{ "unread", "Unread", fw_cell_bytes(worst->unread) },
		{ "fds", "Descriptors", fds_cell(worst) },
		{ "holders", "Held by", holders_cell(l, worst) },
		{ "fds_used", "Descriptors in use", fds_used_cell(worst) },
		{ "fds_limit", "Descriptors allowed", fds_limit_cell(worst) },
		{ "limit_reached_in", "Limit reached in", limit_cell(worst) },
	};

	for (size_t i = 0; i < FW_ARRAY_SIZE(facts); i++) {
		if (facts[i].cell.kind != FW_CELL_UNKNOWN)
			fw_finding_evidence(r, f, facts[i].key, facts[i].label, facts[i].cell);
	}
}

static void find(const struct fw_leaks *l, const struct fw_analysis_context *ctx,
		 const struct leak_groups *groups, enum leak_verdict verdict, struct fw_report *r)
{
	enum fw_severity severity = FW_SEVERITY_WARNING;
	const struct leak_group *worst = NULL;
	struct fw_buf peer = { 0 };
	struct fw_finding *f;
	uint64_t count = 0;

	for (size_t i = 0; i < groups->nr; i++) {
		const struct leak_group *g = &groups->group[i];

		if (!is_listed(g, verdict))
			continue;
		worst = worst ? worst : g;
		count += g->nr_old;
		if (is_critical(g))
			severity = FW_SEVERITY_CRITICAL;
	}
	if (!worst || worst->nr_old < FW_LIMIT_LEAK)
		return;
	f = fw_finding_begin(r, "close-wait-leak", severity, FW_RANK_LEAK, count);
	leak_say_peer(&peer, worst);
	fw_finding_say(r, &f->title, "%s: %s in CLOSE_WAIT from %s, %s, the oldest for %s%s",
		       fw_words_process(worst->comm, worst->pid).text,
		       fw_words_plural(worst->nr_old, "connection").text, fw_buf_str(&peer),
		       leak_verdicts[verdict].words, worst->at_least ? ">= " : "",
		       fw_words_duration(worst->oldest_ns).text);
	fw_buf_free(&peer);
	fw_finding_say(r, &f->meaning, "%s", leak_verdicts[verdict].meaning);
	fw_finding_say(r, &f->advice, "%s", leak_verdicts[verdict].advice);
	evidence(l, worst, count, r, f);
	table(l, ctx, groups, verdict, r, fw_finding_offenders(r, f, columns));
	if (worst->at_least)
		fw_finding_say(r, &f->confidence,
			       "Some are older than finwait: of their age only a lower bound is known.");
}

void fw_leaks_find(struct fw_leaks *l, const struct fw_analysis_context *ctx, struct fw_report *r,
		   struct fw_section *s)
{
	struct leak_groups groups;
	size_t pools = 0;

	l->opt.tracker = ctx->tracker;
	leak_groups_find(l, &groups);
	if (groups.nr) {
		qsort(groups.group, groups.nr, sizeof(*groups.group), most_first);
		table(l, ctx, &groups, LEAK_VERDICT_MAX, r,
		      fw_section_table(r, s, "by_process", "By process and peer", columns));
	}
	for (int v = 0; v < LEAK_VERDICT_MAX; v++)
		find(l, ctx, &groups, (enum leak_verdict)v, r);
	for (size_t i = 0; i < groups.nr; i++)
		pools += groups.group[i].is_pool;
	if (pools)
		fw_section_note(r, s, "%s %s like an idle connection pool: few, read to their end, not "
				      "becoming more, in a process that works.",
				fw_words_plural(pools, "group").text, pools == 1 ? "looks" : "look");
	r->failed |= l->failed;
	leak_groups_fini(&groups);
}
