// SPDX-License-Identifier: GPL-2.0-only
#include "io/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/write.h"
#include "util/buf.h"

#define CLEAR_LINE "\r\033[K"
#define LINE_MAX_LEN 2048

/* $JOURNAL_STREAM is "device:inode" of what the journal reads: stderr may have been sent elsewhere. */
static int is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

static const char *level_prefix(enum fw_level level)
{
	static const char *const prefixes[FW_LEVEL_MAX] = {
		[FW_LEVEL_ERROR] = "<3>",
		[FW_LEVEL_WARNING] = "<4>",
		[FW_LEVEL_INFO] = "<6>",
	};

	return level < FW_LEVEL_MAX && is_journal() ? prefixes[level] : "";
}

/* In one piece, so that lines of several threads do not mix. A line that nobody reads is dropped at the end. */
static void write_stderr(const struct fw_buf *b)
{
	size_t done;

	if (b->len)
		fw_write_all(STDERR_FILENO, b->data, b->len, &done);
}

__attribute__((format(printf, 4, 0))) static void put(const char *before, const char *name,
						      const char *after, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN];
	struct fw_buf b = { 0 };

	vsnprintf(text, sizeof(text), fmt, ap);
	fw_buf_puts(&b, before);
	fw_buf_puts(&b, name);
	fw_buf_visible(&b, text, sizeof(text));
	fw_buf_puts(&b, after);
	write_stderr(&b);
	fw_buf_free(&b);
}

void fw_say(enum fw_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(level_prefix(level), "finwait: ", "\n", fmt, ap);
	va_end(ap);
}

void fw_complain(const struct fw_err *err)
{
	fw_say(FW_LEVEL_ERROR, "%s", err->msg);
	if (err->hint[0])
		fw_say(FW_LEVEL_ERROR, "%s", err->hint);
}

void fw_progress(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(CLEAR_LINE, "", "", fmt ? fmt : "", ap);
	va_end(ap);
}
