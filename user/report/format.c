// SPDX-License-Identifier: GPL-2.0-only
#include "report/format.h"

#include <string.h>

#include "report/render.h"

static void render_text(const struct fw_report *r, struct fw_buf *out,
			const struct fw_report_style *style)
{
	fw_report_text(r, out, style->columns, style->color);
}

static void render_json(const struct fw_report *r, struct fw_buf *out,
			const struct fw_report_style *style)
{
	(void)style;
	fw_report_json(r, out);
}

static void render_html(const struct fw_report *r, struct fw_buf *out,
			const struct fw_report_style *style)
{
	(void)style;
	fw_report_html(r, out);
}

const struct fw_report_format fw_report_formats[] = {
	{ .name = "text", .render = render_text, .separator = "\n" },
	{ .name = "json", .render = render_json, .separator = "" },
	{ .name = "html", .render = render_html, .separator = "",
	  .to_file_only = "an HTML report is for a browser", .pictures = true },
};

const size_t fw_nr_report_formats = sizeof(fw_report_formats) / sizeof(fw_report_formats[0]);

const struct fw_report_format *fw_report_format_find(const char *name)
{
	for (size_t i = 0; i < fw_nr_report_formats; i++) {
		if (!strcmp(fw_report_formats[i].name, name))
			return &fw_report_formats[i];
	}
	return NULL;
}
