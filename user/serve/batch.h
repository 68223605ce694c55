/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A number of rows that travel together: into the store, or into a file of the spool, whole or not at all.
 * Its number names it for ever: nanoseconds since the epoch, of the moment when it was begun, larger than
 * that of any batch before.
 */
#ifndef FW_SERVE_BATCH_H
#define FW_SERVE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

struct fw_batch {
	uint64_t number;
	uint32_t rows;
	/* it was sent, and nobody knows whether it came: ask before sending it again */
	bool maybe_there;
	struct fw_buf body; /* JSON Lines */
	struct fw_batch *next;
};

/* Frees all that follow too; may be NULL. */
void fw_batch_free(struct fw_batch *batch);

#endif
