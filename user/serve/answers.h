/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What finwait serve answers: which document, as what, at which path.
 */
#ifndef FW_SERVE_ANSWERS_H
#define FW_SERVE_ANSWERS_H

#include "serve/http.h"

enum fw_serve_document {
	FW_DOC_OPENMETRICS,
	FW_DOC_METRICS_TEXT,
	FW_DOC_PAGE,
	FW_DOC_REPORT,
	FW_NR_DOCUMENTS,
};

/* Ends with a NULL path. */
extern const struct fw_http_route fw_serve_routes[];

#endif
