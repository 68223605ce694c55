/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batches on their way to a store, in a thread of their own: sent in order, again and again with growing
 * pauses while the store is away, kept meanwhile in memory or in a spool. What there is no room for is
 * lost, and counted. The event loop hands batches over and never waits.
 */
#ifndef FW_SERVE_PUSH_H
#define FW_SERVE_PUSH_H

#include "serve/batch.h"
#include "serve/clickhouse.h"

/* Of batches in memory. */
#define FW_PUSH_MEMORY_BYTES (64ULL << 20)
/* How long fw_push_stop() goes on sending. */
#define FW_PUSH_LAST_S 5

struct fw_push_options {
	struct fw_clickhouse_options to; /* give_up and arg are not used */
	const char *spool_dir;		 /* NULL: memory only */
	uint64_t spool_max_bytes;
};

struct fw_push_stats {
	uint64_t rows_sent, rows_lost, failures;
	uint64_t rows_waiting, spool_bytes;
};

struct fw_push;

/* NULL with @err filled. */
struct fw_push *fw_push_start(const struct fw_push_options *opt, struct fw_err *err);
/* Sends what it can within FW_PUSH_LAST_S, spools the rest, and ends the thread. *@last (may be NULL)
 * becomes the final counts. */
void fw_push_stop(struct fw_push *push, struct fw_push_stats *last);

/* Takes @batch over. */
void fw_push_give(struct fw_push *push, struct fw_batch *batch);

void fw_push_stats(struct fw_push *push, struct fw_push_stats *out);

#endif
