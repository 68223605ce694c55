/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report, in the format of -f.
 */
#ifndef FW_CMD_RENDER_H
#define FW_CMD_RENDER_H

#include "cmd/options.h"
#include "io/output.h"
#include "report/report.h"

/* Renders @r into @out, for its terminal if it is one. */
void fw_render(const struct fw_options *opt, const struct fw_report *r, struct fw_output *out);

#endif
