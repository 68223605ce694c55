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

#include <string.h>

#include "analysis/accept_queue_internal.h"

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

const struct fw_conn *queue_listener(const struct fw_analysis_context *ctx,
					 const struct fw_group_key *key)
{
	const struct fw_conn *c;
	uint64_t cookie;

	memcpy(&cookie, key->raddr, sizeof(cookie));
	c = fw_conn_table_by_cookie(&ctx->tracker->table, cookie);
	return c && fw_conn_has(c, FW_CONN_LISTENER) && c->end == FW_END_OPEN ? c : NULL;
}

struct fw_group_key queue_port_key(uint32_t netns, uint16_t lport)
{
	return (struct fw_group_key){ .netns = netns, .lport = lport };
}

static struct port *port_of(struct fw_queues *q, const struct fw_conn *c)
{
	struct fw_group_key key = queue_port_key(c->netns, c->lport);

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

uint64_t queue_drops(const struct fw_analysis_context *ctx, const struct queue *queue)
{
	if (queue->since_ns >= ctx->start_ns)
		return queue->drops;
	return queue->drops - queue->first_drops;
}

bool queue_is_full(const struct queue *queue)
{
	return queue->now > queue->max;
}

bool queue_has_overflowed(const struct fw_analysis_context *ctx, const struct fw_group *group)
{
	const struct fw_netns_values *values = fw_values_of(ctx, group->key.netns);
	const struct queue *queue = (const void *)group->value;

	if (!queue_drops(ctx, queue))
		return false;
	return queue->full_looks || (values && values->counters.listen_overflows > 0);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	count_waiting(self, ctx);
	queues_report(self, ctx, r);
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
	listener = queue_listener(search->ctx, &group->key);
	if (!listener)
		return;
	drops = queue_drops(search->ctx, queue);
	if (!look->listener || drops > look->drops || queue->now > look->queue) {
		look->listener = listener;
		look->queue = queue->now;
		look->max = queue->max;
		look->drops = drops;
	}
	if (queue_is_full(queue) || queue_has_overflowed(search->ctx, group))
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

void fw_queue_say(struct fw_report *r, struct fw_finding *f, const struct fw_queue_look *queue)
{
	struct fw_words who;

	if (queue->verdict == FW_QUEUE_UNKNOWN)
		return;
	who = fw_words_process(queue->listener->comm, queue->listener->pid);
	fw_finding_evidence(r, f, "queue", "Accept queue of the listener, on this host",
			    fw_cell_printf("%u of %u", queue->queue, queue->max));
	fw_finding_evidence(r, f, "queue_dropped", "Dropped by it", fw_cell_count(queue->drops));
	if (queue->verdict == FW_QUEUE_FREE)
		fw_finding_say(r, &f->advice,
			       "The listener (%s) is on this host, and its accept queue is not the "
			       "reason: it has room and has dropped nothing; look for a firewall, or for "
			       "loss, on the way.", who.text);
	else
		fw_finding_say(r, &f->advice, "The listener is %s, on this host: see accept-queue-full.",
			       who.text);
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
