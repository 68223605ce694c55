// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections one by one, for pictures: the worst of them in bounded memory, and of those with which
 * nothing is wrong an even sample.
 *
 * A heap of a fixed number of connections, the least interesting on top, which the next more
 * interesting one replaces. How interesting: its worst trouble first, then how long it waited in states
 * that should be short; without trouble a hash of its number, so that which ones are kept depends
 * neither on when they came nor on chance.
 *
 * Costs nothing unless asked for (--connections); then 280 bytes a connection, and again that while a
 * report is made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/words.h"
#include "report/lives.h"

struct candidate {
	uint64_t interest;
	struct fw_life life;
};

/* .heap has places in .pool; the parent of i is (i - 1) / 2. */
struct heap {
	struct candidate *pool;
	uint32_t *place;
	size_t nr, max;
};

struct lives {
	struct heap heap;
	uint64_t ended, ended_in_trouble;
	uint64_t stall_ns, leak_age_ns;
	struct fw_loss losses[FW_LOSSES_MAX];
	size_t nr_losses;
};

static int heap_init(struct heap *h, size_t max)
{
	*h = (struct heap){ .max = max };
	if (!max)
		return 0;
	h->pool = malloc(max * sizeof(*h->pool));
	h->place = malloc(max * sizeof(*h->place));
	return h->pool && h->place ? 0 : -ENOMEM;
}

static void heap_fini(struct heap *h)
{
	free(h->pool);
	free(h->place);
	*h = (struct heap){ 0 };
}

static bool is_below(const struct heap *h, size_t a, size_t b)
{
	return h->pool[h->place[a]].interest < h->pool[h->place[b]].interest;
}

static void swap(struct heap *h, size_t a, size_t b)
{
	uint32_t place = h->place[a];

	h->place[a] = h->place[b];
	h->place[b] = place;
}

static void sift_up(struct heap *h, size_t i)
{
	for (; i && is_below(h, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
}

static void sift_down(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->nr; child++)
			least = is_below(h, child, least) ? child : least;
		if (least == i)
			return;
		swap(h, i, least);
		i = least;
	}
}

static void heap_offer(struct heap *h, const struct candidate *c)
{
	if (h->nr < h->max) {
		h->place[h->nr] = (uint32_t)h->nr;
		h->pool[h->nr] = *c;
		sift_up(h, h->nr++);
	} else if (h->nr && c->interest > h->pool[h->place[0]].interest) {
		h->pool[h->place[0]] = *c;
		sift_down(h, 0);
	}
}

/* ---- What is wrong with it --------------------------------------------------------------- */

static uint32_t trouble_of_end(const struct fw_conn *c)
{
	static const enum fw_trouble troubles[FW_END_TROUBLE_MAX] = {
		[FW_END_TROUBLE_FAILED] = FW_TROUBLE_FAILED,
		[FW_END_TROUBLE_HALF_OPEN] = FW_TROUBLE_HALF_OPEN,
		[FW_END_TROUBLE_RESET] = FW_TROUBLE_RESET,
		[FW_END_TROUBLE_OVERFLOW] = FW_TROUBLE_OVERFLOW,
		[FW_END_TROUBLE_CUT_SHORT] = FW_TROUBLE_CUT_SHORT,
	};
	enum fw_end_trouble trouble = fw_end_info(c->end)->trouble;

	return trouble == FW_END_TROUBLE_NONE ? 0 : 1U << troubles[trouble];
}

static uint32_t trouble_of_step(const struct lives *l, const struct fw_conn *c, unsigned int i)
{
	uint64_t ns = fw_conn_dwell_ns(c, i);

	switch (c->steps[i]) {
	case FW_CLOSE_WAIT:
		return ns >= l->leak_age_ns ? 1U << FW_TROUBLE_LEAK : 0;
	case FW_FIN_WAIT_2:
		return ns >= l->stall_ns ? 1U << FW_TROUBLE_STALL : 0;
	case FW_CLOSING:
		return 1U << FW_TROUBLE_CLOSING;
	case FW_SYN_SENT:
		return ns >= FW_SLOW_SYN_NS ? 1U << FW_TROUBLE_SLOW : 0;
	case FW_SYN_RECV:
	case FW_FIN_WAIT_1:
	case FW_LAST_ACK:
		return ns >= FW_SLOW_FIN_NS ? 1U << FW_TROUBLE_SLOW : 0;
	default:
		return 0;
	}
}

/* In states that a healthy connection passes. */
static uint64_t waited_ns(const struct fw_conn *c)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < c->nr_steps; i++) {
		if (c->steps[i] != FW_ESTABLISHED && c->steps[i] != FW_TIME_WAIT)
			ns += fw_conn_dwell_ns(c, i);
	}
	return ns;
}

/* Spreads consecutive numbers evenly (the finaliser of MurmurHash3). */
static uint64_t spread(uint64_t id)
{
	id = (id ^ id >> 33) * 0xff51afd7ed558ccdULL;
	id = (id ^ id >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return id ^ id >> 33;
}

/* The troubles, and from them and the time: 8 bits the worst trouble, 56 bits the rest. */
static void judge(const struct lives *l, struct candidate *c)
{
	const uint64_t most = (1ULL << 56) - 1;
	const struct fw_conn *conn = &c->life.conn;
	uint32_t troubles = trouble_of_end(conn);
	uint64_t ns = waited_ns(conn);

	for (unsigned int i = 0; i < conn->nr_steps; i++)
		troubles |= trouble_of_step(l, conn, i);
	if (conn->flags & FW_CONN_GAP)
		troubles |= 1U << FW_TROUBLE_GAP;
	c->life.troubles = troubles;
	c->interest = spread(conn->id) & most;
	if (troubles)
		c->interest = (uint64_t)(FW_TROUBLE_MAX - __builtin_ctz(troubles)) << 56 |
			      (ns < most ? ns : most);
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct lives *l = self;
	struct candidate one;

	if (!l->heap.max || c->end == FW_END_OPEN)
		return;
	one.life.conn = *c;
	judge(l, &one);
	l->ended++;
	l->ended_in_trouble += one.life.troubles != 0;
	heap_offer(&l->heap, &one);
}

static void on_lost(void *self, uint64_t count, uint64_t ts_ns)
{
	struct lives *l = self;
	struct fw_loss *last;

	if (l->nr_losses < FW_LOSSES_MAX)
		l->nr_losses++;
	last = &l->losses[l->nr_losses - 1];
	last->ts_ns = ts_ns;
	last->count += count;
}

/* ---- The report -------------------------------------------------------------------------- */

static int more_interesting(const void *a, const void *b)
{
	const struct candidate *one = a, *two = b;

	if (one->interest != two->interest)
		return one->interest > two->interest ? -1 : 1;
	return one->life.conn.id < two->life.conn.id ? -1 : one->life.conn.id > two->life.conn.id;
}

/* What is open is judged as of now. */
static void offer_open(const struct lives *l, const struct fw_analysis_context *ctx,
		       struct heap *h, struct fw_lives *out)
{
	const struct fw_conn *c = NULL;
	struct candidate one;

	while ((c = fw_open_next(ctx, c))) {
		if (c->flags & FW_CONN_LISTENER)
			continue;
		one.life.conn = *c;
		one.life.conn.end_ns = ctx->now_ns;
		judge(l, &one);
		out->seen++;
		out->seen_in_trouble += one.life.troubles != 0;
		heap_offer(h, &one);
	}
}

static int by_id(const void *a, const void *b)
{
	const struct fw_name *one = a, *two = b;

	return one->id < two->id ? -1 : one->id > two->id;
}

static uint64_t cgroup_of(const struct fw_conn *c)
{
	return c->cgroup_id;
}

static const char *cgroup_path(const struct fw_analysis_context *ctx, uint64_t id)
{
	return ctx->cgroup_path ? ctx->cgroup_path(ctx->names_arg, id) : NULL;
}

static uint64_t netns_of(const struct fw_conn *c)
{
	return c->netns;
}

static const char *netns_name(const struct fw_analysis_context *ctx, uint64_t id)
{
	return ctx->netns_name ? ctx->netns_name(ctx->names_arg, (uint32_t)id) : NULL;
}

/* Of all rows: sorted, each once, without those whose name is not known. */
static struct fw_name *names_of(const struct fw_analysis_context *ctx, const struct fw_lives *l,
				uint64_t (*id_of)(const struct fw_conn *c),
				const char *(*name_of)(const struct fw_analysis_context *ctx,
						       uint64_t id),
				size_t *nr)
{
	struct fw_name *names = calloc(l->nr ? l->nr : 1, sizeof(*names));
	size_t kept = 0;

	for (size_t i = 0; names && i < l->nr; i++)
		names[i].id = id_of(&l->life[i].conn);
	if (names)
		qsort(names, l->nr, sizeof(*names), by_id);
	for (size_t i = 0; names && i < l->nr; i++) {
		uint64_t id = names[i].id;
		const char *text = kept && names[kept - 1].id == id ? NULL : name_of(ctx, id);

		if (!text)
			continue;
		names[kept] = (struct fw_name){ id, strdup(text) };
		kept += names[kept].text != NULL;
	}
	*nr = kept;
	return names;
}

static int collect(const struct lives *l, const struct fw_analysis_context *ctx,
		   struct fw_lives *out)
{
	struct heap h;
	int ret = heap_init(&h, l->heap.max);

	if (ret)
		goto out_heap;
	h.nr = l->heap.nr;
	memcpy(h.pool, l->heap.pool, h.nr * sizeof(*h.pool));
	memcpy(h.place, l->heap.place, h.nr * sizeof(*h.place));
	offer_open(l, ctx, &h, out);
	qsort(h.pool, h.nr, sizeof(*h.pool), more_interesting);
	out->life = calloc(h.nr ? h.nr : 1, sizeof(*out->life));
	if (!out->life) {
		ret = -ENOMEM;
		goto out_heap;
	}
	for (; out->nr < h.nr; out->nr++)
		out->life[out->nr] = h.pool[out->nr].life;
out_heap:
	heap_fini(&h);
	return ret;
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct lives *l = self;
	struct fw_lives *out;

	if (!l->heap.max)
		return;
	out = calloc(1, sizeof(*out));
	if (!out) {
		r->failed = true;
		return;
	}
	out->seen = l->ended;
	out->seen_in_trouble = l->ended_in_trouble;
	out->start_ns = ctx->start_ns;
	out->now_ns = ctx->now_ns;
	if (ctx->clock)
		out->clock = *ctx->clock;
	out->nr_losses = l->nr_losses;
	memcpy(out->losses, l->losses, sizeof(out->losses));
	if (collect(l, ctx, out))
		r->failed = true;
	out->cgroups = names_of(ctx, out, cgroup_of, cgroup_path, &out->nr_cgroups);
	out->namespaces = names_of(ctx, out, netns_of, netns_name, &out->nr_namespaces);
	r->failed |= !out->cgroups || !out->namespaces;
	r->lives = out;
}

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct lives *l = self;

	l->stall_ns = opt->stall_ns;
	l->leak_age_ns = opt->leak_age_ns;
	return heap_init(&l->heap, opt->lives);
}

static void fini(void *self)
{
	heap_fini(&((struct lives *)self)->heap);
}

const struct fw_analysis fw_analysis_lives = {
	.name = "lives",
	.size = sizeof(struct lives),
	.init = init,
	.fini = fini,
	.on = { .connection = on_connection, .lost = on_lost },
	.report = report,
};
