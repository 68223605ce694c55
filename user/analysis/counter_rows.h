/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel_counters.c counts of a network namespace, and the table of it beside the kernel's counters.
 */
#ifndef FW_ANALYSIS_COUNTER_ROWS_H
#define FW_ANALYSIS_COUNTER_ROWS_H

#include "analysis/analysis.h"

struct fw_own_counts {
	int64_t active_opens, passive_opens, attempt_fails, estab_resets;
	int64_t minisocks, reused, overflow;
	int64_t ended; /* minisocks */
};

struct fw_own_netns {
	struct fw_own_counts upto, later; /* the last reading */
	uint64_t from_ns, to_ns;   /* of the readings; to_ns 0: there was none but the first */
	uint64_t to_begun_ns;	   /* to_ns is when it was done */
	struct fw_own_counts edge; /* while the counters were being read: on which side is not known */
	bool seen;    /* anything at all */
};

/* The table "counters". */
void fw_counter_rows(const struct fw_analysis_context *ctx, const struct fw_netns_values *values,
		   const struct fw_own_netns *own, struct fw_report *r, struct fw_section *s);

/* A count that may be FW_VALUE_UNKNOWN. */
struct fw_cell fw_counter_cell(int64_t n);
/* The births of minisocks that the kernel has counted. */
int64_t fw_counter_minisocks(const struct fw_kernel_counters *k);

#endif
