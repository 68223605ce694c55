/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report of a session: what the analyses say, and what finwait says of itself.
 */
#ifndef FW_CMD_SUMMARY_H
#define FW_CMD_SUMMARY_H

#include "analysis/analysis.h"
#include "cmd/session.h"

/* A part of a session that goes on to now: what things were when it began. */
struct fw_span {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	struct fw_tracker_counters counters;
	uint64_t suppressed;
	struct fw_readings first; /* as then */
};

/* It begins now. What @span had is released first: zeroed or begun before. */
void fw_span_begin(struct fw_span *span, struct fw_session *s);
void fw_span_fini(struct fw_span *span);

/* As of the last batch, and of the last fw_session_refresh(). @a have watched for @span (NULL: for the
 * whole session).
 */
void fw_summary_make(struct fw_session *s, struct fw_analyses *a, const struct fw_span *span,
		     struct fw_report *r);

#endif
