// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT minisocks: where orphaned FIN_WAIT_2 and TIME_WAIT live, unseen by the state tracepoint.
 *
 * The timer front end misses a re-arm that lands in the same bucket of the timer wheel. Then the
 * minisock's own timer tells: in TIME_WAIT it is always set to 60 s (TCP_TIMEWAIT_LEN) from the
 * moment it was last set, so that moment is expires - 60 s, exact to a jiffy.
 */
#include "core/tracker_internal.h"

#define TIMEWAIT_LEN_S 60
#define NS_PER_S 1000000000ULL

/* No minisock is armed for more than 60 s. The timer wheel is up to 4.1 s late (HZ=1000). */
#define OVERDUE_NS (70 * NS_PER_S)

/* When the timer of a minisock in TIME_WAIT was last set; 0 if that cannot be told. */
static uint64_t armed_at_ns(const struct fw_tracker *t, uint64_t ts_ns, uint64_t now_jiffies,
			    uint64_t expires_jiffies)
{
	uint64_t timeout = (uint64_t)TIMEWAIT_LEN_S * t->hz;
	uint64_t ago;

	if (!t->hz || expires_jiffies < timeout)
		return 0;
	ago = now_jiffies - (expires_jiffies - timeout);
	if (ago > now_jiffies)
		return ts_ns; /* in the jiffy that has just begun */
	ago = ago * (NS_PER_S / t->hz);
	return ago < ts_ns ? ts_ns - ago : 0;
}

static uint64_t armed_ns(const struct fw_tracker *t, const struct fw_event *ev)
{
	return armed_at_ns(t, ev->head->ts_ns, ev->mini->now_jiffies, ev->mini->expires_jiffies);
}

static struct fw_conn *conn_of(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c, *by_addr;

	c = ev->head->cookie ? fw_conn_table_by_cookie(&t->table, ev->head->cookie) : NULL;
	if (c && c->flags & FW_CONN_MINI && c->skaddr == ev->head->skaddr)
		return c;
	/* Without a cookie, or its socket has begun another life with the same cookie. */
	by_addr = fw_conn_table_by_skaddr(&t->table, ev->head->skaddr);
	if (by_addr && by_addr->flags & FW_CONN_MINI && by_addr->cookie == ev->head->cookie)
		return by_addr;
	/* What is about to become a minisock has its endpoints. */
	return c && c->lport == ev->head->lport && c->rport == ev->head->rport ? c : NULL;
}

/* By its cookie, unless its socket has begun another life with that. */
static void index_mini(struct fw_tracker *t, struct fw_conn *c, uint64_t cookie)
{
	bool by_cookie = cookie && !fw_conn_table_by_cookie(&t->table, cookie);

	fw_conn_table_index(&t->table, c, by_cookie ? FW_KEY_COOKIE : FW_KEY_SKADDR);
}

/*
 * A minisock of a connection never seen before. If it has no cookie, its full socket had none:
 * nothing happened to it since before the trace. The socket's own last transition follows on this
 * CPU, and completes the connection (minisock_of_unknown()).
 */
static struct fw_conn *conn_since_before(struct fw_tracker *t, const struct fw_event *ev,
					 uint64_t enter_ns)
{
	struct fw_conn *c = conn_new(t, ev);

	if (!c)
		return NULL;
	t->counters.unmatched++;
	c->flags |= FW_CONN_MINI | FW_CONN_SINCE_BEFORE | FW_CONN_ORPHANED;
	c->armed_jiffies = (uint32_t)ev->mini->expires_jiffies;
	conn_push(c, ev->head->newstate, enter_ns, FW_STEP_AT_LEAST);
	if (ev->head->newstate == FW_FIN_WAIT_2) {
		c->step_flags[0] |= FW_STEP_ORPHANED;
		conn_unsettled(t, c);
	}
	conn_count(t, c);
	index_mini(t, c, ev->head->cookie);
	if (!ev->head->cookie) {
		t->anonymous_tw = (struct fw_undecided){ c, c->id, ev->head->ts_ns + FW_UNDECIDED_NS };
		t->anonymous_tw_cpu = ev->head->cpu;
	}
	return c;
}

struct fw_conn *minisock_of_unknown(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_undecided *tw = &t->anonymous_tw;
	struct fw_conn *c = tw->conn;
	uint64_t born_ns;
	unsigned int state;

	if (!c || c->id != tw->id || ev->head->ts_ns > tw->deadline_ns || c->nr_steps != 1 ||
	    t->anonymous_tw_cpu != ev->head->cpu || c->rport != ev->head->rport)
		return NULL;
	tw->conn = NULL;
	state = c->steps[0];
	born_ns = tw->deadline_ns - FW_UNDECIDED_NS;
	c->nr_steps = 0;
	conn_push(c, ev->head->oldstate, t->start_ns, FW_STEP_AT_LEAST);
	if (state != ev->head->oldstate) {
		conn_push(c, state, born_ns, 0);
		c->flags |= FW_CONN_UNANNOUNCED;
	}
	if (state == FW_FIN_WAIT_2)
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
	return c;
}

static void tell_birth(struct fw_tracker *t, const struct fw_conn *c, uint64_t ts_ns)
{
	if (c)
		FW_OBSERVE(t->observer, minisock, c, ts_ns);
}

/* The full socket has become a minisock. Its -> CLOSE follows at once, and announces this. */
static void born(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	c->flags |= FW_CONN_MINI | FW_CONN_ORPHANED;
	c->skaddr = ev->head->skaddr;
	c->armed_jiffies = (uint32_t)ev->mini->expires_jiffies;
	conn_set_endpoints(t, c, ev->head);
	if (fw_conn_state(c) != ev->head->newstate) {
		conn_push(c, ev->head->newstate, ev->head->ts_ns, 0);
		c->flags |= FW_CONN_UNANNOUNCED;
	}
	if (ev->head->newstate == FW_FIN_WAIT_2) {
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
		conn_unsettled(t, c);
	}
	tell_birth(t, c, ev->head->ts_ns);
	conn_count(t, c);
}

static void enter_time_wait(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev,
			    uint64_t ts_ns, unsigned int step_flags)
{
	if (ts_ns < c->enter_ns[c->nr_steps - 1])
		ts_ns = c->enter_ns[c->nr_steps - 1];
	conn_push(c, FW_TIME_WAIT, ts_ns, step_flags);
	c->armed_jiffies = (uint32_t)ev->mini->expires_jiffies;
	conn_announce(t, c, FW_TR_MINISOCK);
}

static void restarted(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev,
		      uint64_t ts_ns)
{
	if (c->restarts < UINT16_MAX)
		c->restarts++;
	c->armed_jiffies = (uint32_t)ev->mini->expires_jiffies;
	conn_announce_self(t, c, ts_ns, FW_TR_MINISOCK | FW_TR_RESTART);
}

/* Catches up with what happened without a hook: @ev knows the substate and the timer. */
static void settle(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	uint64_t set_ns;

	if (ev->head->newstate != FW_TIME_WAIT)
		return;
	set_ns = armed_ns(t, ev);
	if (fw_conn_state(c) == FW_FIN_WAIT_2)
		enter_time_wait(t, c, ev, set_ns ? set_ns : ev->head->ts_ns,
				set_ns ? 0 : FW_STEP_AT_LEAST);
	else if (t->rearms_unseen && (int32_t)((uint32_t)ev->mini->expires_jiffies - c->armed_jiffies) > 0)
		restarted(t, c, ev, set_ns ? set_ns : ev->head->ts_ns);
}

void minisock_scheduled(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_of(t, ev);

	if (!c) {
		c = conn_since_before(t, ev, t->start_ns);
		/* One that has a cookie was there before, and is only re-armed. */
		if (!ev->head->cookie)
			tell_birth(t, c, ev->head->ts_ns);
		return;
	}
	fw_conn_table_touch(&t->table, c);
	if (!(c->flags & FW_CONN_MINI))
		born(t, c, ev);
	else if (fw_conn_state(c) == ev->head->newstate && ev->head->newstate == FW_TIME_WAIT)
		restarted(t, c, ev, ev->head->ts_ns);
	else if (ev->head->newstate == FW_TIME_WAIT)
		enter_time_wait(t, c, ev, ev->head->ts_ns, 0);
}

void minisock_ended(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_of(t, ev);
	uint64_t since_ns;

	if (ev->cause == FW_CAUSE_REARMED) {
		if (c && !(c->flags & FW_CONN_MINI)) {
			/* It was born without a record. */
			c->flags |= FW_CONN_GAP;
			t->counters.gaps++;
		}
		return;
	}
	if (!c) {
		since_ns = ev->head->newstate == FW_TIME_WAIT ? armed_ns(t, ev) : 0;
		c = conn_since_before(t, ev, since_ns ? since_ns : t->start_ns);
		if (!c)
			return;
	}
	settle(t, c, ev);
	conn_end(t, c, ev->head->ts_ns, verdict_of_minisock(ev->head->newstate, ev->cause));
}

static bool is_overdue(const struct fw_conn *c, uint64_t now_ns)
{
	return c->flags & FW_CONN_MINI && !(c->flags & FW_CONN_UNDECIDED) &&
	       now_ns > c->end_ns + OVERDUE_NS;
}

void minisock_seen(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_of(t, ev);

	if (!c || !(c->flags & FW_CONN_MINI))
		return;
	if (!(ev->head->flags & FW_REC_GONE))
		settle(t, c, ev);
	else if (is_overdue(c, ev->head->ts_ns))
		conn_end_unseen(t, c, ev->head->ts_ns);
}

void fw_tracker_overdue(struct fw_tracker *t, uint64_t now_ns,
			void (*look)(void *arg, uint64_t skaddr, uint64_t cookie), void *arg)
{
	for (struct fw_conn *c = fw_conn_table_first(&t->table); c; c = fw_conn_table_next(&t->table, c)) {
		if (is_overdue(c, now_ns))
			look(arg, c->skaddr, c->cookie);
	}
}

uint64_t minisock_set_ns(const struct fw_tracker *t, const struct fw_event *ev)
{
	if (ev->head->newstate != FW_TIME_WAIT)
		return 0;
	return armed_at_ns(t, ev->head->ts_ns, ev->sock->now_jiffies, ev->sock->expires_jiffies);
}

struct fw_conn *minisock_found(struct fw_tracker *t, const struct fw_event *ev)
{
	unsigned int state = ev->head->newstate;
	uint64_t set_ns = minisock_set_ns(t, ev);
	struct fw_conn *c = conn_new(t, ev);

	if (!c)
		return NULL;
	c->flags |= FW_CONN_MINI | FW_CONN_SINCE_BEFORE | FW_CONN_ORPHANED;
	c->armed_jiffies = (uint32_t)ev->sock->expires_jiffies;
	if (set_ns) {
		conn_push(c, state, set_ns, 0);
	} else {
		conn_push(c, state, ev->head->ts_ns, FW_STEP_AT_LEAST |
			  (state == FW_FIN_WAIT_2 ? FW_STEP_ORPHANED : 0));
	}
	if (state == FW_FIN_WAIT_2)
		conn_unsettled(t, c);
	/* Listeners come first in a snapshot. */
	if (fw_listeners_serve(&t->listeners, c->netns, c->laddr, c->lport))
		c->role = FW_ROLE_PASSIVE;
	index_mini(t, c, ev->head->cookie);
	return c;
}

/* One that was born without a cookie has been given one by the iterator: its end will have it. */
static void give_cookie(struct fw_tracker *t, struct fw_conn *c, uint64_t cookie)
{
	if (c->cookie || !cookie)
		return;
	fw_conn_table_unindex(&t->table, c);
	c->cookie = cookie;
	index_mini(t, c, cookie);
}

void minisock_met(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	const struct fw_rec_mini mini = {
		.head = *ev->head,
		.expires_jiffies = ev->sock->expires_jiffies,
		.now_jiffies = ev->sock->now_jiffies,
	};
	const struct fw_event look = { .head = &mini.head, .mini = &mini };

	give_cookie(t, c, ev->head->cookie);
	settle(t, c, &look);
}
