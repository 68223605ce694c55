// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/cost.h"

#include "util/fmt.h"

#define SAMPLE_EVERY_NS (10 * FW_NS_PER_S)
#define SAMPLE_NS FW_NS_PER_S

static double seconds_of(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

void fw_cost_begin(struct fw_cost *cost, struct fw_session *s)
{
	getrusage(RUSAGE_SELF, &cost->before);
	cost->begin_ns = s->src->ops->now_ns(s->src);
}

void fw_cost_sample(const struct fw_cost *cost, struct fw_session *s)
{
	struct fw_source *src = s->src;

	if (src->ops->measure)
		src->ops->measure(src, (src->ops->now_ns(src) - cost->begin_ns) % SAMPLE_EVERY_NS <
					       SAMPLE_NS);
}

static void programs(const struct fw_session *s, struct fw_report *r, struct fw_section *sec)
{
	struct fw_source_cost bpf = { 0 };

	if (s->src->ops->cost)
		s->src->ops->cost(s->src, &bpf);
	if (!bpf.runs)
		return;
	fw_section_fact(r, sec, "cpu_bpf", "CPU, BPF programs",
			fw_cell_percent(100.0 * (double)bpf.run_ns / (double)bpf.measured_ns));
	fw_section_fact(r, sec, "bpf_run_ns", "BPF program, ns a run",
			fw_cell_count(bpf.run_ns / bpf.runs));
	fw_section_fact(r, sec, "bpf_runs", "BPF programs, runs",
			fw_cell_rate(1e9 * (double)bpf.runs / (double)bpf.measured_ns));
}

void fw_cost_report(const struct fw_cost *cost, const struct fw_session *s, struct fw_report *r)
{
	struct fw_section *sec = fw_report_section(r, "cost", "What finwait cost");
	const struct fw_tracker *t = &s->tracker;
	uint64_t ns = s->src->ops->now_ns(s->src) - cost->begin_ns;
	double span = (double)(ns > FW_NS_PER_MS ? ns : FW_NS_PER_MS) / (double)FW_NS_PER_S;
	struct rusage now;
	double user, sys;

	getrusage(RUSAGE_SELF, &now);
	user = seconds_of(&now.ru_utime) - seconds_of(&cost->before.ru_utime);
	sys = seconds_of(&now.ru_stime) - seconds_of(&cost->before.ru_stime);
	fw_section_fact(r, sec, "events", "Events", fw_cell_rate((double)t->counters.events / span));
	fw_section_fact(r, sec, "cpu_user", "CPU, user", fw_cell_percent(100 * user / span));
	fw_section_fact(r, sec, "cpu_system", "CPU, system", fw_cell_percent(100 * sys / span));
	programs(s, r, sec);
	fw_section_fact(r, sec, "memory", "Memory, most",
			fw_cell_bytes((uint64_t)now.ru_maxrss * 1024));
	fw_section_fact(r, sec, "lost", "Events lost", fw_cell_count(t->counters.lost));
}
