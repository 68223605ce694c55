// SPDX-License-Identifier: GPL-2.0-only
/*
 * From sockets in CLOSE_WAIT to groups with a verdict: whose, what it forgot, how fast they become more,
 * how long until it hurts.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/leaks_internal.h"

#define NS_PER_S 1000000000ULL
/* Beyond this, a century, nobody asks. */
#define FORESEEN_S (100 * 365 * 86400.0)
/* More connections than this are not what a pool keeps by mistake. */
#define POOL_MAX 32

const struct leak_words leak_verdicts[LEAK_VERDICT_MAX] = {
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

const char *leak_meaning(const struct leak_group *g)
{
	/* Of an MPTCP socket the kernel does not tell whether read() has returned 0. */
	if (g->mptcp && g->verdict == NEVER_CLOSED)
		return "The peer has closed the MPTCP connection, the application has read all data, and "
		       "still has the descriptor open. Its subflows are ESTABLISHED until the peer gives up.";
	return leak_verdicts[g->verdict].meaning;
}

const struct leak_process *leak_process_of(const struct leak_look *look, uint32_t pid)
{
	for (size_t i = 0; i < look->nr_processes; i++) {
		if (look->processes[i].rec.pid == pid)
			return &look->processes[i];
	}
	return NULL;
}

static enum leak_verdict verdict_of(const struct leak_sock *s)
{
	if (!s->accepted)
		return NEVER_ACCEPTED;
	if (s->nr_pids > 1)
		return SHARED;
	return s->unread ? NEVER_READ : NEVER_CLOSED;
}

/* The listener that @s waits for, with the process that holds it; NULL: unknown. */
static const struct fw_conn *listener_of(const struct fw_leaks *l, const struct leak_sock *s)
{
	const struct fw_listener *listener = fw_listeners_at(&l->opt.tracker->listeners, s->listener);

	return listener && listener->held_ns ? listener->conn : NULL;
}

static struct leak_key key_of(const struct fw_leaks *l, const struct leak_sock *s)
{
	const struct fw_conn *listener;
	struct leak_key key;

	memset(&key, 0, sizeof(key));
	key.verdict = verdict_of(s);
	listener = key.verdict == NEVER_ACCEPTED ? listener_of(l, s) : NULL;
	key.pid = listener ? listener->pid : s->nr_pids ? s->pids[0] : 0;
	key.netns = s->netns;
	/* What the kernel does not tell of a server with listen(fd, 0), the port does well enough here. */
	key.passive = s->passive || !s->accepted ||
		      fw_listeners_serve(&l->opt.tracker->listeners, s->netns, s->laddr, s->lport);
	key.mptcp = s->mptcp;
	key.port = key.passive ? s->lport : s->rport;
	key.family = s->family;
	memcpy(key.raddr, s->raddr, sizeof(key.raddr));
	return key;
}

static int by_key(const void *a, const void *b)
{
	const struct leak_keyed *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order ? order : (x->sock->fd > y->sock->fd) - (x->sock->fd < y->sock->fd);
}

/* All of @look in the order of groups; NULL: there is none, or no memory. */
static struct leak_keyed *sort_by_group(struct fw_leaks *l, const struct leak_look *look)
{
	struct leak_keyed *all = look->nr_socks ? malloc(look->nr_socks * sizeof(*all)) : NULL;

	if (!all) {
		l->failed |= look->nr_socks > 0;
		return NULL;
	}
	for (size_t i = 0; i < look->nr_socks; i++)
		all[i] = (struct leak_keyed){ key_of(l, &look->socks[i]), &look->socks[i] };
	qsort(all, look->nr_socks, sizeof(*all), by_key);
	return all;
}

static size_t count_in(const struct leak_keyed *all, size_t nr, const struct leak_key *key)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		n += !memcmp(&all[i].key, key, sizeof(*key));
	return n;
}

static void forecast(const struct fw_leaks *l, struct leak_group *g)
{
	const struct leak_process *before = leak_process_of(&l->first, g->pid);
	double seconds, per_s;

	if (!g->process || !before || g->process->rec.fds <= before->rec.fds)
		return;
	seconds = (double)(g->process->rec.head.ts_ns - before->rec.head.ts_ns) / NS_PER_S;
	per_s = (g->process->rec.fds - before->rec.fds) / seconds;
	if (g->process->rec.nofile == LEAK_UNLIMITED || g->is_full || per_s <= 0)
		return;
	seconds = (double)(g->process->rec.nofile - g->process->rec.fds) / per_s;
	if (seconds < FORESEEN_S)
		g->limit_ns = (uint64_t)(seconds * NS_PER_S);
}

/*
 * A pool of connections to a server notices only at its next use that the server has closed some:
 * few, read to their end, not becoming more, in a process that does other things meanwhile.
 */
static bool is_pool(const struct fw_leaks *l, const struct leak_group *g)
{
	const struct leak_process *before = leak_process_of(&l->first, g->pid);

	return g->verdict == NEVER_CLOSED && !g->passive && g->nr <= POOL_MAX && g->growth_known &&
	       g->growth_per_s == 0 && before && g->process &&
	       before->activity != g->process->activity;
}

static struct leak_group make_group(const struct fw_leaks *l, const struct leak_keyed *members, size_t nr)
{
	const struct leak_look *look = &l->last;
	const struct fw_conn *listener;
	struct leak_group g = {
		.members = members,
		.first = members->sock,
		.verdict = (enum leak_verdict)members->key.verdict,
		.pid = members->key.pid,
		.passive = members->key.passive,
		.mptcp = members->key.mptcp,
		.process = leak_process_of(look, members->key.pid),
		.nr = nr,
	};

	for (size_t i = 0; i < nr; i++) {
		const struct leak_sock *s = members[i].sock;
		uint64_t age = look->ts_ns > s->since_ns ? look->ts_ns - s->since_ns : 0;

		g.unread += s->unread ? s->unread - 1 : 0;
		g.nr_old += age >= l->opt.leak_age_ns;
		if (age < g.oldest_ns)
			continue;
		g.oldest_ns = age;
		g.at_least = s->since_before;
	}
	if (g.process) {
		memcpy(g.comm, g.process->rec.comm, sizeof(g.comm));
	} else {
		listener = listener_of(l, g.first);
		if (listener)
			memcpy(g.comm, listener->comm, sizeof(g.comm));
	}
	return g;
}

uint64_t leak_cgroup_of(const struct leak_group *g)
{
	return g->process ? g->process->rec.cgroup_id : g->first->cgroup_id;
}

/* What two looks tell. */
static void compare(const struct fw_leaks *l, const struct leak_groups *groups, struct leak_group *g)
{
	size_t then;

	if (!l->first.ts_ns)
		return;
	then = groups->then ? count_in(groups->then, l->first.nr_socks, &g->members->key) : 0;
	g->growth_known = true;
	g->growth_per_s = ((double)g->nr - (double)then) * NS_PER_S /
			  (double)(l->last.ts_ns - l->first.ts_ns);
}

static void add_group(struct fw_leaks *l, struct leak_groups *groups, struct leak_group g)
{
	if (groups->nr == groups->cap) {
		size_t cap = groups->cap ? groups->cap * 2 : 64;
		struct leak_group *more = reallocarray(groups->group, cap, sizeof(*more));

		if (!more) {
			l->failed = true;
			return;
		}
		groups->group = more;
		groups->cap = cap;
	}
	g.is_full = g.process && g.process->rec.nofile <= g.process->rec.fds;
	compare(l, groups, &g);
	forecast(l, &g);
	g.is_pool = is_pool(l, &g);
	groups->group[groups->nr++] = g;
}

void leak_groups_find(struct fw_leaks *l, struct leak_groups *groups)
{
	const struct leak_keyed *all;
	size_t nr;

	*groups = (struct leak_groups){
		.then = sort_by_group(l, &l->first), .now = sort_by_group(l, &l->last),
	};
	all = groups->now;
	nr = all ? l->last.nr_socks : 0;
	for (size_t i = 0, j; i < nr; i = j) {
		struct leak_group g;

		for (j = i + 1; j < nr && !memcmp(&all[i].key, &all[j].key, sizeof(all[i].key)); j++)
			;
		g = make_group(l, &all[i], j - i);
		if (g.nr_old && (!l->opt.filter || fw_filter_owner(l->opt.filter, g.pid, g.comm,
								   leak_cgroup_of(&g))))
			add_group(l, groups, g);
	}
}

void leak_groups_fini(struct leak_groups *groups)
{
	free(groups->group);
	free(groups->then);
	free(groups->now);
	*groups = (struct leak_groups){ 0 };
}
