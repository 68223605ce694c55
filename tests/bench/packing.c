// SPDX-License-Identifier: GPL-2.0-only
/*
 * packing: what the items of a recording take on disk, written in different ways, and how long it takes
 * to write and to read them.
 *
 *	packing FILE
 *
 * Reads the recording whole and packs it again, a block as often as the recorder does. Prints bytes an
 * item and ns an item.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "record/block.h"
#include "record/header.h"
#include "record/pack.h"

#define BLOCK_BYTES (1U << 20)

struct way {
	const char *name;
	bool packed;
	int level; /* 0: not compressed */
};

static const struct way ways[] = {
	{ "as in memory", false, 0 },	       { "as in memory, zstd 3", false, 3 },
	{ "packed", true, 0 },		       { "packed, zstd 1", true, 1 },
	{ "packed, zstd 3", true, 3 },	       { "packed, zstd 9", true, 9 },
};

struct items {
	union fw_image *records;
	size_t nr, cap;
	unsigned int hz;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *must(void *p)
{
	if (p)
		return p;
	perror("packing");
	exit(1);
}

static void add(struct items *all, const struct fw_item *item)
{
	if (!item->record)
		return;
	if (all->nr == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 65536;
		all->records = must(realloc(all->records, all->cap * sizeof(*all->records)));
	}
	memset(&all->records[all->nr], 0, sizeof(*all->records));
	memcpy(&all->records[all->nr++], item->record, item->len);
}

static void add_block(struct items *all, struct fw_unpacker *u, const void *content, size_t len)
{
	struct fw_item item;

	fw_unpacker_begin(u, content, len);
	while (fw_unpacker_next(u, &item) == 1)
		add(all, &item);
}

/* The recording's blocks; false at its end. */
static bool next(FILE *f, struct fw_block_reader *reader, struct fw_block_head *head, void *content)
{
	uint8_t bytes[FW_BLOCK_HEAD_BYTES];
	void *stored;
	bool ok;

	if (fread(bytes, sizeof(bytes), 1, f) != 1 || fw_block_head_read(bytes, head))
		return false;
	stored = must(malloc(head->stored_len));
	ok = fread(stored, head->stored_len, 1, f) == 1 && !fw_block_read(reader, head, stored, content);
	free(stored);
	memset((char *)content + head->content_len, 0, FW_UNPACK_PADDING);
	return ok;
}

static void read_all(struct items *all, const char *path)
{
	struct fw_block_reader *reader = must(fw_block_reader_new());
	char *content = must(malloc(FW_BLOCK_CONTENT_MAX + FW_UNPACK_PADDING));
	struct fw_unpacker *u = NULL;
	struct fw_block_head head;
	struct fw_header header;
	FILE *f = must(fopen(path, "re"));

	while (next(f, reader, &head, content)) {
		if (head.type == FW_BLOCK_ITEMS && u) {
			add_block(all, u, content, head.content_len);
			continue;
		}
		if (fw_header_parse(&header, content, head.content_len, NULL))
			break;
		all->hz = (unsigned int)header.hz;
		u = must(fw_unpacker_new(head.version, all->hz));
	}
	fclose(f);
	fw_unpacker_free(u);
	fw_block_reader_free(reader);
	free(content);
}

static size_t end_block(const struct way *way, ZSTD_CCtx *zstd, struct fw_buf *content, char *room,
			size_t size)
{
	size_t len = content->len;

	if (way->level)
		len = ZSTD_compressCCtx(zstd, room, size, content->data, content->len, way->level);
	fw_buf_clear(content);
	return len;
}

static void try(const struct way *way, const struct items *all)
{
	size_t size = ZSTD_compressBound(2 * BLOCK_BYTES), total = 0;
	struct fw_packer *packer = must(fw_packer_new(all->hz));
	ZSTD_CCtx *zstd = must(ZSTD_createCCtx());
	struct fw_buf content = { 0 };
	char *room = must(malloc(size));
	double start = now_s();

	for (size_t i = 0; i < all->nr; i++) {
		const union fw_image *r = &all->records[i];

		if (way->packed)
			fw_packer_record(packer, r, &content);
		else
			fw_buf_mem(&content, r, fw_record_bytes(r->head.kind));
		if (content.len < BLOCK_BYTES)
			continue;
		total += end_block(way, zstd, &content, room, size);
		fw_packer_reset(packer);
	}
	total += end_block(way, zstd, &content, room, size);
	printf("%-22s %7.2f bytes  %7.1f ns to write\n", way->name, (double)total / (double)all->nr,
	       (now_s() - start) * 1e9 / (double)all->nr);
	fw_packer_free(packer);
	ZSTD_freeCCtx(zstd);
	fw_buf_free(&content);
	free(room);
}

int main(int argc, char **argv)
{
	struct items all = { 0 };
	double start = now_s();

	if (argc != 2) {
		fprintf(stderr, "usage: packing FILE\n");
		return 2;
	}
	read_all(&all, argv[1]);
	if (!all.nr) {
		fprintf(stderr, "packing: no records in %s\n", argv[1]);
		return 1;
	}
	printf("%zu records, read in %.1f ns each (kept in memory)\n", all.nr,
	       (now_s() - start) * 1e9 / (double)all.nr);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		try(&ways[i], &all);
	free(all.records);
	return 0;
}
