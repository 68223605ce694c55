// SPDX-License-Identifier: GPL-2.0-only
#include "report/page_lists.h"

#include <ctype.h>

#include "core/end.h"
#include "core/state.h"
#include "report/lives.h"
#include "report/report.h"

static void begin(struct fw_json *j, const char *name)
{
	fw_json_key(j, name);
	fw_json_array(j);
}

static void string(struct fw_json *j, const char *text)
{
	fw_json_text(j, text, SIZE_MAX);
}

static void states(struct fw_json *j)
{
	char scratch[FW_STATE_NAME_LEN];

	begin(j, "states");
	for (const uint8_t *s = fw_states_in_order; *s; s++)
		string(j, fw_state_name(*s, scratch));
	fw_json_array_end(j);
}

static void ends(struct fw_json *j)
{
	begin(j, "ends");
	for (unsigned int e = 0; e < FW_END_MAX; e++) {
		const struct fw_end_info *info = fw_end_info(e);

		fw_json_array(j);
		string(j, info->name);
		string(j, info->words);
		string(j, info->brief ? info->brief : info->words);
		fw_json_bool(j, info->in_rfc);
		fw_json_bool(j, info->in_rfc && info->trouble == FW_END_TROUBLE_NONE);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void troubles(struct fw_json *j)
{
	begin(j, "troubles");
	for (unsigned int t = 0; t < FW_TROUBLE_MAX; t++) {
		fw_json_array(j);
		string(j, fw_trouble_name(t));
		string(j, fw_trouble_words(t));
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void severity(struct fw_json *j, unsigned int which)
{
	const char *name = fw_severity_name(which);

	fw_json_array(j);
	fw_json_word(j, name);
	fw_json_quote(j);
	fw_buf_putc(j->out, (char)toupper((unsigned char)name[0]));
	fw_buf_puts(j->out, name + 1);
	fw_json_quote_end(j);
	fw_json_quote(j);
	fw_buf_puts(j->out, name);
	fw_buf_puts(j->out, which == FW_SEVERITY_WARNING ? "s" : "");
	fw_json_quote_end(j);
	fw_json_array_end(j);
}

static void severities(struct fw_json *j)
{
	begin(j, "severities");
	for (unsigned int s = FW_SEVERITY_MAX; s--;)
		severity(j, s);
	fw_json_array_end(j);
}

void fw_page_lists_json(struct fw_json *out)
{
	fw_json_object(out);
	states(out);
	ends(out);
	troubles(out);
	severities(out);
	fw_json_object_end(out);
}
