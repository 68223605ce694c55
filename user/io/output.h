/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where rendered text goes: stdout or a file. Flushed at once for a terminal (or when asked to),
 * else in blocks, and always at the end.
 */
#ifndef FW_IO_OUTPUT_H
#define FW_IO_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/new_file.h"
#include "util/buf.h"
#include "util/err.h"

struct fw_output {
	struct fw_buf buf;
	const char *name;
	int fd;
	struct fw_new_file file; /* if it is not stdout */
	bool eager; /* flush after every batch */
	bool is_tty;
	bool color; /* it is a terminal, and NO_COLOR is not set */
	bool gone; /* the reader closed the pipe: stop, quietly */
	bool goes_on; /* set by whoever would rather lose lines than end where there is no room for them */
	bool cut;	   /* what is written ends within a line, whose rest .buf begins with */
	uint64_t left_out; /* lines, for want of room */
	int error; /* the first one (negative errno): it comes back from every call after it */
	unsigned int columns; /* of the terminal; 0: not one */
};

/* @path NULL or "-": stdout. A file replaces what stands under its name when the first output is written. 0 or
 * negative errno.
 */
int fw_output_open(struct fw_output *out, const char *path, bool eager, struct fw_err *err);

/* Lines are complete: writes if it is time. 0, or negative errno (-EPIPE: .gone). For a terminal
 * call fw_output_batch_end() when there are no more lines for now.
 */
int fw_output_batch(struct fw_output *out, struct fw_err *err);
int fw_output_batch_end(struct fw_output *out, struct fw_err *err);
int fw_output_flush(struct fw_output *out, struct fw_err *err);

/* Flushes and closes. 0 or negative errno, also when lines were left out (-ENOSPC). */
int fw_output_close(struct fw_output *out, struct fw_err *err);

/* Closes after a failure: what has been written stays, what has not is dropped. */
void fw_output_discard(struct fw_output *out);

/* Whether a file could be made there, before it takes minutes to know what is in it. */
int fw_output_check(const char *path, struct fw_err *err);

/* Replaces a file as a whole: its readers see the old content or the new. A device or a pipe is written to. 0 or
 * negative errno.
 */
int fw_output_replace(const char *path, const struct fw_buf *buf, struct fw_err *err);

#endif
