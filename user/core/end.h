/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a connection ended. end.c holds the one table of ends: name, words, and every classification that
 * analyses and outputs use. A new end is a number here, a row there, a verdict in verdict.c, and a line
 * in docs/linux-tcp-states.md.
 */
#ifndef FW_CORE_END_H
#define FW_CORE_END_H

#include <stdbool.h>

/* Frozen: the page and summaries hold these numbers. Add new ends before FW_END_MAX. */
enum fw_end {
	FW_END_OPEN = 0, /* it has not ended */
	FW_END_LAST_ACK = 1,
	FW_END_TIME_WAIT_EXPIRED = 2,
	FW_END_TIME_WAIT_RESET = 3,
	FW_END_TIME_WAIT_REOPENED = 4,
	FW_END_TIME_WAIT_REUSED = 5,
	FW_END_TIME_WAIT_PURGED = 6,
	FW_END_TIME_WAIT_DESTROYED = 7,
	FW_END_TIME_WAIT_OVERFLOW = 8,
	FW_END_FIN_WAIT_2_TIMEOUT = 9,
	FW_END_FIN_WAIT_2_SKIPPED = 10,
	FW_END_FIN_WAIT_2_DATA = 11,
	FW_END_RESET_RECEIVED = 12,
	FW_END_RESET_SENT = 13,
	FW_END_REFUSED = 14,
	FW_END_TIMED_OUT = 15,
	FW_END_NO_PORT = 16,
	FW_END_HALF_OPEN_EXPIRED = 17,
	FW_END_HALF_OPEN_DROPPED = 18,
	FW_END_ABORTED = 19,
	FW_END_UNKNOWN = 20,
	FW_END_UNREACHABLE = 21,  /* an ICMP error, or no route */
	FW_END_KILLED = 22,	  /* ss -K, or a BPF program */
	FW_END_ORPHAN_LIMIT = 23, /* too many orphans, or out of TCP memory */
	FW_END_DISCONNECTED = 24, /* connect(AF_UNSPEC) */
	FW_END_REPAIRED = 25,	  /* closed under TCP_REPAIR: the connection lives on elsewhere */
	FW_END_MAX,
};

enum fw_end_class {
	FW_END_CLASS_OPEN,
	FW_END_CLASS_ORDERLY,	/* both FINs, without TIME_WAIT at this end */
	FW_END_CLASS_TIME_WAIT, /* it ended in TIME_WAIT */
	FW_END_CLASS_RESET,
	FW_END_CLASS_TIMED_OUT,
	FW_END_CLASS_NEVER_ESTABLISHED,
	FW_END_CLASS_ABORTED, /* by this host, without a close of its own */
	FW_END_CLASS_UNKNOWN,
	FW_END_CLASS_MAX,
};

/* What is wrong with a connection that ended so. */
enum fw_end_trouble {
	FW_END_TROUBLE_NONE,
	FW_END_TROUBLE_FAILED,
	FW_END_TROUBLE_HALF_OPEN,
	FW_END_TROUBLE_RESET,
	FW_END_TROUBLE_OVERFLOW,
	FW_END_TROUBLE_CUT_SHORT, /* TIME_WAIT ended before its timer */
	FW_END_TROUBLE_MAX,
};

/* Whether an RST ended it, and its direction. */
enum fw_end_reset { FW_END_RESET_NONE, FW_END_RESET_IN, FW_END_RESET_OUT };

struct fw_end_info {
	const char *name;  /* of the JSON contract ("time_wait_expired") */
	const char *words; /* for people ("2MSL timer") */
	const char *time_wait_cause; /* label of metrics for an end in TIME_WAIT, else NULL */
	enum fw_end_class class;
	enum fw_end_trouble trouble;
	enum fw_end_reset reset;
	const char *brief; /* words beside the state that it ends; NULL: .words */
	bool in_rfc; /* RFC 9293's figure has it, for the state that it ends */
};

/* Never NULL: an unknown number is FW_END_UNKNOWN. */
const struct fw_end_info *fw_end_info(unsigned int end);

static inline const char *fw_end_name(unsigned int end)
{
	return fw_end_info(end)->name;
}

static inline const char *fw_end_words(unsigned int end)
{
	return fw_end_info(end)->words;
}

#endif
