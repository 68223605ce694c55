// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of analyses, and the fan-out of events to them.
 */
#include "analysis/words.h"

#include <errno.h>
#include <stdlib.h>

extern const struct fw_analysis fw_analysis_states, fw_analysis_time_wait, fw_analysis_fin_wait_2,
	fw_analysis_closing, fw_analysis_close_wait, fw_analysis_ports, fw_analysis_flows,
	fw_analysis_closers, fw_analysis_half_open, fw_analysis_slow, fw_analysis_nat,
	fw_analysis_binds, fw_analysis_truth, fw_analysis_losses, fw_analysis_transitions,
	fw_analysis_over_time, fw_analysis_tw_bars, fw_analysis_lives;

/* In the order of their sections. */
static const struct fw_analysis *const analyses[] = {
	&fw_analysis_states,	 &fw_analysis_time_wait, &fw_analysis_fin_wait_2,
	&fw_analysis_closing,	 &fw_analysis_close_wait, &fw_analysis_ports,
	&fw_analysis_flows,	 &fw_analysis_closers,	  &fw_analysis_half_open,
	&fw_analysis_slow,	 &fw_analysis_nat,	  &fw_analysis_binds,
	&fw_analysis_truth,	 &fw_analysis_losses,	  &fw_analysis_transitions,
	&fw_analysis_over_time,	 &fw_analysis_tw_bars,	  &fw_analysis_lives,
};
#define NR_ANALYSES (sizeof(analyses) / sizeof(analyses[0]))
_Static_assert(NR_ANALYSES <= FW_ANALYSES_MAX, "room for their states");

int fw_analyses_init(struct fw_analyses *a, const struct fw_analysis_options *opt)
{
	*a = (struct fw_analyses){ .opt = *opt };
	if (a->opt.top > FW_TOP_MAX)
		a->opt.top = FW_TOP_MAX;
	for (size_t i = 0; i < NR_ANALYSES; i++) {
		a->self[i] = calloc(1, analyses[i]->size);
		if (!a->self[i])
			return -ENOMEM;
		if (analyses[i]->init && analyses[i]->init(a->self[i], &a->opt))
			return -ENOMEM;
	}
	return 0;
}

void fw_analyses_fini(struct fw_analyses *a)
{
	for (size_t i = 0; i < NR_ANALYSES; i++) {
		if (a->self[i] && analyses[i]->fini)
			analyses[i]->fini(a->self[i]);
		free(a->self[i]);
	}
	*a = (struct fw_analyses){ 0 };
}

/* Calls @event of every analysis that wants it. */
#define TELL(arg, event, ...)                                                            \
	do {                                                                             \
		struct fw_analyses *a_ = (arg);                                          \
		for (size_t i_ = 0; i_ < NR_ANALYSES; i_++) {                            \
			if (analyses[i_]->on.event)                                      \
				analyses[i_]->on.event(a_->self[i_], __VA_ARGS__);       \
		}                                                                        \
	} while (0)

static bool is_wanted(const struct fw_analysis_options *opt, const struct fw_conn *c)
{
	return !opt->filter || fw_filter_subject(opt->filter, c);
}

static void note_netns(struct fw_analyses *a, const struct fw_conn *c)
{
	if (!a->first_netns)
		a->first_netns = c->netns;
	a->netns_differ |= c->netns != a->first_netns;
}

/* With a filter on owners: from when the owner is known. */
static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct fw_analyses *a = arg;

	if (!is_wanted(&a->opt, c))
		return;
	note_netns(a, c);
	TELL(arg, transition, c, tr);
}

static void on_minisock(void *arg, const struct fw_conn *c, uint64_t ts_ns)
{
	if (is_wanted(&((struct fw_analyses *)arg)->opt, c))
		TELL(arg, minisock, c, ts_ns);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	if (!is_wanted(&((struct fw_analyses *)arg)->opt, c))
		return;
	TELL(arg, connection, c);
}

static void on_snapshot_begin(void *arg, uint64_t ts_ns)
{
	TELL(arg, snapshot_begin, ts_ns);
}

static void on_socket(void *arg, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	TELL(arg, socket, c, sock);
}

static void on_holder(void *arg, const struct fw_conn *c, const struct fw_rec_holder *holder)
{
	TELL(arg, holder, c, holder);
}

static void on_process(void *arg, const struct fw_rec_process *process)
{
	TELL(arg, process, process);
}

static void on_snapshot_end(void *arg, uint64_t ts_ns)
{
	TELL(arg, snapshot_end, ts_ns);
}

static void on_bind_failed(void *arg, const struct fw_bind_failure *failure)
{
	const struct fw_filter *filter = ((struct fw_analyses *)arg)->opt.filter;

	if (filter && !fw_filter_record(filter, failure->rec))
		return;
	TELL(arg, bind_failed, failure);
}

static void on_lost(void *arg, uint64_t count, uint64_t ts_ns)
{
	TELL(arg, lost, count, ts_ns);
}

struct fw_observer fw_analyses_observer(struct fw_analyses *a)
{
	return (struct fw_observer){
		.transition = on_transition,
		.minisock = on_minisock,
		.connection = on_connection,
		.snapshot_begin = on_snapshot_begin,
		.socket = on_socket,
		.holder = on_holder,
		.process = on_process,
		.snapshot_end = on_snapshot_end,
		.bind_failed = on_bind_failed,
		.lost = on_lost,
		.arg = a,
	};
}

void fw_analyses_counters_read(struct fw_analyses *a, const struct fw_truth *truth, size_t nr)
{
	for (size_t i = 0; i < NR_ANALYSES; i++) {
		if (analyses[i]->counters_read)
			analyses[i]->counters_read(a->self[i], truth, nr);
	}
}

void fw_analyses_report(struct fw_analyses *a, const struct fw_analysis_context *ctx,
			struct fw_report *r)
{
	struct fw_analysis_context mine = *ctx;
	const struct fw_conn *c = NULL;

	mine.opt = a->opt;
	while ((c = fw_open_next(&mine, c)))
		note_netns(a, c);
	mine.many_netns = a->netns_differ;
	for (size_t i = 0; i < NR_ANALYSES; i++)
		analyses[i]->report(a->self[i], &mine, r);
	fw_words_how_sure(&mine, r);
	fw_report_sort(r);
}

static bool is_open(const struct fw_conn *c)
{
	return c->nr_steps && c->end == FW_END_OPEN && !(c->flags & FW_CONN_UNDECIDED);
}

const struct fw_conn *fw_open_next(const struct fw_analysis_context *ctx, const struct fw_conn *c)
{
	const struct fw_conn_table *t = &ctx->tracker->table;

	c = c ? fw_conn_table_next(t, c) : fw_conn_table_first(t);
	while (c && !(is_open(c) && is_wanted(&ctx->opt, c)))
		c = fw_conn_table_next(t, c);
	return c;
}

uint64_t fw_open_age_ns(const struct fw_analysis_context *ctx, const struct fw_conn *c)
{
	uint64_t since = c->enter_ns[c->nr_steps - 1];

	return ctx->now_ns > since ? ctx->now_ns - since : 0;
}

double fw_span_s(const struct fw_analysis_context *ctx)
{
	double s = (double)(ctx->now_ns - ctx->start_ns) / 1e9;

	return ctx->now_ns > ctx->start_ns && s > 0.001 ? s : 0.001;
}

double fw_rate_per_s(const struct fw_analysis_context *ctx, uint64_t n)
{
	return (double)n / fw_span_s(ctx);
}

double fw_rate_while(const struct fw_analysis_context *ctx, uint64_t n, uint64_t first_ns,
		     uint64_t last_ns)
{
	double s = last_ns > first_ns ? (double)(last_ns - first_ns) / 1e9 : 0,
	       span = fw_span_s(ctx);

	if (s < 1)
		s = span < 1 ? span : 1;
	return (double)n / s;
}

const struct fw_truth *fw_truth_of(const struct fw_analysis_context *ctx, uint32_t netns)
{
	for (size_t i = 0; i < ctx->nr_truth; i++) {
		if (ctx->truth[i].netns == netns)
			return &ctx->truth[i];
	}
	return NULL;
}

const struct fw_conn *fw_listener_of(const struct fw_analysis_context *ctx, uint32_t netns,
				     uint16_t lport)
{
	const struct fw_conn_table *t = &ctx->tracker->table;
	const struct fw_conn *c = fw_conn_table_first(t);

	while (c && !(is_open(c) && c->flags & FW_CONN_LISTENER && c->netns == netns &&
		      c->lport == lport))
		c = fw_conn_table_next(t, c);
	return c;
}
