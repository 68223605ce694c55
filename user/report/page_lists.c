// SPDX-License-Identifier: GPL-2.0-only
#include "report/page_lists.h"

#include <ctype.h>

#include "core/end.h"
#include "core/state.h"
#include "report/lives.h"
#include "report/report.h"

static void begin(struct fw_buf *b, const char *name)
{
	fw_buf_printf(b, "\"%s\":[", name);
}

static void string(struct fw_buf *b, const char *text)
{
	fw_buf_json(b, text, SIZE_MAX);
}

static void pair(struct fw_buf *b, const char *name, const char *words)
{
	fw_buf_putc(b, '[');
	string(b, name);
	fw_buf_putc(b, ',');
	string(b, words);
}

static void states(struct fw_buf *b)
{
	char scratch[FW_STATE_NAME_LEN];

	begin(b, "states");
	for (const uint8_t *s = fw_states_in_order; *s; s++) {
		fw_buf_puts(b, s == fw_states_in_order ? "" : ",");
		string(b, fw_state_name(*s, scratch));
	}
	fw_buf_puts(b, "],");
}

static void ends(struct fw_buf *b)
{
	begin(b, "ends");
	for (unsigned int e = 0; e < FW_END_MAX; e++) {
		const struct fw_end_info *info = fw_end_info(e);

		fw_buf_puts(b, e ? "," : "");
		pair(b, info->name, info->words);
		fw_buf_putc(b, ',');
		string(b, info->brief ? info->brief : info->words);
		fw_buf_puts(b, info->in_rfc ? ",true" : ",false");
		fw_buf_puts(b, info->in_rfc && info->trouble == FW_END_TROUBLE_NONE ? ",true]" : ",false]");
	}
	fw_buf_puts(b, "],");
}

static void troubles(struct fw_buf *b)
{
	begin(b, "troubles");
	for (unsigned int t = 0; t < FW_TROUBLE_MAX; t++) {
		fw_buf_puts(b, t ? "," : "");
		pair(b, fw_trouble_name(t), fw_trouble_words(t));
		fw_buf_putc(b, ']');
	}
	fw_buf_puts(b, "],");
}

static void severities(struct fw_buf *b)
{
	begin(b, "severities");
	for (unsigned int s = FW_SEVERITY_MAX; s--;) {
		const char *name = fw_severity_name(s);

		fw_buf_printf(b, "[\"%s\",\"%c%s\",\"%s%s\"]%s", name, toupper((unsigned char)name[0]),
			      name + 1, name, s == FW_SEVERITY_WARNING ? "s" : "", s ? "," : "");
	}
	fw_buf_putc(b, ']');
}

void fw_page_lists_json(struct fw_buf *out)
{
	fw_buf_putc(out, '{');
	states(out);
	ends(out);
	troubles(out);
	severities(out);
	fw_buf_putc(out, '}');
}
