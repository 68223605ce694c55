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
/* How long a snapshot may take to tell more about those, and how often the table is walked. */
#define SNAPSHOT_NS (60 * NS_PER_S)
#define EXPIRY_NS (30 * NS_PER_S)

/*
 * When the timer of a minisock in TIME_WAIT was last set; 0 if that is not known. Exact to a jiffy, as far as
 * the kernel's jiffies were up to date when it was set.
 */
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

/* Jiffies lag behind the clock while ticks are late: a bound that is made of them keeps this distance. */
#define JIFFIES_LAG_NS 100000000ULL
/* Jiffies and milliseconds of one moment differ by less. */
#define SAME_MOMENT_NS 20000000ULL

/*
 * Since when a minisock that was not seen to enter TIME_WAIT is in it, and whether that is a lower bound
 * (FW_STEP_AT_LEAST) or exact (0). @since_ns is the kernel's own time of entry, but in a minisock that was born
 * in FIN_WAIT_2 of a connection without timestamps that of its birth; @armed is when its timer was last set,
 * which may have been a restart. What both say is the entry.
 */
static uint64_t time_wait_entry(const struct fw_rec_head *head, uint64_t since_ns, uint64_t armed,
				unsigned int *flags)
{
	uint64_t ts_ns = head->ts_ns;
	bool agree = since_ns < armed + SAME_MOMENT_NS && armed < since_ns + SAME_MOMENT_NS;

	*flags = FW_STEP_AT_LEAST;
	if (!armed)
		return ts_ns;
	if (since_ns && since_ns < ts_ns && (agree || head->flags & FW_REC_ENTRY_KNOWN)) {
		*flags = 0;
		return since_ns;
	}
	return armed + JIFFIES_LAG_NS < ts_ns ? armed + JIFFIES_LAG_NS : ts_ns;
}

/* The same of the record of an event, in any state; 0: not known. */
static uint64_t entry_of(const struct fw_tracker *t, const struct fw_event *ev, unsigned int *flags)
{
	const struct fw_rec_mini *mini = ev->mini;

	*flags = FW_STEP_AT_LEAST;
	if (ev->head->newstate == FW_TIME_WAIT)
		return time_wait_entry(ev->head, mini->since_ns, armed_ns(t, ev), flags);
	return mini->since_ns && mini->since_ns < ev->head->ts_ns ? mini->since_ns : 0;
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

/* A minisock of a connection never seen before, in no step yet. */
static struct fw_conn *conn_unknown(struct fw_tracker *t, const struct fw_event *ev, uint64_t expires)
{
	struct fw_conn *c = conn_new(t, ev);

	if (!c)
		return NULL;
	t->counters.unmatched++;
	fw_conn_set(c, FW_CONN_MINI | FW_CONN_SINCE_BEFORE | FW_CONN_ORPHANED);
	c->armed_jiffies = (uint32_t)expires;
	return c;
}

/* Its first step has been pushed. */
static void conn_unknown_done(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	if (fw_conn_state(c) == FW_FIN_WAIT_2) {
		c->step_flags[0] |= FW_STEP_ORPHANED;
		conn_unsettled(t, c);
	}
	conn_count(t, c);
	index_mini(t, c, ev->head->cookie);
}

/*
 * The birth of a minisock is the first that is seen of a connection: its state began now. The socket's own
 * last transition follows on this CPU. It says which state that was in (minisock_complete()), and proves that
 * this was a birth: the record before a re-arm may have been lost. A minisock without a cookie is joined to it
 * by minisock_of_unknown().
 */
static struct fw_conn *born_of_unknown(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_unknown(t, ev, ev->mini->expires_jiffies);

	if (!c)
		return NULL;
	fw_conn_set(c, FW_CONN_HALF_KNOWN);
	conn_push(c, ev->head->newstate, ev->head->ts_ns, FW_STEP_AT_LEAST);
	conn_unknown_done(t, c, ev);
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

	if (!c || c->id != tw->id || ev->head->ts_ns > tw->deadline_ns || c->nr_steps != 1 ||
	    t->anonymous_tw_cpu != ev->head->cpu || c->rport != ev->head->rport)
		return NULL;
	tw->conn = NULL;
	return c;
}

void minisock_complete(struct fw_tracker *t, struct fw_conn *c, unsigned int state)
{
	uint64_t born_ns = c->enter_ns[0];
	unsigned int born = c->steps[0], more = c->nr_steps - 1U;

	fw_conn_clear(c, FW_CONN_HALF_KNOWN);
	/* What has happened since does not wait for this record, unless records are out of order. */
	if (more)
		return;
	c->nr_steps = 0;
	conn_push_unknown(t, c, state, born_ns);
	if (born != state) {
		conn_push(c, born, born_ns, 0);
		fw_conn_set(c, FW_CONN_UNANNOUNCED);
	}
	if (born == FW_FIN_WAIT_2)
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
	conn_count(t, c);
}

static void tell_birth(struct fw_tracker *t, const struct fw_conn *c, uint64_t ts_ns)
{
	if (c)
		FW_OBSERVE(t->observer, minisock, c, ts_ns);
}

/* Minisocks are born of FIN_WAIT_2 and CLOSING. From any other state a transition was missed. */
static void push_born(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	unsigned int from = fw_conn_state(c), to = ev->head->newstate;

	if (from == to)
		return;
	if (from == FW_FIN_WAIT_2 || from == FW_CLOSING) {
		conn_push(c, to, ev->head->ts_ns, 0);
	} else {
		conn_push_after_gap(t, c, to, ev->head->ts_ns);
		if (to == FW_TIME_WAIT)
			c->step_flags[c->nr_steps - 1] = 0;
	}
	fw_conn_set(c, FW_CONN_UNANNOUNCED);
}

static void move_to_minisock(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	fw_conn_clear(c, FW_CONN_LIMBO | FW_CONN_TRANSIT);
	fw_conn_set(c, FW_CONN_MINI | FW_CONN_ORPHANED);
	c->skaddr = ev->head->skaddr;
	c->armed_jiffies = (uint32_t)ev->mini->expires_jiffies;
	conn_set_endpoints(t, c, ev->head);
}

/* The full socket has become a minisock. Its -> CLOSE follows at once, and announces this. */
static void born(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev)
{
	move_to_minisock(t, c, ev);
	push_born(t, c, ev);
	if (ev->head->newstate == FW_FIN_WAIT_2) {
		c->step_flags[c->nr_steps - 1] |= FW_STEP_ORPHANED;
		conn_unsettled(t, c);
	}
	tell_birth(t, c, ev->head->ts_ns);
	conn_count(t, c);
}

/* The minisock of @c exists, but its birth was missed. It is in its state since @since_ns; @step_flags:
 * FW_STEP_AT_LEAST if that is a lower bound, else 0.
 */
static void born_unseen(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev,
			uint64_t since_ns, unsigned int step_flags)
{
	unsigned int state = ev->head->newstate;

	if (fw_conn_state(c) == state) {
		conn_gap(t, c);
		move_to_minisock(t, c, ev);
		c->step_flags[c->nr_steps - 1] &= (uint8_t)~FW_STEP_AT_MOST;
		return;
	}
	if (since_ns < c->enter_ns[c->nr_steps - 1]) {
		since_ns = c->enter_ns[c->nr_steps - 1];
		step_flags = FW_STEP_AT_LEAST;
	}
	conn_push_after_gap(t, c, state, since_ns);
	c->step_flags[c->nr_steps - 1] = (uint8_t)step_flags;
	move_to_minisock(t, c, ev);
	conn_announce(t, c, FW_TR_MINISOCK);
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
	else if (t->rearms_unseen &&
		 (int32_t)((uint32_t)ev->mini->expires_jiffies - c->armed_jiffies) > 0)
		restarted(t, c, ev, set_ns ? set_ns : ev->head->ts_ns);
}

/* Whether the timer was set before. The timer front end sees that as a cancel just before, on this CPU. */
static bool is_rearmed(struct fw_tracker *t, const struct fw_rec_head *head)
{
	struct fw_cpu_memory *cpu = tracker_cpu(t, head);
	bool rearmed = head->flags & FW_REC_REARMED || cpu->rearmed_skaddr == head->skaddr;

	cpu->rearmed_skaddr = 0;
	return rearmed;
}

/* A minisock of a connection never seen before, and not born now: in its state since @since_ns, or, with 0, for
 * an unknown time.
 */
static struct fw_conn *older_minisock(struct fw_tracker *t, const struct fw_event *ev, uint64_t since_ns,
				      unsigned int step_flags)
{
	struct fw_conn *c = conn_unknown(t, ev, ev->mini->expires_jiffies);

	if (!c)
		return NULL;
	if (since_ns)
		conn_push(c, ev->head->newstate, since_ns, step_flags);
	else
		conn_push_unknown(t, c, ev->head->newstate, ev->head->ts_ns);
	conn_unknown_done(t, c, ev);
	return c;
}

void minisock_scheduled(struct fw_tracker *t, const struct fw_event *ev)
{
	bool rearmed = is_rearmed(t, ev->head);
	struct fw_conn *c = conn_of(t, ev);

	if (!c && rearmed) {
		/* Its FIN_WAIT_2 may have ended just now. */
		older_minisock(t, ev, ev->head->ts_ns, FW_STEP_AT_LEAST);
		return;
	}
	if (!c) {
		tell_birth(t, born_of_unknown(t, ev), ev->head->ts_ns);
		return;
	}
	fw_conn_table_touch(&t->table, c);
	if (!fw_conn_has(c, FW_CONN_MINI) && (rearmed || fw_conn_has(c, FW_CONN_LIMBO)))
		born_unseen(t, c, ev, ev->head->ts_ns, FW_STEP_AT_LEAST);
	else if (!fw_conn_has(c, FW_CONN_MINI))
		born(t, c, ev);
	else if (fw_conn_state(c) == ev->head->newstate && ev->head->newstate == FW_TIME_WAIT)
		restarted(t, c, ev, ev->head->ts_ns);
	else if (ev->head->newstate == FW_TIME_WAIT)
		enter_time_wait(t, c, ev, ev->head->ts_ns, 0);
}

/* The timer is being set again; the record of that follows. */
static void minisock_rearmed(struct fw_tracker *t, const struct fw_event *ev)
{
	tracker_cpu(t, ev->head)->rearmed_skaddr = ev->head->skaddr;
}

static bool answered_data(struct fw_tracker *t, const struct fw_rec_head *head)
{
	const struct fw_cpu_memory *cpu = tracker_cpu(t, head);

	return head->cookie && cpu->reset_cookie == head->cookie && cpu->reset_answers_data &&
	       head->ts_ns - cpu->reset_ns < FW_AT_ONCE_NS;
}

void minisock_ended(struct fw_tracker *t, const struct fw_event *ev)
{
	unsigned int step_flags;
	struct fw_conn *c;
	uint64_t since_ns;

	if (ev->cause == FW_CAUSE_REARMED) {
		minisock_rearmed(t, ev);
		return;
	}
	c = conn_of(t, ev);
	since_ns = entry_of(t, ev, &step_flags);
	if (!c)
		c = older_minisock(t, ev, since_ns, step_flags);
	else if (!fw_conn_has(c, FW_CONN_MINI))
		born_unseen(t, c, ev, since_ns ? since_ns : ev->head->ts_ns, step_flags);
	if (!c)
		return;
	settle(t, c, ev);
	conn_end(t, c, ev->head->ts_ns,
		 verdict_of_minisock(ev->head->newstate, ev->cause, answered_data(t, ev->head)));
}

static bool is_overdue(const struct fw_conn *c, uint64_t now_ns)
{
	return fw_conn_has(c, FW_CONN_MINI) && !fw_conn_has(c, FW_CONN_UNDECIDED) &&
	       now_ns > c->end_ns + OVERDUE_NS;
}

/* FIN_WAIT_2 may last 60 s in a minisock, and TIME_WAIT follow it. */
static bool is_limbo_over(const struct fw_conn *c, uint64_t now_ns)
{
	return fw_conn_has(c, FW_CONN_LIMBO) && now_ns > c->end_ns + 2 * OVERDUE_NS;
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

bool fw_tracker_overdue(const struct fw_tracker *t, uint64_t now_ns)
{
	for (const struct fw_conn *c = fw_conn_table_first(&t->table); c;
	     c = fw_conn_table_next(&t->table, c)) {
		if (is_overdue(c, now_ns))
			return true;
	}
	return false;
}

/* When it ended is not known, nor even that it has: its last record is all that is certain. */
static void end_forgotten(struct fw_tracker *t, struct fw_conn *c)
{
	conn_gap(t, c);
	c->step_flags[c->nr_steps - 1] &= (uint8_t)~FW_STEP_AT_MOST;
	c->step_flags[c->nr_steps - 1] |= FW_STEP_AT_LEAST;
	conn_end(t, c, c->end_ns, FW_END_UNKNOWN);
}

void minisock_end_overdue(struct fw_tracker *t, uint64_t now_ns)
{
	struct fw_conn *next;

	for (struct fw_conn *c = fw_conn_table_first(&t->table); c; c = next) {
		next = fw_conn_table_next(&t->table, c);
		if (is_overdue(c, now_ns) || is_limbo_over(c, now_ns))
			end_forgotten(t, c);
	}
}

void fw_tracker_expire(struct fw_tracker *t, uint64_t now_ns)
{
	if (now_ns < t->next_expiry_ns || now_ns < SNAPSHOT_NS)
		return;
	t->next_expiry_ns = now_ns + EXPIRY_NS;
	minisock_end_overdue(t, now_ns - SNAPSHOT_NS);
}

uint64_t minisock_entry_ns(const struct fw_tracker *t, const struct fw_event *ev, unsigned int *flags)
{
	const struct fw_rec_sock *sock = ev->sock;
	uint64_t ts_ns = ev->head->ts_ns;

	*flags = FW_STEP_AT_LEAST;
	if (ev->head->newstate != FW_TIME_WAIT)
		return since_or_now(ev->head, sock->since_ns);
	return time_wait_entry(ev->head, sock->since_ns,
			       armed_at_ns(t, ts_ns, sock->now_jiffies, sock->expires_jiffies), flags);
}

struct fw_conn *minisock_found(struct fw_tracker *t, const struct fw_event *ev)
{
	struct fw_conn *c = conn_unknown(t, ev, ev->sock->expires_jiffies);
	unsigned int flags;
	uint64_t ns;

	if (!c)
		return NULL;
	ns = minisock_entry_ns(t, ev, &flags);
	conn_push(c, ev->head->newstate, ns, flags);
	conn_unknown_done(t, c, ev);
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
	/* The substate changes just before the timer is set: its record is on its way. */
	if (fw_conn_state(c) == FW_FIN_WAIT_2 && (uint32_t)mini.expires_jiffies == c->armed_jiffies)
		return;
	settle(t, c, &look);
}
