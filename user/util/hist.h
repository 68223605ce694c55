/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of durations in fixed memory: recording allocates nothing and takes a few
 * instructions.
 *
 * Each octave (2^k to 2^(k+1)) is cut into 128 buckets of equal width; below 256 ns a bucket is one
 * nanosecond. A percentile is the middle of its bucket, so it is at most half a bucket from the
 * value that a sorted list would give: 1/256, or 0.4 % of it (FW_HIST_ERROR). min_ns and max_ns are
 * exact.
 *
 * Memory: sizeof(struct fw_hist), 29 KiB. One a state is fine, one a connection is not. All zero
 * is an empty histogram. A bucket stops counting at 2^32 - 1 values; count goes on.
 */
#ifndef FW_UTIL_HIST_H
#define FW_UTIL_HIST_H

#include <stdint.h>

#define FW_HIST_SUB_BITS 7
#define FW_HIST_BUCKETS ((64 - FW_HIST_SUB_BITS + 1) << FW_HIST_SUB_BITS)
#define FW_HIST_ERROR (1.0 / (2 << FW_HIST_SUB_BITS))

struct fw_hist {
	uint64_t count;
	uint64_t min_ns, max_ns; /* 0 when count is 0 */
	double sum_ns;		 /* a double: hours of many connections exceed 64 bits */
	uint32_t buckets[FW_HIST_BUCKETS];
};

void fw_hist_record(struct fw_hist *h, uint64_t ns);
/* Adds what @from counted to @h. */
void fw_hist_merge(struct fw_hist *h, const struct fw_hist *from);

/* The smallest value such that @pct percent (0 to 100) of all values are not above it: 0 is the
 * shortest, 100 the longest. 0 when empty.
 */
uint64_t fw_hist_percentile(const struct fw_hist *h, double pct);
/* 0 when empty. */
uint64_t fw_hist_mean(const struct fw_hist *h);
/* How many values are below @ns; within the bucket that @ns falls into, spread evenly. Never falls
 * as @ns grows, so that differences of it are bars that add up to count. Buckets do not respect
 * limits of yours: at 60 s one is 0.27 s wide, so keep apart what must not mix (expired and cut
 * short).
 */
uint64_t fw_hist_below(const struct fw_hist *h, uint64_t ns);

#endif
