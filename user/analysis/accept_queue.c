// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accept queues: connections that the kernel has established and the application has not accepted yet. When
 * there are more than the backlog allows the kernel drops SYNs, and the last ACKs of handshakes, without a
 * word: clients wait for a second, or for several.
 *
 *	LISTENER         PROCESS    QUEUE  OF  DROPPED  NEW    ACCEPTED  WAIT   LONGEST  IN QUEUE SINCE
 *	127.0.0.1:5432   python3/7      5   4       91  2 /s   1.9 /s    2.4 s  2.9 s    2.6 s
 *
 * Queues and drops are read from the listening sockets at snapshots, so two of them make a difference. What
 * comes in and what is accepted are events, by port: several listeners of one port (SO_REUSEPORT) share them.
 */
#include "analysis/accept_queue.h"

#include <stdio.h>
#include <string.h>

#include "analysis/words.h"

struct queue {
	uint64_t since_ns; /* when it began to listen; 0: before the trace */
	uint32_t first_drops, drops;
	uint32_t now, max;
	uint32_t looks, full_looks;
};

/* What happened on one port. */
struct port {
	uint64_t established, accepted, waits;
	uint64_t last_accept_ns, longest_ns;
	double waited_ns;
	/* as of the report that is being made: what waits */
	uint64_t waiting, oldest_ns;
};

struct process {
	uint32_t fds;
	uint64_t nofile;
};

struct fw_queues {
	struct fw_groups queues, ports, processes;
	uint64_t accepts_missed; /* sockets with a descriptor, but no accept() was seen */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct fw_queues *q = self;
	int ret;

	(void)opt;
	ret = fw_groups_init(&q->queues, sizeof(struct queue), FW_GROUPS_MAX);
	if (!ret)
		ret = fw_groups_init(&q->ports, sizeof(struct port), FW_GROUPS_MAX);
	return ret ? ret : fw_groups_init(&q->processes, sizeof(struct process), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	struct fw_queues *q = self;

	fw_groups_fini(&q->queues);
	fw_groups_fini(&q->ports);
	fw_groups_fini(&q->processes);
}

/* ---- What is seen ------------------------------------------------------------------------ */

/* The cookie tells apart listeners of one address and port. It stands where a peer's address would. */
static struct fw_group_key queue_key(const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LADDR | FW_BY_LPORT);

	memcpy(key.raddr, &c->cookie, sizeof(c->cookie));
	return key;
}

static const struct fw_conn *listener_of(const struct fw_analysis_context *ctx,
					 const struct fw_group_key *key)
{
	const struct fw_conn *c;
	uint64_t cookie;

	memcpy(&cookie, key->raddr, sizeof(cookie));
	c = fw_conn_table_by_cookie(&ctx->tracker->table, cookie);
	return c && fw_conn_has(c, FW_CONN_LISTENER) && c->end == FW_END_OPEN ? c : NULL;
}

static struct fw_group_key port_key(uint32_t netns, uint16_t lport)
{
	return (struct fw_group_key){ .netns = netns, .lport = lport };
}

static struct port *port_of(struct fw_queues *q, const struct fw_conn *c)
{
	struct fw_group_key key = port_key(c->netns, c->lport);

	return fw_groups_get(&q->ports, &key);
}

static void see_listener(struct fw_queues *q, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct fw_group_key key = queue_key(c);
	struct queue *queue = fw_groups_get(&q->queues, &key);

	if (!queue->looks++) {
		queue->since_ns = fw_conn_has(c, FW_CONN_SINCE_BEFORE) ? 0 : c->enter_ns[0];
		queue->first_drops = sock->drops;
	}
	queue->now = sock->unread;
	queue->max = sock->unsent;
	queue->drops = sock->drops;
	queue->full_looks += queue->now >= queue->max;
}

static void on_socket(void *self, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	struct fw_queues *q = self;

	if (!c || sock->object != FW_OBJECT_FULL)
		return;
	if (sock->head.newstate == FW_LISTEN)
		see_listener(q, c, sock);
	else if (c->role == FW_ROLE_PASSIVE && sock->head.flags & FW_REC_HAS_FILE &&
		 fw_conn_has(c, FW_CONN_OWNER_LISTENS) && !fw_conn_has(c, FW_CONN_SINCE_BEFORE))
		q->accepts_missed++;
}

static void on_process(void *self, const struct fw_rec_process *rec)
{
	struct fw_group_key key = { .pid = rec->pid };
	struct process *process = fw_groups_get(&((struct fw_queues *)self)->processes, &key);

	*process = (struct process){ .fds = rec->fds, .nofile = rec->nofile };
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	if (c->role == FW_ROLE_PASSIVE && tr->from == FW_SYN_RECV && tr->to == FW_ESTABLISHED)
		port_of(self, c)->established++;
}

static void on_accepted(void *self, const struct fw_conn *c, const struct fw_rec_state *rec)
{
	struct port *port = port_of(self, c);
	uint64_t waited_ns;

	port->accepted++;
	port->last_accept_ns = rec->head.ts_ns;
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		if (c->steps[i] != FW_ESTABLISHED || c->step_flags[i] & FW_STEP_AT_LEAST)
			continue;
		waited_ns = rec->head.ts_ns > c->enter_ns[i] ? rec->head.ts_ns - c->enter_ns[i] : 0;
		port->waits++;
		port->waited_ns += (double)waited_ns;
		if (waited_ns > port->longest_ns)
			port->longest_ns = waited_ns;
	}
}

/* ---- As of the report -------------------------------------------------------------------- */

static void forget_waiting(void *arg, struct fw_group *group)
{
	struct port *port = (void *)group->value;

	(void)arg;
	port->waiting = port->oldest_ns = 0;
}

static void count_waiting(struct fw_queues *q, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	fw_groups_each(&q->ports, forget_waiting, NULL);
	while ((c = fw_open_next(ctx, c))) {
		struct port *port;
		unsigned int i = 0;

		if (!fw_conn_has(c, FW_CONN_UNACCEPTED) || c->role != FW_ROLE_PASSIVE)
			continue;
		while (i + 1U < c->nr_steps && c->steps[i] == FW_SYN_RECV)
			i++;
		port = port_of(q, c);
		port->waiting++;
		if (ctx->now_ns > c->enter_ns[i] && ctx->now_ns - c->enter_ns[i] > port->oldest_ns)
			port->oldest_ns = ctx->now_ns - c->enter_ns[i];
	}
}

/* In the span; of one look only for what began to listen within it. */
static uint64_t drops_of(const struct fw_analysis_context *ctx, const struct queue *queue)
{
	if (queue->since_ns >= ctx->start_ns)
		return queue->drops;
	return queue->drops - queue->first_drops;
}

static bool is_full(const struct queue *queue)
{
	return queue->now > queue->max;
}

/* A socket also counts drops of other kinds, so its queue must have been full, or its namespace say so. */
static bool has_overflowed(const struct fw_analysis_context *ctx, const struct fw_group *group)
{
	const struct fw_netns_values *values = fw_values_of(ctx, group->key.netns);
	const struct queue *queue = (const void *)group->value;

	if (!drops_of(ctx, queue))
		return false;
	return queue->full_looks || (values && values->counters.listen_overflows > 0);
}

enum cause { SLOW, STUCK, NO_DESCRIPTORS };

struct trouble {
	const struct fw_group *group;
	const struct queue *queue;
	const struct fw_conn *listener;
	const struct port *port; /* NULL: nothing happened there */
	const struct process *process; /* NULL: unknown */
	enum cause cause;
	uint64_t drops, idle_ns; /* since when nothing was accepted; 0: not known, or not so */
	enum fw_severity severity;
	bool is_trouble;
};

static uint64_t idle_ns(const struct fw_queues *q, const struct fw_analysis_context *ctx,
			const struct port *port)
{
	uint64_t since = port && port->last_accept_ns > ctx->start_ns ? port->last_accept_ns :
									ctx->start_ns;

	if (ctx->accepts_unseen || q->accepts_missed || ctx->now_ns <= since)
		return 0;
	return ctx->now_ns - since;
}

static bool is_out_of_descriptors(const struct process *process)
{
	return process && process->fds >= process->nofile;
}

static void judge(struct trouble *t, const struct fw_analysis_context *ctx)
{
	bool full = is_full(t->queue), dropped = has_overflowed(ctx, t->group);
	bool idle = t->idle_ns >= FW_QUEUE_IDLE_NS;
	bool stuck = idle && t->port && t->port->oldest_ns >= FW_QUEUE_IDLE_NS;

	t->is_trouble = full || dropped || stuck;
	t->cause = is_out_of_descriptors(t->process) ? NO_DESCRIPTORS : stuck ? STUCK : SLOW;
	t->severity = FW_SEVERITY_WARNING;
	if (full && (dropped || stuck || t->cause == NO_DESCRIPTORS))
		t->severity = FW_SEVERITY_CRITICAL;
	else if (!full && !stuck && t->drops < FW_LIMIT_QUEUE_DROPS)
		t->severity = FW_SEVERITY_INFO;
}

static struct trouble trouble_of(const struct fw_queues *q, const struct fw_analysis_context *ctx,
				 const struct fw_group *group)
{
	struct fw_group_key port = port_key(group->key.netns, group->key.lport), pid = { 0 };
	struct trouble t = {
		.group = group,
		.queue = (const void *)group->value,
		.listener = listener_of(ctx, &group->key),
		.port = fw_groups_find(&q->ports, &port),
	};

	if (!t.listener)
		return t;
	pid.pid = t.listener->pid;
	t.process = pid.pid ? fw_groups_find(&q->processes, &pid) : NULL;
	t.drops = drops_of(ctx, t.queue);
	t.idle_ns = idle_ns(q, ctx, t.port);
	judge(&t, ctx);
	return t;
}

/* ---- What is said ------------------------------------------------------------------------- */

static struct fw_cell mean_wait(const struct port *port)
{
	return port && port->waits ? fw_cell_duration((uint64_t)(port->waited_ns / (double)port->waits)) :
				     fw_cell_unknown();
}

static struct fw_cell longest_wait(const struct port *port)
{
	return port && port->waits ? fw_cell_duration(port->longest_ns) : fw_cell_unknown();
}

static struct fw_cell oldest_waiting(const struct port *port)
{
	return port && port->waiting ? fw_cell_duration(port->oldest_ns) : fw_cell_unknown();
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct trouble *trouble)
{
	const struct fw_group_key *key = &trouble->group->key;
	const struct fw_conn *l = trouble->listener;
	const struct port *port = trouble->port;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(l->family, key->laddr, key->lport),
		fw_cell_process(l->comm, l->pid),
		fw_cell_count(trouble->queue->now), fw_cell_count(trouble->queue->max),
		fw_cell_count(trouble->drops),
		fw_cell_rate(fw_rate_per_s(ctx, port ? port->established : 0)),
		fw_cell_rate(fw_rate_per_s(ctx, port ? port->accepted : 0)),
		mean_wait(port), longest_wait(port), oldest_waiting(port),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"listener", "listener", "process", "process", "queue", "queue", "limit", "of",
	"dropped", "dropped", "established", "new", "accepted", "accepted",
	"wait_mean", "mean wait", "wait_longest", "longest", "oldest", "oldest waiting", NULL,
};

struct listing {
	const struct fw_queues *q;
	const struct fw_analysis_context *ctx;
	struct trouble *trouble;
	size_t nr, nr_more;
};

static uint64_t measure(const struct trouble *t)
{
	return (t->is_trouble ? (uint64_t)(t->severity + 1) << 60 : 0) +
	       ((t->drops & 0xffffffff) << 24) + (t->queue->now << 8) +
	       (t->port && t->port->established);
}

/* The worst ones, in order: a few of many, so one place after the other. */
static void list_one(void *arg, struct fw_group *group)
{
	struct listing *list = arg;
	struct trouble t = trouble_of(list->q, list->ctx, group);
	size_t i = list->nr;

	if (group->other || !t.listener || !measure(&t))
		return;
	while (i && measure(&list->trouble[i - 1]) < measure(&t))
		i--;
	if (list->nr < list->ctx->opt.top)
		list->nr++;
	else
		list->nr_more++;
	if (i >= list->nr)
		return;
	memmove(&list->trouble[i + 1], &list->trouble[i], (list->nr - i - 1) * sizeof(t));
	list->trouble[i] = t;
}

static void list_rows(const struct listing *list, struct fw_report *r, struct fw_table *table,
		      bool only_trouble)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (!only_trouble || list->trouble[i].is_trouble)
			row(list->ctx, r, table, &list->trouble[i]);
	}
	table->nr_more = list->nr_more;
}

static const char *const advices[] = {
	[SLOW] = "Let it accept faster: more workers or threads, and no slow work between two accept() "
		 "calls; a larger backlog (listen() and net.core.somaxconn) only bridges bursts.",
	[STUCK] = "Find what the thread that should call accept() waits for or computes (gdb, py-spy, "
		  "jstack, perf top -p PID); a larger backlog does not help.",
	[NO_DESCRIPTORS] = "It needs descriptors to accept with: find what holds them (ls -l "
			   "/proc/PID/fd), close what leaks, or raise LimitNOFILE.",
};

static void say_title(struct fw_report *r, struct fw_finding *f, const struct trouble *t)
{
	struct fw_words who = fw_words_process(t->listener->comm, t->listener->pid);
	char why[128], queue[96], drops[128] = "";

	if (t->cause == NO_DESCRIPTORS)
		snprintf(why, sizeof(why), "cannot accept, all its descriptors are in use (%u of %llu)",
			 t->process->fds, (unsigned long long)t->process->nofile);
	else if (t->cause == STUCK)
		snprintf(why, sizeof(why), "has accepted nothing for %s",
			 fw_words_duration(t->idle_ns).text);
	else
		snprintf(why, sizeof(why), "accepts too slowly");
	if (is_full(t->queue))
		snprintf(queue, sizeof(queue), "is full (%u of %u)", t->queue->now, t->queue->max);
	else
		snprintf(queue, sizeof(queue), "holds %u of %u", t->queue->now, t->queue->max);
	if (t->drops)
		snprintf(drops, sizeof(drops), ", %s SYNs and ACKs were dropped",
			 fw_words_count(t->drops).text);
	fw_finding_say(r, &f->title, "%s %s: its accept queue on port %u %s%s", who.text, why,
		       t->group->key.lport, queue, drops);
}

static void evidence(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_finding *f,
		     const struct trouble *t)
{
	const struct fw_netns_values *values = fw_values_of(ctx, t->group->key.netns);
	const struct port *port = t->port;

	fw_finding_evidence(r, f, "queue", "Waiting to be accepted", fw_cell_count(t->queue->now));
	fw_finding_evidence(r, f, "limit", "Most that may wait (backlog)", fw_cell_count(t->queue->max));
	fw_finding_evidence(r, f, "dropped", "SYNs and ACKs dropped", fw_cell_count(t->drops));
	fw_finding_evidence(r, f, "established", "Connections that came",
			    fw_cell_rate(fw_rate_per_s(ctx, port ? port->established : 0)));
	fw_finding_evidence(r, f, "accepted", "Accepted",
			    ctx->accepts_unseen ? fw_cell_unknown() :
				    fw_cell_rate(fw_rate_per_s(ctx, port ? port->accepted : 0)));
	fw_finding_evidence(r, f, "wait_mean", "Waited, mean", mean_wait(port));
	fw_finding_evidence(r, f, "wait_longest", "Waited, longest", longest_wait(port));
	fw_finding_evidence(r, f, "oldest", "Still waiting, oldest", oldest_waiting(port));
	if (t->idle_ns)
		fw_finding_evidence(r, f, "idle", "Since the last accept()",
				    fw_cell_duration(t->idle_ns));
	if (t->process) {
		fw_finding_evidence(r, f, "fds_used", "Descriptors in use", fw_cell_count(t->process->fds));
		fw_finding_evidence(r, f, "fds_limit", "Descriptors allowed",
				    fw_cell_count(t->process->nofile));
	}
	if (values && values->sysctls.somaxconn >= 0)
		fw_finding_evidence(r, f, "somaxconn", "somaxconn",
				    fw_cell_count((uint64_t)values->sysctls.somaxconn));
}

static void find_full(const struct listing *list, struct fw_report *r)
{
	const struct trouble *worst = &list->trouble[0];
	struct fw_finding *f;

	if (!list->nr || !worst->is_trouble)
		return;
	f = fw_finding_begin(r, "accept-queue-full", worst->severity, FW_RANK_ACCEPT_QUEUE,
			     worst->drops + worst->queue->now);
	/* Connections that were never accepted are a part of it. */
	f->story = fw_stories_find(list->ctx->stories, fw_story_listener_key(worst->group->key.netns,
									     worst->group->key.lport));
	f->part = FW_PART_ROOT;
	say_title(r, f, worst);
	fw_finding_say(r, &f->advice, "%s", advices[worst->cause]);
	evidence(list->ctx, r, f, worst);
	list_rows(list, r, fw_finding_offenders(r, f, columns), true);
	if (list->ctx->accepts_unseen || list->q->accepts_missed)
		fw_finding_say(r, &f->confidence,
			       "Not every accept() is seen here (io_uring): rates and waits of accepted "
			       "connections are of those that are.");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "accept_queues", "Accept queues");
	struct trouble worst[FW_TOP_MAX + 1];
	struct fw_queues *q = self;
	struct listing list = { .q = q, .ctx = ctx, .trouble = worst };

	count_waiting(q, ctx);
	fw_section_fact(r, s, "listeners", "Listening sockets looked at", fw_cell_count(q->queues.nr));
	fw_groups_each(&q->queues, list_one, &list);
	if (!list.nr)
		return;
	list_rows(&list, r, fw_section_table(r, s, "by_listener", "By listener", columns), false);
	fw_note_unlisted(r, s, &q->queues);
	find_full(&list, r);
}

/* ---- For other analyses ------------------------------------------------------------------- */

struct search {
	const struct fw_analysis_context *ctx;
	uint32_t netns;
	const uint8_t *addr;
	uint16_t port;
	struct fw_queue_look look;
};

static void look_at(void *arg, struct fw_group *group)
{
	const struct queue *queue = (const void *)group->value;
	struct search *search = arg;
	struct fw_queue_look *look = &search->look;
	const struct fw_conn *listener;
	uint64_t drops;

	if (group->other || group->key.netns != search->netns || group->key.lport != search->port ||
	    (!fw_addr_is_zero(group->key.laddr) &&
	     memcmp(group->key.laddr, search->addr, sizeof(group->key.laddr))))
		return;
	listener = listener_of(search->ctx, &group->key);
	if (!listener)
		return;
	drops = drops_of(search->ctx, queue);
	if (!look->listener || drops > look->drops || queue->now > look->queue) {
		look->listener = listener;
		look->queue = queue->now;
		look->max = queue->max;
		look->drops = drops;
	}
	if (is_full(queue) || has_overflowed(search->ctx, group))
		look->verdict = FW_QUEUE_FULL;
	else if (look->verdict == FW_QUEUE_UNKNOWN && queue->looks > 1)
		look->verdict = FW_QUEUE_FREE;
}

/* Where @addr is an address of this host: the namespace of a socket that has it as its own. 0: nowhere, or
 * in several other ones.
 */
static uint32_t netns_of(const struct fw_analysis_context *ctx, uint32_t netns, unsigned int family,
			 const uint8_t addr[16])
{
	const struct fw_conn_table *t = &ctx->tracker->table;
	uint32_t found = 0;

	if (fw_addr_is_loopback(family, addr))
		return netns;
	for (const struct fw_conn *c = fw_conn_table_first(t); c; c = fw_conn_table_next(t, c)) {
		if (c->family != family || memcmp(c->laddr, addr, sizeof(c->laddr)))
			continue;
		if (c->netns == netns)
			return netns;
		if (found && found != c->netns)
			return 0;
		found = c->netns;
	}
	return found;
}

struct fw_queue_look fw_queue_look(const struct fw_analysis_context *ctx, uint32_t netns,
				   unsigned int family, const uint8_t addr[16], uint16_t port)
{
	struct search search = { .ctx = ctx, .addr = addr, .port = port };

	search.netns = ctx->queues ? netns_of(ctx, netns, family, addr) : 0;
	if (search.netns)
		fw_groups_each(&ctx->queues->queues, look_at, &search);
	return search.look;
}

static void prepare(void *self, struct fw_analysis_context *ctx)
{
	ctx->queues = self;
}

const struct fw_analysis fw_analysis_accept_queue = {
	.name = "accept_queue",
	.size = sizeof(struct fw_queues),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .accepted = on_accepted, .socket = on_socket,
		.process = on_process },
	.prepare = prepare,
	.report = report,
};
