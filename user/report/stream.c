// SPDX-License-Identifier: GPL-2.0-only
#include "report/stream.h"

#include <string.h>

static const struct fw_stream_format *const formats[] = { &fw_stream_text, &fw_stream_json };

const struct fw_stream_format *fw_stream_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	}
	return NULL;
}
