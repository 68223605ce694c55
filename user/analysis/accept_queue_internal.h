/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What accept_queue.c (collects, and answers other analyses) and accept_queue_report.c (concludes, and tells)
 * share.
 */
#ifndef FW_ANALYSIS_ACCEPT_QUEUE_INTERNAL_H
#define FW_ANALYSIS_ACCEPT_QUEUE_INTERNAL_H

#include "analysis/words.h"

struct queue {
	uint64_t since_ns; /* when it began to listen; 0: before the trace */
	uint32_t first_drops, drops;
	uint32_t now, max;
	uint32_t looks, full_looks;
};

/* What happened on one port. */
struct port {
	uint64_t established, accepted, waits;
	uint64_t last_accept_ns, longest_ns;
	double waited_ns;
	/* as of the report that is being made: what waits */
	uint64_t waiting, oldest_ns;
};

struct process {
	uint32_t fds;
	uint64_t nofile;
};

struct fw_queues {
	struct fw_groups queues, ports, processes;
	uint64_t accepts_missed; /* sockets with a descriptor, but no accept() was seen */
};

/* NULL: it does not listen any more. @key: of a group of .queues. */
const struct fw_conn *queue_listener(const struct fw_analysis_context *ctx,
				     const struct fw_group_key *key);
/* Of a group of .ports. */
struct fw_group_key queue_port_key(uint32_t netns, uint16_t lport);
/* In the span; of one look only for what began to listen within it. */
uint64_t queue_drops(const struct fw_analysis_context *ctx, const struct queue *queue);
bool queue_is_full(const struct queue *queue);
/* A socket also counts drops of other kinds, so its queue must have been full, or its namespace say so.
 * @group: of .queues.
 */
bool queue_has_overflowed(const struct fw_analysis_context *ctx, const struct fw_group *group);

void queues_report(struct fw_queues *q, const struct fw_analysis_context *ctx, struct fw_report *r);

#endif
