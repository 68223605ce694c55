// SPDX-License-Identifier: GPL-2.0-only
#include "io/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/pack.h"

int fw_block_file_init(struct fw_block_file *f)
{
	*f = (struct fw_block_file){ .fd = -1 };
	f->reader = fw_block_reader_new();
	f->stored = malloc(FW_BLOCK_HEAD_BYTES + FW_BLOCK_STORED_MAX);
	f->content = malloc(FW_BLOCK_CONTENT_MAX + FW_UNPACK_PADDING);
	return f->reader && f->stored && f->content ? 0 : -ENOMEM;
}

static void close_file(struct fw_block_file *f)
{
	if (f->fd > STDIN_FILENO)
		close(f->fd);
	f->fd = -1;
}

void fw_block_file_fini(struct fw_block_file *f)
{
	close_file(f);
	fw_block_reader_free(f->reader);
	free(f->stored);
	free(f->content);
}

int fw_block_file_open(struct fw_block_file *f, const char *path, struct fw_err *err)
{
	close_file(f);
	f->offset = f->have = f->sequence = 0;
	f->name = path;
	if (!strcmp(path, "-")) {
		f->name = "standard input";
		f->fd = STDIN_FILENO;
		return 0;
	}
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return fw_err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	return 0;
}

/* Until @need bytes of the block are there. 1; 0: a signal came; -ENODATA: there are not so many. */
static int fill(struct fw_block_file *f, size_t need, struct fw_err *err)
{
	while (f->have < need) {
		ssize_t n = read(f->fd, f->stored + f->have, need - f->have);

		if (n < 0 && errno == EINTR)
			return 0;
		if (n < 0)
			return fw_err_set(err, -errno, "cannot read %s: %s", f->name, strerror(errno));
		if (!n)
			return -ENODATA;
		f->have += (size_t)n;
	}
	return 1;
}

static int bad(const struct fw_block_file *f, const char *what, struct fw_err *err)
{
	return fw_err_set(err, -EBADMSG, "%s is %s at byte %" PRIu64, f->name, what, f->offset);
}

static int read_head(struct fw_block_file *f, struct fw_err *err)
{
	int ret = fw_block_head_read(f->stored, &f->head);

	if (ret == -EPROTONOSUPPORT && !f->sequence) {
		fw_err_set(err, ret, "%s is a recording of format %u; this finwait reads formats 1 to %u",
			   f->name, f->head.version, FW_FORMAT_VERSION);
		fw_err_hint(err, "read it with the version of finwait that wrote it, or a newer one");
		return ret;
	}
	/* All blocks of a file are of one version: another one is damage. */
	if (ret || f->head.sequence != f->sequence ||
	    (f->sequence && f->head.version != f->version))
		return bad(f, "damaged", err);
	f->version = f->head.version;
	return 1;
}

int fw_block_file_next(struct fw_block_file *f, struct fw_err *err)
{
	int ret = fill(f, FW_BLOCK_HEAD_BYTES, err);

	if (ret == -ENODATA && !f->have)
		return ret;
	if (ret == 1)
		ret = read_head(f, err);
	if (ret == 1)
		ret = fill(f, FW_BLOCK_HEAD_BYTES + f->head.stored_len, err);
	if (ret == -ENODATA)
		return bad(f, "cut off", err);
	if (ret != 1)
		return ret;
	if (fw_block_read(f->reader, &f->head, f->stored + FW_BLOCK_HEAD_BYTES, f->content))
		return bad(f, "damaged", err);
	memset(f->content + f->head.content_len, 0, FW_UNPACK_PADDING);
	f->offset += FW_BLOCK_HEAD_BYTES + f->head.stored_len;
	f->have = 0;
	f->sequence++;
	return 1;
}
