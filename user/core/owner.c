// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose connection it is, and who failed to bind.
 *
 * The owner is the process that last did something with it: connected, accepted or closed it, or, for
 * what is older than the trace, holds it. A connection that waits to be accepted is its listener's.
 * It stays so when that process executes another program, forks or ends.
 */
#include <errno.h>
#include <string.h>

#include "core/tracker_internal.h"

#define TIMEWAIT_LEN_NS 60000000000ULL
/* Who tries again and again is told about, but not searched for, again and again. */
#define BIND_SEARCH_NS 100000000ULL

void conn_set_owner(struct fw_conn *c, uint32_t pid, const char comm[FW_COMM_LEN])
{
	c->pid = pid;
	memcpy(c->comm, comm, sizeof(c->comm));
	fw_conn_clear(c, FW_CONN_OWNER_LISTENS | FW_CONN_UNACCEPTED);
}

void conn_inherit_owner(struct fw_tracker *t, struct fw_conn *c)
{
	const struct fw_conn *listener;

	if (c->pid)
		return;
	listener = fw_listeners_find(&t->listeners, c->netns, c->laddr, c->lport);
	if (!listener || !listener->pid)
		return;
	c->pid = listener->pid;
	memcpy(c->comm, listener->comm, sizeof(c->comm));
	c->flags |= FW_CONN_OWNER_LISTENS;
	if (!c->cgroup_id)
		c->cgroup_id = listener->cgroup_id;
}

void owner_accepted(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = NULL;

	if (ev->head->cookie)
		c = fw_conn_table_by_cookie(&t->table, ev->head->cookie);
	if (!c)
		c = fw_conn_table_by_skaddr(&t->table, ev->head->skaddr);
	if (!c || c->flags & (FW_CONN_UNDECIDED | FW_CONN_MINI | FW_CONN_LISTENER))
		return;
	conn_set_owner(c, ev->state->pid, ev->state->comm);
	if (ev->state->cgroup_id)
		c->cgroup_id = ev->state->cgroup_id;
	FW_OBSERVE(t->observer, accepted, c, ev->state);
}

void owner_holds(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_holder *holder = ev->holder;
	struct fw_conn *c = NULL;

	if (ev->head->cookie)
		c = fw_conn_table_by_cookie(&t->table, ev->head->cookie);
	if (!c)
		c = fw_conn_table_by_skaddr(&t->table, ev->head->skaddr);
	if (c && c->flags & (FW_CONN_UNDECIDED | FW_CONN_MINI))
		c = NULL;
	if (c && (!c->pid || c->flags & FW_CONN_OWNER_LISTENS))
		conn_set_owner(c, holder->pid, holder->comm);
	FW_OBSERVE(t->observer, holder, c, holder);
}

/* Whether sockets bound to these two addresses and one port are in each other's way. */
static bool collide(const struct fw_conn *c, const struct fw_rec_head *wanted)
{
	if (c->netns != wanted->netns || c->lport != wanted->lport)
		return false;
	return fw_addr_is_zero(c->laddr) || fw_addr_is_zero(wanted->laddr) ||
	       !memcmp(c->laddr, wanted->laddr, sizeof(c->laddr));
}

static void search_holders(const struct fw_tracker *t, struct fw_bind_failure *f)
{
	for (const struct fw_conn *c = fw_conn_table_first(&t->table); c;
	     c = fw_conn_table_next(&t->table, c)) {
		uint64_t until;

		if (c->flags & FW_CONN_UNDECIDED || !collide(c, &f->rec->head))
			continue;
		if (fw_conn_state(c) != FW_TIME_WAIT) {
			f->live++;
			if (c->flags & FW_CONN_LISTENER)
				f->listener = c;
			continue;
		}
		until = c->enter_ns[c->nr_steps - 1] + TIMEWAIT_LEN_NS;
		if (until > f->ts_ns && until - f->ts_ns > f->time_wait_ns)
			f->time_wait_ns = until - f->ts_ns;
		f->time_waits++;
	}
}

void owner_bind_failed(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_bind_failure f = { .ts_ns = ev->head->ts_ns, .rec = ev->state };

	t->counters.bind_failures += ev->state->err == EADDRINUSE;
	if (!t->observer.bind_failed)
		return;
	/* Only a port can be held. */
	f.searched = ev->state->err == EADDRINUSE && ev->head->lport &&
		     (f.ts_ns - t->bind_searched_ns >= BIND_SEARCH_NS || !t->bind_searched_ns);
	if (f.searched) {
		search_holders(t, &f);
		t->bind_searched_ns = f.ts_ns;
	}
	FW_OBSERVE(t->observer, bind_failed, &f);
}
