// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the looks say as a whole: for finwait leaks, and for the section of a report.
 */
#include "analysis/leaks_internal.h"
#include "analysis/words.h"

const char *const leak_columns[] = {
	"process", "process", "peer", "peer", "listen_port", "listen port", "verdict", "verdict",
	"count", "count", "oldest", "oldest", "growth", "growth", "unread", "unread",
	"limit_reached_in", "full in", NULL,
};

/* The columns that only programs want, and those that say whose it is. */
enum { FDS, FDS_USED, FDS_LIMIT, HOLDERS, POOL, NETNS, CGROUP };

void leak_table_begin(struct leak_table *t, bool cgroups_differ)
{
	t->at[FDS] = fw_table_append(t->r, t->table, "fds", "descriptors", true);
	t->at[FDS_USED] = fw_table_append(t->r, t->table, "fds_used", "descriptors in use", true);
	t->at[FDS_LIMIT] = fw_table_append(t->r, t->table, "fds_limit", "descriptors allowed", true);
	t->at[HOLDERS] = fw_table_append(t->r, t->table, "holders", "held by", true);
	t->at[POOL] = fw_table_append(t->r, t->table, "pool", "idle pool", true);
	t->at[NETNS] = fw_table_append(t->r, t->table, "netns", "netns", !t->ctx->many_netns);
	t->at[CGROUP] = fw_table_append(t->r, t->table, "cgroup", "cgroup", !cgroups_differ);
}

static struct fw_cell peer_cell(const struct leak_group *g)
{
	const struct leak_sock *s = g->first;

	if (g->nr_peers > 1 && g->passive)
		return fw_cell_text("several", SIZE_MAX);
	if (g->nr_peers > 1)
		return fw_cell_printf("several:%u", g->key.port);
	return fw_cell_endpoint(s->family, s->raddr, g->passive ? 0 : s->rport);
}

void leak_table_row(struct leak_table *t, const struct leak_group *g)
{
	const struct fw_cell cells[] = {
		fw_cell_process(g->comm, g->pid),
		peer_cell(g),
		g->passive ? fw_cell_id(g->key.port) : fw_cell_unknown(),
		fw_cell_text(leak_verdicts[g->verdict].words, SIZE_MAX),
		fw_cell_count(g->nr),
		leak_is_close_wait(g->verdict) ? leak_cell_oldest(g) : fw_cell_unknown(),
		leak_cell_growth(g), fw_cell_bytes(g->unread), leak_cell_limit(g),
	};

	fw_table_row(t->r, t->table, cells);
	fw_table_set(t->r, t->table, t->at[FDS], leak_cell_fds(g));
	fw_table_set(t->r, t->table, t->at[FDS_USED], leak_cell_fds_used(g));
	fw_table_set(t->r, t->table, t->at[FDS_LIMIT], leak_cell_fds_limit(g));
	fw_table_set(t->r, t->table, t->at[HOLDERS], leak_cell_holders(t->l, g));
	fw_table_set(t->r, t->table, t->at[POOL], fw_cell_bool(g->is_pool));
	fw_table_set(t->r, t->table, t->at[NETNS], fw_cell_netns(t->ctx, g->first->netns));
	fw_table_set(t->r, t->table, t->at[CGROUP], fw_cell_cgroup(t->ctx, leak_cgroup_of(g)));
}

/* ---- A report ---------------------------------------------------------------------------- */

static bool cgroups_differ(const struct leak_groups *groups)
{
	for (size_t i = 1; i < groups->nr; i++) {
		if (leak_cgroup_of(&groups->group[i]) != leak_cgroup_of(groups->group))
			return true;
	}
	return false;
}

/* Those in CLOSE_WAIT that are old, or all others that are findings. */
static bool is_listed(const struct leak_group *g, bool close_wait)
{
	if (leak_is_close_wait(g->verdict) != close_wait)
		return false;
	return g->is_finding || (close_wait && g->nr_old);
}

static void table(const struct fw_leaks *l, const struct fw_analysis_context *ctx, bool close_wait,
		  struct fw_report *r, struct fw_section *s)
{
	struct leak_table t = { .l = l, .ctx = ctx, .r = r };

	for (size_t i = 0; i < l->groups.nr; i++) {
		const struct leak_group *g = &l->groups.group[i];

		if (!is_listed(g, close_wait))
			continue;
		if (!t.table) {
			t.table = fw_section_table(r, s, close_wait ? "by_process" : "others",
						   close_wait ? "By process and peer" :
						   "Other connections that are held and not used",
						   leak_columns);
			leak_table_begin(&t, cgroups_differ(&l->groups));
		}
		if (t.table->nr_rows < ctx->opt.top)
			leak_table_row(&t, g);
		else
			t.table->nr_more++;
	}
}

void fw_leaks_prepare(struct fw_leaks *l, const struct fw_analysis_context *ctx)
{
	l->opt.tracker = ctx->tracker;
	l->opt.cgroup_path = ctx->cgroup_path;
	l->opt.netns_name = ctx->netns_name;
	l->opt.arg = ctx->names_arg;
	l->least = FW_LIMIT_LEAK;
	fw_leaks_forget(l);
	leak_groups_find(l, &l->groups);
	leak_stories(l, &l->groups, ctx->stories);
}

void fw_leaks_forget(struct fw_leaks *l)
{
	leak_groups_fini(&l->groups);
}

void fw_leaks_find(struct fw_leaks *l, const struct fw_analysis_context *ctx, struct fw_report *r,
		   struct fw_section *s)
{
	const struct leak_groups *groups = &l->groups;
	size_t nr = 0;

	table(l, ctx, true, r, s);
	table(l, ctx, false, r, s);
	for (size_t i = 0; i < groups->nr; i++) {
		if (!groups->group[i].is_finding)
			continue;
		if (nr++ < ctx->opt.top)
			leak_find(l, &groups->group[i], ctx, r);
	}
	if (nr > ctx->opt.top)
		fw_section_note(r, s, "%s more of such findings: see the table (--top).",
				fw_words_count(nr - ctx->opt.top).text);
	r->failed |= l->failed;
}

struct fw_leaks_totals fw_leaks_totals(const struct fw_leaks *l)
{
	struct fw_leaks_totals sum = { .growth_known = l->first.ts_ns };

	for (size_t i = 0; i < l->groups.nr; i++) {
		const struct leak_group *g = &l->groups.group[i];

		if (!leak_is_close_wait(g->verdict))
			continue;
		sum.nr += g->nr;
		sum.nr_old += g->nr_old;
		sum.growth_per_s += g->growth_per_s;
		if (g->oldest_ns > sum.oldest_ns) {
			sum.oldest_ns = g->oldest_ns;
			sum.oldest_at_least = g->at_least;
		}
	}
	return sum;
}

/* ---- finwait leaks ----------------------------------------------------------------------- */

static void say_totals(const struct fw_leaks *l, struct fw_report *r, size_t nr_groups,
		       size_t nr_leaks)
{
	struct fw_section *s = fw_report_section(r, "close_wait", "CLOSE_WAIT");

	fw_section_fact(r, s, "sockets", "sockets in CLOSE_WAIT",
			fw_cell_count(l->last.nr_in[FW_CLOSE_WAIT]));
	fw_section_fact(r, s, "dead", "descriptors of connections that are over",
			fw_cell_count(l->last.nr_in[FW_CLOSE]));
	fw_section_fact(r, s, "groups", "groups that are old or grow", fw_cell_count(nr_groups));
	fw_section_fact(r, s, "leaks", "of these leaks", fw_cell_count(nr_leaks));
	if (l->first.ts_ns)
		fw_section_fact(r, s, "watched", "watched for",
				fw_cell_duration(l->last.ts_ns - l->first.ts_ns));
	if (!nr_groups)
		fw_section_note(r, s, "Nothing was in CLOSE_WAIT for as long as the leak age, and no "
				"leak was seen to grow.");
	r->failed |= l->failed;
}

size_t fw_leaks_report(struct fw_leaks *l, struct fw_report *r)
{
	size_t nr_groups = 0, nr_leaks = 0;
	struct fw_stories stories;

	l->least = 1;
	fw_stories_init(&stories);
	fw_leaks_forget(l);
	leak_groups_find(l, &l->groups);
	leak_stories(l, &l->groups, &stories);
	for (size_t i = 0; i < l->groups.nr; i++) {
		const struct leak_group *g = &l->groups.group[i];

		if (!g->is_finding)
			continue;
		nr_groups++;
		nr_leaks += g->severity > FW_SEVERITY_INFO;
		leak_find(l, g, NULL, r);
	}
	say_totals(l, r, nr_groups, nr_leaks);
	fw_leaks_forget(l);
	fw_stories_fini(&stories);
	return nr_leaks;
}
