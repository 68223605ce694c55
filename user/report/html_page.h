/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The prebuilt page, as it stands in web/dist/report.html.
 */
#ifndef FW_REPORT_HTML_PAGE_H
#define FW_REPORT_HTML_PAGE_H

/* In the page exactly once: where the model belongs. */
#define FW_HTML_PLACE "{\"place\":\"of the report\"}"

/* Before it exactly once: where the policy begins. */
#define FW_HTML_POLICY "default-src 'none'"

extern const char fw_html_page[], fw_html_page_end[]; /* from, to */

#endif
