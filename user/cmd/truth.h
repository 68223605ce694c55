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
	size_t nr, cap;
	unsigned int nr_sets; /* how often all were read */
};

/* Of more namespaces nothing is kept. */
#define FW_TRUTHS_MAX 4096

/* They are read anew: what was read before is forgotten. */
void fw_truths_begin(struct fw_truths *t);
/* What was read of a namespace. Nothing fails: what there is no memory for is not known. */
void fw_truths_add(struct fw_truths *t, uint32_t netns, const struct fw_ground *g);
/* Sets the counters: what they grew by since @before. */
void fw_truths_since(struct fw_truths *t, const struct fw_truths *before);
void fw_truths_fini(struct fw_truths *t);

#endif
