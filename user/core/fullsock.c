// SPDX-License-Identifier: GPL-2.0-only
/*
 * Full sockets: the transitions that sock:inet_sock_set_state reports.
 */
#include <string.h>

#include "core/tracker_internal.h"

/*
 * shutdown() in SYN_RECV is deferred to the segment that ends it (Linux 6.10). If another process had locked
 * the socket then, that process makes the transition: to read its counters, say. A close() as early as that
 * is by the process that accepted it, which is known from that.
 */
static bool is_deferred_shutdown(const struct fw_conn *c, const struct fw_event *ev)
{
	unsigned int n = c->nr_steps;

	return ev->head->newstate == FW_FIN_WAIT_1 && n >= 2 && c->steps[n - 1] == FW_ESTABLISHED &&
	       c->steps[n - 2] == FW_SYN_RECV && c->segs_in == ev->state->segs_in &&
	       ev->head->ts_ns - c->enter_ns[n - 1] < FW_AT_ONCE_NS;
}

static void set_owner(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	const struct fw_rec_state *rec = ev->state;

	c->uid = rec->uid;
	c->flags |= FW_CONN_SOCKET_SEEN;
	if (rec->cgroup_id)
		c->cgroup_id = rec->cgroup_id;
	subflow_join(t, c, ev->head, rec->mptcp_token);
	subflow_owner_acted(t, ev);
	if (ev->head->flags & FW_REC_OWNER && !is_deferred_shutdown(c, ev))
		conn_set_owner(t, c, rec->pid, rec->comm);
	else
		subflow_inherit_owner(t, c);
}

static void set_totals(struct fw_conn *c, const struct fw_event *ev)
{
	const struct fw_rec_state *rec = ev->state;

	c->bytes_sent = rec->bytes_sent;
	c->bytes_received = payload_received(ev->head, rec->bytes_received);
	c->retransmits = rec->retransmits;
	c->segs_in = rec->segs_in;
	/* A child has not either: its request socket sent the SYN-ACK. */
	if (ev->head->flags & FW_REC_SYN_UNSENT && ev->head->oldstate == FW_SYN_SENT)
		fw_conn_set(c, FW_CONN_SYN_UNSENT);
	c->err = rec->err < UINT8_MAX ? (uint8_t)rec->err : UINT8_MAX;
}

static void set_role_and_closer(struct fw_conn *c, unsigned int from, unsigned int to)
{
	if (from == FW_CLOSE && to == FW_SYN_SENT)
		c->role = FW_ROLE_ACTIVE;
	if (from == FW_LISTEN && to == FW_SYN_RECV)
		c->role = FW_ROLE_PASSIVE;
	if (to == FW_FIN_WAIT_1)
		c->closed_by = FW_CLOSED_BY_LOCAL;
	if (to == FW_CLOSE_WAIT)
		c->closed_by = FW_CLOSED_BY_REMOTE;
	if (to == FW_CLOSING)
		c->closed_by = FW_CLOSED_BY_BOTH;
}

/* The first event of a connection that finwait has not seen begin. */
static struct fw_conn *conn_since_before(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_new(t, ev);

	if (!c)
		return NULL;
	if (ev->head->oldstate == FW_LISTEN) {
		c->flags |= FW_CONN_LISTENER;
		fw_listeners_add(&t->listeners, c);
	}
	conn_push_unknown(t, c, ev->head->oldstate, ev->head->ts_ns);
	conn_count(t, c);
	fw_conn_table_index(&t->table, c, FW_KEY_COOKIE);
	return c;
}

/*
 * A socket can be connected again after connect(AF_UNSPEC), with the cookie of its former life, and
 * while the minisock of that life still is in TIME_WAIT.
 */
static void end_former_life(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = fw_conn_table_by_cookie(&t->table, ev->head->cookie);

	if (!c)
		return;
	if (c->flags & FW_CONN_MINI) {
		fw_conn_table_unindex(&t->table, c);
		fw_conn_table_index(&t->table, c, FW_KEY_SKADDR);
	} else if (!fw_conn_has(c, FW_CONN_UNDECIDED)) {
		conn_end_unseen(t, c, ev->head->ts_ns);
	}
}

/* CLOSE -> LISTEN and CLOSE -> SYN_SENT. */
static void conn_begin(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c;

	end_former_life(t, ev);
	c = conn_new(t, ev);
	if (!c)
		return;
	if (ev->head->newstate == FW_LISTEN) {
		c->flags |= FW_CONN_LISTENER;
		fw_listeners_add(&t->listeners, c);
	}
	conn_push(c, ev->head->newstate, ev->head->ts_ns, 0);
	set_owner(t, c, ev);
	set_totals(c, ev);
	set_role_and_closer(c, FW_CLOSE, ev->head->newstate);
	fw_conn_table_index(&t->table, c, FW_KEY_COOKIE);
	conn_announce(t, c, 0);
}

/*
 * The kernel says that @c leaves another state than the one it is known to be in: records were
 * lost. Take the kernel's word; how long that state lasted is not known.
 */
static void conn_resync(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	conn_push_after_gap(t, c, ev->head->oldstate, ev->head->ts_ns);
}

static void orphaned(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	c->flags |= FW_CONN_ORPHANED;
	if (fw_conn_state(c) == FW_FIN_WAIT_2) {
		c->flags |= FW_CONN_CLOSED_LATE;
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
	}
	conn_announce_self(t, c, ev->head->ts_ns, FW_TR_ORPHANED);
}

/*
 * FIN_WAIT_2 that the same segment entered and left is RFC 9293's FIN_WAIT_1 -> TIME_WAIT. The
 * kernel counts segments before it queues them for a socket that is busy, so an ACK and a FIN that
 * both waited in that queue look like one segment; their dwell was the wait for a lock.
 */
static bool is_same_segment(const struct fw_conn *c, uint32_t segs_in_before)
{
	unsigned int n = c->nr_steps;

	return n >= 3 && c->steps[n - 1] == FW_TIME_WAIT && c->steps[n - 2] == FW_FIN_WAIT_2 &&
	       c->steps[n - 3] == FW_FIN_WAIT_1 && segs_in_before == c->segs_in;
}

static void merge_same_segment(struct fw_conn *c)
{
	unsigned int n = c->nr_steps;

	c->steps[n - 2] = FW_TIME_WAIT;
	c->step_flags[n - 2] = 0;
	c->nr_steps--;
	c->flags |= FW_CONN_THREE_SEGMENT;
}

/*
 * The same when no minisock was born (table full, TCP_LINGER2 < 0, an RST answers data): the segment that
 * acknowledged our FIN also made the end, because the socket was an orphan or because it brought the FIN.
 */
static void mark_transit_fin_wait_2(struct fw_conn *c, uint32_t segs_in_before,
				    const struct fw_event *ev)
{
	unsigned int n = c->nr_steps;
	bool at_once;

	if (n < 2 || c->steps[n - 1] != FW_FIN_WAIT_2 || c->steps[n - 2] != FW_FIN_WAIT_1)
		return;
	at_once = c->step_flags[n - 1] & FW_STEP_ORPHANED && !(c->flags & FW_CONN_CLOSED_LATE);
	if (segs_in_before == ev->state->segs_in && ev->head->ts_ns - c->enter_ns[n - 1] < FW_AT_ONCE_NS &&
	    (at_once || ev->head->flags & FW_REC_FIN_RECEIVED))
		c->flags |= FW_CONN_TRANSIT;
}

/* A minisock took over just before. */
static void fullsock_left(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev,
			  uint32_t segs_in_before)
{
	bool same_segment;

	if (fw_conn_has(c, FW_CONN_HALF_KNOWN))
		minisock_complete(t, c, ev->head->oldstate);
	same_segment = is_same_segment(c, segs_in_before);
	if (fw_conn_has(c, FW_CONN_UNANNOUNCED))
		conn_announce(t, c, FW_TR_MINISOCK | (same_segment ? FW_TR_SAME_SEGMENT : 0));
	fw_conn_clear(c, FW_CONN_UNANNOUNCED);
	if (same_segment)
		merge_same_segment(c);
}

/* Just before this transition an RST was sent for the socket, on the same CPU. */
static bool was_reset(struct fw_tracker *t, const struct fw_rec_head *head)
{
	const struct fw_cpu_memory *cpu = tracker_cpu(t, head);

	return head->cookie && cpu->reset_cookie == head->cookie && head->ts_ns - cpu->reset_ns < FW_AT_ONCE_NS;
}

/*
 * Neither a minisock was seen nor another end. Without a hook, or with a record lost, the minisock may exist: its
 * end, a snapshot or an RST will tell, or its time will pass (fw_tracker_overdue()). FIN_WAIT_2 without a dwell
 * (FW_CONN_TRANSIT) is only proven by the RST.
 */
static void enter_limbo(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	t->counters.gaps++;
	fw_conn_set(c, FW_CONN_LIMBO | FW_CONN_GAP | FW_CONN_ORPHANED);
	c->step_flags[c->nr_steps - 1] |= FW_STEP_AT_MOST;
	c->end_ns = ev->head->ts_ns;
}

/* The reset that ended it has come, before anything else could be missed. */
static void leave_limbo(struct fw_tracker *t, struct fw_conn *c)
{
	t->counters.gaps--;
	fw_conn_clear(c, FW_CONN_LIMBO | FW_CONN_GAP);
	c->step_flags[c->nr_steps - 1] &= (uint8_t)~FW_STEP_AT_MOST;
}

static void end_by(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev,
		   struct fw_verdict verdict)
{
	uint64_t ts_ns = ev->head->ts_ns;

	if (verdict.is_short)
		fw_conn_set(c, FW_CONN_SHORT);
	if ((verdict.wait || verdict.end == FW_END_OPEN) && was_reset(t, ev->head))
		conn_end(t, c, ts_ns, verdict_with_reset(c, tracker_cpu(t, ev->head)->reset_answers_data));
	else if (verdict.end == FW_END_OPEN)
		enter_limbo(t, c, ev);
	else if (verdict.wait)
		conn_end_undecided(t, c, ts_ns, verdict.end);
	else
		conn_end(t, c, ts_ns, verdict.end);
}

/* * -> CLOSE: the end, unless a minisock lives on. */
static void fullsock_closed(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	uint32_t segs_in_before = c->segs_in;
	struct fw_verdict verdict;

	set_owner(t, c, ev);
	set_totals(c, ev);
	FW_OBSERVE(t->observer, full, c, ev->state, t->hz);
	if (fw_conn_has(c, FW_CONN_MINI)) {
		fullsock_left(t, c, ev, segs_in_before);
		return;
	}
	verdict = verdict_of_close(ev->state, fw_conn_mptcp_token(c));
	if (verdict.end == FW_END_TIME_WAIT_OVERFLOW || verdict.end == FW_END_FIN_WAIT_2_SKIPPED ||
	    verdict.end == FW_END_OPEN)
		mark_transit_fin_wait_2(c, segs_in_before, ev);
	end_by(t, c, ev, verdict);
}

static struct fw_conn *conn_of(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = fw_conn_table_by_cookie(&t->table, ev->head->cookie);

	if (c && !(c->flags & FW_CONN_UNDECIDED))
		return c;
	c = ev->head->oldstate == FW_SYN_RECV ? request_child_known(t, ev) : NULL;
	if (!c && ev->head->newstate == FW_CLOSE)
		c = minisock_of_unknown(t, ev);
	return c ? c : conn_since_before(t, ev);
}

void fullsock_transition(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_head *head = ev->head;
	struct fw_conn *c;

	if (head->oldstate == FW_CLOSE && head->newstate == FW_CLOSE)
		return;
	if (head->oldstate == FW_CLOSE) {
		conn_begin(t, ev);
		return;
	}
	if (head->oldstate == FW_LISTEN && head->newstate == FW_SYN_RECV) {
		request_child_born(t, ev);
		return;
	}
	c = head->cookie ? conn_of(t, ev) : NULL;
	if (!c) {
		t->counters.unmatched++;
		return;
	}
	fw_conn_table_touch(&t->table, c);
	conn_set_endpoints(t, c, head);
	if (!(c->flags & FW_CONN_MINI) && fw_conn_state(c) != head->oldstate)
		conn_resync(t, c, ev);
	if (head->newstate == FW_CLOSE) {
		fullsock_closed(t, c, ev);
		return;
	}
	if (head->flags & FW_REC_ORPHAN)
		c->flags |= FW_CONN_ORPHANED;
	if (head->oldstate == head->newstate) {
		set_owner(t, c, ev);
		orphaned(t, c, ev);
		return;
	}
	set_owner(t, c, ev);
	set_totals(c, ev);
	set_role_and_closer(c, head->oldstate, head->newstate);
	conn_push(c, head->newstate, head->ts_ns,
		  head->newstate == FW_FIN_WAIT_2 && (c->flags & FW_CONN_ORPHANED) ? FW_STEP_ORPHANED : 0);
	conn_announce(t, c, 0);
	FW_OBSERVE(t->observer, full, c, ev->state, t->hz);
}

/* Only its first state has been seen: SYN_SENT, or as a child that still has no cookie SYN_RECV. */
void fw_tracker_forget(struct fw_tracker *t, const struct fw_event *ev)
{
	const struct fw_rec_head *head = ev->head;
	struct fw_conn *c = head->cookie ? fw_conn_table_by_cookie(&t->table, head->cookie) : NULL;

	if (!c)
		c = fw_conn_table_by_skaddr(&t->table, head->skaddr);
	if (!c || c->nr_steps != 1 || fw_conn_state(c) != head->oldstate ||
	    fw_conn_has(c, FW_CONN_MINI | FW_CONN_UNDECIDED))
		return;
	conn_drop(t, c);
}

void fullsock_reset_sent(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = fw_conn_table_by_cookie(&t->table, ev->head->cookie);
	bool answers_data = ev->head->flags & FW_REC_ANSWERS_DATA;

	*tracker_cpu(t, ev->head) = (struct fw_cpu_memory){
		.reset_cookie = ev->head->cookie,
		.reset_ns = ev->head->ts_ns,
		.reset_answers_data = answers_data,
	};
	if (!c)
		return;
	FW_OBSERVE(t->observer, reset_sent, c, ev->head->ts_ns);
	if (fw_conn_has(c, FW_CONN_LIMBO) && ev->head->ts_ns - c->end_ns < FW_UNDECIDED_NS) {
		leave_limbo(t, c);
		conn_end(t, c, c->end_ns, verdict_with_reset(c, answers_data));
	} else if (fw_conn_has(c, FW_CONN_UNDECIDED)) {
		c->end = (uint8_t)verdict_with_reset(c, answers_data);
		conn_decide(t, c);
	}
}

void fullsock_retransmit(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = ev->head->cookie ? fw_conn_table_by_cookie(&t->table, ev->head->cookie) : NULL;

	if (!c || fw_conn_has(c, FW_CONN_UNDECIDED | FW_CONN_MINI))
		return;
	c->retransmits = ev->state->retransmits;
	FW_OBSERVE(t->observer, retransmit, c, ev->state);
}
