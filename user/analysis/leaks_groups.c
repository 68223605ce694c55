// SPDX-License-Identifier: GPL-2.0-only
/*
 * From sockets to groups: those of one process and service with the same verdict. Addresses do not
 * divide them: a server that leaks the connections of a thousand clients has one leak.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/leaks_internal.h"

const struct leak_process *leak_process_of(const struct leak_look *look, uint32_t pid)
{
	for (size_t i = 0; i < look->nr_processes; i++) {
		if (look->processes[i].rec.pid == pid)
			return &look->processes[i];
	}
	return NULL;
}

bool leak_is_close_wait(enum leak_verdict verdict)
{
	return verdict <= SHARED;
}

static enum leak_verdict verdict_of(const struct leak_sock *s)
{
	switch (s->state) {
	case FW_ESTABLISHED:
		return NEVER_REUSED;
	case FW_CLOSE:
		return DEAD;
	case FW_FIN_WAIT_2:
		return HALF_CLOSED;
	}
	if (!s->accepted)
		return NEVER_ACCEPTED;
	if (s->inherited)
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
	/* What several processes hold is one leak, whichever of them are meant. */
	if (key.verdict != SHARED)
		key.pid = listener ? listener->pid : s->nr_pids ? s->pids[0] : 0;
	key.netns = s->netns;
	/* What the kernel does not tell of a server with listen(fd, 0), the port does well enough here. */
	key.passive = s->passive || !s->accepted ||
		      fw_listeners_serve(&l->opt.tracker->listeners, s->netns, s->laddr, s->lport);
	key.mptcp = s->mptcp;
	key.port = key.passive ? s->lport : s->rport;
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

static size_t first_not_below(const struct leak_keyed *all, size_t nr, const struct leak_key *key,
			      int than)
{
	size_t from = 0;

	while (from < nr) {
		size_t half = from + (nr - from) / 2;

		if (memcmp(&all[half].key, key, sizeof(*key)) < than)
			from = half + 1;
		else
			nr = half;
	}
	return from;
}

const struct leak_keyed *leak_range(const struct leak_keyed *all, size_t nr,
				    const struct leak_key *key, size_t *nr_out)
{
	size_t from = all ? first_not_below(all, nr, key, 0) : 0;

	*nr_out = all ? first_not_below(all, nr, key, 1) - from : 0;
	return all ? all + from : NULL;
}

static void name(const struct fw_leaks *l, struct leak_group *g)
{
	const struct fw_conn *listener = NULL;

	if (g->process) {
		memcpy(g->comm, g->process->rec.comm, sizeof(g->comm));
		return;
	}
	if (g->passive)
		listener = g->verdict == NEVER_ACCEPTED ? listener_of(l, g->first)
							: fw_listeners_holder(&l->opt.tracker->listeners, g->first->netns,
							     g->first->laddr, g->first->lport);
	if (listener)
		memcpy(g->comm, listener->comm, sizeof(g->comm));
}

/* Who has to close: of what several processes hold, the one that accepted or made it. */
static uint32_t pid_of(const struct fw_leaks *l, const struct leak_keyed *member)
{
	const struct leak_sock *s = member->sock;
	const struct fw_conn *listener = NULL;

	if (member->key.verdict != SHARED)
		return member->key.pid;
	if (member->key.passive)
		listener = fw_listeners_holder(&l->opt.tracker->listeners, s->netns, s->laddr, s->lport);
	if (s->owner_pid)
		return s->owner_pid;
	return listener && listener->pid ? listener->pid : s->pids[0];
}

static size_t count_peers(const struct leak_keyed *members, size_t nr)
{
	size_t others = 0;

	/* Only whether there is one, and about how many, is told. */
	for (size_t i = 1; i < nr; i++)
		others += memcmp(members[i].sock->raddr, members[0].sock->raddr,
				 sizeof(members[0].sock->raddr)) != 0;
	return 1 + others;
}

static uint64_t unread_data(const struct leak_sock *s)
{
	return s->state == FW_CLOSE_WAIT && s->unread ? s->unread - 1 : s->unread;
}

static struct leak_group make_group(const struct fw_leaks *l, const struct leak_keyed *members,
				    size_t nr)
{
	const struct leak_look *look = &l->last;
	uint32_t pid = pid_of(l, members);
	struct leak_group g = {
		.key = members->key,
		.members = members,
		.first = members->sock,
		.verdict = members->key.verdict,
		.pid = pid,
		.passive = members->key.passive,
		.process = leak_process_of(look, pid),
		.mptcp = members->key.mptcp,
		.nr = nr,
		.nr_peers = count_peers(members, nr),
	};

	for (size_t i = 0; i < nr; i++) {
		const struct leak_sock *s = members[i].sock;
		uint64_t age = look->ts_ns > s->since_ns ? look->ts_ns - s->since_ns : 0;

		g.unread += unread_data(s);
		g.nr_unread += unread_data(s) > 0;
		g.nr_old += age >= l->opt.leak_age_ns;
		if (age < g.oldest_ns)
			continue;
		g.oldest_ns = age;
		g.at_least = s->since_before;
	}
	name(l, &g);
	return g;
}

uint64_t leak_cgroup_of(const struct leak_group *g)
{
	return g->process ? g->process->rec.cgroup_id : g->first->cgroup_id;
}

static void add_group(struct fw_leaks *l, struct leak_groups *groups, const struct leak_group *g)
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
	groups->group[groups->nr++] = *g;
}

static int worst_first(const void *a, const void *b)
{
	const struct leak_group *x = a, *y = b;

	if (x->is_finding != y->is_finding)
		return y->is_finding - x->is_finding;
	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? 1 : -1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static bool admits(const struct fw_leaks *l, const struct leak_group *g)
{
	return !l->opt.filter ||
	       fw_filter_owner(l->opt.filter, g->pid, g->comm, leak_cgroup_of(g));
}

void leak_groups_find(struct fw_leaks *l, struct leak_groups *groups)
{
	const struct leak_keyed *all;
	size_t nr;

	*groups = (struct leak_groups){
		.then = sort_by_group(l, &l->first),
		.between = sort_by_group(l, &l->middle),
		.now = sort_by_group(l, &l->last),
	};
	all = groups->now;
	nr = all ? l->last.nr_socks : 0;
	for (size_t i = 0, j; i < nr; i = j) {
		struct leak_group g;

		for (j = i + 1; j < nr && !memcmp(&all[i].key, &all[j].key, sizeof(all[i].key)); j++)
			;
		g = make_group(l, &all[i], j - i);
		leak_judge(l, groups, &g);
		if (admits(l, &g))
			add_group(l, groups, &g);
	}
	if (groups->nr)
		qsort(groups->group, groups->nr, sizeof(*groups->group), worst_first);
}

void leak_groups_fini(struct leak_groups *groups)
{
	free(groups->group);
	free(groups->then);
	free(groups->between);
	free(groups->now);
	*groups = (struct leak_groups){ 0 };
}
