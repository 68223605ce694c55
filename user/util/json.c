// SPDX-License-Identifier: GPL-2.0-only
#include "util/json.h"

#include "util/utf8.h"

/* How much of @s needs no escapes and is ASCII. */
static size_t plain_len(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static void escape(struct fw_buf *b, const char *s, size_t max_len)
{
	size_t len = strnlen(s, max_len), plain = plain_len(s, len);

	fw_buf_mem(b, s, plain);
	for (size_t i = plain, n; i < len; i += n ? n : 1) {
		unsigned char c = (unsigned char)s[i];

		n = fw_utf8_len(s + i, len - i);
		if (!n)
			fw_buf_puts(b, "\\ufffd");
		else if (c == '"' || c == '\\')
			fw_buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fw_buf_printf(b, "\\u%04x", c);
		else
			fw_buf_mem(b, s + i, n);
	}
}

void fw_json_text(struct fw_json *j, const char *text, size_t max_len)
{
	fw_json_quote(j);
	escape(j->out, text, max_len);
	fw_json_quote_end(j);
}

void fw_json_key_of_text(struct fw_json *j, const char *name, const char *end)
{
	fw_json_quote(j);
	escape(j->out, name, SIZE_MAX);
	fw_buf_puts(j->out, end);
	fw_buf_mem(j->out, "\":", 2);
	j->follows = false;
}

void fw_json_double(struct fw_json *j, double v)
{
	fw_json_comma(j);
	fw_buf_printf(j->out, "%.10g", v);
}
