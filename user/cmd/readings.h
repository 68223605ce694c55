/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of all network namespaces, as read at one time (struct fw_netns_values).
 */
#ifndef FW_CMD_READINGS_H
#define FW_CMD_READINGS_H

#include "io/netns_values_read.h"

struct fw_readings {
	struct fw_netns_values *values; /* for the analyses; finwait's own network namespace first */
	struct fw_netns_values *read;  /* of each: as it was read */
	size_t nr, cap;
	unsigned int nr_sets; /* how often all were read */
};

/* More namespaces are ignored. */
#define FW_READINGS_MAX 4096

/* A new reading begins: the values of the one before are dropped. */
void fw_readings_begin(struct fw_readings *t);
/* Adds the values of a namespace. Without memory they are unknown. */
void fw_readings_add(struct fw_readings *t, const struct fw_netns_values *v);
/* Reads the settings of finwait's own namespace, which needs no privileges. */
void fw_readings_refresh_own(struct fw_readings *t);
/* Makes @to a copy of @from. Without memory it has fewer namespaces. */
void fw_readings_copy(struct fw_readings *to, const struct fw_readings *from);
/* Sets the counters of .values: what they grew by since @before. */
void fw_readings_since(struct fw_readings *t, const struct fw_readings *before);
void fw_readings_fini(struct fw_readings *t);

#endif
