// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracker as a whole: dispatch, time, memory, and what the observer is told. What each kernel
 * object's events mean stands in fullsock.c, minisock.c and request.c.
 */
#include "core/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tracker_internal.h"

int fw_tracker_init(struct fw_tracker *t, size_t max_connections, unsigned int hz,
		    uint64_t start_ns, const struct fw_observer *observer)
{
	*t = (struct fw_tracker){
		.hz = hz,
		.start_ns = start_ns,
		.observer = *observer,
	};
	return fw_conn_table_init(&t->table, max_connections);
}

struct fw_tracker_counters fw_tracker_counters_since(const struct fw_tracker_counters *now,
						     const struct fw_tracker_counters *then)
{
	return (struct fw_tracker_counters){
		.events = now->events - then->events,
		.connections = now->connections - then->connections,
		.illegal = now->illegal - then->illegal,
		.gaps = now->gaps - then->gaps,
		.evicted = now->evicted - then->evicted,
		.lost = now->lost - then->lost,
		.no_memory = now->no_memory - then->no_memory,
		.unmatched = now->unmatched - then->unmatched,
		.bind_failures = now->bind_failures - then->bind_failures,
	};
}

void fw_tracker_fini(struct fw_tracker *t)
{
	if (!t)
		return;
	fw_conn_table_fini(&t->table);
	free(t->undecided);
	free(t->unsettled);
	free(t->snapshot_netns);
	fw_listeners_fini(&t->listeners);
	fw_mptcps_fini(&t->mptcps);
}

/* Makes room by forgetting the connection that has been idle longest. */
static void evict(struct fw_tracker *t)
{
	struct fw_conn *c = fw_conn_table_first(&t->table);

	if (c && c->flags & FW_CONN_UNDECIDED && !(c->flags & FW_CONN_COMPLETED)) {
		conn_decide(t, c);
	} else if (c) {
		t->counters.evicted++;
		conn_drop(t, c);
	}
}

struct fw_conn *conn_new(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = fw_conn_table_new(&t->table);

	if (!c && errno == ENOSPC) {
		evict(t);
		c = fw_conn_table_new(&t->table);
	}
	if (!c) {
		t->counters.no_memory++;
		return NULL;
	}
	c->cookie = ev->head->cookie;
	c->skaddr = ev->head->skaddr;
	c->netns = ev->head->netns;
	conn_set_endpoints(t, c, ev->head);
	return c;
}

static void conn_uncount(struct fw_tracker *t, struct fw_conn *c)
{
	if (c->counted)
		t->in_state[c->counted]--;
	c->counted = 0;
}

void conn_count(struct fw_tracker *t, struct fw_conn *c)
{
	unsigned int state = fw_conn_state(c);

	conn_uncount(t, c);
	if (!state || state >= FW_STATE_MAX || c->flags & FW_CONN_UNDECIDED)
		return;
	c->counted = (uint8_t)state;
	t->in_state[state]++;
}

void conn_drop(struct fw_tracker *t, struct fw_conn *c)
{
	conn_uncount(t, c);
	if (c->flags & FW_CONN_LISTENER)
		fw_listeners_remove(&t->listeners, c);
	subflow_leave(t, c);
	fw_conn_table_remove(&t->table, c);
}

static void set_endpoints(struct fw_conn *c, const struct fw_rec_head *head)
{
	if (head->rport || !c->rport) {
		c->family = head->family;
		if (!fw_addr_is_zero(head->raddr))
			memcpy(c->raddr, head->raddr, sizeof(c->raddr));
	}
	if (!fw_addr_is_zero(head->laddr))
		memcpy(c->laddr, head->laddr, sizeof(c->laddr));
	if (head->lport)
		c->lport = head->lport;
	if (head->rport)
		c->rport = head->rport;
}

/*
 * The kernel fills endpoints in late and wipes them early: keep what was ever known. A socket that
 * listens without bind() gets its port only after CLOSE -> LISTEN.
 */
void conn_set_endpoints(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_head *head)
{
	uint16_t lport = c->lport;

	set_endpoints(c, head);
	if (c->flags & FW_CONN_LISTENER && c->lport != lport)
		fw_listeners_move(&t->listeners, c, lport);
	if (head->ifindex && head->ifindex != fw_conn_ifindex(c) && fw_conn_table_extra(&t->table, c))
		c->extra->ifindex = head->ifindex;
}

void conn_push(struct fw_conn *c, unsigned int state, uint64_t ts_ns, unsigned int step_flags)
{
	if (c->nr_steps == FW_STEPS_MAX) {
		/* Only lost events and forged recordings get here. Keep how it began and where it is. */
		c->nr_steps--;
		c->flags |= FW_CONN_GAP;
	}
	c->steps[c->nr_steps] = (uint8_t)state;
	c->step_flags[c->nr_steps] = (uint8_t)step_flags;
	c->enter_ns[c->nr_steps] = ts_ns;
	c->nr_steps++;
	c->end_ns = ts_ns;
}

/*
 * Whether a connection that was never seen must be older than the trace: nothing of it can have been missed
 * or forgotten, and no snapshot should have shown it.
 */
static bool unknown_is_older(const struct fw_tracker *t)
{
	return !t->snapshot_done && !t->last_loss_ns && !t->counters.evicted && !t->counters.no_memory;
}

void conn_push_unknown(struct fw_tracker *t, struct fw_conn *c, unsigned int state, uint64_t ts_ns)
{
	fw_conn_set(c, FW_CONN_SINCE_BEFORE);
	if (unknown_is_older(t) && t->start_ns <= ts_ns) {
		conn_push(c, state, t->start_ns, FW_STEP_AT_LEAST);
		return;
	}
	t->counters.gaps++;
	fw_conn_set(c, FW_CONN_GAP);
	conn_push(c, state, ts_ns, FW_STEP_AT_LEAST | FW_STEP_AT_MOST);
}

/* Limbo has been counted. */
void conn_gap(struct fw_tracker *t, struct fw_conn *c)
{
	if (!fw_conn_has(c, FW_CONN_LIMBO))
		t->counters.gaps++;
	fw_conn_clear(c, FW_CONN_LIMBO | FW_CONN_TRANSIT);
	fw_conn_set(c, FW_CONN_GAP);
}

void conn_push_after_gap(struct fw_tracker *t, struct fw_conn *c, unsigned int state,
			 uint64_t ts_ns)
{
	conn_gap(t, c);
	c->step_flags[c->nr_steps - 1] |= FW_STEP_AT_MOST;
	conn_push(c, state, ts_ns, FW_STEP_AT_LEAST);
	conn_count(t, c);
}

static uint16_t dwell_flags(const struct fw_conn *c, unsigned int step)
{
	unsigned int flags = c->step_flags[step];

	if (flags & FW_STEP_AT_MOST)
		return FW_TR_DWELL_UNKNOWN | (flags & FW_STEP_AT_LEAST ? 0 : FW_TR_DWELL_AT_MOST);
	return flags & FW_STEP_AT_LEAST ? FW_TR_DWELL_AT_LEAST : 0;
}

static void tell(struct fw_tracker *t, const struct fw_conn *c, const struct fw_transition *tr)
{
	FW_OBSERVE(t->observer, transition, c, tr);
}

void conn_announce(struct fw_tracker *t, struct fw_conn *c, uint16_t flags)
{
	unsigned int last = c->nr_steps - 1U;
	struct fw_transition tr = { .to = c->steps[last], .flags = flags };

	conn_count(t, c);
	tr.ts_ns = c->enter_ns[last];
	if (last) {
		tr.from = c->steps[last - 1];
		tr.dwell_ns = fw_conn_dwell_ns(c, last - 1);
		tr.flags |= dwell_flags(c, last - 1);
	} else {
		tr.from = (uint8_t)fw_state_origin(tr.to);
		tr.flags |= FW_TR_DWELL_UNKNOWN;
	}
	if (!fw_state_legal(tr.from, tr.to)) {
		tr.flags |= FW_TR_ILLEGAL;
		t->counters.illegal++;
	}
	tell(t, c, &tr);
}

void conn_announce_self(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, uint16_t flags)
{
	unsigned int last = c->nr_steps - 1U;
	struct fw_transition tr = {
		.ts_ns = ts_ns,
		.from = c->steps[last],
		.to = c->steps[last],
		.flags = flags | dwell_flags(c, last),
	};

	if (ts_ns > c->enter_ns[last])
		tr.dwell_ns = ts_ns - c->enter_ns[last];
	tell(t, c, &tr);
}

static void report(struct fw_tracker *t, struct fw_conn *c)
{
	subflow_inherit_owner(t, c);
	if (t->last_loss_ns && c->enter_ns[0] <= t->last_loss_ns)
		c->flags |= FW_CONN_GAP;
	if (c->flags & FW_CONN_LISTENER)
		return;
	if (c->end != FW_END_OPEN)
		t->counters.connections++;
	FW_OBSERVE(t->observer, connection, c);
}

static void conn_close(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, enum fw_end end)
{
	conn_uncount(t, c);
	c->end_ns = ts_ns;
	c->end = (uint8_t)end;
}

/* Tells the last transition and the whole connection, and forgets it. */
void conn_decide(struct fw_tracker *t, struct fw_conn *c)
{
	unsigned int last = c->nr_steps - 1U;
	struct fw_transition tr = {
		.ts_ns = c->end_ns,
		.dwell_ns = fw_conn_dwell_ns(c, last),
		.from = c->steps[last],
		.to = FW_CLOSE,
		.flags = FW_TR_END | dwell_flags(c, last),
	};

	fw_conn_clear(c, FW_CONN_UNDECIDED);
	tell(t, c, &tr);
	/* The observer of transitions has seen the kernel pass through it. */
	if (c->flags & FW_CONN_TRANSIT)
		c->nr_steps--;
	report(t, c);
	conn_drop(t, c);
}

void conn_end(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, enum fw_end end)
{
	conn_close(t, c, ts_ns, end);
	conn_decide(t, c);
}

void conn_end_unseen(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns)
{
	conn_gap(t, c);
	c->step_flags[c->nr_steps - 1] |= FW_STEP_AT_MOST;
	conn_end(t, c, ts_ns, FW_END_UNKNOWN);
}

void conn_end_undecided(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, enum fw_end end)
{
	struct fw_undecided *u = t->undecided;

	if (c->flags & FW_CONN_UNDECIDED)
		return;
	if (t->nr_undecided == t->undecided_cap) {
		size_t cap = t->undecided_cap ? t->undecided_cap * 2 : 64;

		u = malloc(cap * sizeof(*u));
		if (!u) {
			conn_end(t, c, ts_ns, end);
			return;
		}
		for (size_t i = 0; i < t->nr_undecided; i++)
			u[i] = t->undecided[(t->undecided_first + i) % t->undecided_cap];
		free(t->undecided);
		t->undecided = u;
		t->undecided_cap = cap;
		t->undecided_first = 0;
	}
	conn_close(t, c, ts_ns, end);
	c->flags |= FW_CONN_UNDECIDED;
	u[(t->undecided_first + t->nr_undecided++) % t->undecided_cap] =
		(struct fw_undecided){ c, c->id, ts_ns + FW_UNDECIDED_NS };
}

void fw_tracker_advance(struct fw_tracker *t, uint64_t now_ns)
{
	while (t->nr_undecided) {
		struct fw_undecided u = t->undecided[t->undecided_first];

		if (now_ns < u.deadline_ns)
			return;
		t->undecided_first = (t->undecided_first + 1) % t->undecided_cap;
		t->nr_undecided--;
		if (u.conn->id != u.id || !(u.conn->flags & FW_CONN_UNDECIDED))
			continue;
		/* The handshake completed, and its child did not become a connection. */
		if (u.conn->flags & FW_CONN_COMPLETED)
			conn_drop(t, u.conn);
		else
			conn_decide(t, u.conn);
	}
}

void conn_unsettled(struct fw_tracker *t, struct fw_conn *c)
{
	if (!t->rearms_unseen)
		return;
	if (t->nr_unsettled == t->unsettled_cap) {
		size_t cap = t->unsettled_cap ? t->unsettled_cap * 2 : 64;
		struct fw_undecided *u = realloc(t->unsettled, cap * sizeof(*u));

		/* Without memory it is settled when it ends, only later. */
		if (!u)
			return;
		t->unsettled = u;
		t->unsettled_cap = cap;
	}
	t->unsettled[t->nr_unsettled++] = (struct fw_undecided){ .conn = c, .id = c->id };
}

void fw_tracker_unsettled(struct fw_tracker *t,
			  void (*look)(void *arg, uint64_t skaddr, uint64_t cookie), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->nr_unsettled; i++) {
		struct fw_undecided u = t->unsettled[i];

		if (u.conn->id != u.id || fw_conn_state(u.conn) != FW_FIN_WAIT_2)
			continue;
		t->unsettled[kept++] = u;
		look(arg, u.conn->skaddr, u.conn->cookie);
	}
	t->nr_unsettled = kept;
}

void fw_tracker_ahead(struct fw_tracker *t, const struct fw_rec_head *head)
{
	uint64_t *slot = &t->ahead[t->next_ahead++ % FW_AHEAD];

	fw_conn_table_fetch_conn(&t->table, *slot);
	*slot = fw_conn_table_fetch_bucket(&t->table, head->cookie ? head->cookie : head->skaddr);
}

static void end_with_netns(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns)
{
	if (fw_conn_has(c, FW_CONN_COMPLETED) ||
	    (fw_conn_has(c, FW_CONN_UNANNOUNCED) && !fw_conn_has(c, FW_CONN_MINI)))
		conn_drop(t, c);
	else if (fw_conn_has(c, FW_CONN_UNDECIDED))
		conn_decide(t, c);
	else
		conn_end_unseen(t, c, ts_ns > c->end_ns ? ts_ns : c->end_ns);
}

void fw_tracker_netns_reborn(struct fw_tracker *t, uint32_t netns, uint64_t ts_ns)
{
	struct fw_conn *next;

	for (struct fw_conn *c = fw_conn_table_first(&t->table); c; c = next) {
		next = fw_conn_table_next(&t->table, c);
		if (c->netns == netns && c->enter_ns[0] <= ts_ns)
			end_with_netns(t, c, ts_ns);
	}
}

void fw_tracker_lost(struct fw_tracker *t, uint64_t count, uint64_t ts_ns)
{
	t->counters.lost += count;
	if (ts_ns > t->last_loss_ns)
		t->last_loss_ns = ts_ns;
	FW_OBSERVE(t->observer, lost, count, ts_ns);
}

void fw_tracker_apply(struct fw_tracker *t, const struct fw_event *ev)
{
	if (fw_rec_is_event(ev->head->kind))
		t->counters.events++;
	fw_tracker_advance(t, ev->head->ts_ns);
	switch (ev->head->kind) {
	case FW_REC_STATE:
		if (ev->head->flags & FW_REC_MPTCP)
			mptcp_transition(t, ev);
		else if (ev->head->flags & FW_REC_RULED_OUT)
			fw_tracker_forget(t, ev);
		else
			fullsock_transition(t, ev);
		break;
	case FW_REC_RESET_SENT:
		fullsock_reset_sent(t, ev);
		break;
	case FW_REC_TW_SCHED:
		minisock_scheduled(t, ev);
		break;
	case FW_REC_TW_END:
		minisock_ended(t, ev);
		break;
	case FW_REC_TW_SEEN:
		minisock_seen(t, ev);
		break;
	case FW_REC_REQ_SCHED:
		request_scheduled(t, ev);
		break;
	case FW_REC_REQ_END:
		request_ended(t, ev);
		break;
	case FW_REC_ACCEPTED:
		owner_accepted(t, ev);
		break;
	case FW_REC_BIND_FAILED:
		owner_bind_failed(t, ev);
		break;
	case FW_REC_RETRANSMIT:
		fullsock_retransmit(t, ev);
		break;
	case FW_REC_CONNECT_FAILED:
		FW_OBSERVE(t->observer, connect_failed, ev->state);
		break;
	case FW_REC_SNAP_BEGIN:
		snapshot_begin(t, ev);
		break;
	case FW_REC_SOCK:
		snapshot_socket(t, ev);
		break;
	case FW_REC_HOLDER:
		owner_holds(t, ev);
		break;
	case FW_REC_PROCESS:
		FW_OBSERVE(t->observer, process, ev->process);
		break;
	case FW_REC_SNAP_NETNS:
		snapshot_netns_done(t, ev);
		break;
	case FW_REC_SNAP_END:
		snapshot_end(t, ev);
		break;
	case FW_REC_HOLDERS_BEGIN:
		owner_look_begin(t, ev->head->ts_ns);
		break;
	case FW_REC_HOLDERS_END:
		owner_look_end(t);
		break;
	case FW_REC_PROCESS_ENDED:
		owner_process_ended(t, ev);
		break;
	}
}

void fw_tracker_finish(struct fw_tracker *t, uint64_t now_ns)
{
	struct fw_conn *c, *next;

	fw_tracker_advance(t, UINT64_MAX);
	minisock_end_overdue(t, now_ns);
	for (c = fw_conn_table_first(&t->table); c; c = next) {
		next = fw_conn_table_next(&t->table, c);
		/* Whether it is open is not known. */
		if (fw_conn_has(c, FW_CONN_LIMBO)) {
			conn_end_unseen(t, c, now_ns);
			continue;
		}
		if (now_ns > c->end_ns)
			c->end_ns = now_ns;
		/* A child that lost the race for its request (see request.c) was never a connection. */
		if (!(c->flags & FW_CONN_UNANNOUNCED) || c->flags & FW_CONN_MINI)
			report(t, c);
		conn_drop(t, c);
	}
}
