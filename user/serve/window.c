// SPDX-License-Identifier: GPL-2.0-only
#include "serve/window.h"

/* All that the set at @i has seen is forgotten: it watches from now on. */
static int restart(struct fw_window *w, unsigned int i)
{
	struct fw_analyses fresh;

	if (fw_analyses_init(&fresh, &w->opt)) {
		fw_analyses_fini(&fresh);
		return -1;
	}
	fw_analyses_fini(&w->sets[i]);
	w->sets[i] = fresh;
	w->fanout->to[w->slot + i] = fw_analyses_observer(&w->sets[i]);
	w->begun[i] = true;
	return 0;
}

static void counters_read(struct fw_window *w, unsigned int i, const struct fw_session *s)
{
	fw_analyses_counters_read(&w->sets[i], s->last.values, s->last.nr);
}

static void begin(struct fw_window *w, unsigned int i, struct fw_session *s)
{
	fw_span_begin(&w->spans[i], s);
	counters_read(w, i, s);
}

int fw_window_init(struct fw_window *w, const struct fw_analysis_options *opt, uint64_t length_ns,
		   struct fw_fanout *fanout, unsigned int slot)
{
	*w = (struct fw_window){
		.opt = *opt,
		.length_ns = length_ns,
		.fanout = fanout,
		.slot = slot,
	};
	return restart(w, 0);
}

void fw_window_fini(struct fw_window *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		fw_analyses_fini(&w->sets[i]);
		fw_span_fini(&w->spans[i]);
	}
}

void fw_window_begin(struct fw_window *w, struct fw_session *s)
{
	begin(w, 0, s);
	w->spans[0].start_ns = s->src->info.start_ns;
}

static unsigned int older(const struct fw_window *w)
{
	return w->begun[1] && w->spans[1].start_ns < w->spans[0].start_ns;
}

/* One begins when the other has watched for half a window. */
void fw_window_step(struct fw_window *w, struct fw_session *s)
{
	unsigned int old = older(w), young = w->begun[1] ? !old : old, next = !young;

	if (fw_session_now_ns(s) - w->spans[young].start_ns < w->length_ns / 2)
		return;
	if (!restart(w, next))
		begin(w, next, s);
}

void fw_window_report(struct fw_window *w, struct fw_session *s, struct fw_report *r)
{
	unsigned int i = older(w);

	fw_session_refresh(s);
	counters_read(w, i, s);
	fw_report_about(r, "window", "window", fw_cell_duration(w->length_ns));
	fw_summary_make(s, &w->sets[i], &w->spans[i], r);
}
