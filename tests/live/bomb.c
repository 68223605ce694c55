// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: bomb OUT.fwr BLOCKS VARIETY
 *
 * A recording of BLOCKS blocks, each as large as a block may be, full of moments. Of VARIETY moments one is at another
 * distance than the others; 0: none is, so that a block takes a few hundred bytes and expands ten thousand times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/block.h"
#include "record/header.h"
#include "record/pack.h"

#define HZ 250

static void put_block(struct fw_block_writer *w, enum fw_block_type type, uint32_t sequence,
		      const struct fw_buf *content, FILE *out)
{
	struct fw_buf block = { 0 };

	if (fw_block_write(w, type, sequence, content, &block))
		exit(1);
	fwrite(block.data, 1, block.len, out);
	fw_buf_free(&block);
}

static void put_header(struct fw_block_writer *w, FILE *out)
{
	struct fw_header h = { .session = 1, .part = 1, .hz = HZ, .start_ns = 1000000000 };
	struct fw_buf text = { 0 };

	strcpy(h.hooks, "timer");
	strcpy(h.arch, "x86_64");
	strcpy(h.boot_id, "00000000-0000-0000-0000-000000000000");
	fw_header_print(&h, &text);
	put_block(w, FW_BLOCK_HEADER, 0, &text, out);
	fw_buf_free(&text);
}

static void fill(struct fw_packer *p, uint64_t *ts_ns, unsigned int variety, struct fw_buf *items)
{
	fw_buf_clear(items);
	fw_packer_reset(p);
	for (unsigned int i = 1; items->len < FW_BLOCK_CONTENT_MAX - FW_ITEM_BYTES_MAX; i++) {
		const struct fw_mark mark = { .kind = FW_MARK_TIME, .ts_ns = *ts_ns };

		fw_packer_mark(p, &mark, items);
		*ts_ns += variety && i % variety == 0 ? (uint64_t)random() % 1000000 : 1000000;
	}
}

int main(int argc, char **argv)
{
	struct fw_block_writer *w = fw_block_writer_new(3);
	struct fw_packer *p = fw_packer_new(HZ);
	FILE *out = argc == 4 ? fopen(argv[1], "we") : NULL;
	struct fw_buf items = { 0 };
	uint64_t ts_ns = 1000000000;

	if (!out || !w || !p)
		return 2;
	put_header(w, out);
	for (uint32_t n = 1; n <= (uint32_t)atoi(argv[2]); n++) {
		fill(p, &ts_ns, (unsigned int)atoi(argv[3]), &items);
		put_block(w, FW_BLOCK_ITEMS, n, &items, out);
	}
	fw_buf_free(&items);
	fw_packer_free(p);
	fw_block_writer_free(w);
	return fclose(out);
}
