// SPDX-License-Identifier: GPL-2.0-only
/*
 *	event loop -> queue -> held -> server		while it answers
 *	                        '----> spool -> server	while it does not, or the spool is not empty yet
 *
 * The queue is shared, under the lock; what is held and the spool are the thread's own.
 */
#include "serve/push.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/say.h"
#include "serve/spool.h"

#define NS_PER_S	 1000000000ULL
#define FIRST_PAUSE_NS	 (NS_PER_S / 2)
#define LONGEST_PAUSE_NS (30 * NS_PER_S)

struct fw_push {
	struct fw_clickhouse *store;
	struct fw_spool *spool; /* NULL: none */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t given;
	/* under the lock */
	struct fw_batch *queue, **queue_end;
	struct fw_push_stats stats;
	uint64_t memory_bytes, memory_rows; /* of the queue and what is held */
	uint64_t stop_ns;		    /* 0: go on */
	/* the thread's */
	struct fw_batch *held, **held_end;
	uint64_t next_try_ns, pause_ns; /* pause_ns 0: the last one went well */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t stop_ns(struct fw_push *p)
{
	uint64_t ns;

	pthread_mutex_lock(&p->lock);
	ns = p->stop_ns;
	pthread_mutex_unlock(&p->lock);
	return ns;
}

/* Called by the transfer that is under way. */
static bool is_late(void *arg)
{
	uint64_t stop = stop_ns(arg);

	return stop && now_ns() > stop;
}

/* ---- What is held ------------------------------------------------------------------------ */

/* It is sent, spooled or lost: memory has room again. Frees it. */
static void done_with(struct fw_push *p, struct fw_batch *batch, bool sent, bool lost)
{
	pthread_mutex_lock(&p->lock);
	p->memory_bytes -= batch->body.len;
	p->memory_rows -= batch->rows;
	p->stats.rows_sent += sent ? batch->rows : 0;
	p->stats.rows_lost += lost ? batch->rows : 0;
	pthread_mutex_unlock(&p->lock);
	batch->next = NULL;
	fw_batch_free(batch);
}

static struct fw_batch *take_held(struct fw_push *p)
{
	struct fw_batch *batch = p->held;

	p->held = batch->next;
	if (!p->held)
		p->held_end = &p->held;
	return batch;
}

static void note_spool(struct fw_push *p)
{
	pthread_mutex_lock(&p->lock);
	p->stats.spool_bytes = fw_spool_bytes(p->spool);
	p->stats.rows_waiting = fw_spool_rows(p->spool);
	pthread_mutex_unlock(&p->lock);
}

/* Everything that is held onto the disk. @last: what cannot be spooled is lost, not held any longer. */
static void spool_held(struct fw_push *p, bool last)
{
	while (p->held) {
		struct fw_err err = { 0 };
		int ret = fw_spool_put(p->spool, p->held, &err);

		/* A disk that is full today is not tomorrow; a bound is a bound. */
		if (ret && ret != -ENOSPC && !last)
			break;
		if (ret)
			fw_say(FW_LEVEL_WARNING, "%u connections are lost: %s", p->held->rows,
			       err.msg);
		done_with(p, take_held(p), false, ret != 0);
	}
	note_spool(p);
}

/* ---- Sending ----------------------------------------------------------------------------- */

static void failed(struct fw_push *p, const struct fw_err *err)
{
	bool first = !p->pause_ns;

	p->pause_ns = first ? FIRST_PAUSE_NS : p->pause_ns * 2;
	if (p->pause_ns > LONGEST_PAUSE_NS)
		p->pause_ns = LONGEST_PAUSE_NS;
	p->next_try_ns = now_ns() + p->pause_ns;
	pthread_mutex_lock(&p->lock);
	p->stats.failures++;
	pthread_mutex_unlock(&p->lock);
	/* Once, and then when the pauses have become long. */
	if (first || p->pause_ns == LONGEST_PAUSE_NS)
		fw_say(FW_LEVEL_WARNING, "%s; what comes meanwhile is kept", err->msg);
}

static void succeeded(struct fw_push *p)
{
	if (p->pause_ns)
		fw_say(FW_LEVEL_INFO, "connections are sent again");
	p->pause_ns = p->next_try_ns = 0;
}

static void send_spooled(struct fw_push *p)
{
	struct fw_err err = { 0 };
	struct fw_batch *batch = fw_spool_oldest(p->spool, &err);

	if (!batch) {
		if (err.code)
			fw_say(FW_LEVEL_ERROR, "%s", err.msg);
		note_spool(p);
		return;
	}
	if (fw_clickhouse_insert(p->store, batch, &err)) {
		failed(p, &err);
	} else {
		fw_spool_remove(p->spool, batch);
		pthread_mutex_lock(&p->lock);
		p->stats.rows_sent += batch->rows;
		pthread_mutex_unlock(&p->lock);
		note_spool(p);
		succeeded(p);
	}
	fw_batch_free(batch);
}

static void send_held(struct fw_push *p)
{
	struct fw_err err = { 0 };

	if (fw_clickhouse_insert(p->store, p->held, &err)) {
		failed(p, &err);
		return;
	}
	done_with(p, take_held(p), true, false);
	succeeded(p);
}

static bool has_spooled(const struct fw_push *p)
{
	return p->spool && fw_spool_rows(p->spool);
}

/* The oldest first: one batch, so that what is given meanwhile is taken in between. */
static void send_one(struct fw_push *p)
{
	if (now_ns() < p->next_try_ns)
		return;
	if (has_spooled(p))
		send_spooled(p);
	else if (p->held)
		send_held(p);
}

/* ---- The thread -------------------------------------------------------------------------- */

/* With the lock held: until there is something to do. */
static void wait_for_work(struct fw_push *p)
{
	while (!p->queue && !p->stop_ns) {
		uint64_t now = now_ns(), until = p->next_try_ns;
		bool work = p->held || has_spooled(p);
		struct timespec at;

		if (work && now >= until)
			return;
		until = work ? until : now + 60 * NS_PER_S;
		at = (struct timespec){ (time_t)(until / NS_PER_S), (long)(until % NS_PER_S) };
		pthread_cond_timedwait(&p->given, &p->lock, &at);
	}
}

static void take_queue(struct fw_push *p)
{
	if (!p->queue)
		return;
	*p->held_end = p->queue;
	p->held_end = p->queue_end;
	p->queue = NULL;
	p->queue_end = &p->queue;
}

static bool goes_on(struct fw_push *p)
{
	uint64_t stop = stop_ns(p);

	if (!stop)
		return true;
	/* What is away now will hardly come within seconds. */
	return now_ns() < stop && !p->pause_ns && (p->held || has_spooled(p));
}

static void *run(void *arg)
{
	struct fw_push *p = arg;

	do {
		pthread_mutex_lock(&p->lock);
		wait_for_work(p);
		take_queue(p);
		pthread_mutex_unlock(&p->lock);
		if (p->spool && p->held && (p->pause_ns || has_spooled(p)))
			spool_held(p, false);
		send_one(p);
	} while (goes_on(p));
	if (p->spool)
		spool_held(p, true);
	while (p->held)
		done_with(p, take_held(p), false, true);
	return NULL;
}

static void init_lock(struct fw_push *p)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->given, &attr);
	pthread_condattr_destroy(&attr);
}

static void release(struct fw_push *p)
{
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	fw_clickhouse_free(p->store);
	fw_spool_free(p->spool);
	free(p);
}

struct fw_push *fw_push_start(const struct fw_push_options *opt, struct fw_err *err)
{
	struct fw_clickhouse_options to = opt->to;
	struct fw_push *p = calloc(1, sizeof(*p));
	int ret;

	if (!p) {
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	init_lock(p);
	p->queue_end = &p->queue;
	p->held_end = &p->held;
	to.give_up = is_late;
	to.arg = p;
	p->store = fw_clickhouse_open(&to, err);
	if (p->store && opt->spool_dir)
		p->spool = fw_spool_open(opt->spool_dir, opt->spool_max_bytes, err);
	if (!p->store || (opt->spool_dir && !p->spool))
		goto fail;
	if (p->spool)
		note_spool(p);
	ret = pthread_create(&p->thread, NULL, run, p);
	if (!ret)
		return p;
	fw_err_set(err, -ret, "cannot start a thread: %s", strerror(ret));
fail:
	release(p);
	return NULL;
}

void fw_push_stop(struct fw_push *p, struct fw_push_stats *last)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop_ns = now_ns() + FW_PUSH_LAST_S * NS_PER_S;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	if (last)
		fw_push_stats(p, last);
	release(p);
}

void fw_push_give(struct fw_push *p, struct fw_batch *batch)
{
	bool full;

	pthread_mutex_lock(&p->lock);
	full = p->memory_bytes + batch->body.len > FW_PUSH_MEMORY_BYTES || batch->body.failed;
	if (full) {
		p->stats.rows_lost += batch->rows;
	} else {
		p->memory_bytes += batch->body.len;
		p->memory_rows += batch->rows;
		*p->queue_end = batch;
		p->queue_end = &batch->next;
		pthread_cond_signal(&p->given);
	}
	pthread_mutex_unlock(&p->lock);
	if (full)
		fw_batch_free(batch);
}

void fw_push_stats(struct fw_push *p, struct fw_push_stats *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->stats;
	out->rows_waiting += p->memory_rows;
	pthread_mutex_unlock(&p->lock);
}
