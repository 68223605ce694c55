/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks: the inputs of the tracker and the commands besides the records of bpf/event.h. The same records
 * and marks in the same order give the same output. A recording is that sequence.
 */
#ifndef FW_RECORD_MARK_H
#define FW_RECORD_MARK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Frozen: recordings hold these numbers. New kinds are added before FW_MARK_MAX, with the next number.
 */
enum fw_mark_kind {
	FW_MARK_TIME = 0,	  /* advance to .ts_ns */
	FW_MARK_LOST = 1,	  /* .number records were lost, the last at .ts_ns */
	FW_MARK_SUPPRESSED = 2,	  /* .number half-open connections were counted only, so far */
	FW_MARK_CGROUP = 3,	  /* the control group with id .number has the path .text; none: unknown */
	FW_MARK_NETNS = 4,	  /* the network namespace .number has the name .text, or none */
	FW_MARK_VALUES_BEGIN = 5, /* settings and counters were read at .ts_ns; of each namespace follows: */
	FW_MARK_VALUES = 6,	  /* those of the network namespace .number: fw_netns_values_print() */
	FW_MARK_COST = 7,	  /* the cost of tracing so far: lines "name value" */
	FW_MARK_END = 8,	  /* the end, at .ts_ns; .number 1: only of this part of a recording */
	FW_MARK_VALUES_END = 9,	  /* of FW_MARK_VALUES_BEGIN: those were all */
	/* What the last snapshot lacks: namespaces that could not be entered (their number in the lower
	 * half of .number, the first of them in its upper half), and .number processes whose namespace
	 * could not be read.
	 */
	FW_MARK_NETNS_REFUSED = 10,
	FW_MARK_NETNS_HIDDEN = 11,
	FW_MARK_CLOCK = 12, /* since .ts_ns CLOCK_REALTIME - CLOCK_MONOTONIC is .number, a signed number */
	FW_MARK_NETNS_REBORN = 13, /* the network namespace .number is another one than before */
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
