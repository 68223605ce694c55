// SPDX-License-Identifier: GPL-2.0-only
#include "record/block.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* Of the frame header's descriptor, the fifth byte of a frame: a checksum of the content follows the
 * frame, there is no dictionary, and unused bits are 0.
 */
#define DESCRIPTOR_MASK 0x1f
#define DESCRIPTOR_OURS 0x04

static const uint8_t magic[3] = { 'F', 'W', 'R' };

struct fw_block_writer {
	ZSTD_CCtx *zstd;
};

struct fw_block_reader {
	ZSTD_DCtx *zstd;
};

static uint32_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 2166136261U;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	return sum;
}

static void store32(uint8_t *at, uint32_t v)
{
	v = htole32(v);
	memcpy(at, &v, sizeof(v));
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return le32toh(v);
}

/* ---- Writing ----------------------------------------------------------------------------- */

struct fw_block_writer *fw_block_writer_new(int level)
{
	struct fw_block_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->zstd = ZSTD_createCCtx();
	if (w->zstd &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1)))
		return w;
	fw_block_writer_free(w);
	return NULL;
}

void fw_block_writer_free(struct fw_block_writer *w)
{
	if (w)
		ZSTD_freeCCtx(w->zstd);
	free(w);
}

void fw_block_head_write(const struct fw_block_head *head, uint8_t bytes[FW_BLOCK_HEAD_BYTES])
{
	memset(bytes, 0, FW_BLOCK_HEAD_BYTES);
	memcpy(bytes, magic, sizeof(magic));
	bytes[3] = head->version;
	bytes[4] = head->type;
	store32(bytes + 8, head->sequence);
	store32(bytes + 12, head->content_len);
	store32(bytes + 16, head->stored_len);
	store32(bytes + 20, checksum(bytes, 20));
}

int fw_block_write(struct fw_block_writer *w, enum fw_block_type type, uint32_t sequence,
		   const struct fw_buf *content, struct fw_buf *out)
{
	struct fw_block_head head = {
		.version = FW_FORMAT_VERSION, .type = (uint8_t)type, .sequence = sequence,
		.content_len = (uint32_t)content->len,
	};
	size_t room = ZSTD_compressBound(content->len), len;
	uint8_t bytes[FW_BLOCK_HEAD_BYTES];
	void *frame = malloc(room);

	if (!frame)
		return -ENOMEM;
	len = ZSTD_compress2(w->zstd, frame, room, content->data ? content->data : "", content->len);
	if (ZSTD_isError(len)) {
		free(frame);
		return -ENOMEM;
	}
	head.stored_len = (uint32_t)len;
	fw_block_head_write(&head, bytes);
	fw_buf_mem(out, bytes, sizeof(bytes));
	fw_buf_mem(out, frame, len);
	free(frame);
	return out->failed ? -ENOMEM : 0;
}

/* ---- Reading ----------------------------------------------------------------------------- */

int fw_block_head_read(const uint8_t bytes[FW_BLOCK_HEAD_BYTES], struct fw_block_head *head)
{
	*head = (struct fw_block_head){ .version = bytes[3], .type = bytes[4] };
	if (memcmp(bytes, magic, sizeof(magic)))
		return -EBADMSG;
	if (!head->version || head->version > FW_FORMAT_VERSION)
		return -EPROTONOSUPPORT;
	head->sequence = load32(bytes + 8);
	head->content_len = load32(bytes + 12);
	head->stored_len = load32(bytes + 16);
	if (load32(bytes + 20) != checksum(bytes, 20) ||
	    head->content_len > FW_BLOCK_CONTENT_MAX || head->stored_len > FW_BLOCK_STORED_MAX ||
	    head->content_len > FW_BLOCK_CONTENT_SMALL + (uint64_t)head->stored_len * FW_BLOCK_RATIO_MAX ||
	    (head->type != FW_BLOCK_HEADER && head->type != FW_BLOCK_ITEMS))
		return -EBADMSG;
	return 0;
}

struct fw_block_reader *fw_block_reader_new(void)
{
	struct fw_block_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->zstd = ZSTD_createDCtx();
	if (r->zstd)
		return r;
	free(r);
	return NULL;
}

void fw_block_reader_free(struct fw_block_reader *r)
{
	if (r)
		ZSTD_freeDCtx(r->zstd);
	free(r);
}

/* One frame, all of the block, of a known length, with a checksum: nothing else is decompressed. */
static int check_frame(const struct fw_block_head *head, const uint8_t *stored)
{
	if (head->stored_len < 5 || (stored[4] & DESCRIPTOR_MASK) != DESCRIPTOR_OURS ||
	    ZSTD_findFrameCompressedSize(stored, head->stored_len) != head->stored_len ||
	    ZSTD_getFrameContentSize(stored, head->stored_len) != head->content_len)
		return -EBADMSG;
	return 0;
}

int fw_block_read(struct fw_block_reader *r, const struct fw_block_head *head, const void *stored,
		  void *out)
{
	size_t n;

	if (check_frame(head, stored))
		return -EBADMSG;
	n = ZSTD_decompressDCtx(r->zstd, out, head->content_len, stored, head->stored_len);
	return ZSTD_isError(n) || n != head->content_len ? -EBADMSG : 0;
}
