/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes JSON into a buffer: commas, quotes and escapes. The caller opens and closes objects and arrays
 * in the right order.
 *
 *	struct fw_json j = { .out = &buf };
 *
 *	fw_json_object(&j);			{
 *	fw_json_key(&j, "port");		{"port":
 *	fw_json_u64(&j, 80);			{"port":80
 *	fw_json_key(&j, "name");		{"port":80,"name":
 *	fw_json_text(&j, comm, 16);		{"port":80,"name":"say \"hi\""
 *	fw_json_object_end(&j);			{"port":80,"name":"say \"hi\""}
 *
 * Lack of memory is remembered by the buffer.
 */
#ifndef FW_UTIL_JSON_H
#define FW_UTIL_JSON_H

#include "util/buf.h"

struct fw_json {
	struct fw_buf *out;
	bool follows; /* a comma comes before the next key or element */
};

/* ---- Structure --------------------------------------------------------------------------- */

static inline void fw_json_comma(struct fw_json *j)
{
	if (j->follows)
		fw_buf_putc(j->out, ',');
	j->follows = true;
}

static inline void fw_json_open(struct fw_json *j, char bracket)
{
	fw_json_comma(j);
	fw_buf_putc(j->out, bracket);
	j->follows = false;
}

static inline void fw_json_close(struct fw_json *j, char bracket)
{
	fw_buf_putc(j->out, bracket);
	j->follows = true;
}

static inline void fw_json_object(struct fw_json *j)
{
	fw_json_open(j, '{');
}

static inline void fw_json_object_end(struct fw_json *j)
{
	fw_json_close(j, '}');
}

static inline void fw_json_array(struct fw_json *j)
{
	fw_json_open(j, '[');
}

static inline void fw_json_array_end(struct fw_json *j)
{
	fw_json_close(j, ']');
}

/* The end of a document or of a line of JSON Lines. */
static inline void fw_json_line_end(struct fw_json *j)
{
	fw_buf_putc(j->out, '\n');
	j->follows = false;
}

/* The key @name@end, which needs no escapes. In one write, since a line has forty keys. */
static inline void fw_json_key_parts(struct fw_json *j, const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);
	char *at;

	if (!fw_buf_reserve(j->out, len + end_len + 4))
		return;
	at = j->out->data + j->out->len;
	*at = ',';
	at += j->follows;
	*at++ = '"';
	memcpy(at, name, len);
	memcpy(at + len, end, end_len);
	at += len + end_len;
	*at++ = '"';
	*at++ = ':';
	j->out->len = (size_t)(at - j->out->data);
	j->follows = false;
}

static inline void fw_json_key(struct fw_json *j, const char *name)
{
	fw_json_key_parts(j, name, "");
}

/* A key of any text, and @end, which needs no escapes. */
void fw_json_key_of_text(struct fw_json *j, const char *name, const char *end);

/* ---- Values ------------------------------------------------------------------------------ */

static inline void fw_json_u64(struct fw_json *j, uint64_t v)
{
	fw_json_comma(j);
	fw_buf_u64(j->out, v);
}

static inline void fw_json_i64(struct fw_json *j, int64_t v)
{
	fw_json_comma(j);
	if (v < 0)
		fw_buf_putc(j->out, '-');
	fw_buf_u64(j->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static inline void fw_json_literal(struct fw_json *j, const char *v)
{
	fw_json_comma(j);
	fw_buf_puts(j->out, v);
}

static inline void fw_json_bool(struct fw_json *j, bool v)
{
	fw_json_literal(j, v ? "true" : "false");
}

static inline void fw_json_null(struct fw_json *j)
{
	fw_json_literal(j, "null");
}

/* To ten digits. */
void fw_json_double(struct fw_json *j, double v);

/* A string, up to the first NUL or @max_len. Always valid UTF-8: other bytes become U+FFFD. */
void fw_json_text(struct fw_json *j, const char *text, size_t max_len);

/* A string whose content the caller writes to .out, and which needs no escapes. */
static inline void fw_json_quote(struct fw_json *j)
{
	fw_json_comma(j);
	fw_buf_putc(j->out, '"');
}

static inline void fw_json_quote_end(struct fw_json *j)
{
	fw_buf_putc(j->out, '"');
}

/* A string that needs no escapes. */
static inline void fw_json_word(struct fw_json *j, const char *word)
{
	fw_json_quote(j);
	fw_buf_puts(j->out, word);
	fw_json_quote_end(j);
}

/* Elements or members that have been written before, without the brackets around them. */
static inline void fw_json_splice(struct fw_json *j, const char *json, size_t len)
{
	fw_json_comma(j);
	fw_buf_mem(j->out, json, len);
}

#endif
