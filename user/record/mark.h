/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks: what the tracker and the commands are told beside the records of bpf/event.h. Whoever is given
 * the same records and marks in the same order comes to the same conclusions: a recording is nothing
 * but that.
 */
#ifndef FW_RECORD_MARK_H
#define FW_RECORD_MARK_H

#include <stddef.h>
#include <stdint.h>

enum fw_mark_kind {
	FW_MARK_TIME,	      /* time has come to .ts_ns */
	FW_MARK_LOST,	      /* .number records were lost, the last at .ts_ns */
	FW_MARK_SUPPRESSED,   /* .number half-open connections were only counted, so far */
	FW_MARK_CGROUP,	      /* the control group of id .number has the path .text, or none that is known */
	FW_MARK_NETNS,	      /* the network namespace .number has the name .text, or none */
	FW_MARK_GROUND_BEGIN, /* settings and counters were read at .ts_ns; of each namespace follows: */
	FW_MARK_GROUND,	      /* those of the network namespace .number: fw_ground_print() */
	FW_MARK_COST,	      /* what watching has cost so far: lines "name value" */
	FW_MARK_END,	      /* as of .ts_ns the end; .number 1: only of this part of a recording */
	FW_MARK_GROUND_END,   /* of FW_MARK_GROUND_BEGIN: those were all */
	/* What the last snapshot lacks: namespaces that could not be entered, how many in the lower half
	 * of .number and the first of them in its upper; processes whose namespace could not be seen
	 */
	FW_MARK_NETNS_REFUSED,
	FW_MARK_NETNS_HIDDEN,
	FW_MARK_CLOCK, /* since .ts_ns CLOCK_REALTIME - CLOCK_MONOTONIC is .number, a signed number */
	FW_MARK_MAX,
};

struct fw_mark {
	enum fw_mark_kind kind;
	uint64_t ts_ns; /* CLOCK_MONOTONIC */
	uint64_t number;
	const char *text; /* NULL: none. Of .len bytes, without a NUL; its owner's, for the call only. */
	size_t len;
};

#endif
