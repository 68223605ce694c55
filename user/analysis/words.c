// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/words.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/workload.h"
#include "report/explain.h"
#include "report/stream.h"
#include "util/fmt.h"

static struct fw_words words_of(struct fw_buf *b)
{
	struct fw_words w;

	snprintf(w.text, sizeof(w.text), "%s", fw_buf_str(b));
	fw_buf_free(b);
	return w;
}

struct fw_words fw_words_process(const char comm[FW_COMM_LEN], uint32_t pid)
{
	int len = (int)strnlen(comm, FW_COMM_LEN);
	struct fw_words w;

	if (len && pid)
		snprintf(w.text, sizeof(w.text), "%.*s/%u", len, comm, pid);
	else if (len)
		snprintf(w.text, sizeof(w.text), "%.*s", len, comm);
	else if (pid)
		snprintf(w.text, sizeof(w.text), "pid %u", pid);
	else
		snprintf(w.text, sizeof(w.text), "unknown process");
	return w;
}

struct fw_words fw_words_endpoint(unsigned int family, const uint8_t addr[16], uint16_t port)
{
	bool brackets = family == AF_INET6 && port;
	struct fw_buf b = { 0 };

	if (fw_addr_is_zero(addr)) {
		fw_buf_puts(&b, "any");
	} else {
		fw_buf_puts(&b, brackets ? "[" : "");
		fw_fmt_addr(&b, family, addr);
		fw_buf_puts(&b, brackets ? "]" : "");
	}
	if (port)
		fw_buf_printf(&b, ":%u", port);
	return words_of(&b);
}

struct fw_words fw_words_duration(uint64_t ns)
{
	struct fw_buf b = { 0 };

	fw_fmt_duration(&b, ns);
	return words_of(&b);
}

struct fw_words fw_words_count(uint64_t n)
{
	struct fw_buf b = { 0 };

	fw_fmt_count(&b, n);
	return words_of(&b);
}

struct fw_words fw_words_netns(const struct fw_analysis_context *ctx, uint32_t inum)
{
	const char *name = ctx->netns_name ? ctx->netns_name(ctx->names_arg, inum) : NULL;
	struct fw_words w;

	if (name)
		snprintf(w.text, sizeof(w.text), "%s", name);
	else
		snprintf(w.text, sizeof(w.text), "%u", inum);
	return w;
}

struct fw_words fw_words_plural(uint64_t n, const char *noun)
{
	struct fw_buf b = { 0 };

	fw_fmt_count(&b, n);
	fw_buf_printf(&b, " %s%s", noun, n == 1 ? "" : "s");
	return words_of(&b);
}

struct fw_words fw_words_owner(const struct fw_analysis_context *ctx,
			       const struct fw_group_key *key)
{
	const struct fw_conn *listener = NULL;
	struct fw_words w;

	if (key->comm[0] || key->pid)
		return fw_words_process(key->comm, key->pid);
	if (key->lport)
		listener = fw_listener_of(ctx, key->netns, key->lport);
	if (listener && listener->pid)
		return fw_words_process(listener->comm, listener->pid);
	if (!key->lport)
		return fw_words_process(key->comm, 0);
	snprintf(w.text, sizeof(w.text), "the listener on port %u", key->lport);
	return w;
}

void fw_owner_see_process(struct fw_owner *owner, const char comm[FW_COMM_LEN], uint32_t pid)
{
	if (!pid)
		return;
	owner->many_pids |= owner->pid && owner->pid != pid;
	owner->many_names |= owner->pid && strncmp(owner->comm, comm, FW_COMM_LEN);
	owner->pid = pid;
	memcpy(owner->comm, comm, sizeof(owner->comm));
}

void fw_owner_see(struct fw_owner *owner, const struct fw_conn *c)
{
	fw_owner_see_process(owner, c->comm, c->pid);
}

struct fw_words fw_owner_words(const struct fw_owner *owner)
{
	struct fw_words name, w = fw_words_process(owner->comm, owner->many_pids ? 0 : owner->pid);

	if (!owner->many_names)
		return w;
	name = w;
	snprintf(w.text, sizeof(w.text), "%.40s and others", name.text);
	return w;
}

struct fw_cell fw_owner_cell(const struct fw_owner *owner)
{
	return owner->pid ? fw_cell_text(fw_owner_words(owner).text, SIZE_MAX) : fw_cell_unknown();
}

static struct fw_owner server_of(const struct fw_analysis_context *ctx,
				 const struct fw_group_key *key, const struct fw_owner *seen)
{
	const struct fw_conn *listener = fw_listener_of(ctx, key->netns, key->lport);
	struct fw_owner owner = { 0 };

	if (listener && listener->pid)
		fw_owner_see(&owner, listener);
	else if (seen)
		owner = *seen;
	return owner;
}

struct fw_words fw_words_server(const struct fw_analysis_context *ctx,
				const struct fw_group_key *key, const struct fw_owner *seen)
{
	struct fw_owner owner = server_of(ctx, key, seen);

	return fw_owner_words(&owner);
}

struct fw_cell fw_cell_server(const struct fw_analysis_context *ctx,
			      const struct fw_group_key *key, const struct fw_owner *seen)
{
	struct fw_owner owner = server_of(ctx, key, seen);

	return fw_owner_cell(&owner);
}

struct fw_cell fw_cell_process(const char comm[FW_COMM_LEN], uint32_t pid)
{
	struct fw_words w = fw_words_process(comm, pid);

	return comm[0] || pid ? fw_cell_text(w.text, SIZE_MAX) : fw_cell_unknown();
}

struct fw_cell fw_cell_endpoint(unsigned int family, const uint8_t addr[16], uint16_t port)
{
	struct fw_words w = fw_words_endpoint(family, addr, port);

	return family ? fw_cell_text(w.text, SIZE_MAX) : fw_cell_unknown();
}

struct fw_cell fw_cell_hist(const struct fw_hist *h, double pct)
{
	if (!h->count)
		return fw_cell_unknown();
	return fw_cell_duration(fw_hist_percentile(h, pct));
}

struct fw_cell fw_cell_mean(uint64_t sum, uint64_t n)
{
	return n ? fw_cell_count((sum + n / 2) / n) : fw_cell_unknown();
}

struct fw_cell fw_cell_ratio(uint64_t part, uint64_t whole)
{
	return whole ? fw_cell_percent(100.0 * (double)part / (double)whole) : fw_cell_unknown();
}

struct fw_finding *fw_finding_begin(struct fw_report *r, const char *id, enum fw_severity severity,
				    enum fw_rank rank, uint64_t n)
{
	struct fw_finding *f = fw_report_finding(r, id, severity, fw_harm(rank, n));
	const struct fw_explanation *e = fw_explain(id);

	if (e && e->meaning)
		fw_finding_say(r, &f->meaning, "%s", e->meaning);
	if (e && e->advice)
		fw_finding_say(r, &f->advice, "%s", e->advice);
	return f;
}

static void not_seen(const struct fw_analysis_context *ctx, struct fw_buf *b)
{
	uint64_t lost = ctx->tracker->counters.lost;

	if (lost) {
		fw_buf_puts(b, " ");
		fw_fmt_count(b, lost);
		fw_buf_puts(b, lost == 1 ? " event was" : " events were");
		fw_buf_puts(b, " lost: counts are lower bounds.");
	}
	if (ctx->tracker->counters.evicted)
		fw_buf_puts(b, " Connections were forgotten (--max-connections).");
	if (ctx->filtered)
		fw_buf_puts(b, " Only what the filter lets through was watched.");
	if (ctx->older_unseen)
		fw_buf_puts(b, " Connections older than finwait were not looked at.");
	if (ctx->accepts_unseen)
		fw_buf_puts(b, " Who accepts a connection was not seen, only who listens.");
	if (ctx->netns_refused)
		fw_buf_printf(b, " %zu network namespace%s could not be entered.",
			      ctx->netns_refused, ctx->netns_refused == 1 ? "" : "s");
}

void fw_words_how_sure(const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_buf b = { 0 };

	not_seen(ctx, &b);
	if (!b.len)
		fw_buf_printf(&b, " Every event of the %s was seen.",
			      fw_words_duration(ctx->now_ns - ctx->start_ns).text);
	for (size_t i = 0; i < r->nr_findings; i++) {
		struct fw_finding *f = &r->findings[i];
		const char *own = f->confidence;

		if (strcmp(f->id ? f->id : "", "events-lost"))
			fw_finding_say(r, &f->confidence, "%s%s", own ? own : "",
				       fw_buf_str(&b) + !own);
	}
	r->failed |= b.failed;
	fw_buf_free(&b);
}

struct fw_cell fw_cell_netns(const struct fw_analysis_context *ctx, uint32_t inum)
{
	const char *name = ctx->netns_name ? ctx->netns_name(ctx->names_arg, inum) : NULL;

	return fw_cell_named(inum, name);
}

struct fw_cell fw_cell_cgroup(const struct fw_analysis_context *ctx, uint64_t id)
{
	const char *path = ctx->cgroup_path ? ctx->cgroup_path(ctx->names_arg, id) : NULL;
	struct fw_buf b = { 0 };
	struct fw_cell cell;

	if (!path)
		return fw_cell_unknown();
	fw_workload_words(&b, path);
	cell = fw_cell_text(b.len ? fw_buf_str(&b) : path, SIZE_MAX);
	fw_buf_free(&b);
	return cell;
}

/* Which columns say whose the groups are; SIZE_MAX: none is needed. */
struct whose {
	size_t netns, cgroup;
};

static struct whose add_whose(const struct fw_analysis_context *ctx, struct fw_report *r,
			      struct fw_table *t, const struct fw_group *const *top, size_t nr)
{
	struct whose w = { SIZE_MAX, SIZE_MAX };
	bool netns = false, cgroup = false, differ = false;

	for (size_t i = 0; i < nr; i++) {
		netns |= top[i]->key.netns != 0;
		cgroup |= top[i]->key.cgroup_id != 0;
		differ |= top[i]->key.cgroup_id != top[0]->key.cgroup_id;
	}
	if (netns)
		w.netns = fw_table_append(r, t, "netns", "netns", !ctx->many_netns);
	if (cgroup)
		w.cgroup = fw_table_append(r, t, "cgroup", "cgroup", !differ);
	return w;
}

void fw_table_groups(const struct fw_analysis_context *ctx, struct fw_report *r,
		     struct fw_table *t, const struct fw_groups *g,
		     uint64_t (*measure)(const void *value), fw_group_row_fn row)
{
	const struct fw_group *top[FW_TOP_MAX];
	size_t nr = fw_groups_top(g, measure, top, ctx->opt.top, &t->nr_more);
	struct whose whose = add_whose(ctx, r, t, top, nr);

	for (size_t i = 0; i < nr; i++) {
		row(ctx, r, t, top[i]);
		if (top[i]->key.netns)
			fw_table_set(r, t, whose.netns, fw_cell_netns(ctx, top[i]->key.netns));
		if (top[i]->key.cgroup_id)
			fw_table_set(r, t, whose.cgroup,
				     fw_cell_cgroup(ctx, top[i]->key.cgroup_id));
	}
}

void fw_note_unlisted(struct fw_report *r, struct fw_section *s, const struct fw_groups *g)
{
	if (g->unlisted)
		fw_section_note(r, s, "More than %s groups: %s of others are in the sums, but in no row.",
				fw_words_count(g->max).text,
				fw_words_plural(g->unlisted, "event").text);
}
