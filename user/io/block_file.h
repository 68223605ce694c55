/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blocks of one file, read one after another; from a pipe as well.
 */
#ifndef FW_IO_BLOCK_FILE_H
#define FW_IO_BLOCK_FILE_H

#include "record/block.h"
#include "util/err.h"

struct fw_block_file {
	const char *name; /* for messages */
	int fd;		  /* -1: none is open */
	uint64_t offset;  /* of the block that comes next */
	uint32_t sequence;
	uint8_t version; /* of the file */
	struct fw_block_head head; /* of the last one read */
	uint8_t *content;	   /* its content, and FW_UNPACK_PADDING zeros */
	/* its own */
	struct fw_block_reader *reader;
	uint8_t *stored;
	size_t have; /* of the next block, in .stored */
};

/* 0 or -ENOMEM. */
int fw_block_file_init(struct fw_block_file *f);
void fw_block_file_fini(struct fw_block_file *f);

/* @path "-": stdin. The file open before is closed. 0 or negative errno with @err filled. */
int fw_block_file_open(struct fw_block_file *f, const char *path, struct fw_err *err);

/*
 * The next block, into .head and .content. 1; 0: a signal came, call again; -ENODATA: the end of the
 * file, between two blocks; -EBADMSG: it is cut off or damaged here; -EPROTONOSUPPORT: of a version
 * that cannot be read; or another negative errno. With @err filled, but for the end.
 */
int fw_block_file_next(struct fw_block_file *f, struct fw_err *err);

#endif
