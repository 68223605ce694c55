/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renderers of a report. Each walks the whole model and writes to a buffer; none knows what the
 * numbers are about. Lack of memory is remembered by the buffer.
 */
#ifndef FW_REPORT_RENDER_H
#define FW_REPORT_RENDER_H

#include "report/report.h"
#include "util/buf.h"

/* For people: findings first. @columns: the width of the terminal (0: no limit; sentences and bars
 * then take 100). Whatever is in the report's strings, what is written is printable ASCII. A report
 * about nothing and without findings is its sections alone.
 */
void fw_report_text(const struct fw_report *r, struct fw_buf *out, unsigned int columns,
		    bool color);

/* For programs: one JSON document on one line.
 *
 *	{"complete":true,"about":{...},
 *	 "findings":[{"id","severity","title","evidence":{},"offenders":[{}],"meaning","advice",
 *		      "confidence"}],
 *	 "sections":{"time_wait":{facts, "table":[{}], "table_more":n,
 *				  "bars":[{"from_ns","to_ns","count"}], "notes":[]}}}
 *
 * What is not known is absent, and so are confidence, offenders and to_ns where there is none.
 */
void fw_report_json(const struct fw_report *r, struct fw_buf *out);

/* To be looked at: one page that needs nothing else, with pictures of what the sections say and, if the
 * report has them, of connections one by one. Whatever is in the report's strings, it is text there.
 */
void fw_report_html(const struct fw_report *r, struct fw_buf *out);

/* For a server: the same page, which fetches its model again every @every_s seconds (1 or more) from
 * "model.json" beside it, may ask for nothing else, and keeps what its reader has chosen.
 */
void fw_report_html_live(const struct fw_report *r, unsigned int every_s, struct fw_buf *out);
/* That model: one JSON document. */
void fw_report_html_model(const struct fw_report *r, unsigned int every_s, struct fw_buf *out);

#endif
