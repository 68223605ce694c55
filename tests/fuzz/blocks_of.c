// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: blocks_of FILE.fwr COMMAND		on stdout: the seed of fuzz_blocks.c that it is
 *	  blocks_of FILE.fwr			that of fuzz_unpack.c: its first block of items, hz 250
 *
 * Blocks are cut at 8 KiB, so that seeds stay small.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/block_file.h"

#define CUT 8192

static void first_items(struct fw_block_file *file, struct fw_err *err)
{
	while (fw_block_file_next(file, err) == 1) {
		if (file->head.type != FW_BLOCK_ITEMS)
			continue;
		putchar(2 | (file->version - 1) << 3);
		fwrite(file->content, 1, file->head.content_len, stdout);
		return;
	}
}

static void all(struct fw_block_file *file, int command, struct fw_err *err)
{
	while (fw_block_file_next(file, err) == 1) {
		size_t len = file->head.content_len < CUT ? file->head.content_len : CUT;

		if (!file->head.sequence) {
			putchar(command);
			putchar(file->version - 1);
		}
		putchar(file->head.type == FW_BLOCK_HEADER);
		putchar((int)(len & 0xff));
		putchar((int)(len >> 8));
		fwrite(file->content, 1, len, stdout);
	}
}

int main(int argc, char **argv)
{
	struct fw_block_file file;
	struct fw_err err = { 0 };

	if (argc < 2 || argc > 3 || fw_block_file_init(&file))
		return 2;
	if (fw_block_file_open(&file, argv[1], &err)) {
		fprintf(stderr, "blocks_of: %s\n", err.msg);
		return 1;
	}
	if (argc == 3)
		all(&file, atoi(argv[2]), &err);
	else
		first_items(&file, &err);
	fw_block_file_fini(&file);
	return fflush(stdout) || ferror(stdout);
}
