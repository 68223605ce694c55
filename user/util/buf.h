/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing byte buffer that renderers write into. It never fails half-way: when memory runs out
 * it stops growing and remembers (.failed), and whoever flushes it reports that once.
 */
#ifndef FW_UTIL_BUF_H
#define FW_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fw_buf {
	char *data; /* not NUL-terminated; see fw_buf_str() */
	size_t len;
	size_t cap;
	bool failed;
};

void fw_buf_free(struct fw_buf *b);
void fw_buf_clear(struct fw_buf *b);

/* Makes room for @more bytes behind .len: true, or false with .failed set. */
bool fw_buf_grow(struct fw_buf *b, size_t more);

/*
 * A line is a hundred small writes, nearly all of which find room: these are inlined, so that the length
 * of a literal is known where it is written.
 */
static inline bool fw_buf_reserve(struct fw_buf *b, size_t more)
{
	return b->cap - b->len >= more || fw_buf_grow(b, more);
}

static inline void fw_buf_mem(struct fw_buf *b, const void *data, size_t len)
{
	if (!len || !fw_buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static inline void fw_buf_puts(struct fw_buf *b, const char *s)
{
	fw_buf_mem(b, s, strlen(s));
}

static inline void fw_buf_putc(struct fw_buf *b, char c)
{
	if (fw_buf_reserve(b, 1))
		b->data[b->len++] = c;
}

/* @v with leading zeros to @width digits, at most 20. */
void fw_buf_u64_padded(struct fw_buf *b, uint64_t v, unsigned int width);

static inline void fw_buf_u64(struct fw_buf *b, uint64_t v)
{
	if (v < 10)
		fw_buf_putc(b, (char)('0' + v));
	else
		fw_buf_u64_padded(b, v, 1);
}

void fw_buf_printf(struct fw_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Spaces until @width characters follow @since (a former .len); at least @min. */
void fw_buf_pad(struct fw_buf *b, size_t since, size_t width, size_t min);

/*
 * Text from outside (process names), safe on a terminal and one column a character: control and
 * non-ASCII bytes and the backslash become \xNN.
 */
void fw_buf_visible(struct fw_buf *b, const char *s, size_t max_len);

/* The content as a C string; "" when empty or out of memory. Valid until the next write. */
const char *fw_buf_str(struct fw_buf *b);

#endif
