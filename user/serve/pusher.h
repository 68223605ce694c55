/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that have ended, as rows, in batches, to a store (serve/push.h). Belongs to the event loop.
 *
 * A row is the line of finwait timeline -f json, with what names it in a fleet before it:
 *
 *	{"host":"web1","batch":1795647512547158700,"batch_row":7,"batch_time":1795647512,"conn":9,...}
 */
#ifndef FW_SERVE_PUSHER_H
#define FW_SERVE_PUSHER_H

#include "analysis/metrics.h"
#include "cmd/session.h"
#include "serve/push.h"
#include "report/stream.h"

struct fw_pusher {
	const char *host;
	struct fw_session *session;
	struct fw_push *push; /* NULL: batches are not given to anybody yet */
	struct fw_batch *batch; /* that is being filled; NULL: none */
	uint64_t begun_ns, last_number;
	uint64_t lost; /* rows there was no memory for */
	struct fw_buf row;
};

/* @session has to outlive it, and may not be open yet. */
void fw_pusher_init(struct fw_pusher *p, struct fw_session *session, const char *host);
void fw_pusher_fini(struct fw_pusher *p);

struct fw_observer fw_pusher_observer(struct fw_pusher *p);

/* What has been batched so far goes now. 0, or a negative errno with @err filled. */
int fw_pusher_start(struct fw_pusher *p, const struct fw_push_options *opt, struct fw_err *err);
/* Sends, or spools, what there is, and says what became of all. */
void fw_pusher_stop(struct fw_pusher *p);

/* Between events: gives a batch that has waited for long. */
void fw_pusher_step(struct fw_pusher *p);

struct fw_metrics_push fw_pusher_metrics(const struct fw_pusher *p);

#endif
