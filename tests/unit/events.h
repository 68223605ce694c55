/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenes for the tracker: records as the kernel side would send them, one line each, and what the
 * observer was told as text.
 *
 *	full(s, 1, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7);
 *	mini(s, 99, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
 *	expect_connections(s, "active SYN_SENT=1 ... time_wait_expired local\n");
 *
 * Times are milliseconds since the start of the trace, also in the text. The scene knows what the
 * kernel leaves out when: cookies of request sockets and of children in LISTEN -> SYN_RECV, the
 * local port at connect() and at CLOSE, the child's peer on kernels before 6.15.
 */
#ifndef FW_TESTS_EVENTS_H
#define FW_TESTS_EVENTS_H

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "core/tracker.h"
#include "unit.h"

#define SCENE_START_NS 1000000000000ULL
#define SCENE_HZ 250U
#define SCENE_JIFFIES_0 4294892296ULL /* at SCENE_START_NS */

struct scene {
	struct fw_tracker tracker;
	struct fw_buf connections, transitions;
	uint64_t last_id;	   /* of the connection told last */
	unsigned int without_peer; /* transitions told of connections whose peer was not known */
	struct fw_conn last;	   /* as it was then */
	/* the connection that the next records are about */
	uint64_t cookie, skaddr, mini_skaddr, request_skaddr;
	uint32_t netns; /* 0: 4026531840 */
	uint32_t ifindex;
	uint16_t lport, rport;
	uint16_t cpu;
	uint8_t peer; /* last byte of the peer's address; 0: 2 */
	bool far_end; /* the other end of the connection: its addresses are the other way round */
	bool no_mini_cookie;	   /* the full socket got its cookie after the minisock was born */
	bool child_peer_known;	   /* Linux 6.15 and later */
	double armed_ms;	   /* when the timer of its minisock was set */
};

/* What a record says beyond the obvious. */
struct detail {
	uint32_t flags; /* enum fw_rec_flags */
	uint16_t err;
	uint32_t segs_in, segs_out, exchanges, timeouts, retransmits;
	double sent_ago_ms, received_ago_ms; /* at the first FIN */
	uint32_t pid, uid;
	uint64_t sent, received, cgroup_id;
	uint32_t token;	   /* of the MPTCP connection */
	uint64_t listener; /* request socket: address of its listener */
	double armed_ms; /* minisock: its timer was set then, whatever the records say */
	double since_ms; /* .since_ns of the record; 0: the kernel has none */
	const char *comm;
};

static inline uint64_t ns_of(double ms)
{
	return SCENE_START_NS + (uint64_t)(int64_t)(ms * 1e6 + (ms < 0 ? -0.5 : 0.5));
}

static inline uint64_t jiffies_of(double ms)
{
	return SCENE_JIFFIES_0 + (uint64_t)(int64_t)(ms * SCENE_HZ / 1000);
}

static inline void say_flag(struct fw_buf *b, unsigned int set, const char *word)
{
	if (set)
		fw_buf_puts(b, word);
}

static inline void say_state(struct fw_buf *b, unsigned int state)
{
	char scratch[FW_STATE_NAME_LEN];

	fw_buf_puts(b, fw_state_name(state, scratch));
}

/* "=5", ">=5", "<=5", or "=?" if it is not known at all. */
static inline void say_dwell(struct fw_buf *b, unsigned int step_flags, double ms)
{
	bool at_least = step_flags & FW_STEP_AT_LEAST, at_most = step_flags & FW_STEP_AT_MOST;

	if (at_least && at_most)
		fw_buf_puts(b, "=?");
	else
		fw_buf_printf(b, "%s%.10g", at_least ? ">=" : at_most ? "<=" : "=", ms);
}

static inline void say_step(struct fw_buf *b, const struct fw_conn *c, unsigned int i)
{
	say_state(b, c->steps[i]);
	say_dwell(b, c->step_flags[i], (double)fw_conn_dwell_ns(c, i) / 1e6);
	say_flag(b, c->step_flags[i] & FW_STEP_ORPHANED, "(orphaned)");
	if (c->steps[i] == FW_TIME_WAIT && c->restarts)
		fw_buf_printf(b, "(%u restarts)", c->restarts);
	fw_buf_putc(b, ' ');
}

static inline void on_connection(void *arg, const struct fw_conn *c)
{
	struct scene *s = arg;
	struct fw_buf *b = &s->connections;
	const char *role = fw_role_name(c->role), *by = fw_closed_by_name(c->closed_by);

	s->last = *c;
	if (role)
		fw_buf_printf(b, "%s ", role);
	for (unsigned int i = 0; i < c->nr_steps; i++)
		say_step(b, c, i);
	fw_buf_puts(b, fw_end_name(c->end));
	if (by)
		fw_buf_printf(b, " %s", by);
	say_flag(b, c->flags & FW_CONN_THREE_SEGMENT, " three_segment");
	say_flag(b, c->flags & FW_CONN_SINCE_BEFORE, " since_before");
	say_flag(b, c->flags & FW_CONN_GAP, " gap");
	fw_buf_putc(b, '\n');
}

static inline void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct scene *s = arg;
	struct fw_buf *b = &s->transitions;

	s->last_id = c->id;
	if (!c->rport && !(c->flags & FW_CONN_LISTENER))
		s->without_peer++;
	say_state(b, tr->from);
	fw_buf_putc(b, '>');
	say_state(b, tr->to);
	if (tr->flags & FW_TR_DWELL_UNKNOWN)
		fw_buf_puts(b, " ?");
	else
		fw_buf_printf(b, " %s%.10g", tr->flags & FW_TR_DWELL_AT_LEAST ? ">=" : "",
			      (double)tr->dwell_ns / 1e6);
	say_flag(b, tr->flags & FW_TR_SAME_SEGMENT, " same_segment");
	say_flag(b, tr->flags & FW_TR_MINISOCK, " minisock");
	say_flag(b, tr->flags & FW_TR_RESTART, " restart");
	say_flag(b, tr->flags & FW_TR_ORPHANED, " orphaned");
	say_flag(b, tr->flags & FW_TR_ILLEGAL, " illegal");
	if (tr->flags & FW_TR_END)
		fw_buf_printf(b, " %s", fw_end_name(c->end));
	fw_buf_putc(b, '\n');
}

/* The next records are about connection @n: a cookie, addresses and a local port of its own. */
static inline void scene_connection(struct scene *s, unsigned int n)
{
	s->cookie = n;
	s->skaddr = 0xffff888000000000ULL + n * 0x1000;
	s->mini_skaddr = s->skaddr + 0x400;
	s->request_skaddr = s->skaddr + 0x800;
	s->lport = (uint16_t)(40000 + n);
	s->rport = 80;
}

static inline void scene_init(struct scene *s, size_t max_connections)
{
	const struct fw_observer observer = {
		.transition = on_transition, .connection = on_connection, .arg = s,
	};

	*s = (struct scene){ 0 };
	scene_connection(s, 1);
	assert_int_equal(fw_tracker_init(&s->tracker, max_connections, SCENE_HZ, SCENE_START_NS,
					 &observer), 0);
}

static inline void scene_fini(struct scene *s)
{
	fw_tracker_fini(&s->tracker);
	fw_buf_free(&s->connections);
	fw_buf_free(&s->transitions);
}

/* What the tracker says is in each state is what is there; after every record of every scene. */
static inline void expect_counts(const struct fw_tracker *t)
{
	uint64_t in_state[FW_STATE_MAX] = { 0 };

	for (const struct fw_conn *c = fw_conn_table_first(&t->table); c;
	     c = fw_conn_table_next(&t->table, c)) {
		unsigned int state = fw_conn_state(c);
		bool child = c->flags & FW_CONN_UNANNOUNCED && !(c->flags & FW_CONN_MINI);

		/* A child is counted when it is told; until then its request is there. */
		if (!(c->flags & FW_CONN_UNDECIDED) && !child && state < FW_STATE_MAX)
			in_state[state]++;
	}
	for (unsigned int s = 1; s < FW_STATE_MAX; s++) {
		if (t->in_state[s] != in_state[s])
			fail_msg("%llu in state %u, counted %llu", (unsigned long long)in_state[s],
				 s, (unsigned long long)t->in_state[s]);
	}
}

static inline void scene_apply(struct scene *s, const void *rec, size_t len, enum fw_cause cause)
{
	struct fw_event ev;

	assert_int_equal(fw_decode(rec, len, NULL, &ev), 0);
	ev.cause = cause;
	fw_tracker_apply(&s->tracker, &ev);
	expect_counts(&s->tracker);
}

static inline struct fw_rec_head scene_head(const struct scene *s, double ms, unsigned int kind,
					    unsigned int from, unsigned int to)
{
	struct fw_rec_head head = {
		.ts_ns = ns_of(ms), .cookie = s->cookie, .skaddr = s->skaddr,
		.netns = s->netns ? s->netns : 4026531840U, .ifindex = s->ifindex, .kind = (uint8_t)kind,
		.family = AF_INET,
		.lport = s->lport, .rport = s->rport, .cpu = s->cpu,
		.oldstate = (uint8_t)from, .newstate = (uint8_t)to,
		.laddr = { 192, 0, 2, 1 }, .raddr = { 198, 51, 100, s->peer ? s->peer : 2 },
	};

	if (s->far_end) {
		uint8_t laddr[16];

		memcpy(laddr, head.laddr, sizeof(laddr));
		memcpy(head.laddr, head.raddr, sizeof(laddr));
		memcpy(head.raddr, laddr, sizeof(laddr));
	}
	return head;
}

static inline void scene_full(struct scene *s, double ms, unsigned int kind, unsigned int from,
			      unsigned int to, struct detail d)
{
	struct fw_rec_state rec = {
		.head = scene_head(s, ms, kind, from, to),
		.bytes_sent = d.sent, .bytes_received = d.received, .cgroup_id = d.cgroup_id,
		.retransmits = d.retransmits, .segs_in = d.segs_in, .uid = d.uid,
		.pid = d.pid, .err = d.err, .mptcp_token = d.token, .segs_out = d.segs_out, .exchanges = d.exchanges,
		.since_ns = d.since_ms ? ns_of(d.since_ms) : 0,
		.sent_ago_jiffies = (uint32_t)(d.sent_ago_ms * SCENE_HZ / 1000),
		.received_ago_jiffies = (uint32_t)(d.received_ago_ms * SCENE_HZ / 1000),
	};

	rec.head.flags = d.flags | (d.flags & FW_REC_FIN_RECEIVED ? FW_REC_SHUT_RD : 0);
	if (d.comm)
		memcpy(rec.comm, d.comm, strnlen(d.comm, sizeof(rec.comm)));
	if (to == FW_CLOSE || (from == FW_CLOSE && to == FW_SYN_SENT))
		rec.head.lport = 0;
	if (from == FW_LISTEN && to == FW_SYN_RECV) {
		rec.head.cookie = 0;
		if (!s->child_peer_known) {
			rec.head.rport = 0;
			memset(rec.head.raddr, 0, sizeof(rec.head.raddr));
		}
	}
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static inline void scene_mini(struct scene *s, double ms, unsigned int kind, unsigned int substate,
			      enum fw_cause cause, struct detail d)
{
	bool request = kind == FW_REC_REQ_SCHED || kind == FW_REC_REQ_END;
	struct fw_rec_mini rec = {
		.head = scene_head(s, ms, kind, substate, substate),
		.now_jiffies = jiffies_of(ms), .timeouts = d.timeouts, .listener = d.listener,
		.since_ns = d.since_ms ? ns_of(d.since_ms) : 0,
	};

	rec.head.flags = d.flags;
	rec.head.skaddr = request ? s->request_skaddr : s->mini_skaddr;
	if (request || s->no_mini_cookie)
		rec.head.cookie = 0;
	if (kind == FW_REC_TW_SCHED)
		s->armed_ms = ms;
	rec.expires_jiffies = jiffies_of(d.armed_ms ? d.armed_ms : s->armed_ms) + 60 * SCENE_HZ;
	scene_apply(s, &rec, sizeof(rec), cause);
}

/* A transition of the full socket. */
#define full(s, ms, from, to, ...) \
	scene_full(s, ms, FW_REC_STATE, from, to, (struct detail){ __VA_ARGS__ })
/* An RST has left. */
#define reset_sent(s, ms, ...) \
	scene_full(s, ms, FW_REC_RESET_SENT, FW_CLOSE, FW_CLOSE, (struct detail){ __VA_ARGS__ })
/* TIME_WAIT minisock or request socket. */
#define mini(s, ms, kind, substate, cause, ...) \
	scene_mini(s, ms, kind, substate, cause, (struct detail){ __VA_ARGS__ })
#define request(s, ms, kind, cause, ...) \
	scene_mini(s, ms, kind, FW_SYN_RECV, cause, (struct detail){ __VA_ARGS__ })

/* connect(), and the SYN+ACK a millisecond later. */
static inline void active_open(struct scene *s, double ms)
{
	full(s, ms, FW_CLOSE, FW_SYN_SENT, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl");
	full(s, ms + 1, FW_SYN_SENT, FW_ESTABLISHED, .segs_in = 1);
}

/* The same, and close() at @ms: SYN_SENT=1 ESTABLISHED=98. The next segment is the second. */
static inline void open_and_close(struct scene *s, double ms)
{
	active_open(s, ms - 99);
	full(s, ms, FW_ESTABLISHED, FW_FIN_WAIT_1, .flags = FW_REC_OWNER, .pid = 7, .comm = "curl",
	     .segs_in = 1);
}

/* The same, and the peer's ACK at @ms finds no process any more: into a FIN_WAIT_2 minisock. */
static inline void orphan_in_minisock(struct scene *s, double ms)
{
	open_and_close(s, ms - 10);
	full(s, ms, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, ms, FW_REC_TW_SCHED, FW_FIN_WAIT_2, FW_CAUSE_UNKNOWN);
	full(s, ms, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN, .segs_in = 2);
}

/* The same up to close(), and the peer's FIN+ACK at @ms: into TIME_WAIT. */
static inline void three_segment_close(struct scene *s, double ms)
{
	open_and_close(s, ms - 10);
	full(s, ms, FW_FIN_WAIT_1, FW_FIN_WAIT_2, .flags = FW_REC_ORPHAN, .segs_in = 2);
	mini(s, ms, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, ms, FW_FIN_WAIT_2, FW_CLOSE, .flags = FW_REC_ORPHAN | FW_REC_FIN_RECEIVED,
	     .segs_in = 2);
}

/* cmocka's setup and teardown: *state is a scene. */
static inline int scene_setup(void **state)
{
	static struct scene scene;

	scene_init(&scene, 1000);
	*state = &scene;
	return 0;
}

static inline int scene_teardown(void **state)
{
	scene_fini(*state);
	return 0;
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

/* The connections (transitions) told since this was last asked. */
#define expect_connections(s, want) expect_buf(&(s)->connections, want)
#define expect_transitions(s, want) expect_buf(&(s)->transitions, want)

#endif
