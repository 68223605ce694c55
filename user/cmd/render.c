// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/render.h"

void fw_render(const struct fw_options *opt, const struct fw_report *r, struct fw_output *out)
{
	const struct fw_report_style style = {
		.columns = opt->wide ? 0 : out->columns,
		.color = out->color,
	};

	opt->report_format->render(r, &out->buf, &style);
}
