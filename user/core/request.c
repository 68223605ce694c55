// SPDX-License-Identifier: GPL-2.0-only
/*
 * Request sockets: the server's side of a handshake, and the child that comes out of it.
 *
 * A request socket has no cookie, so it is known by its 4-tuple. The child's cookie is final only
 * after LISTEN -> SYN_RECV (before Linux 6.15 the kernel overwrites it there, and fills in the
 * peer later still), so in between the child is known by its address. The order of records is
 *
 *   request born ... LISTEN -> SYN_RECV, request completed, SYN_RECV -> ESTABLISHED
 *
 * and the request becomes the child's SYN_RECV at the last of them: several segments may each make a
 * child at the same time, and those that lose the race are freed without another word.
 */
#include <errno.h>

#include "core/tracker_internal.h"

static struct fw_conn *request_of(struct fw_tracker *t, const struct fw_rec_head *head)
{
	struct fw_tuple tuple = fw_tuple_of_head(head);

	return fw_conn_table_by_tuple(&t->table, &tuple);
}

/* Another request has taken its 4-tuple: it is over. */
static void request_replaced(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns)
{
	if (c->flags & FW_CONN_COMPLETED) {
		conn_drop(t, c);
	} else if (c->flags & FW_CONN_UNDECIDED) {
		conn_decide(t, c);
	} else {
		conn_end_unseen(t, c, ts_ns);
	}
}

static void note_ack(struct fw_conn *c, const struct fw_event *ev)
{
	if (ev->head->flags & FW_REC_ACKED)
		fw_conn_set(c, FW_CONN_ACKED);
}

/* The first SYN-ACK follows the birth at once; the margin is for a host that is very busy. */
#define FIRST_SYN_ACK_NS 20000000ULL

/*
 * Whether the request socket of @ev is the one that @c is known as: the same object, or the copy that the
 * kernel makes for another listener when its own has closed (tcp_migrate_req), which keeps the time of the
 * first SYN-ACK. Another SYN of the same 4-tuple makes a request that has sent nothing yet.
 */
static bool is_same_request(const struct fw_conn *c, const struct fw_event *ev)
{
	const struct fw_rec_mini *mini = ev->mini;

	if (!mini->since_ns)
		return c->skaddr == ev->head->skaddr;
	if (c->step_flags[0] & FW_STEP_AT_LEAST)
		return mini->since_ns <= c->enter_ns[0] + FIRST_SYN_ACK_NS;
	return mini->since_ns + FIRST_SYN_ACK_NS >= c->enter_ns[0] &&
	       mini->since_ns <= c->enter_ns[0] + FIRST_SYN_ACK_NS;
}

/* The timer fired, sent a SYN-ACK and was set again: not the end after all. */
static void request_goes_on(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	fw_conn_clear(c, FW_CONN_UNDECIDED);
	c->end = FW_END_OPEN;
	c->skaddr = ev->head->skaddr;
	c->retransmits = ev->mini->timeouts;
	conn_count(t, c);
	fw_conn_table_touch(&t->table, c);
	conn_set_listener(t, c, ev->mini->listener);
	conn_inherit_owner(t, c);
}

void request_scheduled(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = request_of(t, ev->head);

	if (c && ev->mini->timeouts && !fw_conn_has(c, FW_CONN_COMPLETED) && is_same_request(c, ev)) {
		request_goes_on(t, c, ev);
		note_ack(c, ev);
		return;
	}
	/* Not older than the trace, but one of a flood. */
	if (!c && ev->mini->timeouts && ev->head->flags & FW_REC_REQ_UNSEEN)
		return;
	if (c)
		request_replaced(t, c, ev->head->ts_ns);
	c = conn_new(t, ev);
	if (!c)
		return;
	c->flags |= FW_CONN_REQUEST;
	c->role = FW_ROLE_PASSIVE;
	if (ev->mini->timeouts) {
		fw_conn_set(c, FW_CONN_SINCE_BEFORE);
		conn_push(c, FW_SYN_RECV, since_or_now(ev->head, ev->mini->since_ns), FW_STEP_AT_LEAST);
	} else {
		conn_push(c, FW_SYN_RECV, ev->head->ts_ns, 0);
	}
	conn_set_listener(t, c, ev->mini->listener);
	conn_inherit_owner(t, c);
	fw_conn_table_index(&t->table, c, FW_KEY_TUPLE);
	conn_announce(t, c, FW_TR_MINISOCK);
}

void request_ended(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = request_of(t, ev->head);
	bool listener_gone = ev->head->flags & FW_REC_LISTENER_GONE;

	if (!c || fw_conn_has(c, FW_CONN_UNDECIDED) || !is_same_request(c, ev))
		return;
	note_ack(c, ev);
	switch (ev->cause) {
	case FW_CAUSE_REARMED:
		return;
	case FW_CAUSE_COMPLETED:
		c->flags |= FW_CONN_COMPLETED;
		conn_end_undecided(t, c, ev->head->ts_ns, FW_END_UNKNOWN);
		return;
	case FW_CAUSE_EXPIRED:
		/* Unless it is set again at once. */
		c->retransmits = ev->mini->timeouts;
		conn_end_undecided(t, c, ev->head->ts_ns,
				   listener_gone ? FW_END_HALF_OPEN_DROPPED : FW_END_HALF_OPEN_EXPIRED);
		return;
	case FW_CAUSE_RESET:
		fw_conn_set(c, FW_CONN_HANDSHAKE_RESET);
		c->err = ECONNRESET;
		/* fall through */
	default:
		conn_end(t, c, ev->head->ts_ns, FW_END_HALF_OPEN_DROPPED);
	}
}

static bool endpoints_known(const struct fw_rec_head *head)
{
	return head->rport && head->lport && !fw_addr_is_zero(head->raddr);
}

/* The request lives on as the full socket of @ev. */
static void request_becomes_child(struct fw_tracker *t, struct fw_conn *request,
				  const struct fw_event *ev)
{
	fw_conn_table_unindex(&t->table, request);
	/* A 4-tuple is no identity across a loss: this may be a later request. */
	if (t->last_loss_ns >= request->enter_ns[0])
		request->step_flags[0] |= FW_STEP_AT_MOST;
	fw_conn_clear(request, FW_CONN_REQUEST | FW_CONN_COMPLETED | FW_CONN_UNDECIDED);
	request->end = FW_END_OPEN;
	request->skaddr = ev->head->skaddr;
	request->cookie = ev->head->cookie;
	conn_count(t, request);
	fw_conn_table_index(&t->table, request, FW_KEY_COOKIE);
}

void request_child_born(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = fw_conn_table_by_skaddr(&t->table, ev->head->skaddr);
	bool alone;

	/* A child that lost the race for its request is freed without a transition. */
	if (c && !(c->flags & FW_CONN_MINI))
		conn_drop(t, c);
	/* Without a request (Fast Open, SYN cookie) this is where SYN_RECV begins. */
	alone = endpoints_known(ev->head) && !request_of(t, ev->head);
	c = conn_new(t, ev);
	if (!c)
		return;
	c->role = FW_ROLE_PASSIVE;
	c->uid = ev->state->uid;
	conn_push(c, FW_SYN_RECV, ev->head->ts_ns, 0);
	fw_conn_table_index(&t->table, c, FW_KEY_SKADDR);
	if (alone)
		conn_announce(t, c, 0);
	else
		c->flags |= FW_CONN_UNANNOUNCED;
}

/* @child was a request socket that was never reported: suppressed, older than the trace, or lost. @ev: its
 * first transition of its own, or a snapshot that shows it.
 */
static void request_was_unknown(struct fw_conn *child, const struct fw_event *ev)
{
	uint64_t since_ns = ev->state ? ev->state->since_ns : 0;

	if (ev->state && !(ev->head->flags & FW_REC_HAD_REQUEST))
		return;
	child->step_flags[0] |= FW_STEP_AT_LEAST;
	if (since_ns && since_ns < child->enter_ns[0])
		child->enter_ns[0] = since_ns;
}

struct fw_conn *request_child_known(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *child = fw_conn_table_by_skaddr(&t->table, ev->head->skaddr);
	struct fw_conn *request = NULL;

	if (child && child->flags & FW_CONN_MINI)
		child = NULL;
	if (!child || child->flags & FW_CONN_UNANNOUNCED)
		request = endpoints_known(ev->head) ? request_of(t, ev->head) : NULL;
	if (request) {
		if (child)
			conn_drop(t, child);
		request_becomes_child(t, request, ev);
		return request;
	}
	if (!child)
		return NULL;
	request_was_unknown(child, ev);
	fw_conn_table_unindex(&t->table, child);
	child->cookie = ev->head->cookie;
	conn_set_endpoints(t, child, ev->head);
	fw_conn_table_index(&t->table, child, FW_KEY_COOKIE);
	if (child->flags & FW_CONN_UNANNOUNCED) {
		fw_conn_clear(child, FW_CONN_UNANNOUNCED);
		conn_announce(t, child, 0);
	}
	return child;
}
