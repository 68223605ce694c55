// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are written as a whole.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output.h"
#include "io/write.h"

static int cannot(const char *path, int error, struct fw_err *err)
{
	return fw_err_set(err, error, "cannot write to %s: %s", path, strerror(-error));
}

int fw_output_check(const char *path, struct fw_err *err)
{
	struct fw_new_file f;
	struct stat st;

	/* The reader of a pipe would take the end of a trial for the end of the report. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return access(path, W_OK) ? cannot(path, -errno, err) : 0;
	if (fw_new_file_open(&f, path, err))
		return err->code;
	fw_new_file_close(&f);
	return 0;
}

int fw_output_replace(const char *path, const struct fw_buf *buf, struct fw_err *err)
{
	struct fw_new_file f;
	size_t done;
	int ret, closed;

	if (buf->failed)
		return cannot(path, -ENOMEM, err);
	if (fw_new_file_open(&f, path, err))
		return err->code;
	ret = fw_write_all(f.fd, buf->data, buf->len, &done);
	if (!ret)
		ret = fw_new_file_commit(&f);
	closed = fw_new_file_close(&f);
	if (!ret)
		ret = closed;
	return ret ? cannot(path, ret, err) : 0;
}
