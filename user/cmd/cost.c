// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/cost.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "util/fmt.h"
#include "util/pairs.h"
#include "util/parse.h"

#define SAMPLE_EVERY_NS (10 * FW_NS_PER_S)
#define SAMPLE_NS (FW_NS_PER_S / 4)

void fw_cost_sample(struct fw_session *s)
{
	struct fw_source *src = s->src;

	if (src->ops->measure)
		src->ops->measure(src, (src->ops->now_ns(src) - src->info.start_ns) %
					       SAMPLE_EVERY_NS < SAMPLE_NS);
}

static struct fw_cell percent_of(uint64_t ns, uint64_t span_ns)
{
	return fw_cell_percent(100.0 * (double)ns / (double)span_ns);
}

static void programs(const struct fw_source_cost *cost, struct fw_report *r,
		     struct fw_section *sec)
{
	if (!cost->runs || !cost->measured_ns)
		return;
	fw_section_fact(r, sec, "cpu_bpf", "CPU, BPF programs",
			percent_of(cost->run_ns, cost->measured_ns));
	fw_section_fact(r, sec, "bpf_run_ns", "BPF program, ns a run",
			fw_cell_count(cost->run_ns / cost->runs));
	fw_section_fact(r, sec, "bpf_runs", "BPF programs, runs",
			fw_cell_rate(1e9 * (double)cost->runs / (double)cost->measured_ns));
}

void fw_cost_report(const struct fw_session *s, struct fw_report *r)
{
	struct fw_section *sec = fw_report_section(r, "cost", "What finwait cost");
	const struct fw_tracker *t = &s->tracker;
	const struct fw_source_cost *cost = &s->cost;
	uint64_t ns = cost->span_ns > FW_NS_PER_MS ? cost->span_ns : FW_NS_PER_MS;

	if (cost->span_ns) {
		fw_section_fact(r, sec, "events", "Events",
				fw_cell_rate((double)t->counters.events * 1e9 / (double)ns));
		fw_section_fact(r, sec, "cpu_user", "CPU, user", percent_of(cost->user_ns, ns));
		fw_section_fact(r, sec, "cpu_system", "CPU, system",
				percent_of(cost->system_ns, ns));
	}
	programs(cost, r, sec);
	if (cost->memory_bytes)
		fw_section_fact(r, sec, "memory", "Memory, most", fw_cell_bytes(cost->memory_bytes));
	fw_section_fact(r, sec, "lost", "Events lost", fw_cell_count(t->counters.lost));
}

/* ---- As text ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} values[] = {
	{ "span_ns", offsetof(struct fw_source_cost, span_ns) },
	{ "user_ns", offsetof(struct fw_source_cost, user_ns) },
	{ "system_ns", offsetof(struct fw_source_cost, system_ns) },
	{ "memory_bytes", offsetof(struct fw_source_cost, memory_bytes) },
	{ "bpf_runs", offsetof(struct fw_source_cost, runs) },
	{ "bpf_run_ns", offsetof(struct fw_source_cost, run_ns) },
	{ "bpf_measured_ns", offsetof(struct fw_source_cost, measured_ns) },
};
#define NR_VALUES (sizeof(values) / sizeof(values[0]))

void fw_cost_print(const struct fw_source_cost *cost, struct fw_buf *b)
{
	for (size_t i = 0; i < NR_VALUES; i++) {
		uint64_t value;

		memcpy(&value, (const char *)cost + values[i].offset, sizeof(value));
		fw_buf_printf(b, "%s %" PRIu64 "\n", values[i].name, value);
	}
}

void fw_cost_parse(struct fw_source_cost *cost, const char *text, size_t len)
{
	const char *end = text + len;
	struct fw_pair pair;
	uint64_t value;

	*cost = (struct fw_source_cost){ 0 };
	while (fw_pair_next(&text, end, &pair)) {
		for (size_t i = 0; i < NR_VALUES; i++) {
			if (!strcmp(pair.name, values[i].name) &&
			    !fw_parse_u64(pair.value, 0, UINT64_MAX, &value, NULL))
				memcpy((char *)cost + values[i].offset, &value, sizeof(value));
		}
	}
}
