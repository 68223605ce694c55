/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The formats of reports. To add one, write its renderer and add it to the table in format.c.
 */
#ifndef FW_REPORT_FORMAT_H
#define FW_REPORT_FORMAT_H

#include "report/report.h"
#include "util/buf.h"

/* For formats that a terminal shows. */
struct fw_report_style {
	unsigned int columns; /* of the terminal; 0: no limit */
	bool color;
};

struct fw_report_format {
	const char *name;
	void (*render)(const struct fw_report *r, struct fw_buf *out,
		       const struct fw_report_style *style);
	const char *separator; /* between two reports of one output */
	/* Why it cannot go to a terminal, and each report replaces the file; NULL: it can */
	const char *to_file_only;
	bool pictures; /* shows connections one by one, and has room for long tables */
};

/* The first is the default. */
extern const struct fw_report_format fw_report_formats[];
extern const size_t fw_nr_report_formats;

/* The format of that name, or NULL. */
const struct fw_report_format *fw_report_format_find(const char *name);

#endif
