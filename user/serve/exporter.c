// SPDX-License-Identifier: GPL-2.0-only
#include "serve/exporter.h"

#include "serve/usage.h"
#include "util/fmt.h"

#define READINGS_NS (60 * FW_NS_PER_S)

int fw_exporter_init(struct fw_exporter *e, const struct fw_exporter_options *opt)
{
	const struct fw_survey_options survey = { .leak_age_ns = opt->leak_age_ns,
						  .stall_ns = opt->stall_ns };
	struct fw_usage usage;

	*e = (struct fw_exporter){ .opt = opt };
	/* Once: the clocks that it comes from are set now and then, and it must not change. */
	fw_usage_read(&usage);
	e->start_s = usage.start_s;
	fw_metrics_init(&e->metrics, opt->stall_ns);
	return fw_survey_init(&e->survey, &survey);
}

void fw_exporter_fini(struct fw_exporter *e)
{
	fw_survey_fini(&e->survey);
	fw_readings_fini(&e->readings);
}

struct fw_observer fw_exporter_observer(struct fw_exporter *e)
{
	return fw_metrics_observer(&e->metrics);
}

static void add_values(void *arg, const struct fw_netns_values *v)
{
	fw_readings_add(arg, v);
}

void fw_exporter_read_settings(struct fw_exporter *e)
{
	fw_readings_begin(&e->readings);
	fw_netns_values_read_all(add_values, &e->readings);
}

void fw_exporter_step(struct fw_exporter *e, struct fw_session *s)
{
	uint64_t now = s->src->ops->now_ns(s->src);

	if (now >= e->next_readings_ns) {
		/* Those that cannot be entered any more stay as they were. */
		if (e->opt->all_namespaces)
			fw_exporter_read_settings(e);
		else
			fw_readings_refresh_own(&e->readings);
		e->next_readings_ns = now + READINGS_NS;
	}
	fw_survey_step(&e->survey, &s->tracker, now, e->readings.values, e->readings.nr);
}

static struct fw_metrics_process process(const struct fw_exporter *e)
{
	struct fw_usage u;

	fw_usage_read(&u);
	return (struct fw_metrics_process){
		.cpu_s = u.cpu_s,
		.start_s = e->start_s,
		.resident_bytes = u.resident_bytes,
		.virtual_bytes = u.virtual_bytes,
		.open_fds = u.open_fds,
		.max_fds = u.max_fds,
	};
}

void fw_exporter_render(struct fw_exporter *e, struct fw_session *s,
			const struct fw_metrics_push *push, const struct fw_metrics_http *http,
			bool openmetrics, struct fw_buf *out)
{
	struct fw_source_cost bpf = { 0 };
	struct fw_om om = {
		.out = out,
		.openmetrics = openmetrics,
		.common = e->opt->labels,
		.nr_common = e->opt->nr_labels,
	};
	struct fw_metrics_context ctx = {
		.version = FW_VERSION,
		.hooks = s->src->info.hooks,
		.tracker = &s->tracker,
		.survey = &e->survey.last,
		.suppressed = s->seen.suppressed,
		.resyncs = s->resyncs,
		.malformed = s->malformed,
		.process = process(e),
		.push = *push,
		.http = *http,
		.findings = e->findings,
	};

	if (s->src->ops->cost)
		s->src->ops->cost(s->src, &bpf);
	ctx.bpf_runs = bpf.runs;
	ctx.bpf_ns = bpf.run_ns;
	ctx.bpf_measured_ns = bpf.measured_ns;
	fw_metrics_show(&e->metrics, &ctx, &om);
	fw_om_end(&om);
}
