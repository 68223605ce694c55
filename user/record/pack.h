/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records and marks as the bytes of a block, and back. docs/recording-format.md says what they mean.
 */
#ifndef FW_RECORD_PACK_H
#define FW_RECORD_PACK_H

#include <stdbool.h>

#include "record/mark.h"
#include "record/model.h"
#include "util/buf.h"

/* The longest text of a mark. */
#define FW_MARK_TEXT_MAX 65535
/* No item takes more: a mark with such a text. */
#define FW_ITEM_BYTES_MAX (FW_MARK_TEXT_MAX + 64)

/* ---- Writing ----------------------------------------------------------------------------- */

struct fw_packer;

/* @hz: of the jiffies in records; 0: unknown. NULL: no memory. */
struct fw_packer *fw_packer_new(unsigned int hz);
void fw_packer_free(struct fw_packer *p);

/* What comes next begins a block. */
void fw_packer_reset(struct fw_packer *p);

/* Appends to @out. @record is one of bpf/event.h, checked by fw_decode(), with at most one stack frame
 * (fw_frame_keep()). The text of a mark is cut at FW_MARK_TEXT_MAX.
 */
void fw_packer_record(struct fw_packer *p, const void *record, struct fw_buf *out);
void fw_packer_mark(struct fw_packer *p, const struct fw_mark *mark, struct fw_buf *out);

/* ---- Reading ----------------------------------------------------------------------------- */

/* So many items stay valid while others are read. */
#define FW_UNPACKED_SLOTS 64

struct fw_item {
	const union fw_image *record; /* NULL: it is a mark */
	size_t len;		      /* of the record */
	struct fw_mark mark;	      /* its text stands in the block */
};

struct fw_unpacker;

/* @version: of the recording, 1 to FW_FORMAT_VERSION. Records come out as the structs of bpf/event.h;
 * fields that this version did not have are 0.
 */
struct fw_unpacker *fw_unpacker_new(unsigned int version, unsigned int hz);
void fw_unpacker_free(struct fw_unpacker *u);

/* A block: @len bytes, and FW_UNPACK_PADDING zeros behind them. They must stay while it is read. */
#define FW_UNPACK_PADDING 512
void fw_unpacker_begin(struct fw_unpacker *u, const void *block, size_t len);

/* The next item. 1, 0 at the end of the block, or -EBADMSG for what no fw_packer wrote. */
int fw_unpacker_next(struct fw_unpacker *u, struct fw_item *item);

#endif
