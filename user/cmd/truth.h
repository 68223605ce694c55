/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ground truth for the analyses: what user/io reads from the host, in the form that they take.
 */
#ifndef FW_CMD_TRUTH_H
#define FW_CMD_TRUTH_H

#include "analysis/truth.h"

struct fw_truths {
	struct fw_truth *truth; /* finwait's own network namespace first */
	size_t nr;
};

/* Settings and counters as they are now. What cannot be read is unknown; nothing fails. */
void fw_truths_read(struct fw_truths *t);
/* Counters become what they grew by since @before. */
void fw_truths_since(struct fw_truths *t, const struct fw_truths *before);
void fw_truths_fini(struct fw_truths *t);

#endif
