/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks: what a recording is made of. Each can be read by itself, and says whether it is whole.
 *
 *	0   'F' 'W' 'R', format version (see record/layout.h)
 *	4   type, 0, 0, 0
 *	8   sequence number: 0, 1, 2, ... in its file
 *	12  length of the content
 *	16  length of the zstd frame that follows, with its checksum
 *	20  checksum of the 20 bytes before (FNV-1a)
 *	24  the frame
 *
 * Numbers are little-endian on every host.
 */
#ifndef FW_RECORD_BLOCK_H
#define FW_RECORD_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "record/layout.h"
#include "util/buf.h"

#define FW_BLOCK_HEAD_BYTES 24
/* What a block may hold, and take: nothing larger is read. */
#define FW_BLOCK_CONTENT_MAX (2U << 20)
/* Work is bounded by what is read: no block expands more than so often (finwait's own: ten times), once it has
 * more content than is worth a bound.
 */
#define FW_BLOCK_RATIO_MAX 128
#define FW_BLOCK_CONTENT_SMALL 4096
#define FW_BLOCK_STORED_MAX (FW_BLOCK_CONTENT_MAX + (FW_BLOCK_CONTENT_MAX >> 8) + 64)

enum fw_block_type { FW_BLOCK_HEADER = 'H', FW_BLOCK_ITEMS = 'I' };

struct fw_block_head {
	uint8_t version, type;
	uint32_t sequence, content_len, stored_len;
};

/* For many blocks one after another. NULL: no memory. @level: of zstd. */
struct fw_block_writer;
struct fw_block_writer *fw_block_writer_new(int level);
void fw_block_writer_free(struct fw_block_writer *w);

/* Appends a block to @out; at most FW_BLOCK_CONTENT_MAX bytes of content. 0 or -ENOMEM. */
int fw_block_write(struct fw_block_writer *w, enum fw_block_type type, uint32_t sequence,
		   const struct fw_buf *content, struct fw_buf *out);

void fw_block_head_write(const struct fw_block_head *head, uint8_t bytes[FW_BLOCK_HEAD_BYTES]);

/* 0; -EBADMSG: this is no block, or a damaged one; -EPROTONOSUPPORT: its version (in @head) is not 1 to
 * FW_FORMAT_VERSION.
 */
int fw_block_head_read(const uint8_t bytes[FW_BLOCK_HEAD_BYTES], struct fw_block_head *head);

struct fw_block_reader;
struct fw_block_reader *fw_block_reader_new(void);
void fw_block_reader_free(struct fw_block_reader *r);

/* The content of the block of @head, into @out, which has room for .content_len bytes. 0, or -EBADMSG if
 * it is damaged.
 */
int fw_block_read(struct fw_block_reader *r, const struct fw_block_head *head, const void *stored,
		  void *out);

#endif
