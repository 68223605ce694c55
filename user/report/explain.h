/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What finwait knows about TCP's states and about its own findings, one screen each: for "finwait
 * explain", and for the sentences that findings carry.
 */
#ifndef FW_REPORT_EXPLAIN_H
#define FW_REPORT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

struct fw_explanation {
	const char *topic;   /* "TIME_WAIT", "close-wait-leak" */
	const char *title;   /* one line, no full stop */
	const char *meaning; /* findings: one sentence; NULL for states and terms */
	const char *advice;  /* findings: one sentence; NULL for states and terms */
	const char *text;    /* paragraphs that end in \n, each a label, a tab, and sentences */
};

/* The explanation of a state (spelled as fw_state_from_name() allows) or of a finding's id (in any
 * case); NULL when there is none.
 */
const struct fw_explanation *fw_explain(const char *topic);

/* All of them: the states in the order of a life, then the findings, then other terms. NULL after the
 * last.
 */
const struct fw_explanation *fw_explanation_at(size_t i);

/* Those whose name looks like @topic, best first: fills at most @max, returns how many. */
size_t fw_explain_close(const char *topic, const struct fw_explanation **out, size_t max);

/* One screen: at most 24 lines of 80 columns. */
void fw_explain_text(const struct fw_explanation *e, struct fw_buf *out, unsigned int columns,
		     bool color);

/* The tables; each ends in an entry without a topic. */
extern const struct fw_explanation fw_explained_states[], fw_explained_findings[],
	fw_explained_held[], fw_explained_refused[], fw_explained_terms[];

#endif
