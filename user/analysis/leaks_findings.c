// SPDX-License-Identifier: GPL-2.0-only
/*
 * A finding for each group: the same in finwait leaks and in a report.
 */
#include <string.h>

#include "analysis/leaks_internal.h"
#include "analysis/words.h"
#include "core/workload.h"

static const char *id_of(const struct leak_group *g)
{
	return g->is_pool ? "idle-pool" : leak_verdicts[g->verdict].id;
}

static void say_inherited(struct fw_buf *b, const struct fw_leaks *l, const struct leak_group *g)
{
	struct fw_buf holders = { 0 };
	size_t nr = leak_say_holders(&holders, l, g);

	fw_buf_printf(b, "%s in CLOSE_WAIT ", fw_words_plural(g->nr, "connection").text);
	fw_buf_puts(b, g->passive ? "from " : "to ");
	leak_say_peer(b, g);
	fw_buf_printf(b, " %s inherited by %s (%s)", g->nr == 1 ? "is" : "are",
		      nr == 1 ? "1 process" : fw_words_plural(nr, "processe").text,
		      fw_buf_str(&holders));
	fw_buf_free(&holders);
}

static void say_open(struct fw_buf *b, const struct leak_group *g, const char *peer)
{
	fw_buf_printf(b, ": %s to %s, none used any more",
		      fw_words_plural(g->nr, "established connection").text, peer);
	if (g->nr_unread)
		fw_buf_printf(b, ", with unread data on %s%s", g->nr_unread == g->nr ? "all of them" : "",
			      g->nr_unread == g->nr ? "" : fw_words_count(g->nr_unread).text);
}

static void say_what(struct fw_buf *b, const struct fw_leaks *l, const struct leak_group *g)
{
	struct fw_buf peer = { 0 };

	if (g->verdict == SHARED) {
		say_inherited(b, l, g);
		return;
	}
	leak_say_process(b, g);
	leak_say_peer(&peer, g);
	if (g->is_pool)
		fw_buf_printf(b, ": %s to %s that the server has closed: a pool that has not "
			      "looked at them yet", fw_words_plural(g->nr, "idle connection").text,
			      fw_buf_str(&peer));
	else if (g->verdict == NEVER_REUSED)
		say_open(b, g, fw_buf_str(&peer));
	else if (g->verdict == DEAD)
		fw_buf_printf(b, " holds %s of connections %s %s that are over",
			      fw_words_plural(g->nr, "descriptor").text,
			      g->passive ? "from" : "to", fw_buf_str(&peer));
	else
		fw_buf_printf(b, ": %s in CLOSE_WAIT from %s, %s",
			      fw_words_plural(g->nr, g->mptcp ? "MPTCP connection" : "connection").text,
			      fw_buf_str(&peer), leak_verdicts[g->verdict].words);
	fw_buf_free(&peer);
}

static void say_when(struct fw_buf *b, const struct leak_group *g)
{
	if (leak_is_close_wait(g->verdict) && !g->is_pool)
		fw_buf_printf(b, ", the oldest for %s%s", g->at_least ? ">= " : "",
			      fw_words_duration(g->oldest_ns).text);
	if (g->grows)
		fw_buf_printf(b, ", %.3g more each second", g->growth_per_s);
	if (g->is_full)
		fw_buf_printf(b, "; LIMIT REACHED: %u of %llu descriptors", g->process->rec.fds,
			      (unsigned long long)g->process->rec.nofile);
	else if (g->limit_ns)
		fw_buf_printf(b, "; no descriptor left in %s", fw_words_duration(g->limit_ns).text);
}

static void say_title(const struct fw_leaks *l, const struct leak_group *g, struct fw_report *r,
		      struct fw_finding *f)
{
	struct fw_buf b = { 0 };

	say_what(&b, l, g);
	say_when(&b, g);
	fw_finding_say(r, &f->title, "%s", fw_buf_str(&b));
	fw_buf_free(&b);
}

static void say_words(const struct leak_group *g, struct fw_report *r, struct fw_finding *f)
{
	const struct leak_words *words = &leak_verdicts[g->verdict];

	if (g->relayed) {
		fw_finding_say(r, &f->meaning,
			       "The clients have closed, and this process has passed that on: as "
			       "many of its connections to port %u wait for the upstream to close.",
			       g->relayed->key.port);
		fw_finding_say(r, &f->advice, "Look at the server on port %u: it does not close "
			       "after its client has.", g->relayed->key.port);
		return;
	}
	if (!g->is_pool && words->meaning)
		fw_finding_say(r, &f->meaning, "%s", leak_meaning(g));
	if (!g->is_pool && words->advice)
		fw_finding_say(r, &f->advice, "%s", words->advice);
}

static void say(struct fw_report *r, struct fw_finding *f, const char *key, const char *label,
		struct fw_cell cell)
{
	if (cell.kind != FW_CELL_UNKNOWN)
		fw_finding_evidence(r, f, key, label, cell);
}

static void say_owner(const struct fw_leaks *l, const struct leak_group *g, struct fw_report *r,
		      struct fw_finding *f)
{
	const char *path = NULL, *name = NULL;
	struct fw_workload w;

	if (l->opt.cgroup_path)
		path = l->opt.cgroup_path(l->opt.arg, leak_cgroup_of(g));
	if (g->pid) {
		fw_finding_evidence(r, f, "pid", "process id", fw_cell_id(g->pid));
		fw_finding_evidence(r, f, "comm", "process", fw_cell_text(g->comm, FW_COMM_LEN));
	}
	if (path)
		fw_finding_evidence(r, f, "cgroup", "control group", fw_cell_text(path, SIZE_MAX));
	fw_workload_of(path, &w);
	if (w.unit[0])
		fw_finding_evidence(r, f, "unit", "unit", fw_cell_text(w.unit, SIZE_MAX));
	if (w.container[0])
		fw_finding_evidence(r, f, "container", "container", fw_cell_text(w.container, SIZE_MAX));
	if (l->opt.netns_name)
		name = l->opt.netns_name(l->opt.arg, g->first->netns);
	fw_finding_evidence(r, f, "netns", "network namespace",
			    fw_cell_named(g->first->netns, name));
}

static void say_sockets(const struct fw_leaks *l, const struct leak_group *g, struct fw_report *r,
			struct fw_finding *f)
{
	struct fw_buf peer = { 0 };

	leak_say_peer(&peer, g);
	say(r, f, "verdict", "verdict", fw_cell_text(leak_verdicts[g->verdict].name, SIZE_MAX));
	say(r, f, "count", "sockets", fw_cell_count(g->nr));
	if (g->mptcp)
		say(r, f, "mptcp", "MPTCP", fw_cell_bool(true));
	if (leak_is_close_wait(g->verdict)) {
		say(r, f, "old", "older than the leak age", fw_cell_count(g->nr_old));
		say(r, f, "oldest", "oldest", leak_cell_oldest(g));
	}
	if (g->verdict != DEAD)
		say(r, f, "unread", "unread", fw_cell_bytes(g->unread));
	if (g->verdict == NEVER_REUSED) {
		say(r, f, "with_unread", "with unread data", fw_cell_count(g->nr_unread));
		say(r, f, "idle", "not used since half the time watched", fw_cell_count(g->nr_idle));
	}
	say(r, f, "growth", "growth", leak_cell_growth(g));
	say(r, f, "peer", "peer", leak_text_cell(&peer));
	say(r, f, "pool", "idle pool", fw_cell_bool(g->is_pool));
	fw_buf_free(&peer);
	say(r, f, "fds", "descriptors", leak_cell_fds(g));
	say(r, f, "holders", "held by", leak_cell_holders(l, g));
	say(r, f, "fds_used", "descriptors in use", leak_cell_fds_used(g));
	say(r, f, "fds_limit", "descriptors allowed", leak_cell_fds_limit(g));
	if (g->fds_known)
		say(r, f, "fds_growth", "growth of descriptors", fw_cell_rate(g->fds_per_s));
	say(r, f, "limit_reached_in", "limit reached in", leak_cell_limit(g));
}

void leak_find(const struct fw_leaks *l, const struct leak_group *g,
	       const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct leak_table t = { .l = l, .ctx = ctx, .r = r };
	struct fw_finding *f = fw_finding_begin(r, id_of(g), g->severity, FW_RANK_LEAK, g->nr);

	f->story = g->story;
	f->part = g->part;
	if (g->is_full)
		f->fails_in_ns = 0;
	else if (g->limit_ns)
		f->fails_in_ns = g->limit_ns;
	say_title(l, g, r, f);
	say_words(g, r, f);
	say_sockets(l, g, r, f);
	say_owner(l, g, r, f);
	if (g->at_least && leak_is_close_wait(g->verdict))
		fw_finding_say(r, &f->confidence,
			       "Some are older than finwait: of their age only a lower bound is known.");
	if (!ctx)
		return;
	t.table = fw_finding_offenders(r, f, leak_columns);
	leak_table_begin(&t, false);
	leak_table_row(&t, g);
}
