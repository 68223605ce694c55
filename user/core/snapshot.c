// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: what exists, as iterators tell it among the events of the same time. What the tracker
 * does not know is older than the trace; what it knows in another state, or knows and the kernel does
 * not, tells of events that never came.
 */
#include <stdlib.h>
#include <string.h>

#include "core/tracker_internal.h"

/* The kernel notes the time of a segment just before the transition that the segment causes. */
#define SEGMENT_NS 10000000ULL

void snapshot_begin(struct fw_tracker *t, const struct fw_event *ev)
{
	for (struct fw_conn *c = fw_conn_table_first(&t->table); c;
	     c = fw_conn_table_next(&t->table, c))
		fw_conn_clear(c, FW_CONN_SEEN);
	mptcp_snapshot_begin(t);
	owner_look_begin(t, ev->head->ts_ns);
	t->snapshot_ns = ev->head->ts_ns;
	t->nr_snapshot_netns = 0;
	FW_OBSERVE(t->observer, snapshot_begin, ev->head->ts_ns);
}

static struct fw_conn *known_mini(struct fw_tracker *t, const struct fw_rec_head *head)
{
	struct fw_conn *c = fw_conn_table_by_skaddr(&t->table, head->skaddr);

	/* One that was born without a cookie has been given one by the iterator. */
	if (c && c->flags & FW_CONN_MINI && (!c->cookie || c->cookie == head->cookie))
		return c;
	c = head->cookie ? fw_conn_table_by_cookie(&t->table, head->cookie) : NULL;
	if (!c || c->flags & FW_CONN_MINI)
		return c && c->skaddr == head->skaddr ? c : NULL;
	/* After connect(AF_UNSPEC) two lives have one cookie: this one's has its endpoints. */
	return c->lport == head->lport && c->rport == head->rport ? c : NULL;
}

static struct fw_conn *known_full(struct fw_tracker *t, const struct fw_rec_head *head)
{
	struct fw_conn *c = head->cookie ? fw_conn_table_by_cookie(&t->table, head->cookie) : NULL;

	if (c && c->flags & FW_CONN_MINI) {
		/* A former life of this socket: from now on known by its address. */
		fw_conn_table_unindex(&t->table, c);
		fw_conn_table_index(&t->table, c, FW_KEY_SKADDR);
		c = NULL;
	}
	if (!c)
		c = fw_conn_table_by_skaddr(&t->table, head->skaddr);
	return c && !(c->flags & FW_CONN_MINI) ? c : NULL;
}

static struct fw_conn *known(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_head *head = ev->head;
	struct fw_tuple tuple = fw_tuple_of_head(head);

	switch (ev->sock->object) {
	case FW_OBJECT_REQUEST:
		return fw_conn_table_by_tuple(&t->table, &tuple);
	case FW_OBJECT_MINI:
		return known_mini(t, head);
	default:
		return known_full(t, head);
	}
}

/* It was in its state by then. */
uint64_t snapshot_since_ns(const struct fw_event *ev)
{
	uint64_t since = since_or_now(ev->head, ev->sock->since_ns);

	if (ev->sock->object == FW_OBJECT_FULL || ev->sock->object == FW_OBJECT_MPTCP)
		since += SEGMENT_NS;
	return since_or_now(ev->head, since);
}

static enum fw_closed_by closed_by(unsigned int state)
{
	switch (state) {
	case FW_FIN_WAIT_1:
	case FW_FIN_WAIT_2:
		return FW_CLOSED_BY_LOCAL;
	case FW_CLOSE_WAIT:
	case FW_LAST_ACK:
		return FW_CLOSED_BY_REMOTE;
	case FW_CLOSING:
		return FW_CLOSED_BY_BOTH;
	default:
		return FW_CLOSED_BY_UNKNOWN;
	}
}

static void note_orphan(struct fw_conn *c, const struct fw_event *ev)
{
	if (!(ev->head->flags & FW_REC_ORPHAN))
		return;
	c->flags |= FW_CONN_ORPHANED;
	if (fw_conn_state(c) == FW_FIN_WAIT_2)
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
}

static void found_full(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	unsigned int state = ev->head->newstate;

	c->flags |= FW_CONN_SOCKET_SEEN;
	conn_push(c, state, snapshot_since_ns(ev), FW_STEP_AT_LEAST);
	note_orphan(c, ev);
	c->closed_by = (uint8_t)closed_by(state);
	if (state == FW_SYN_SENT)
		c->role = FW_ROLE_ACTIVE;
	else if (ev->head->flags & FW_REC_CLONED)
		c->role = FW_ROLE_PASSIVE;
	fw_conn_table_index(&t->table, c, ev->head->cookie ? FW_KEY_COOKIE : FW_KEY_SKADDR);
	if (state != FW_LISTEN)
		return;
	c->flags |= FW_CONN_LISTENER;
	fw_listeners_add(&t->listeners, c);
}

static void found_request(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	c->flags |= FW_CONN_REQUEST;
	c->role = FW_ROLE_PASSIVE;
	c->retransmits = ev->sock->retransmits;
	if (ev->head->flags & FW_REC_ACKED)
		fw_conn_set(c, FW_CONN_ACKED);
	conn_set_listener(t, c, ev->sock->listener);
	conn_push(c, FW_SYN_RECV, snapshot_since_ns(ev), FW_STEP_AT_LEAST);
	fw_conn_table_index(&t->table, c, FW_KEY_TUPLE);
}

static struct fw_conn *found(struct fw_tracker *t, const struct fw_event *ev)
{
	bool mini = ev->sock->object == FW_OBJECT_MINI;
	struct fw_conn *c = mini ? minisock_found(t, ev) : conn_new(t, ev);

	if (!c)
		return NULL;
	/* Whatever is not older than the trace has had events, and they were lost. */
	if (t->last_loss_ns)
		c->flags |= FW_CONN_GAP;
	if (ev->sock->object == FW_OBJECT_REQUEST)
		found_request(t, c, ev);
	else if (!mini)
		found_full(t, c, ev);
	c->flags |= FW_CONN_SINCE_BEFORE;
	conn_count(t, c);
	return c;
}

/* The events that brought it there have not come. */
static void resync(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	unsigned int state = ev->head->newstate, flags = FW_STEP_AT_LEAST;
	uint64_t ns = ev->sock->object == FW_OBJECT_MINI ? minisock_entry_ns(t, ev, &flags) : snapshot_since_ns(ev),
		 last_ns = c->enter_ns[c->nr_steps - 1];

	conn_push_after_gap(t, c, state, ns > last_ns ? ns : last_ns);
	if (ns > last_ns)
		c->step_flags[c->nr_steps - 1] = (uint8_t)flags;
	if (c->closed_by == FW_CLOSED_BY_UNKNOWN)
		c->closed_by = (uint8_t)closed_by(state);
	conn_announce(t, c, c->flags & FW_CONN_MINI ? FW_TR_MINISOCK : 0);
}

static void became_mini(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	fw_conn_set(c, FW_CONN_MINI | FW_CONN_ORPHANED);
	/* The record with its totals was lost, unless only the birth was missed. */
	if (!fw_conn_has(c, FW_CONN_LIMBO))
		fw_conn_clear(c, FW_CONN_SOCKET_SEEN);
	c->skaddr = ev->head->skaddr;
	c->armed_jiffies = (uint32_t)ev->sock->expires_jiffies;
	if (ev->head->newstate == FW_FIN_WAIT_2)
		conn_unsettled(t, c);
}

/* FIN_WAIT_2 goes on in its minisock, of which the birth was missed. */
static void moved_unseen(struct fw_tracker *t, struct fw_conn *c)
{
	conn_gap(t, c);
	c->step_flags[c->nr_steps - 1] &= (uint8_t)~FW_STEP_AT_MOST;
}

/* A socket that was known before; @ev may know it better. */
static void met(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	bool mini = ev->sock->object == FW_OBJECT_MINI;
	bool moved = mini && !(c->flags & FW_CONN_MINI);

	/* What announces it is on its way. */
	if (c->flags & FW_CONN_UNANNOUNCED)
		return;
	if (mini && !moved) {
		minisock_met(t, c, ev);
		return;
	}
	conn_set_endpoints(t, c, ev->head);
	if (moved)
		became_mini(t, c, ev);
	if (fw_conn_state(c) != ev->head->newstate)
		resync(t, c, ev);
	else if (moved)
		moved_unseen(t, c);
	note_orphan(c, ev);
}

static void note_queue(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct fw_conn_extra *extra = fw_conn_table_extra(&t->table, c);

	if (!extra)
		return;
	extra->queue = sock->unread;
	extra->queue_max = sock->unsent;
	extra->drops = sock->drops;
}

/* What only a full socket can tell. */
static void note_full(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	const struct fw_rec_sock *sock = ev->sock;

	if (ev->head->newstate == FW_LISTEN)
		note_queue(t, c, sock);

	c->uid = sock->uid;
	c->bytes_sent = sock->bytes_sent;
	c->bytes_received = payload_received(ev->head, sock->bytes_received);
	c->cgroup_id = sock->cgroup_id ? sock->cgroup_id : c->cgroup_id;
	fw_conn_clear(c, FW_CONN_UNACCEPTED);
	if (ev->head->newstate == FW_LISTEN || c->role == FW_ROLE_ACTIVE ||
	    ev->head->flags & (FW_REC_HAS_FILE | FW_REC_ORPHAN))
		return;
	c->flags |= FW_CONN_UNACCEPTED;
	c->role = FW_ROLE_PASSIVE;
	conn_set_listener(t, c, ev->sock->listener);
}

/* What should have announced it follows within microseconds: it was lost. */
static bool is_overdue(const struct fw_conn *c, uint64_t now_ns)
{
	return c->flags & FW_CONN_UNANNOUNCED && c->end_ns + FW_UNDECIDED_NS < now_ns;
}

static void announce_mini(struct fw_tracker *t, struct fw_conn *c)
{
	fw_conn_clear(c, FW_CONN_UNANNOUNCED);
	c->flags |= FW_CONN_GAP;
	conn_announce(t, c, FW_TR_MINISOCK);
}

/* A minisock whose socket's -> CLOSE was lost, or a child whose first own transition was. */
static struct fw_conn *announce_overdue(struct fw_tracker *t, struct fw_conn *c,
					const struct fw_event *ev)
{
	if (c->flags & FW_CONN_MINI)
		announce_mini(t, c);
	else if (ev->head->cookie)
		c = request_child_known(t, ev);
	return c;
}

void snapshot_socket(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c;

	if (ev->sock->object == FW_OBJECT_MPTCP) {
		mptcp_socket(t, ev);
		return;
	}
	c = known(t, ev);
	if (c && c->flags & FW_CONN_UNDECIDED)
		return;
	if (c && is_overdue(c, ev->head->ts_ns))
		c = announce_overdue(t, c, ev);
	if (c)
		met(t, c, ev);
	else
		c = found(t, ev);
	if (c) {
		c->flags |= FW_CONN_SEEN;
		if (ev->head->ts_ns > c->end_ns)
			c->end_ns = ev->head->ts_ns;
		if (ev->sock->object == FW_OBJECT_FULL)
			note_full(t, c, ev);
		subflow_join(t, c, ev->head, ev->sock->mptcp_token);
		subflow_waits(t, c);
	}
	FW_OBSERVE(t->observer, socket, c, ev->sock);
}

void snapshot_netns_done(struct fw_tracker *t, const struct fw_event *ev)
{
	if (t->nr_snapshot_netns == t->snapshot_netns_cap) {
		size_t cap = t->snapshot_netns_cap ? t->snapshot_netns_cap * 2 : 16;
		uint32_t *more = realloc(t->snapshot_netns, cap * sizeof(*more));

		/* What vanished from this one will not be noticed. */
		if (!more)
			return;
		t->snapshot_netns = more;
		t->snapshot_netns_cap = cap;
	}
	t->snapshot_netns[t->nr_snapshot_netns++] = ev->head->netns;
}

bool fw_tracker_visited(const struct fw_tracker *t, uint32_t netns)
{
	for (size_t i = 0; i < t->nr_snapshot_netns; i++) {
		if (t->snapshot_netns[i] == netns)
			return true;
	}
	return false;
}

/* Nothing has happened to it since before the snapshot, and the snapshot has not met it. */
static bool has_vanished(const struct fw_tracker *t, const struct fw_conn *c)
{
	if (c->flags & FW_CONN_UNANNOUNCED && !is_overdue(c, t->snapshot_ns))
		return false;
	return !(c->flags & (FW_CONN_SEEN | FW_CONN_UNDECIDED)) && c->end_ns < t->snapshot_ns &&
	       fw_tracker_visited(t, c->netns);
}

static void end_vanished(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns)
{
	/* A child that lost the race for its request, or never came to be known, was nobody's. */
	if (c->flags & FW_CONN_UNANNOUNCED && !(c->flags & FW_CONN_MINI)) {
		conn_drop(t, c);
		return;
	}
	if (c->flags & FW_CONN_UNANNOUNCED)
		announce_mini(t, c);
	conn_end_unseen(t, c, ts_ns);
}

void snapshot_end(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *next;

	owner_look_end(t);
	mptcp_snapshot_end(t);
	for (struct fw_conn *c = fw_conn_table_first(&t->table); c; c = next) {
		next = fw_conn_table_next(&t->table, c);
		/* By now the holders of listeners are known. */
		conn_inherit_by_port(t, c);
		if (has_vanished(t, c))
			end_vanished(t, c, ev->head->ts_ns);
	}
	t->snapshot_done = true;
	FW_OBSERVE(t->observer, snapshot_end, ev->head->ts_ns);
}
