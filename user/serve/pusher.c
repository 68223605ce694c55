// SPDX-License-Identifier: GPL-2.0-only
#include "serve/pusher.h"

#include <stdlib.h>

#include "io/say.h"
#include "util/fmt.h"
#include "util/json.h"

/* One block for ClickHouse: far below max_insert_block_size, which is a million rows. */
#define BATCH_ROWS  10000U
#define BATCH_BYTES (8U << 20)
#define BATCH_NS    (2 * FW_NS_PER_S)

void fw_pusher_init(struct fw_pusher *p, struct fw_session *session, const char *host)
{
	*p = (struct fw_pusher){ .session = session, .host = host };
}

void fw_pusher_fini(struct fw_pusher *p)
{
	fw_batch_free(p->batch);
	fw_buf_free(&p->row);
	p->batch = NULL;
}

static uint64_t wall_ns(const struct fw_pusher *p)
{
	return fw_wall_clock_ns(&p->session->clock, fw_session_now_ns(p->session));
}

/* Later than every one before, also when the clock was set back. */
static bool begin_batch(struct fw_pusher *p)
{
	uint64_t number = wall_ns(p);

	p->batch = calloc(1, sizeof(*p->batch));
	if (!p->batch)
		return false;
	p->batch->number = number > p->last_number ? number : p->last_number + 1;
	p->last_number = p->batch->number;
	p->begun_ns = fw_session_now_ns(p->session);
	return true;
}

static void give(struct fw_pusher *p)
{
	if (!p->push || !p->batch)
		return;
	fw_push_give(p->push, p->batch);
	p->batch = NULL;
}

/* The line of the JSON contract, into .row. */
static void render(struct fw_pusher *p, const struct fw_conn *c)
{
	const struct fw_source_info *info = &p->session->src->info;
	struct fw_stream stream = {
		.format = &fw_stream_json,
		.out = &p->row,
		.start_ns = info->start_ns,
		.wall = &p->session->clock,
		.cgroup_path = fw_session_cgroup_path,
		.cgroup_arg = p->session,
		.netns_name = fw_session_netns_name,
		.netns_arg = p->session,
	};

	fw_buf_clear(&p->row);
	fw_stream_json.connection(&stream, c);
}

static void number(struct fw_json *j, const char *name, uint64_t n)
{
	fw_json_key(j, name);
	fw_json_u64(j, n);
}

static void append(struct fw_pusher *p)
{
	struct fw_batch *batch = p->batch;
	struct fw_json j = { .out = &batch->body };

	fw_json_object(&j);
	fw_json_key(&j, "host");
	fw_json_text(&j, p->host, SIZE_MAX);
	number(&j, "batch", batch->number);
	number(&j, "batch_row", batch->rows);
	number(&j, "batch_time", batch->number / FW_NS_PER_S);
	/* Without its "{"; with its "}" and newline. */
	fw_json_splice(&j, p->row.data + 1, p->row.len - 1);
	batch->rows++;
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct fw_pusher *p = arg;

	if (c->end == FW_END_OPEN)
		return;
	render(p, c);
	if (p->row.failed || (!p->batch && !begin_batch(p))) {
		p->lost++;
		return;
	}
	append(p);
	if (p->batch->rows >= BATCH_ROWS || p->batch->body.len >= BATCH_BYTES)
		give(p);
}

struct fw_observer fw_pusher_observer(struct fw_pusher *p)
{
	return (struct fw_observer){ .connection = on_connection, .arg = p };
}

void fw_pusher_step(struct fw_pusher *p)
{
	if (p->batch && fw_session_now_ns(p->session) - p->begun_ns >= BATCH_NS)
		give(p);
}

int fw_pusher_start(struct fw_pusher *p, const struct fw_push_options *opt, struct fw_err *err)
{
	struct fw_push_options mine = *opt;

	mine.to.host = p->host;
	p->push = fw_push_start(&mine, err);
	return p->push ? 0 : err->code;
}

void fw_pusher_stop(struct fw_pusher *p)
{
	struct fw_push_stats stats = { 0 };

	if (!p->push)
		return;
	give(p);
	fw_push_stop(p->push, &stats);
	p->push = NULL;
	fw_say(FW_LEVEL_INFO, "%llu connections sent, %llu lost, %llu left in the spool",
	       (unsigned long long)stats.rows_sent, (unsigned long long)(stats.rows_lost + p->lost),
	       (unsigned long long)stats.rows_waiting);
}

struct fw_metrics_push fw_pusher_metrics(const struct fw_pusher *p)
{
	struct fw_push_stats stats = { 0 };

	if (!p->push)
		return (struct fw_metrics_push){ 0 };
	fw_push_stats(p->push, &stats);
	return (struct fw_metrics_push){
		.on = true,
		.rows_sent = stats.rows_sent,
		.rows_lost = stats.rows_lost + p->lost,
		.rows_waiting = stats.rows_waiting + (p->batch ? p->batch->rows : 0),
		.failures = stats.failures,
		.spool_bytes = stats.spool_bytes,
	};
}
