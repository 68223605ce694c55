// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT durations as bars: all of them by what ended them, and those around the nominal 60 s in
 * tenths of a second, where the steps of the kernel's timer wheel can be seen (time_wait.c has the sums).
 */
#include "analysis/words.h"

#include "util/fmt.h"

#define FINE_FROM_NS FW_NS(59.5)
#define FINE_NS FW_NS(0.1)
#define FINE_MAX 60 /* up to 65.5 s: HZ=1000 has steps of 4.1 s */

/* Where each bar ends. */
static const uint64_t limits_ns[] = {
	FW_NS(0.001), FW_NS(0.01), FW_NS(0.1), FW_NS(1), FW_NS(10), FW_NS(20), FW_NS(30),
	FW_NS(40), FW_NS(50), FW_NS(60), FW_NS(70), FW_NS(80), FW_NS(120), UINT64_MAX,
};
#define NR_BARS FW_ARRAY_SIZE(limits_ns)

struct tw_bars {
	uint64_t bars[NR_BARS][FW_END_MAX];
	uint64_t seen[FW_END_MAX];
	uint64_t fine[FINE_MAX];
};

static void on_connection(void *self, const struct fw_conn *c)
{
	struct tw_bars *b = self;
	unsigned int last = c->nr_steps - 1U;
	uint64_t ns;
	size_t i = 0;

	if (c->end == FW_END_OPEN || c->end >= FW_END_MAX || fw_conn_state(c) != FW_TIME_WAIT ||
	    c->step_flags[last] & (FW_STEP_AT_LEAST | FW_STEP_AT_MOST))
		return;
	ns = fw_conn_dwell_ns(c, last);
	while (ns >= limits_ns[i] && i + 1 < NR_BARS)
		i++;
	b->bars[i][c->end]++;
	b->seen[c->end]++;
	if (c->end == FW_END_TIME_WAIT_EXPIRED && !c->restarts && ns >= FINE_FROM_NS &&
	    (ns - FINE_FROM_NS) / FINE_NS < FINE_MAX)
		b->fine[(ns - FINE_FROM_NS) / FINE_NS]++;
}

/* A column for each end that was seen. */
static void by_end(const struct tw_bars *b, struct fw_report *r, struct fw_section *s)
{
	const char *columns[2 * (FW_END_MAX + 2) + 1] = { "from", "from", "to", "to" };
	size_t n = 4;
	struct fw_table *t;

	for (unsigned int end = 0; end < FW_END_MAX; end++) {
		if (!b->seen[end])
			continue;
		columns[n++] = fw_end_name(end);
		columns[n++] = fw_end_words(end);
	}
	t = fw_section_table(r, s, "by_end", "How long, by what ended it", columns);
	for (size_t i = 0; i < NR_BARS; i++) {
		struct fw_cell cells[FW_END_MAX + 2];
		size_t k = 0;

		cells[k++] = fw_cell_duration(i ? limits_ns[i - 1] : 0);
		cells[k++] = i + 1 < NR_BARS ? fw_cell_duration(limits_ns[i]) : fw_cell_unknown();
		for (unsigned int end = 0; end < FW_END_MAX; end++) {
			if (b->seen[end])
				cells[k++] = fw_cell_count(b->bars[i][end]);
		}
		fw_table_row(r, t, cells);
	}
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "time_wait_bars", "TIME_WAIT durations");
	struct tw_bars *b = self;
	struct fw_bars *fine;
	uint64_t all = 0, expired = 0;

	(void)ctx;
	s->detail = true;
	for (unsigned int end = 0; end < FW_END_MAX; end++)
		all += b->seen[end];
	for (size_t i = 0; i < FINE_MAX; i++)
		expired += b->fine[i];
	if (all)
		by_end(b, r, s);
	if (!expired)
		return;
	fine = fw_section_bars(r, s, "expired", "When the timer ended it and nothing restarted it");
	for (size_t i = 0; i < FINE_MAX; i++)
		fw_bars_add(r, fine, FINE_FROM_NS + i * FINE_NS, FINE_FROM_NS + (i + 1) * FINE_NS,
			    b->fine[i]);
}

const struct fw_analysis fw_analysis_tw_bars = {
	.name = "tw_bars",
	.size = sizeof(struct tw_bars),
	.on = { .connection = on_connection },
	.report = report,
};
