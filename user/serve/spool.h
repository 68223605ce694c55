/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batches on disk while they cannot be sent: a file each, in a directory of bounded size. What an
 * earlier finwait left there is sent too.
 *
 *	/var/lib/finwait/1795647512547158700-4096.json	number and rows
 */
#ifndef FW_SERVE_SPOOL_H
#define FW_SERVE_SPOOL_H

#include <sys/types.h>

#include "serve/batch.h"
#include "util/err.h"

struct fw_spool;

/* Makes the directory if there is none, and then as @uid's: who opens it may be somebody else. 0, or a
 * negative errno with @err filled.
 */
int fw_spool_make(const char *directory, uid_t uid, gid_t gid, struct fw_err *err);

/* Finds what is there. NULL with @err filled: the directory cannot be read or written to. */
struct fw_spool *fw_spool_open(const char *directory, uint64_t max_bytes, struct fw_err *err);
void fw_spool_free(struct fw_spool *spool);

/* Writes it: on disk when this returns 0. -ENOSPC: no room within the bound; or another negative errno. */
int fw_spool_put(struct fw_spool *spool, const struct fw_batch *batch, struct fw_err *err);
/* Reads the oldest that is there; NULL with errno 0: there is none. One that cannot be read is left, and
 * not counted any more. It may have been sent before: .maybe_there.
 */
struct fw_batch *fw_spool_oldest(struct fw_spool *spool, struct fw_err *err);
/* Removes what fw_spool_oldest() has read. */
void fw_spool_remove(struct fw_spool *spool, const struct fw_batch *batch);

uint64_t fw_spool_bytes(const struct fw_spool *spool);
uint64_t fw_spool_rows(const struct fw_spool *spool);

#endif
