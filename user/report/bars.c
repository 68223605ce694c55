// SPDX-License-Identifier: GPL-2.0-only
/*
 * A histogram as bars between round numbers, as few as fit on a screen. It has 128 buckets an
 * octave; people want "60.0 s, 60.2 s, ..." for what lies close together, and "1 ms, 10 ms, ..."
 * for the rest.
 */
#include "report/report.h"
#include "util/fmt.h"
#include "util/hist.h"

#define US 1000ULL
#define MS FW_NS_PER_MS
#define S FW_NS_PER_S
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

/* Three a group, so that each third is again a scale. Text shows nothing shorter than the first. */
static const uint64_t scale[] = {
	10 * US,  20 * US,  50 * US,  100 * US, 200 * US, 500 * US, 1 * MS,  2 * MS,  5 * MS,
	10 * MS,  20 * MS,  50 * MS,  100 * MS, 200 * MS, 500 * MS, 1 * S,   2 * S,   5 * S,
	10 * S,	  20 * S,   30 * S,   1 * M,    2 * M,    5 * M,    10 * M,  20 * M,  30 * M,
	1 * H,	  2 * H,    6 * H,    12 * H,   1 * D,    2 * D,    5 * D,   10 * D,  30 * D,
	100 * D,  365 * D,  1000 * D,
};
#define NR_SCALE (sizeof(scale) / sizeof(scale[0]))

/* The smallest difference that fw_fmt_duration() shows. */
static uint64_t shown(uint64_t ns)
{
	static const struct {
		uint64_t from, step;
	} steps[] = {
		{ D, H },
		{ H, M },
		{ 100 * S, S },
		{ 10 * S, 100 * MS },
		{ S, 10 * MS },
		{ 100 * MS, MS },
		{ 10 * MS, 100 * US },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (ns >= steps[i].from)
			return steps[i].step;
	}
	return 10 * US;
}

static void add(struct fw_report *r, struct fw_bars *b, const struct fw_hist *h, uint64_t from,
		uint64_t to)
{
	uint64_t end = to == UINT64_MAX ? h->count : fw_hist_below(h, to);

	fw_bars_add(r, b, from, to, end - fw_hist_below(h, from));
}

/* Even steps. False if no step is wide enough. */
static bool even(struct fw_report *r, struct fw_bars *b, const struct fw_hist *h, size_t max)
{
	for (size_t i = 0; i < NR_SCALE; i++) {
		uint64_t step = scale[i], first = h->min_ns / step, last = h->max_ns / step;

		if (step < shown(h->max_ns) || last - first >= max)
			continue;
		for (uint64_t n = first; n <= last; n++) {
			uint64_t from = n * step;

			add(r, b, h, from, from > UINT64_MAX - step ? UINT64_MAX : from + step);
		}
		return true;
	}
	return false;
}

/* The first edge of the scale that is above @ns, taking only each @every-th. */
static size_t above(uint64_t ns, size_t every)
{
	size_t i = 0;

	while (i < NR_SCALE && scale[i] <= ns)
		i += every;
	return i;
}

static void stretched(struct fw_report *r, struct fw_bars *b, const struct fw_hist *h, size_t max)
{
	size_t every = 1, first, last;

	for (;; every *= 3) {
		first = above(h->min_ns, every);
		last = above(h->max_ns, every);
		if ((last - first) / every < max || every > NR_SCALE)
			break;
	}
	for (size_t i = first; i <= last; i += every)
		add(r, b, h, i ? scale[i - every] : 0, i < NR_SCALE ? scale[i] : UINT64_MAX);
}

void fw_bars_hist(struct fw_report *r, struct fw_bars *b, const struct fw_hist *h, size_t max)
{
	bool close = h->max_ns / 10 <= h->min_ns;

	if (!h->count || max < 2)
		return;
	if (!close || !even(r, b, h, max))
		stretched(r, b, h, max);
}
