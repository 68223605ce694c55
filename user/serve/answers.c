// SPDX-License-Identifier: GPL-2.0-only
#include "serve/answers.h"

#include "report/openmetrics.h"

#define PAGE_REFRESH_S "15"

static struct fw_http_answer answer_metrics(const char *accept)
{
	if (fw_om_wanted(accept))
		return (struct fw_http_answer){ FW_DOC_OPENMETRICS, FW_OM_CONTENT_TYPE, { NULL } };
	return (struct fw_http_answer){ FW_DOC_METRICS_TEXT, FW_OM_TEXT_CONTENT_TYPE, { NULL } };
}

/* The page is one file; whatever is in it, nothing is fetched from anywhere. */
static struct fw_http_answer answer_page(const char *accept)
{
	(void)accept;
	return (struct fw_http_answer){ FW_DOC_PAGE,
					"text/html; charset=utf-8",
					{ "Refresh", PAGE_REFRESH_S, "Content-Security-Policy",
					  "default-src 'none'; script-src 'unsafe-inline'; "
					  "style-src 'unsafe-inline'; img-src data:; "
					  "frame-ancestors 'none'",
					  NULL } };
}

static struct fw_http_answer answer_report(const char *accept)
{
	(void)accept;
	return (struct fw_http_answer){ FW_DOC_REPORT, "application/json", { NULL } };
}

const struct fw_http_route fw_serve_routes[] = {
	{ "/metrics", answer_metrics },
	{ "/", answer_page },
	{ "/report.json", answer_report },
	{ NULL, NULL },
};
