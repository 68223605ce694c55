// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/summary.h"

#include "cmd/cost.h"
#include "util/fmt.h"

void fw_span_begin(struct fw_span *span, struct fw_session *s)
{
	fw_session_refresh(s);
	span->start_ns = fw_session_now_ns(s);
	span->counters = s->tracker.counters;
	span->suppressed = s->seen.suppressed;
	fw_readings_copy(&span->first, &s->last);
}

void fw_span_fini(struct fw_span *span)
{
	fw_readings_fini(&span->first);
}

static void about(const struct fw_session *s, const struct fw_analysis_context *ctx,
		  struct fw_report *r)
{
	const struct fw_tracker_counters *c = &ctx->counters;
	const struct fw_source_info *info = &s->src->info;
	struct fw_buf clock = { 0 };

	if (info->host[0])
		fw_report_about(r, "host", "host", fw_cell_text(info->host, SIZE_MAX));
	if (info->kernel[0])
		fw_report_about(r, "kernel", "kernel", fw_cell_text(info->kernel, SIZE_MAX));
	fw_fmt_rfc3339(&clock, fw_wall_clock_ns(&s->clock, ctx->start_ns));
	fw_report_about(r, "start", "start", fw_cell_text(fw_buf_str(&clock), SIZE_MAX));
	fw_buf_free(&clock);
	fw_report_about(r, "span", "span", fw_cell_duration(ctx->now_ns - ctx->start_ns));
	fw_report_about(r, "hooks", "hooks", fw_cell_text(ctx->hooks, SIZE_MAX));
	fw_report_about(r, "ended", "connections ended", fw_cell_count(c->connections));
	fw_report_about(r, "tracked", "tracked now", fw_cell_count(s->tracker.table.nr));
	fw_report_about(r, "events", "events", fw_cell_count(c->events));
	fw_report_about(r, "lost", "events lost", fw_cell_count(c->lost));
}

void fw_summary_make(struct fw_session *s, struct fw_analyses *a, const struct fw_span *span,
		     struct fw_report *r)
{
	const struct fw_span whole = { .start_ns = s->src->info.start_ns };
	const struct fw_readings *readings = fw_session_readings(s);
	struct fw_analysis_context ctx = {
		.now_ns = fw_session_now_ns(s),
		.tracker = &s->tracker,
		.hooks = s->src->info.hooks,
		.clock = &s->clock,
		.filtered = s->src->info.filtered || fw_filter_is_set(&s->filter),
		.filtered_within_netns = s->src->info.filtered ||
					 fw_filter_is_set_within_netns(&s->filter),
		.suppressed_of_all = !s->admit_all || fw_filter_has_owner(&s->filter),
		.older_unseen = s->opt->no_snapshot,
		.accepts_unseen = s->src->info.accepts_unseen,
		.netns_refused = s->seen.netns_refused,
		.refused_netns = s->seen.refused_netns,
		.cgroup_path = fw_session_cgroup_path,
		.netns_name = fw_session_netns_names,
		.names_arg = s,
	};

	if (span)
		fw_readings_since(&s->last, &span->first);
	else
		span = &whole;
	ctx.start_ns = span->start_ns;
	ctx.counters = fw_tracker_counters_since(&s->tracker.counters, &span->counters);
	ctx.suppressed = s->seen.suppressed - span->suppressed;
	ctx.values = readings->values;
	ctx.nr_values = readings->nr;
	about(s, &ctx, r);
	fw_analyses_report(a, &ctx, r);
	fw_cost_report(s, r);
}
