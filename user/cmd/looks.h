/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When to look at all sockets while a session goes on, besides its start and its end: growth is told from
 * three looks (analysis/leaks.h). Each waits as long as the session has gone on by then, at most .max_ns. They
 * use a fiftieth of a processor at most.
 */
#ifndef FW_CMD_LOOKS_H
#define FW_CMD_LOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct fw_looks_options {
	uint64_t first_ns; /* after the start; 0: no look */
	uint64_t max_ns;   /* 0: no other one after the first */
};

struct fw_looks {
	uint64_t start_ns, next_ns, max_ns;
	uint64_t cpu_ns;   /* of this process when the last look began */
	uint64_t used_ns;  /* by the last look that is over */
	uint64_t ended_ns; /* when it was over */
	bool looking;
};

/* The look at the start begins now. */
void fw_looks_begin(struct fw_looks *l, const struct fw_looks_options *opt, uint64_t start_ns);
/* Whether another one is to begin at @now_ns. @in_snapshot: one is under way. */
bool fw_looks_are_due(struct fw_looks *l, uint64_t now_ns, bool in_snapshot);
/* The same for a report that is to be of now: true unless the last look is fresh, or they would cost too
 * much.
 */
bool fw_looks_are_wanted(struct fw_looks *l, uint64_t now_ns, bool in_snapshot);

#endif
