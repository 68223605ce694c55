// SPDX-License-Identifier: GPL-2.0-only
#include "play.h"

#include <netinet/in.h>

#define START_NS    1000000000000ULL
#define JIFFIES_0   4294892296ULL
#define MAX_RECORDS 4000

/* What is not a record. */
enum { OP_LOST = FW_REC_MAX, OP_ADVANCE, OP_UNSETTLED, OP_NAME, OP_RAW, OP_MAX };

union record {
	struct fw_rec_head head;
	struct fw_rec_state state;
	struct fw_rec_mini mini;
	struct fw_rec_sock sock;
	struct fw_rec_holder holder;
	struct fw_rec_process process;
	uint8_t bytes[256];
};

/* Stacks of one frame: each names a cause. */
static void symbols_init(struct fw_symbols *s)
{
	s->nr = FW_FRAME_MAX;
	for (unsigned int i = 0; i < FW_FRAME_MAX; i++)
		s->sym[i] =
			(struct fw_symbol){ 0x1000 * (i + 1ULL), 0x1000 * (i + 1ULL) + 0x100, i };
}

/* ---- Everybody who listens --------------------------------------------------------------- */

static void check_conn(const struct fw_conn *c)
{
	must(c->nr_steps <= FW_STEPS_MAX);
	must(c->end < FW_END_MAX);
	must(c->role < FW_ROLE_MAX);
	must(c->closed_by < FW_CLOSED_BY_MAX);
}

static struct fw_observer analysts(struct play *p)
{
	return p->analyse ? fw_analyses_observer(&p->analyses) : (struct fw_observer){ 0 };
}

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct play *p = arg;
	struct fw_observer a = analysts(p);

	check_conn(c);
	if (a.transition)
		a.transition(a.arg, c, tr);
	if (p->streams[0].format && fw_filter_transition(&p->filter, c, tr))
		p->streams[0].format->transition(&p->streams[0], c, tr);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct play *p = arg;
	struct fw_observer a = analysts(p);

	check_conn(c);
	must(c->nr_steps);
	must(!(c->flags & FW_CONN_LISTENER));
	if (a.connection)
		a.connection(a.arg, c);
	if (p->streams[1].format && fw_filter_connection(&p->filter, c))
		p->streams[1].format->connection(&p->streams[1], c);
}

static void on_bind_failed(void *arg, const struct fw_bind_failure *f)
{
	struct play *p = arg;
	struct fw_observer a = analysts(p);

	if (a.bind_failed)
		a.bind_failed(a.arg, f);
	if (p->streams[0].format)
		p->streams[0].format->bind_failed(&p->streams[0], f);
}

/* Both those who keep count of sockets: the analyses, and that of leaks. */
#define both(call, ...)                                        \
	do {                                                   \
		struct play *p = arg;                          \
		struct fw_observer a = analysts(p), l = { 0 }; \
		fw_leaks_observe(p->leaks, &l);                \
		if (a.call)                                    \
			a.call(a.arg, ##__VA_ARGS__);          \
		if (l.call)                                    \
			l.call(l.arg, ##__VA_ARGS__);          \
	} while (0)

static void on_snapshot_begin(void *arg, uint64_t ts_ns)
{
	both(snapshot_begin, ts_ns);
}

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	both(socket, c, sock);
}

static void on_holder(void *arg, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	both(holder, c, holder);
}

static void on_process(void *arg, const struct fw_rec_process *process)
{
	both(process, process);
}

static void on_snapshot_end(void *arg, uint64_t ts_ns)
{
	both(snapshot_end, ts_ns);
}

static void on_lost(void *arg, uint64_t count, uint64_t ts_ns)
{
	both(lost, count, ts_ns);
}

/* ---- A story ----------------------------------------------------------------------------- */

static const char *path_of(void *arg, uint64_t id)
{
	struct play *p = arg;

	return id & 1 ? p->path : NULL;
}

static const char *netns_of(void *arg, uint32_t inum)
{
	return path_of(arg, inum);
}

static void streams_init(struct play *p, const struct fw_stream_format *format, uint8_t how)
{
	fw_wall_clock_init(&p->wall, 1795374494000000001LL - (int64_t)START_NS);
	for (int i = 0; i < 2; i++) {
		p->streams[i] = (struct fw_stream){
			.format = format,
			.out = &p->out,
			.start_ns = START_NS,
			.wall = &p->wall,
			.cgroup_path = path_of,
			.cgroup_arg = p,
			.netns_name = netns_of,
			.netns_arg = p,
			.transitions = !i,
			.clock = how & 1,
			.color = how & 2,
			.width = how & 4 ? how : 0,
		};
		if (format && format->header)
			format->header(&p->streams[i]);
	}
}

/* Of settings and counters: fw_netns_values_parse() takes nothing that is larger. */
#define VALUE_MAX 1000000000000000LL

static void bound(int64_t *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		values[i] %= VALUE_MAX;
}

/* A host's, or anything: settings and counters of a recording are what somebody wrote. */
static void values_init(struct fw_netns_values *t, struct input *in)
{
	*t = (struct fw_netns_values){
		.netns = 1,
		.sysctls = { .tcp_fin_timeout = 60,
			     .tcp_tw_reuse = 2,
			     .tcp_max_tw_buckets = 65536,
			     .port_low = 32768,
			     .port_high = 60999,
			     .tcp_timestamps = 1 },
		.counters = { .tw = 100, .time_wait_overflow = 1, .active_opens = 1000 },
	};
	if (!(input_u8(in) & 1))
		return;
	input_bytes(in, &t->sysctls, sizeof(t->sysctls));
	input_bytes(in, &t->counters, sizeof(t->counters));
	bound((int64_t *)&t->sysctls, sizeof(t->sysctls) / sizeof(int64_t));
	bound((int64_t *)&t->counters, sizeof(t->counters) / sizeof(int64_t));
}

void play_init(struct play *p, struct input *in, const struct fw_stream_format *format,
	       bool analyse)
{
	static const struct fw_observer observer = {
		.transition = on_transition,
		.connection = on_connection,
		.bind_failed = on_bind_failed,
		.snapshot_begin = on_snapshot_begin,
		.socket = on_socket,
		.holder = on_holder,
		.process = on_process,
		.snapshot_end = on_snapshot_end,
		.lost = on_lost,
	};
	uint8_t top = input_u8(in), max = input_u8(in), how = input_u8(in), states = input_u8(in);
	uint64_t stall_ns = input_ns(in), age_ns = input_ns(in), min_ns = input_ns(in);
	const struct fw_analysis_options opt = {
		.top = 1 + top % 20,
		.lives = top / 16,
		.stall_ns = stall_ns,
		.leak_age_ns = age_ns,
	};
	const struct fw_leaks_options leaks = {
		.leak_age_ns = age_ns,
		.tracker = &p->tracker,
		.cgroup_path = path_of,
		.arg = p,
		.filter = &p->filter,
	};
	struct fw_observer mine = observer;

	*p = (struct play){ .now_ns = START_NS, .analyse = analyse };
	mine.arg = p;
	must(!fw_tracker_init(&p->tracker, 1U + max, how & 8 ? 0 : 250, START_NS, &mine));
	p->tracker.rearms_unseen = how & 16;
	must(!analyse || !fw_analyses_init(&p->analyses, &opt));
	p->leaks = fw_leaks_new(&leaks);
	must(p->leaks);
	p->filter.min_duration_ns = min_ns;
	p->filter.states = states * 16;
	streams_init(p, format, how);
	values_init(&p->values, in);
}

/* One of eight sockets, or of none: cookie, address and 4-tuple apart. */
static void head_init(struct play *p, struct input *in, unsigned int kind, struct fw_rec_head *h)
{
	uint8_t who = input_u8(in), states = input_u8(in), more = input_u8(in);
	uint64_t step_ns = input_ns(in);

	p->now_ns = more & 1 ? p->now_ns - step_ns : p->now_ns + step_ns;
	*h = (struct fw_rec_head){
		.ts_ns = p->now_ns,
		.cookie = who & 7,
		.skaddr = 0xffff888000000000ULL + ((uint64_t)(who >> 3) & 7) * 0x1000,
		.netns = more & 2 ? 2 : 1,
		.kind = (uint8_t)kind,
		.family = more & 4 ? AF_INET6 : AF_INET,
		.flags = input_u16(in),
		.lport = more & 8 ? 0 : (uint16_t)(40000 + (who >> 6)),
		.rport = more & 16 ? 0 : (uint16_t)(80 + (who & 3)),
		.oldstate = states & 15,
		.newstate = states >> 4,
		.cpu = more >> 6,
		.laddr = { 192, 0, 2, 1 },
		.raddr = { 198, 51, 100, more & 32 ? 0 : (uint8_t)(1 + (who & 3)) },
	};
	if (more & 32)
		memset(h->raddr, 0, sizeof(h->raddr));
}

static size_t state_init(struct play *p, struct input *in, struct fw_rec_state *r)
{
	r->bytes_sent = input_ns(in);
	r->bytes_received = input_u8(in);
	r->segs_in = input_u8(in) & 3;
	r->retransmits = input_u8(in);
	r->pid = input_u8(in) & 7;
	r->uid = r->pid * 1000;
	r->err = input_u8(in);
	r->cgroup_id = r->pid;
	memcpy(r->comm, p->comm, sizeof(r->comm));
	return sizeof(*r);
}

static size_t mini_init(struct play *p, struct input *in, struct fw_rec_mini *r)
{
	r->now_jiffies = JIFFIES_0 + (p->now_ns - START_NS) / 4000000;
	r->expires_jiffies = r->now_jiffies + (uint64_t)(int64_t)(int16_t)input_u16(in);
	r->timeouts = input_u8(in);
	r->nr_ips = 1;
	r->ips[0] = 0x1000ULL * (1 + input_u8(in) % (FW_FRAME_MAX + 1));
	return sizeof(*r);
}

static size_t sock_init(struct play *p, struct input *in, struct fw_rec_sock *r)
{
	r->bytes_sent = input_u8(in);
	r->cgroup_id = input_u8(in) & 3;
	r->now_jiffies = JIFFIES_0 + (p->now_ns - START_NS) / 4000000;
	r->expires_jiffies = r->now_jiffies + (uint64_t)(int64_t)(int16_t)input_u16(in);
	r->idle_jiffies = (uint32_t)input_ns(in);
	r->unread = (uint32_t)input_ns(in);
	r->unsent = input_u8(in);
	r->object = input_u8(in) & 3;
	return sizeof(*r);
}

static size_t process_init(struct play *p, struct input *in, struct fw_rec_process *r)
{
	r->pid = input_u8(in) & 7;
	r->cgroup_id = input_u8(in) & 3;
	r->nofile = input_ns(in);
	r->fds = (uint32_t)input_ns(in);
	memcpy(r->comm, p->comm, sizeof(r->comm));
	return sizeof(*r);
}

static size_t holder_init(struct play *p, struct input *in, struct fw_rec_holder *r)
{
	r->pid = input_u8(in) & 7;
	r->fd = input_u8(in);
	memcpy(r->comm, p->comm, sizeof(r->comm));
	return sizeof(*r);
}

static size_t record_init(struct play *p, struct input *in, unsigned int kind, union record *r)
{
	memset(r, 0, sizeof(*r));
	head_init(p, in, kind, &r->head);
	switch (kind) {
	case FW_REC_STATE:
	case FW_REC_RESET_SENT:
	case FW_REC_ACCEPTED:
	case FW_REC_BIND_FAILED:
		return state_init(p, in, &r->state);
	case FW_REC_SOCK:
		return sock_init(p, in, &r->sock);
	case FW_REC_HOLDER:
		return holder_init(p, in, &r->holder);
	case FW_REC_PROCESS:
		return process_init(p, in, &r->process);
	case FW_REC_SNAP_BEGIN:
	case FW_REC_SNAP_NETNS:
	case FW_REC_SNAP_END:
		return sizeof(r->head);
	default:
		return mini_init(p, in, &r->mini);
	}
}

static void look(void *arg, uint64_t skaddr, uint64_t cookie)
{
	(void)arg;
	(void)skaddr;
	(void)cookie;
}

/* Of exactly its length in the heap, so that reading behind it is seen. */
static void apply(struct play *p, const union record *r, size_t len)
{
	static struct fw_symbols symbols;
	void *copy = malloc(len ? len : 1);
	struct fw_event ev;

	if (!symbols.nr)
		symbols_init(&symbols);
	must(copy);
	memcpy(copy, r, len);
	if (!fw_decode(copy, len, &symbols, &ev)) {
		fw_tracker_ahead(&p->tracker, ev.head);
		fw_tracker_apply(&p->tracker, &ev);
	}
	free(copy);
}

static void one(struct play *p, struct input *in)
{
	unsigned int op = input_u8(in) % OP_MAX;
	union record r;

	if (op == OP_LOST) {
		fw_tracker_lost(&p->tracker, input_u8(in), p->now_ns);
	} else if (op == OP_ADVANCE) {
		p->now_ns += input_ns(in);
		fw_tracker_advance(&p->tracker, p->now_ns);
	} else if (op == OP_UNSETTLED) {
		fw_tracker_unsettled(&p->tracker, look, NULL);
	} else if (op == OP_NAME) {
		input_bytes(in, p->comm, sizeof(p->comm));
		input_bytes(in, p->path, sizeof(p->path) - 1);
	} else if (op == OP_RAW) {
		size_t len = input_u8(in);

		input_bytes(in, &r, sizeof(r));
		apply(p, &r, len);
	} else {
		apply(p, &r, record_init(p, in, op, &r));
	}
}

void play_records(struct play *p, struct input *in)
{
	for (unsigned int i = 0; i < MAX_RECORDS && in->left; i++)
		one(p, in);
}

void play_finish(struct play *p)
{
	fw_tracker_finish(&p->tracker, p->now_ns);
	must(!p->tracker.table.nr);
}

void play_fini(struct play *p)
{
	fw_tracker_fini(&p->tracker);
	if (p->analyse)
		fw_analyses_fini(&p->analyses);
	fw_leaks_free(p->leaks);
	fw_buf_free(&p->out);
	for (int i = 0; i < 2; i++)
		fw_buf_free(&p->streams[i].scratch);
}

/* ---- Reports ----------------------------------------------------------------------------- */

void play_report(struct play *p, struct fw_report *r)
{
	const struct fw_analysis_context ctx = {
		.start_ns = START_NS,
		.now_ns = p->now_ns,
		.tracker = &p->tracker,
		.hooks = p->path,
		.suppressed = p->tracker.counters.events % 3,
		.values = &p->values,
		.nr_values = 1,
		.cgroup_path = path_of,
		.netns_name = netns_of,
		.names_arg = p,
	};

	*r = (struct fw_report){ 0 };
	fw_tracker_advance(&p->tracker, UINT64_MAX);
	fw_report_about(r, "hooks", "hooks", fw_cell_text(p->path, SIZE_MAX));
	fw_analyses_report(&p->analyses, &ctx, r);
}

void play_leaks(struct play *p, struct fw_report *r)
{
	*r = (struct fw_report){ 0 };
	fw_leaks_report(p->leaks, r);
}
