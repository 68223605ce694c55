// SPDX-License-Identifier: GPL-2.0-only
#include "report/stream.h"

#include <string.h>

const struct fw_stream_format *const fw_stream_formats[] = { &fw_stream_text, &fw_stream_json };
const size_t fw_nr_stream_formats = sizeof(fw_stream_formats) / sizeof(fw_stream_formats[0]);

const struct fw_stream_format *fw_stream_format_find(const char *name)
{
	for (size_t i = 0; i < fw_nr_stream_formats; i++) {
		if (!strcmp(fw_stream_formats[i]->name, name))
			return fw_stream_formats[i];
	}
	return NULL;
}
