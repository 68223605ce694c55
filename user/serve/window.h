/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports of the last minutes, for as long as a session goes on. Analyses only ever add up: so there
 * are two sets, and each begins anew when it has watched for the window's length, half a window after
 * the other. A report is that of the older one, and says how long it has watched: between half a window
 * and a whole one.
 *
 *	first   |---------------|---------------|---
 *	second  |       |---------------|-----------
 *	report   1       1       2       1       2
 */
#ifndef FW_SERVE_WINDOW_H
#define FW_SERVE_WINDOW_H

#include "cmd/summary.h"
#include "core/fanout.h"

struct fw_window {
	struct fw_analysis_options opt;
	uint64_t length_ns;
	struct fw_fanout *fanout; /* slots [slot] and [slot + 1] of it */
	unsigned int slot;
	struct fw_analyses sets[2];
	struct fw_span spans[2];
	bool begun[2];
};

/* Begins to watch, before the session has told anything: the analyses see its snapshot. 0 or -ENOMEM;
 * fw_window_fini() in either case.
 */
int fw_window_init(struct fw_window *w, const struct fw_analysis_options *opt, uint64_t length_ns,
		   struct fw_fanout *fanout, unsigned int slot);
void fw_window_fini(struct fw_window *w);

/* The session is open: its beginning is the window's. */
void fw_window_begin(struct fw_window *w, struct fw_session *s);

/* Between events. Without memory a set goes on for longer. */
void fw_window_step(struct fw_window *w, struct fw_session *s);

void fw_window_report(struct fw_window *w, struct fw_session *s, struct fw_report *r);

#endif
