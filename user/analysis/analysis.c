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
	fw_analysis_binds, fw_analysis_kernel_counters, fw_analysis_losses, fw_analysis_transitions,
	fw_analysis_over_time, fw_analysis_tw_bars, fw_analysis_lives, fw_analysis_accept_queue,
	fw_analysis_orphans, fw_analysis_connect_failures, fw_analysis_not_local, fw_analysis_bind_ports,
	fw_analysis_stale;

/* In the order of their sections. */
static const struct fw_analysis *const analyses[] = {
	&fw_analysis_states,	 &fw_analysis_time_wait, &fw_analysis_fin_wait_2,
	&fw_analysis_closing,	 &fw_analysis_close_wait, &fw_analysis_ports,
	&fw_analysis_flows,	 &fw_analysis_closers,	  &fw_analysis_half_open,
	&fw_analysis_accept_queue, &fw_analysis_connect_failures,
	&fw_analysis_slow,	 &fw_analysis_orphans,	  &fw_analysis_stale,
	&fw_analysis_nat,	 &fw_analysis_binds,	  &fw_analysis_bind_ports,
	&fw_analysis_not_local,
	&fw_analysis_kernel_counters,	 &fw_analysis_losses,	  &fw_analysis_transitions,
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

static void note_netns(struct fw_analyses *a, const struct fw_conn *c)
{
	if (!a->first_netns)
		a->first_netns = c->netns;
	a->netns_differ |= c->netns != a->first_netns;
}

/* Whether the filter admits the subject of an event (core/observer.h): its first argument. A filter on
 * owners admits a connection from the moment its owner is known.
 */
static bool admits_conn(struct fw_analyses *a, const struct fw_conn *c)
{
	if (a->opt.filter && !fw_filter_subject(a->opt.filter, c))
		return false;
	note_netns(a, c);
	return true;
}

static bool admits_record(const struct fw_analyses *a, const struct fw_rec_state *rec)
{
	return !a->opt.filter || fw_filter_record(a->opt.filter, rec);
}

static bool admits_bind(const struct fw_analyses *a, const struct fw_bind_failure *failure)
{
	return admits_record(a, failure->rec);
}

#define FIRST(first, ...) first
#define ADMITS_conn(a, arguments) admits_conn(a, FIRST arguments)
#define ADMITS_record(a, arguments) admits_record(a, FIRST arguments)
#define ADMITS_bind(a, arguments) admits_bind(a, FIRST arguments)
#define ADMITS_any(a, arguments) true

/* Calls @event of every analysis that has it. */
#define DISPATCH(event, subject, parameters, arguments)                                 \
	static void on_##event(void *arg, FW_LIST parameters)                           \
	{                                                                               \
		struct fw_analyses *a = arg;                                            \
                                                                                        \
		if (!ADMITS_##subject(a, arguments))                                    \
			return;                                                         \
		for (size_t i = 0; i < NR_ANALYSES; i++) {                              \
			if (analyses[i]->on.event)                                      \
				analyses[i]->on.event(a->self[i], FW_LIST arguments);   \
		}                                                                       \
	}

FW_OBSERVER_EVENTS(DISPATCH)

#define SLOT(event, subject, parameters, arguments) .event = on_##event,

struct fw_observer fw_analyses_observer(struct fw_analyses *a)
{
	return (struct fw_observer){ FW_OBSERVER_EVENTS(SLOT).arg = a };
}

void fw_analyses_counters_read(struct fw_analyses *a, const struct fw_netns_values *values, size_t nr)
{
	for (size_t i = 0; i < NR_ANALYSES; i++) {
		if (analyses[i]->counters_read)
			analyses[i]->counters_read(a->self[i], values, nr);
	}
}

void fw_analyses_report(struct fw_analyses *a, const struct fw_analysis_context *ctx,
			struct fw_report *r)
{
	struct fw_analysis_context mine = *ctx;
	const struct fw_conn *c = NULL;
	struct fw_stories stories;

	mine.opt = a->opt;
	mine.stories = &stories;
	fw_stories_init(&stories);
	while ((c = fw_open_next(&mine, c)))
		note_netns(a, c);
	mine.many_netns = a->netns_differ;
	for (size_t i = 0; i < NR_ANALYSES; i++) {
		if (analyses[i]->prepare)
			analyses[i]->prepare(a->self[i], &mine);
	}
	for (size_t i = 0; i < NR_ANALYSES; i++)
		analyses[i]->report(a->self[i], &mine, r);
	fw_words_how_sure(&mine, r);
	fw_report_sort(r);
	r->failed |= stories.failed;
	fw_stories_fini(&stories);
}

static bool is_open(const struct fw_conn *c)
{
	return c->nr_steps && c->end == FW_END_OPEN && !(c->flags & FW_CONN_UNDECIDED);
}

const struct fw_conn *fw_open_next(const struct fw_analysis_context *ctx, const struct fw_conn *c)
{
	const struct fw_conn_table *t = &ctx->tracker->table;

	c = c ? fw_conn_table_next(t, c) : fw_conn_table_first(t);
	while (c && !(is_open(c) && (!ctx->opt.filter || fw_filter_subject(ctx->opt.filter, c))))
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

const struct fw_netns_values *fw_values_of(const struct fw_analysis_context *ctx, uint32_t netns)
{
	for (size_t i = 0; i < ctx->nr_values; i++) {
		if (ctx->values[i].netns == netns)
			return &ctx->values[i];
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
