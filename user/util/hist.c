// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bucket of a value is its top 8 bits (one that is always set, 7 that choose the bucket in the
 * octave) and how far they were shifted:
 *
 *	value           shift   index = shift * 128 + top bits
 *	0 .. 255        0       0 .. 255             width 1
 *	256 .. 511      1       256 .. 383           width 2
 *	512 .. 1023     2       384 .. 511           width 4
 */
#include "util/hist.h"

#define SUB_BITS FW_HIST_SUB_BITS
#define SUB (1U << SUB_BITS)

_Static_assert(2 << SUB_BITS >= 100, "percentiles are promised to be within 1 %");

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int top, shift;

	if (ns < 2 * SUB)
		return (unsigned int)ns;
	top = 63 - (unsigned int)__builtin_clzll(ns);
	shift = top - SUB_BITS;
	return (shift << SUB_BITS) + (unsigned int)(ns >> shift);
}

static uint64_t bucket_from(unsigned int i, uint64_t *width)
{
	unsigned int shift = i < 2 * SUB ? 0 : (i >> SUB_BITS) - 1;

	*width = 1ULL << shift;
	return (uint64_t)(i - (shift << SUB_BITS)) << shift;
}

static void add(struct fw_hist *h, unsigned int i, uint32_t n)
{
	if (__builtin_add_overflow(h->buckets[i], n, &h->buckets[i]))
		h->buckets[i] = UINT32_MAX;
}

void fw_hist_record(struct fw_hist *h, uint64_t ns)
{
	add(h, bucket_of(ns), 1);
	if (!h->count || ns < h->min_ns)
		h->min_ns = ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->count++;
	h->sum_ns += (double)ns;
}

void fw_hist_merge(struct fw_hist *h, const struct fw_hist *from)
{
	if (!from->count)
		return;
	for (unsigned int i = 0; i < FW_HIST_BUCKETS; i++)
		add(h, i, from->buckets[i]);
	if (!h->count || from->min_ns < h->min_ns)
		h->min_ns = from->min_ns;
	if (from->max_ns > h->max_ns)
		h->max_ns = from->max_ns;
	h->count += from->count;
	h->sum_ns += from->sum_ns;
}

/* The extremes are exact, and no value is beyond them. */
static uint64_t clamp(const struct fw_hist *h, uint64_t ns)
{
	return ns < h->min_ns ? h->min_ns : ns > h->max_ns ? h->max_ns : ns;
}

/* How many values the percentile and all below it are: from 1 to count. */
static uint64_t rank_of(uint64_t count, double pct)
{
	double exact = pct * (double)count / 100;
	uint64_t rank;

	if (exact >= (double)count)
		return count;
	rank = exact > 0 ? (uint64_t)exact : 0;
	return rank < 1 || (double)rank < exact ? rank + 1 : rank;
}

uint64_t fw_hist_percentile(const struct fw_hist *h, double pct)
{
	uint64_t rank = rank_of(h->count, pct), seen = 0, width, from;

	if (!h->count)
		return 0;
	if (pct <= 0)
		return h->min_ns;
	if (rank == h->count)
		return h->max_ns;
	for (unsigned int i = bucket_of(h->min_ns); i < FW_HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= rank) {
			from = bucket_from(i, &width);
			return clamp(h, from + (width - 1) / 2);
		}
	}
	return h->max_ns;
}

uint64_t fw_hist_mean(const struct fw_hist *h)
{
	return h->count ? clamp(h, (uint64_t)(h->sum_ns / (double)h->count)) : 0;
}

/* The part of bucket @i that is below @ns, if its values are spread evenly between the extremes. */
static uint64_t part_below(const struct fw_hist *h, unsigned int i, uint64_t ns)
{
	uint64_t width, from = bucket_from(i, &width), last = from + (width - 1);
	double part;

	from = clamp(h, from);
	last = clamp(h, last);
	if (ns <= from)
		return 0;
	part = (double)(ns - from) / ((double)(last - from) + 1);
	return (uint64_t)((double)h->buckets[i] * part);
}

uint64_t fw_hist_below(const struct fw_hist *h, uint64_t ns)
{
	unsigned int last = bucket_of(ns);
	uint64_t below = 0;

	if (!h->count || ns <= h->min_ns)
		return 0;
	if (ns > h->max_ns)
		return h->count;
	for (unsigned int i = bucket_of(h->min_ns); i < last; i++)
		below += h->buckets[i];
	return below + part_below(h, last, ns);
}
