/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ground truth for the analyses: what user/io reads from the host, in the form that they take.
 */
#ifndef FW_CMD_TRUTH_H
#define FW_CMD_TRUTH_H

#include "analysis/truth.h"
#include "io/ground.h"

struct fw_truths {
	struct fw_truth *truth; /* finwait's own network namespace first */
	struct fw_ground *ground; /* of each: what was read */
	size_t nr;
};

/* Settings of all namespaces that can be entered, and what fw_truths_since() needs. Nothing fails:
 * what cannot be read is not known.
 */
void fw_truths_read(struct fw_truths *t);
/* Reads the settings of finwait's own namespace anew: the one that needs no privileges. */
void fw_truths_refresh_own(struct fw_truths *t);
/* Sets the counters: what they grew by since @before. */
void fw_truths_since(struct fw_truths *t, const struct fw_truths *before);
void fw_truths_fini(struct fw_truths *t);

#endif
