/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers for a monitoring system to collect: OpenMetrics 1.0, or the Prometheus text format 0.0.4 from
 * which it comes. Knows the two syntaxes, and nothing of what the numbers are about.
 *
 *	# HELP finwait_connections_ended Connections that ended, by how.
 *	# TYPE finwait_connections_ended counter
 *	finwait_connections_ended_total{end="last_ack"} 12
 *
 * A family is begun once; its samples follow. Whatever is in the values of labels, what is written
 * is valid: they are escaped, and bytes that are not UTF-8 become U+FFFD.
 */
#ifndef FW_REPORT_OPENMETRICS_H
#define FW_REPORT_OPENMETRICS_H

#include "util/buf.h"

struct fw_err;

enum fw_om_type {
	FW_OM_COUNTER, /* the name of its samples ends in _total */
	FW_OM_GAUGE,
	FW_OM_HISTOGRAM,
	FW_OM_INFO, /* the name of its one sample ends in _info; its value is 1 */
	FW_OM_TYPE_MAX,
};

struct fw_om_label {
	const char *name, *value;
	size_t value_len; /* at most so many bytes of it; 0: up to its end */
};

struct fw_om {
	struct fw_buf *out;
	bool openmetrics; /* else Prometheus text */
	/* of every sample; may be NULL if there are none */
	const struct fw_om_label *common;
	size_t nr_common;
	/* the family that was begun */
	const char *name;
	enum fw_om_type type;
};

/* For HTTP. */
#define FW_OM_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define FW_OM_TEXT_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* @name without _total or _info; it ends in its unit if it has one, which is @unit (else NULL). It has
 * to stay until the next family begins.
 */
void fw_om_family(struct fw_om *om, const char *name, enum fw_om_type type, const char *unit,
		  const char *help);
/* @labels: @nr of them. */
void fw_om_count(struct fw_om *om, const struct fw_om_label *labels, size_t nr, uint64_t value);
void fw_om_value(struct fw_om *om, const struct fw_om_label *labels, size_t nr, double value);
/* The same with one label, or none (@label NULL). */
void fw_om_count1(struct fw_om *om, const char *label, const char *value, uint64_t n);
void fw_om_value1(struct fw_om *om, const char *label, const char *value, double v);

/* @counts: of each bucket, not cumulated, up to and including @limits; one more above the last. The
 * sum is in the family's unit, and so are the limits.
 */
void fw_om_histogram(struct fw_om *om, const struct fw_om_label *labels, size_t nr,
		     const double *limits, size_t nr_limits, const uint64_t *counts, double sum);

/* After the last family. */
void fw_om_end(struct fw_om *om);

/* Whether who sends this Accept header (NULL: none) wants OpenMetrics rather than Prometheus text. */
bool fw_om_wanted(const char *accept);

/* "name=value": *@name and *@value come to point into @text, which is changed. The names of @taken (ends
 * with NULL; may be NULL) and those that begin with __ are refused. 0, or -EINVAL with @err filled.
 */
int fw_om_parse_label(char *text, const char *const *taken, struct fw_om_label *out,
		      struct fw_err *err);

#endif
