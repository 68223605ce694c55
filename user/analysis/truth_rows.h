/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What truth.c counts of a network namespace, and the table of it beside the kernel's counters.
 */
#ifndef FW_ANALYSIS_TRUTH_ROWS_H
#define FW_ANALYSIS_TRUTH_ROWS_H

#include "analysis/analysis.h"

struct fw_truth_counts {
	int64_t active_opens, passive_opens, attempt_fails, estab_resets;
	int64_t minisocks, reused, overflow;
	int64_t ended; /* minisocks */
};

struct fw_truth_own {
	struct fw_truth_counts upto, later; /* the last reading */
	uint64_t from_ns, to_ns;   /* of the readings; to_ns 0: there was none but the first */
	uint64_t to_begun_ns;	   /* to_ns is when it was done */
	struct fw_truth_counts edge; /* while the counters were being read: on which side is not known */
	bool seen;    /* anything at all */
};

/* The table "counters". */
void fw_truth_rows(const struct fw_analysis_context *ctx, const struct fw_truth *truth,
		   const struct fw_truth_own *own, struct fw_report *r, struct fw_section *s);

/* A count that may be FW_TRUTH_UNKNOWN. */
struct fw_cell fw_truth_count(int64_t n);
/* The births of minisocks that the kernel has counted. */
int64_t fw_truth_minisocks(const struct fw_kernel_counters *k);

#endif
