// SPDX-License-Identifier: GPL-2.0-only
/*
 * From sockets in CLOSE_WAIT to groups with a verdict: who forgot what, how bad, how long until it
 * hurts.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "analysis/leaks_internal.h"
#include "util/buf.h"
#include "util/fmt.h"

#define NS_PER_S 1000000000ULL
/* Below this it is urgent, and beyond this, a century, nobody asks. */
#define URGENT_NS (3600 * NS_PER_S)
#define FORESEEN_S (100 * 365 * 86400.0)
#define UNLIMITED UINT64_MAX
/* More connections than this are not what a pool keeps by mistake. */
#define POOL_MAX 32
#define FDS_SHOWN 12

enum verdict { NEVER_CLOSED, NEVER_READ, NEVER_ACCEPTED, SHARED, VERDICT_MAX };

static const struct {
	const char *name, *words, *meaning, *advice;
} verdicts[VERDICT_MAX] = {
	[NEVER_CLOSED] = {
		"never_closed", "never closed",
		"The peer has closed, the application has read to the end of the stream, and "
		"still has the descriptor open.",
		"Find the code that sees read() return 0 (or an error) and does not call close(); "
		"the descriptors listed are the ones it forgot." },
	[NEVER_READ] = {
		"never_read", "never read",
		"The peer has closed, and the application has not even read that: it does not look "
		"at this connection any more.",
		"See what the process waits for (its stacks, /proc/PID/wchan): the descriptor has "
		"left its poll set, or the thread that serves it is stuck." },
	[NEVER_ACCEPTED] = {
		"never_accepted", "never accepted",
		"The connection waits in the accept queue of a listener that does not call accept(), "
		"and the peer has given up meanwhile.",
		"See why the process does not accept: it is stuck, overloaded or out of descriptors; "
		"peers see a server that accepts and never answers." },
	[SHARED] = {
		"shared", "shared",
		"Several processes have the connection open after fork(): it is closed only when the "
		"last of them closes it.",
		"Close it in the process that does not use it, or open it with SOCK_CLOEXEC if the "
		"other one runs another program." },
};

struct group {
	const struct leak_sock *first; /* of those in look->socks that belong to it */
	const struct leak_process *process;
	char comm[FW_COMM_LEN];
	enum verdict verdict;
	uint32_t pid;
	bool passive; /* the peer connected to us */
	size_t nr;
	uint64_t oldest_ns, unread;
	bool at_least;
	double growth_per_s; /* negative: it shrinks */
	bool growth_known, is_pool;
	uint64_t limit_ns; /* until its descriptors run out; 0: not foreseeable */
};

static const struct leak_process *process_of(const struct leak_look *look, uint32_t pid)
{
	for (size_t i = 0; i < look->nr_processes; i++) {
		if (look->processes[i].rec.pid == pid)
			return &look->processes[i];
	}
	return NULL;
}

static enum verdict verdict_of(const struct leak_sock *s)
{
	if (!s->accepted)
		return NEVER_ACCEPTED;
	if (s->nr_pids > 1)
		return SHARED;
	return s->unread ? NEVER_READ : NEVER_CLOSED;
}

/* What sockets of one group have in common. */
struct key {
	uint32_t pid, netns, verdict;
	uint16_t port; /* ours if the peer connected to us, else the peer's */
	uint8_t passive, family;
	uint8_t raddr[16];
};

static struct key key_of(const struct fw_leaks *l, const struct leak_sock *s)
{
	const struct fw_listeners *listeners = &l->opt.tracker->listeners;
	const struct fw_conn *listener = NULL;
	struct key key;

	memset(&key, 0, sizeof(key));
	key.verdict = verdict_of(s);
	if (key.verdict == NEVER_ACCEPTED)
		listener = fw_listeners_find(listeners, s->netns, s->laddr, s->lport);
	key.pid = listener ? listener->pid : s->nr_pids ? s->pids[0] : 0;
	key.netns = s->netns;
	key.passive = fw_listeners_serve(listeners, s->netns, s->laddr, s->lport) || !s->accepted;
	key.port = key.passive ? s->lport : s->rport;
	key.family = s->family;
	memcpy(key.raddr, s->raddr, sizeof(key.raddr));
	return key;
}

/* A socket with its key, for sorting. */
struct keyed {
	struct key key;
	const struct leak_sock *sock;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order ? order : (x->sock->fd > y->sock->fd) - (x->sock->fd < y->sock->fd);
}

/* All of @look in the order of groups; NULL: there is none, or no memory. */
static struct keyed *sort_by_group(struct fw_leaks *l, const struct leak_look *look)
{
	struct keyed *all = look->nr_socks ? malloc(look->nr_socks * sizeof(*all)) : NULL;

	if (!all) {
		l->failed |= look->nr_socks > 0;
		return NULL;
	}
	for (size_t i = 0; i < look->nr_socks; i++)
		all[i] = (struct keyed){ key_of(l, &look->socks[i]), &look->socks[i] };
	qsort(all, look->nr_socks, sizeof(*all), by_key);
	return all;
}

static size_t count_in(const struct keyed *all, size_t nr, const struct key *key)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		n += !memcmp(&all[i].key, key, sizeof(*key));
	return n;
}

static bool is_full(const struct group *g)
{
	return g->process && g->process->rec.nofile <= g->process->rec.fds;
}

static void forecast(const struct fw_leaks *l, struct group *g)
{
	const struct leak_process *before = process_of(&l->first, g->pid);
	double seconds, per_s;

	if (!g->process || !before || g->process->rec.fds <= before->rec.fds)
		return;
	seconds = (double)(g->process->rec.head.ts_ns - before->rec.head.ts_ns) / NS_PER_S;
	per_s = (g->process->rec.fds - before->rec.fds) / seconds;
	if (g->process->rec.nofile == UNLIMITED || is_full(g) || per_s <= 0)
		return;
	seconds = (double)(g->process->rec.nofile - g->process->rec.fds) / per_s;
	if (seconds < FORESEEN_S)
		g->limit_ns = (uint64_t)(seconds * NS_PER_S);
}

/*
 * A pool of connections to a server notices only at its next use that the server has closed some:
 * few, read to their end, not becoming more, in a process that does other things meanwhile.
 */
static bool is_pool(const struct fw_leaks *l, const struct group *g)
{
	const struct leak_process *before = process_of(&l->first, g->pid);

	return g->verdict == NEVER_CLOSED && !g->passive && g->nr <= POOL_MAX && g->growth_known &&
	       g->growth_per_s == 0 && before && g->process &&
	       before->activity != g->process->activity;
}

static struct group make_group(const struct fw_leaks *l, const struct keyed *members, size_t nr)
{
	const struct leak_look *look = &l->last;
	const struct fw_conn *listener;
	struct group g = {
		.first = members->sock,
		.verdict = (enum verdict)members->key.verdict,
		.pid = members->key.pid,
		.passive = members->key.passive,
		.process = process_of(look, members->key.pid),
		.nr = nr,
	};

	for (size_t i = 0; i < nr; i++) {
		const struct leak_sock *s = members[i].sock;
		uint64_t age = look->ts_ns > s->since_ns ? look->ts_ns - s->since_ns : 0;

		g.unread += s->unread;
		if (age < g.oldest_ns)
			continue;
		g.oldest_ns = age;
		g.at_least = s->since_before;
	}
	if (g.process) {
		memcpy(g.comm, g.process->rec.comm, sizeof(g.comm));
	} else {
		listener = fw_listeners_find(&l->opt.tracker->listeners, g.first->netns,
					     g.first->laddr, g.first->lport);
		if (listener)
			memcpy(g.comm, listener->comm, sizeof(g.comm));
	}
	return g;
}

static void say_endpoint(struct fw_buf *b, const struct group *g)
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
static void say_fds(struct fw_buf *b, const struct keyed *members, size_t nr)
{
	unsigned int shown = 0;

	for (size_t i = 0, j; i < nr; i = j) {
		uint32_t fd = members[i].sock->fd;

		for (j = i + 1; j < nr && members[j].sock->fd == fd + (j - i); j++)
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

static void say_process(struct fw_buf *b, const struct group *g)
{
	if (!g->pid) {
		fw_buf_puts(b, "unknown process");
		return;
	}
	fw_buf_mem(b, g->comm, strnlen(g->comm, sizeof(g->comm)));
	fw_buf_printf(b, "/%u", g->pid);
}

static void say_holders(struct fw_buf *b, const struct fw_leaks *l, const struct leak_sock *s)
{
	for (unsigned int i = 0; i < s->nr_pids; i++) {
		const struct leak_process *p = process_of(&l->last, s->pids[i]);

		fw_buf_puts(b, i ? ", " : "");
		if (p) {
			fw_buf_mem(b, p->rec.comm, strnlen(p->rec.comm, sizeof(p->rec.comm)));
			fw_buf_putc(b, '/');
		}
		fw_buf_u64(b, s->pids[i]);
	}
}

static struct fw_cell text_cell(struct fw_buf *b)
{
	struct fw_cell cell = fw_cell_text(fw_buf_str(b), SIZE_MAX);

	fw_buf_clear(b);
	return cell;
}

static uint64_t cgroup_of(const struct group *g)
{
	return g->process ? g->process->rec.cgroup_id : g->first->cgroup_id;
}

static void say_owner(const struct fw_leaks *l, const struct group *g, struct fw_report *r,
		      struct fw_finding *f)
{
	const char *path = NULL;

	if (l->opt.cgroup_path)
		path = l->opt.cgroup_path(l->opt.arg, cgroup_of(g));
	if (g->pid) {
		fw_finding_evidence(r, f, "pid", "process id", fw_cell_id(g->pid));
		fw_finding_evidence(r, f, "comm", "process", fw_cell_text(g->comm, FW_COMM_LEN));
	}
	if (path)
		fw_finding_evidence(r, f, "cgroup", "control group", fw_cell_text(path, SIZE_MAX));
	fw_finding_evidence(r, f, "netns", "network namespace", fw_cell_id(g->first->netns));
}

static void say_descriptors(const struct fw_leaks *l, const struct group *g,
			    const struct keyed *members, struct fw_report *r, struct fw_finding *f)
{
	struct fw_buf b = { 0 };

	if (g->verdict != NEVER_ACCEPTED && g->first->nr_pids) {
		say_fds(&b, members, g->nr);
		fw_finding_evidence(r, f, "fds", "descriptors", text_cell(&b));
	}
	if (g->verdict == SHARED) {
		say_holders(&b, l, g->first);
		fw_finding_evidence(r, f, "holders", "held by", text_cell(&b));
	}
	if (g->process) {
		fw_finding_evidence(r, f, "fds_used", "descriptors in use",
				    fw_cell_count(g->process->rec.fds));
		if (g->process->rec.nofile != UNLIMITED)
			fw_finding_evidence(r, f, "fds_limit", "descriptors allowed",
					    fw_cell_count(g->process->rec.nofile));
	}
	if (g->limit_ns)
		fw_finding_evidence(r, f, "limit_reached_in", "limit reached in",
				    fw_cell_duration(g->limit_ns));
	fw_buf_free(&b);
}

static void tell(const struct fw_leaks *l, const struct group *g, const struct keyed *members,
		 struct fw_report *r)
{
	enum fw_severity severity = g->is_pool ? FW_SEVERITY_INFO : FW_SEVERITY_WARNING;
	struct fw_buf who = { 0 }, peer = { 0 };
	struct fw_cell oldest = fw_cell_duration(g->oldest_ns);
	struct fw_finding *f;

	if (is_full(g) || (g->limit_ns && g->limit_ns < URGENT_NS))
		severity = FW_SEVERITY_CRITICAL;
	f = fw_report_finding(r, "close-wait-leak", severity, g->nr);
	say_process(&who, g);
	say_endpoint(&peer, g);
	fw_finding_say(r, &f->title, "%s: %zu in CLOSE_WAIT from %s: %s%s", fw_buf_str(&who), g->nr,
		       fw_buf_str(&peer), verdicts[g->verdict].words,
		       g->is_pool ? ", but looks like an idle connection pool" : "");
	fw_finding_say(r, &f->meaning, "%s", verdicts[g->verdict].meaning);
	fw_finding_say(r, &f->advice, "%s",
		       g->is_pool ? "A pool notices at its next use that the peer has closed; let it "
				    "test idle connections, or give them a shorter life than the peer "
				    "does."
				  : verdicts[g->verdict].advice);
	fw_finding_evidence(r, f, "verdict", "verdict", fw_cell_text(verdicts[g->verdict].name, SIZE_MAX));
	fw_finding_evidence(r, f, "count", "sockets", fw_cell_count(g->nr));
	fw_finding_evidence(r, f, "oldest", "oldest",
			    g->at_least ? fw_cell_at_least(oldest) : oldest);
	fw_finding_evidence(r, f, "unread", "unread", fw_cell_bytes(g->unread));
	if (g->growth_known)
		fw_finding_evidence(r, f, "growth", "growth", fw_cell_rate(g->growth_per_s));
	fw_finding_evidence(r, f, "peer", "peer", text_cell(&peer));
	fw_finding_evidence(r, f, "pool", "idle pool", fw_cell_bool(g->is_pool));
	say_owner(l, g, r, f);
	say_descriptors(l, g, members, r, f);
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
	struct keyed *before = sort_by_group(l, &l->first), *all = sort_by_group(l, &l->last);
	size_t nr = all ? l->last.nr_socks : 0, nr_groups = 0, nr_leaks = 0;

	for (size_t i = 0, j; i < nr; i = j) {
		struct group g;

		for (j = i + 1; j < nr && !memcmp(&all[i].key, &all[j].key, sizeof(all[i].key)); j++)
			;
		g = make_group(l, &all[i], j - i);
		if (g.oldest_ns < l->opt.leak_age_ns ||
		    !fw_filter_owner(l->opt.filter, g.pid, g.comm, cgroup_of(&g)))
			continue;
		if (l->first.ts_ns) {
			size_t then = before ? count_in(before, l->first.nr_socks, &all[i].key) : 0;

			g.growth_known = true;
			g.growth_per_s = ((double)g.nr - (double)then) * NS_PER_S /
					 (double)(l->last.ts_ns - l->first.ts_ns);
		}
		forecast(l, &g);
		g.is_pool = is_pool(l, &g);
		nr_groups++;
		nr_leaks += !g.is_pool;
		tell(l, &g, &all[i], r);
	}
	say_totals(l, r, nr_groups, nr_leaks);
	free(before);
	free(all);
	return nr_leaks;
}
