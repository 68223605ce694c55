// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose connection it is, and who failed to bind.
 *
 * The owner is the process that last acted on it: connected, accepted or closed it, or, for what is older
 * than the trace, holds it. A connection that waits to be accepted is its listener's, if its request socket or
 * the accept queue tells which listener that is, and a process is known to hold that. The owner stays when
 * that process executes another program, forks or ends.
 */
#include <errno.h>
#include <string.h>

#include "core/tracker_internal.h"

#define TIMEWAIT_LEN_NS 60000000000ULL
/* Of a process that tries again and again each failure is reported, but the holders are searched for less often. */
#define BIND_SEARCH_NS 100000000ULL
/* A holder of a listener may have closed it since it was seen to hold it. */
#define HELD_TRUSTED_NS 10000000000ULL

void conn_set_owner(struct fw_tracker *t, struct fw_conn *c, uint32_t pid, const char comm[FW_COMM_LEN])
{
	c->pid = pid;
	memcpy(c->comm, comm, sizeof(c->comm));
	fw_conn_clear(c, FW_CONN_OWNER_LISTENS | FW_CONN_UNACCEPTED);
	if (!fw_conn_listener(c))
		return;
	c->extra->listener = 0;
	c->extra->listener_holders = 0;
	fw_conn_table_extra_trim(&t->table, c);
}

/* ---- Listeners ----------------------------------------------------------------------------- */

void conn_set_listener(struct fw_tracker *t, struct fw_conn *c, uint64_t listener)
{
	if (listener && (!c->pid || c->flags & FW_CONN_OWNER_LISTENS) && fw_conn_table_extra(&t->table, c))
		c->extra->listener = listener;
}

/* Whether to look at who holds @listener: not again soon if the last look found no process. */
static bool is_holder_doubtful(const struct fw_tracker *t, const struct fw_listener *listener,
			       uint64_t now_ns)
{
	uint64_t known_ns = listener->held_ns;

	if (!known_ns && t->look_ns > listener->conn->enter_ns[0])
		known_ns = t->look_ns;
	return !known_ns || now_ns > known_ns + HELD_TRUSTED_NS;
}

/*
 * An orphan or minisock from before the trace has no process any more, and had one that was not seen. The only
 * process that listens on its local port is shown as the listener's, if there is one.
 */
void conn_inherit_by_port(struct fw_tracker *t, struct fw_conn *c)
{
	const struct fw_conn *listener;

	if (c->pid || !fw_conn_has(c, FW_CONN_SINCE_BEFORE) || !fw_conn_has(c, FW_CONN_MINI | FW_CONN_ORPHANED))
		return;
	listener = fw_listeners_holder(&t->listeners, c->netns, c->laddr, c->lport);
	if (!listener)
		return;
	c->pid = listener->pid;
	memcpy(c->comm, listener->comm, sizeof(c->comm));
	fw_conn_set(c, FW_CONN_OWNER_LISTENS);
	if (!c->cgroup_id)
		c->cgroup_id = listener->cgroup_id;
}

void conn_inherit_owner(struct fw_tracker *t, struct fw_conn *c)
{
	const struct fw_listener *listener;
	uint64_t skaddr = fw_conn_listener(c);

	if (!skaddr || (c->pid && !(c->flags & FW_CONN_OWNER_LISTENS)))
		return;
	listener = fw_listeners_at(&t->listeners, skaddr);
	if (!listener)
		return;
	t->holders_wanted |= is_holder_doubtful(t, listener, c->end_ns);
	if (!listener->held_ns)
		return;
	c->pid = listener->conn->pid;
	memcpy(c->comm, listener->conn->comm, sizeof(c->comm));
	c->flags |= FW_CONN_OWNER_LISTENS;
	c->extra->listener_holders = listener->nr_holders;
	if (!c->cgroup_id)
		c->cgroup_id = listener->conn->cgroup_id;
}

/* accept() proves that the process holds the listener, not that no other does. */
static void listener_accepts(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_state *rec)
{
	struct fw_listener *listener = fw_listeners_at(&t->listeners, fw_conn_listener(c));

	if (!listener)
		return;
	if (!listener->held_ns || listener->nr_holders < 2)
		conn_set_owner(t, listener->conn, rec->pid, rec->comm);
	listener->held_ns = rec->head.ts_ns;
}

/* Holders come by process, those of the oldest first. */
void listener_held(struct fw_tracker *t, struct fw_listener *listener,
			  const struct fw_rec_holder *holder)
{
	if (listener->looked_ns < t->look_ns || !listener->nr_holders) {
		conn_set_owner(t, listener->conn, holder->pid, holder->comm);
		listener->nr_holders = 1;
	} else if (listener->last_pid != holder->pid) {
		listener->nr_holders++;
	}
	listener->last_pid = holder->pid;
	listener->looked_ns = listener->held_ns = holder->head.ts_ns;
}

void owner_look_begin(struct fw_tracker *t, uint64_t ts_ns)
{
	t->look_ns = ts_ns;
	t->holders_wanted = false;
}

/* No process holds @listener: what called listen() was only its starter. */
static void listener_not_held(struct fw_listener *listener)
{
	listener->held_ns = 0;
	listener->nr_holders = 0;
	listener->conn->pid = 0;
	memset(listener->conn->comm, 0, sizeof(listener->conn->comm));
}

static void inherit_again(struct fw_tracker *t, struct fw_conn *c)
{
	if (!fw_conn_listener(c) || fw_conn_has(c, FW_CONN_ORPHANED | FW_CONN_UNDECIDED))
		return;
	if (fw_conn_has(c, FW_CONN_OWNER_LISTENS)) {
		c->pid = 0;
		fw_conn_clear(c, FW_CONN_OWNER_LISTENS);
	}
	conn_inherit_owner(t, c);
}

void owner_look_end(struct fw_tracker *t)
{
	struct fw_listener *listener = NULL;

	while ((listener = fw_listeners_next(&t->listeners, listener))) {
		if (listener->looked_ns < t->look_ns && listener->held_ns < t->look_ns &&
		    listener->conn->enter_ns[0] < t->look_ns)
			listener_not_held(listener);
	}
	for (struct fw_conn *c = fw_conn_table_first(&t->table); c; c = fw_conn_table_next(&t->table, c)) {
		inherit_again(t, c);
		subflow_inherit_owner(t, c);
	}
	/* What the look has not found, the next will not find either. */
	t->holders_wanted = false;
}

void owner_process_ended(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_listener *listener = NULL;

	while ((listener = fw_listeners_next(&t->listeners, listener))) {
		if (listener->conn->pid != ev->state->pid)
			continue;
		listener->held_ns = 0;
		listener->nr_holders = 0;
	}
}

bool fw_tracker_wants_holders(const struct fw_tracker *t, bool at_end)
{
	if (t->holders_wanted || !at_end)
		return t->holders_wanted;
	for (const struct fw_conn *c = fw_conn_table_first(&t->table); c; c = fw_conn_table_next(&t->table, c)) {
		if (fw_conn_listener(c))
			return true;
	}
	return false;
}

/* ---- Holders and acceptors ----------------------------------------------------------------- */

static struct fw_conn *socket_of(const struct fw_tracker *t, const struct fw_rec_head *head)
{
	struct fw_conn *c = head->cookie ? fw_conn_table_by_cookie(&t->table, head->cookie) : NULL;

	return c ? c : fw_conn_table_by_skaddr(&t->table, head->skaddr);
}

void owner_accepted(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_state *rec = ev->state;
	struct fw_conn *c = socket_of(t, ev->head);

	subflow_owner_acted(t, ev);
	if (!c || c->flags & (FW_CONN_UNDECIDED | FW_CONN_MINI | FW_CONN_LISTENER))
		return;
	listener_accepts(t, c, rec);
	conn_set_owner(t, c, rec->pid, rec->comm);
	if (rec->cgroup_id)
		c->cgroup_id = rec->cgroup_id;
	FW_OBSERVE(t->observer, accepted, c, rec);
}

void owner_holds(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_holder *holder = ev->holder;
	struct fw_conn *c = mptcp_held(t, holder);
	struct fw_listener *listener;

	if (!c)
		c = socket_of(t, ev->head);
	if (c && c->flags & (FW_CONN_UNDECIDED | FW_CONN_MINI))
		c = NULL;
	listener = fw_listeners_at(&t->listeners, c ? c->skaddr : ev->head->skaddr);
	if (listener)
		listener_held(t, listener, holder);
	else if (c && (!c->pid || c->flags & FW_CONN_OWNER_LISTENS))
		conn_set_owner(t, c, holder->pid, holder->comm);
	FW_OBSERVE(t->observer, holder, c, holder);
}

/* ---- bind() -------------------------------------------------------------------------------- */

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
