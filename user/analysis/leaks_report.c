// SPDX-License-Identifier: GPL-2.0-only
/*
 * What finwait leaks says: a finding for each group.
 */
#include <string.h>
#include <sys/socket.h>

#include "analysis/leaks_internal.h"
#include "core/workload.h"
#include "util/fmt.h"

#define URGENT_NS (3600 * 1000000000ULL)
#define FDS_SHOWN 12

void leak_say_peer(struct fw_buf *b, const struct leak_group *g)
{
	const struct leak_sock *s = g->first;

	if (s->family == AF_INET6)
		fw_buf_putc(b, '[');
	fw_fmt_addr(b, s->family, s->raddr);
	if (s->family == AF_INET6)
		fw_buf_putc(b, ']');
	if (g->passive)
		fw_buf_printf(b, " to our port %u", s->lport);
	else
		fw_buf_printf(b, ":%u", s->rport);
}

/* "5-9,12": members are in the order of their descriptors. */
void leak_say_fds(struct fw_buf *b, const struct leak_group *g)
{
	const struct leak_keyed *members = g->members;
	unsigned int shown = 0;

	for (size_t i = 0, j; i < g->nr; i = j) {
		uint32_t fd = members[i].sock->fd;

		for (j = i + 1; j < g->nr && members[j].sock->fd == fd + (j - i); j++)
			;
		if (shown++ == FDS_SHOWN) {
			fw_buf_puts(b, ",...");
			return;
		}
		fw_buf_printf(b, "%s%u", i ? "," : "", fd);
		if (j > i + 1)
			fw_buf_printf(b, "-%u", fd + (uint32_t)(j - i - 1));
	}
}

void leak_say_process(struct fw_buf *b, const struct leak_group *g)
{
	if (!g->pid) {
		fw_buf_puts(b, "unknown process");
		return;
	}
	fw_buf_mem(b, g->comm, strnlen(g->comm, sizeof(g->comm)));
	fw_buf_printf(b, "/%u", g->pid);
}

void leak_say_holders(struct fw_buf *b, const struct fw_leaks *l, const struct leak_sock *s)
{
	for (unsigned int i = 0; i < s->nr_pids; i++) {
		const struct leak_process *p = leak_process_of(&l->last, s->pids[i]);

		fw_buf_puts(b, i ? ", " : "");
		if (p) {
			fw_buf_mem(b, p->rec.comm, strnlen(p->rec.comm, sizeof(p->rec.comm)));
			fw_buf_putc(b, '/');
		}
		fw_buf_u64(b, s->pids[i]);
	}
	fw_buf_puts(b, s->more_pids ? ", ..." : "");
}

struct fw_cell leak_text_cell(struct fw_buf *b)
{
	struct fw_cell cell = fw_cell_text(fw_buf_str(b), SIZE_MAX);

	fw_buf_clear(b);
	return cell;
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

static void say_descriptors(const struct fw_leaks *l, const struct leak_group *g,
			    struct fw_report *r, struct fw_finding *f)
{
	struct fw_buf b = { 0 };

	if (g->verdict != NEVER_ACCEPTED && g->first->nr_pids) {
		leak_say_fds(&b, g);
		fw_finding_evidence(r, f, "fds", "descriptors", leak_text_cell(&b));
	}
	if (g->verdict == SHARED) {
		leak_say_holders(&b, l, g->first);
		fw_finding_evidence(r, f, "holders", "held by", leak_text_cell(&b));
	}
	if (g->process) {
		fw_finding_evidence(r, f, "fds_used", "descriptors in use",
				    fw_cell_count(g->process->rec.fds));
		if (g->process->rec.nofile != LEAK_UNLIMITED)
			fw_finding_evidence(r, f, "fds_limit", "descriptors allowed",
					    fw_cell_count(g->process->rec.nofile));
	}
	if (g->limit_ns)
		fw_finding_evidence(r, f, "limit_reached_in", "limit reached in",
				    fw_cell_duration(g->limit_ns));
	fw_buf_free(&b);
}

static void tell(const struct fw_leaks *l, const struct leak_group *g, struct fw_report *r)
{
	enum fw_severity severity = g->is_pool ? FW_SEVERITY_INFO : FW_SEVERITY_WARNING;
	struct fw_buf who = { 0 }, peer = { 0 };
	struct fw_cell oldest = fw_cell_duration(g->oldest_ns);
	struct fw_finding *f;

	if (g->is_full || (g->limit_ns && g->limit_ns < URGENT_NS))
		severity = FW_SEVERITY_CRITICAL;
	f = fw_report_finding(r, "close-wait-leak", severity, g->nr);
	leak_say_process(&who, g);
	leak_say_peer(&peer, g);
	fw_finding_say(r, &f->title, "%s: %zu%s in CLOSE_WAIT from %s: %s%s", fw_buf_str(&who), g->nr,
		       g->mptcp ? " MPTCP sockets" : "", fw_buf_str(&peer), leak_verdicts[g->verdict].words,
		       g->is_pool ? ", but looks like an idle connection pool" : "");
	fw_finding_say(r, &f->meaning, "%s", leak_meaning(g));
	fw_finding_say(r, &f->advice, "%s",
		       g->is_pool ? "A pool notices at its next use that the peer has closed; let it "
				    "test idle connections, or give them a shorter life than the peer "
				    "does."
				  : leak_verdicts[g->verdict].advice);
	fw_finding_evidence(r, f, "verdict", "verdict", fw_cell_text(leak_verdicts[g->verdict].name, SIZE_MAX));
	fw_finding_evidence(r, f, "count", "sockets", fw_cell_count(g->nr));
	fw_finding_evidence(r, f, "oldest", "oldest",
			    g->at_least ? fw_cell_at_least(oldest) : oldest);
	fw_finding_evidence(r, f, "unread", "unread", fw_cell_bytes(g->unread));
	if (g->growth_known)
		fw_finding_evidence(r, f, "growth", "growth", fw_cell_rate(g->growth_per_s));
	fw_finding_evidence(r, f, "peer", "peer", leak_text_cell(&peer));
	fw_finding_evidence(r, f, "pool", "idle pool", fw_cell_bool(g->is_pool));
	if (g->mptcp)
		fw_finding_evidence(r, f, "mptcp", "MPTCP", fw_cell_bool(true));
	say_owner(l, g, r, f);
	say_descriptors(l, g, r, f);
	fw_buf_free(&who);
	fw_buf_free(&peer);
}

static void say_totals(const struct fw_leaks *l, struct fw_report *r, size_t nr_groups,
		       size_t nr_leaks)
{
	struct fw_section *s = fw_report_section(r, "close_wait", "CLOSE_WAIT");

	fw_section_fact(r, s, "sockets", "sockets in CLOSE_WAIT", fw_cell_count(l->last.nr_socks));
	fw_section_fact(r, s, "groups", "groups older than the leak age", fw_cell_count(nr_groups));
	fw_section_fact(r, s, "leaks", "of these leaks", fw_cell_count(nr_leaks));
	if (l->first.ts_ns)
		fw_section_fact(r, s, "watched", "watched for",
				fw_cell_duration(l->last.ts_ns - l->first.ts_ns));
	if (!nr_groups)
		fw_section_note(r, s, "No process has had a connection in CLOSE_WAIT for as long as "
				"the leak age.");
	if (l->failed)
		r->failed = true;
}

size_t fw_leaks_report(struct fw_leaks *l, struct fw_report *r)
{
	struct leak_groups groups;
	size_t nr_leaks = 0;

	leak_groups_find(l, &groups);
	for (size_t i = 0; i < groups.nr; i++) {
		nr_leaks += !groups.group[i].is_pool;
		tell(l, &groups.group[i], r);
	}
	say_totals(l, r, groups.nr, nr_leaks);
	leak_groups_fini(&groups);
	return nr_leaks;
}
