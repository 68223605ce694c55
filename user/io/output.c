// SPDX-License-Identifier: GPL-2.0-only
#include "io/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/write.h"

#define BLOCK (64 * 1024)

int fw_output_open(struct fw_output *out, const char *path, bool eager, struct fw_err *err)
{
	const char *no_color = getenv("NO_COLOR");
	struct winsize ws;

	*out = (struct fw_output){
		.fd = STDOUT_FILENO, .file = { .fd = -1, .dir = -1 },
		.name = "standard output", .eager = eager,
	};
	if (path && strcmp(path, "-")) {
		out->name = path;
		if (fw_new_file_open(&out->file, path, err))
			return err->code;
		out->fd = out->file.fd;
	}
	out->is_tty = isatty(out->fd);
	out->color = out->is_tty && !(no_color && *no_color);
	if (out->is_tty) {
		out->eager = true;
		if (!ioctl(out->fd, TIOCGWINSZ, &ws))
			out->columns = ws.ws_col;
	}
	return 0;
}

static bool is_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/*
 * The disk is full: the lines of this buffer are left out, but for the rest of one that is written in
 * part. It comes first when there is room again, so the file has whole lines only.
 */
static void leave_out(struct fw_output *out, size_t done)
{
	struct fw_buf *buf = &out->buf;
	size_t kept = 0;

	if (done)
		out->cut = buf->data[done - 1] != '\n';
	if (out->cut) {
		const char *end = memchr(buf->data + done, '\n', buf->len - done);

		kept = end ? (size_t)(end - buf->data) + 1 - done : buf->len - done;
	}
	for (size_t i = done + kept; i < buf->len; i++)
		out->left_out += buf->data[i] == '\n';
	memmove(buf->data, buf->data + done, kept);
	buf->len = kept;
}

static void write_all(struct fw_output *out)
{
	size_t done = 0;
	int ret;

	if (out->buf.failed)
		out->error = -ENOMEM;
	ret = out->error ? 0 : fw_write_all(out->fd, out->buf.data, out->buf.len, &done);
	if (out->goes_on && is_full(-ret))
		return leave_out(out, done);
	/* What stood there before is replaced by content, not by a file that is still empty. */
	if (!ret && done)
		ret = fw_new_file_commit(&out->file);
	if (!out->error)
		out->error = ret;
	out->cut = false;
	out->gone = out->error == -EPIPE;
	fw_buf_clear(&out->buf);
}

/* @error: a negative errno, or 0. */
static int cannot_write(const struct fw_output *out, int error, struct fw_err *err)
{
	if (!error)
		return 0;
	if (error == -EINTR)
		return fw_err_set(err, error, "%s is not read any more: what was left is dropped", out->name);
	return fw_err_set(err, error, "cannot write to %s: %s", out->name, strerror(-error));
}

int fw_output_flush(struct fw_output *out, struct fw_err *err)
{
	write_all(out);
	return cannot_write(out, out->error, err);
}

int fw_output_batch(struct fw_output *out, struct fw_err *err)
{
	return out->buf.len >= BLOCK || out->error ? fw_output_flush(out, err) : 0;
}

int fw_output_batch_end(struct fw_output *out, struct fw_err *err)
{
	return out->eager ? fw_output_flush(out, err) : fw_output_batch(out, err);
}

int fw_output_close(struct fw_output *out, struct fw_err *err)
{
	int ret = fw_output_flush(out, err);

	if (out->cut)
		out->left_out++;
	if (out->left_out && !ret)
		ret = fw_err_set(err, -ENOSPC, "cannot write to %s: %s: %llu lines are left out%s",
				 out->name, strerror(ENOSPC), (unsigned long long)out->left_out,
				 out->cut ? ", the last one in part" : "");
	if (!ret)
		ret = cannot_write(out, fw_new_file_commit(&out->file), err);
	if (!ret)
		ret = cannot_write(out, fw_new_file_close(&out->file), err);
	fw_new_file_close(&out->file);
	fw_buf_free(&out->buf);
	return ret;
}

void fw_output_discard(struct fw_output *out)
{
	write_all(out);
	fw_new_file_close(&out->file);
	fw_buf_free(&out->buf);
}
