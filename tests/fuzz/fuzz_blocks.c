// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a recording's blocks: the input's are made into a file whose heads, checksums and frames are
 * right, whatever nonsense is in them.
 *
 *	byte 0		chooses the command
 *	byte 1		and the version of the format: 1 and the remainder
 *	then blocks	type (odd: the header), 16 bits of length, content
 */
#include "input.h"
#include "reading.h"
#include "record/block.h"

#define BLOCKS_MAX 16

/* fw_block_write() writes the newest version only. */
static void set_version(uint8_t bytes[FW_BLOCK_HEAD_BYTES], uint8_t version)
{
	struct fw_block_head head;

	must(!fw_block_head_read(bytes, &head));
	head.version = version;
	fw_block_head_write(&head, bytes);
}

static void add_block(struct fw_block_writer *w, struct input *in, uint8_t version,
		      uint32_t sequence, struct fw_buf *file)
{
	enum fw_block_type type = input_u8(in) & 1 ? FW_BLOCK_HEADER : FW_BLOCK_ITEMS;
	size_t len = input_u16(in), at = file->len;
	struct fw_buf content = { 0 };

	if (len > in->left)
		len = in->left;
	fw_buf_mem(&content, in->data, len);
	in->data += len;
	in->left -= len;
	must(!fw_block_write(w, type, sequence, &content, file));
	set_version((uint8_t *)file->data + at, version);
	fw_buf_free(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fw_block_writer *writer;
	struct input in = { data, size };
	uint8_t which = input_u8(&in), version = 1 + input_u8(&in) % FW_FORMAT_VERSION;
	struct fw_buf file = { 0 };

	if (!writer)
		writer = fw_block_writer_new(1);
	must(writer);
	for (uint32_t i = 0; i < BLOCKS_MAX && in.left; i++)
		add_block(writer, &in, version, i, &file);
	reading_run(which, file.data, file.len);
	fw_buf_free(&file);
	return 0;
}

