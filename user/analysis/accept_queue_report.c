// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accept queues that are full, and why: the process has no descriptor left, accepts nothing, or accepts more
 * slowly than connections come.
 */
#include <stdio.h>
#include <string.h>

#include "analysis/accept_queue_internal.h"

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
	bool full = queue_is_full(t->queue), dropped = queue_has_overflowed(ctx, t->group);
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
	struct fw_group_key port = queue_port_key(group->key.netns, group->key.lport), pid = { 0 };
	struct trouble t = {
		.group = group,
		.queue = (const void *)group->value,
		.listener = queue_listener(ctx, &group->key),
		.port = fw_groups_find(&q->ports, &port),
	};

	if (!t.listener)
		return t;
	pid.pid = t.listener->pid;
	t.process = pid.pid ? fw_groups_find(&q->processes, &pid) : NULL;
	t.drops = queue_drops(ctx, t.queue);
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
	if (queue_is_full(t->queue))
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

void queues_report(struct fw_queues *q, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "accept_queues", "Accept queues");
	struct trouble worst[FW_TOP_MAX + 1];
	struct listing list = { .q = q, .ctx = ctx, .trouble = worst };

	fw_section_fact(r, s, "listeners", "Listening sockets looked at", fw_cell_count(q->queues.nr));
	fw_groups_each(&q->queues, list_one, &list);
	if (!list.nr)
		return;
	list_rows(&list, r, fw_section_table(r, s, "by_listener", "By listener", columns), false);
	fw_note_unlisted(r, s, &q->queues);
	find_full(&list, r);
}
