/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accept queues, for other analyses: is it the listener that does not answer?
 */
#ifndef FW_ANALYSIS_ACCEPT_QUEUE_H
#define FW_ANALYSIS_ACCEPT_QUEUE_H

#include "analysis/analysis.h"

enum fw_queue_verdict {
	FW_QUEUE_UNKNOWN, /* no listener there is known, or its socket was not looked at */
	FW_QUEUE_FULL,	  /* it is full, or has dropped in the span */
	FW_QUEUE_FREE,	  /* it has dropped nothing in the span, and has room */
};

struct fw_queue_look {
	enum fw_queue_verdict verdict;
	uint32_t queue, max;
	uint64_t drops;			/* in the span */
	const struct fw_conn *listener; /* NULL: FW_QUEUE_UNKNOWN */
};

/* The queue of the listener on this host that serves @addr and @port for clients in @netns. */
struct fw_queue_look fw_queue_look(const struct fw_analysis_context *ctx, uint32_t netns,
				   unsigned int family, const uint8_t addr[16], uint16_t port);

/* Evidence and advice of a finding about a destination that does not answer: is it that queue? */
void fw_queue_say(struct fw_report *r, struct fw_finding *f, const struct fw_queue_look *queue);

#endif
