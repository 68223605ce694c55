// SPDX-License-Identifier: GPL-2.0-only
#include "util/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of 2^64 - 1. */
#define DIGITS_MAX 20

bool fw_buf_grow(struct fw_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	char *data;

	if (b->failed)
		return false;
	while (cap - b->len < more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void fw_buf_free(struct fw_buf *b)
{
	if (!b)
		return;
	free(b->data);
	*b = (struct fw_buf){ 0 };
}

void fw_buf_clear(struct fw_buf *b)
{
	b->len = 0;
}

/* How many digits @v has. */
static size_t digits_of(uint64_t v)
{
	static const uint64_t powers[DIGITS_MAX] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
		10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
		1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
		10000000000000000000U,
	};
	/* log10(2) is 1233 / 4096: from the number of bits, and right or one too few. */
	size_t n = (64 - (size_t)__builtin_clzll(v | 1)) * 1233 >> 12;

	return n + ((v | 1) >= powers[n]);
}

/* From the last digit on, two at a time: half the divisions. */
static void put_digits(char *to, uint64_t v, size_t nr)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";

	for (; nr >= 2; nr -= 2) {
		memcpy(to + nr - 2, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (nr)
		*to = (char)('0' + v % 10);
}

void fw_buf_u64_padded(struct fw_buf *b, uint64_t v, unsigned int width)
{
	size_t nr = digits_of(v);

	if (nr < width)
		nr = width < DIGITS_MAX ? width : DIGITS_MAX;
	if (!fw_buf_reserve(b, nr))
		return;
	put_digits(b->data + b->len, v, nr);
	b->len += nr;
}

void fw_buf_printf(struct fw_buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= room) {
		if (fw_buf_reserve(b, (size_t)n + 1))
			vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		else
			n = 0;
	}
	if (n > 0)
		b->len += (size_t)n;
	va_end(again);
}

void fw_buf_pad(struct fw_buf *b, size_t since, size_t width, size_t min)
{
	size_t used = b->len - since;
	size_t n = used + min < width ? width - used : min;

	if (!n || !fw_buf_reserve(b, n))
		return;
	memset(b->data + b->len, ' ', n);
	b->len += n;
}

/* How much of @s is visible as it is. A NUL is not. */
static size_t visible_len(const char *s, size_t max_len)
{
	size_t i = 0;

	while (i < max_len && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\')
		i++;
	return i;
}

void fw_buf_visible(struct fw_buf *b, const char *s, size_t max_len)
{
	size_t i = visible_len(s, max_len);

	fw_buf_mem(b, s, i);
	for (; i < max_len && s[i]; i++) {
		if (visible_len(s + i, 1))
			fw_buf_putc(b, s[i]);
		else
			fw_buf_printf(b, "\\x%02x", (unsigned char)s[i]);
	}
}

const char *fw_buf_str(struct fw_buf *b)
{
	if (!fw_buf_reserve(b, 1))
		return "";
	b->data[b->len] = '\0';
	return b->data;
}
