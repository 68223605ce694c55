/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a recording: a file, a pipe, or several files one after another. What was written stays
 * readable whatever happens: blocks are written whole, each with one write(), and what a full disk
 * has cut off is taken back.
 */
#ifndef FW_IO_RECORDER_H
#define FW_IO_RECORDER_H

#include <stdbool.h>

#include "record/header.h"
#include "record/mark.h"
#include "util/err.h"

struct fw_recorder;

struct fw_recorder_options {
	const char *path;    /* "-": stdout */
	uint64_t max_bytes;  /* begin another file when one is so large; 0: never */
	uint64_t max_age_ns; /* or so old */
	uint64_t keep;	     /* of these files only the last so many; 0: all */
	int level;	     /* of zstd */
};

struct fw_recorder_stats {
	uint64_t items, bytes; /* written */
	uint64_t parts;
};

/* @header: with .part 1. NULL with @err filled. */
struct fw_recorder *fw_recorder_open(const struct fw_recorder_options *opt,
				     const struct fw_header *header, struct fw_err *err);

/* What comes next. A failure to write comes back from fw_recorder_step() and fw_recorder_close().
 * @record: as for fw_packer_record().
 */
void fw_recorder_record(struct fw_recorder *r, const void *record);
void fw_recorder_mark(struct fw_recorder *r, const struct fw_mark *mark);

/* After a batch: writes if it is time. 0; 1: another file has been begun, which is to be read alone as
 * well: tell it what the first was told; or negative errno with @err filled (-EPIPE: nobody reads).
 */
int fw_recorder_step(struct fw_recorder *r, uint64_t now_ns, struct fw_err *err);

void fw_recorder_stats(const struct fw_recorder *r, struct fw_recorder_stats *out);

/* Writes what there is, and closes. 0 or negative errno. @stats may be NULL. */
int fw_recorder_close(struct fw_recorder *r, struct fw_recorder_stats *stats, struct fw_err *err);

#endif
