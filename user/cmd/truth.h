/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of all network namespaces, as read at one time (struct fw_netns_values).
 */
#ifndef FW_CMD_TRUTH_H
#define FW_CMD_TRUTH_H

#include "io/ground.h"

struct fw_truths {
	struct fw_netns_values *truth; /* for the analyses; finwait's own network namespace first */
	struct fw_netns_values *read;  /* of each: as it was read */
	size_t nr, cap;
	unsigned int nr_sets; /* how often all were read */
};

/* More namespaces are ignored. */
#define FW_TRUTHS_MAX 4096

/* A new reading begins: the values of the one before are dropped. */
void fw_truths_begin(struct fw_truths *t);
/* Adds the values of a namespace. Without memory they are unknown. */
void fw_truths_add(struct fw_truths *t, const struct fw_netns_values *v);
/* Reads the settings of finwait's own namespace, which needs no privileges. */
void fw_truths_refresh_own(struct fw_truths *t);
/* Makes @to a copy of @from. Without memory it has fewer namespaces. */
void fw_truths_copy(struct fw_truths *to, const struct fw_truths *from);
/* Sets the counters of .truth: what they grew by since @before. */
void fw_truths_since(struct fw_truths *t, const struct fw_truths *before);
void fw_truths_fini(struct fw_truths *t);

#endif
