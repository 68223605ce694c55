// SPDX-License-Identifier: GPL-2.0-only
#include "report/openmetrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/err.h"
#include "util/utf8.h"

static const char *const type_names[FW_OM_TYPE_MAX] = {
	[FW_OM_COUNTER] = "counter",
	[FW_OM_GAUGE] = "gauge",
	[FW_OM_HISTOGRAM] = "histogram",
	[FW_OM_INFO] = "info",
};

/* What samples add to the name of their family. Prometheus text knows no families: there every sample
 * has the name that HELP and TYPE have.
 */
static const char *suffix_of(enum fw_om_type type)
{
	switch (type) {
	case FW_OM_COUNTER:
		return "_total";
	case FW_OM_INFO:
		return "_info";
	default:
		return "";
	}
}

static void escaped(struct fw_buf *b, const char *text, size_t max, bool quotes)
{
	size_t len = strnlen(text, max);

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = fw_utf8_len(text + i, len - i);
		if (!n)
			fw_buf_puts(b, "\xef\xbf\xbd");
		else if (text[i] == '\n')
			fw_buf_puts(b, "\\n");
		else if (text[i] == '\\')
			fw_buf_puts(b, "\\\\");
		else if (text[i] == '"' && quotes)
			fw_buf_puts(b, "\\\"");
		else
			fw_buf_mem(b, text + i, n);
	}
}

static void about(struct fw_om *om, const char *what, const char *text)
{
	fw_buf_printf(om->out, "# %s %s%s ", what, om->name,
		      om->openmetrics ? "" : suffix_of(om->type));
	/* In Prometheus text a quote in HELP stays as it is. */
	escaped(om->out, text, SIZE_MAX, om->openmetrics);
	fw_buf_putc(om->out, '\n');
}

void fw_om_family(struct fw_om *om, const char *name, enum fw_om_type type, const char *unit,
		  const char *help)
{
	om->name = name;
	om->type = type;
	about(om, "HELP", help);
	about(om, "TYPE", om->openmetrics || type != FW_OM_INFO ? type_names[type] : "gauge");
	if (unit && om->openmetrics)
		about(om, "UNIT", unit);
}

static void one_label(struct fw_buf *b, const struct fw_om_label *label, bool *any)
{
	fw_buf_putc(b, *any ? ',' : '{');
	*any = true;
	fw_buf_puts(b, label->name);
	fw_buf_puts(b, "=\"");
	escaped(b, label->value, label->value_len ? label->value_len : SIZE_MAX, true);
	fw_buf_putc(b, '"');
}

/* "name_suffix{a="b"} ": the value follows. @more: one label more; may be NULL. */
static void begin(struct fw_om *om, const char *suffix, const struct fw_om_label *labels, size_t nr,
		  const struct fw_om_label *more)
{
	bool any = false;

	fw_buf_puts(om->out, om->name);
	fw_buf_puts(om->out, suffix);
	for (size_t i = 0; i < om->nr_common; i++)
		one_label(om->out, &om->common[i], &any);
	for (size_t i = 0; i < nr; i++)
		one_label(om->out, &labels[i], &any);
	if (more)
		one_label(om->out, more, &any);
	fw_buf_puts(om->out, any ? "} " : " ");
}

static void end_count(struct fw_om *om, uint64_t value)
{
	fw_buf_u64(om->out, value);
	fw_buf_putc(om->out, '\n');
}

/* The shortest of all that read back as @v. */
static void number(char *text, size_t len, double v)
{
	int digits = 15;

	do {
		snprintf(text, len, "%.*g", digits, v);
	} while (digits++ < 17 && strtod(text, NULL) != v);
}

static void end_value(struct fw_om *om, double v)
{
	char text[32];

	if (isnan(v))
		snprintf(text, sizeof(text), "NaN");
	else if (isinf(v))
		snprintf(text, sizeof(text), v > 0 ? "+Inf" : "-Inf");
	else
		number(text, sizeof(text), v);
	fw_buf_puts(om->out, text);
	fw_buf_putc(om->out, '\n');
}

void fw_om_count(struct fw_om *om, const struct fw_om_label *labels, size_t nr, uint64_t value)
{
	begin(om, suffix_of(om->type), labels, nr, NULL);
	end_count(om, value);
}

void fw_om_value(struct fw_om *om, const struct fw_om_label *labels, size_t nr, double value)
{
	begin(om, suffix_of(om->type), labels, nr, NULL);
	end_value(om, value);
}

void fw_om_count1(struct fw_om *om, const char *label, const char *value, uint64_t n)
{
	const struct fw_om_label one = { .name = label, .value = value };

	fw_om_count(om, &one, label != NULL, n);
}

void fw_om_value1(struct fw_om *om, const char *label, const char *value, double v)
{
	const struct fw_om_label one = { .name = label, .value = value };

	fw_om_value(om, &one, label != NULL, v);
}

/* OpenMetrics wants le="1.0". */
static void limit(struct fw_om *om, char *text, size_t len, double v)
{
	number(text, len, v);
	if (om->openmetrics && !strpbrk(text, ".e"))
		strncat(text, ".0", len - strlen(text) - 1);
}

void fw_om_histogram(struct fw_om *om, const struct fw_om_label *labels, size_t nr,
		     const double *limits, size_t nr_limits, const uint64_t *counts, double sum)
{
	char le[32] = "+Inf";
	const struct fw_om_label label = { .name = "le", .value = le };
	uint64_t below = 0;

	for (size_t i = 0; i <= nr_limits; i++) {
		if (i < nr_limits)
			limit(om, le, sizeof(le), limits[i]);
		else
			snprintf(le, sizeof(le), "+Inf");
		below += counts[i];
		begin(om, "_bucket", labels, nr, &label);
		end_count(om, below);
	}
	begin(om, "_count", labels, nr, NULL);
	end_count(om, below);
	begin(om, "_sum", labels, nr, NULL);
	end_value(om, sum);
}

void fw_om_end(struct fw_om *om)
{
	if (om->openmetrics)
		fw_buf_puts(om->out, "# EOF\n");
}

/* ---- What is asked for ------------------------------------------------------------------- */

/* Leaves @text behind the blanks at its beginning. */
static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* The weight of a media range's parameters, ";version=1.0.0;q=0.5" up to a comma; 1 without. */
static double weight_of(const char *params, const char *end)
{
	for (const char *p = memchr(params, ';', (size_t)(end - params)); p;
	     p = memchr(p, ';', (size_t)(end - p))) {
		p = skip_blanks(p + 1);
		if ((p[0] == 'q' || p[0] == 'Q') && p[1] == '=')
			return strtod(p + 2, NULL);
	}
	return 1;
}

static bool is_range(const char *range, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(range, name, len);
}

bool fw_om_wanted(const char *accept)
{
	double openmetrics = 0, text = 0;

	for (const char *at = accept; at && *at;) {
		const char *range = skip_blanks(at), *end = range + strcspn(range, ",");
		size_t len = strcspn(range, ",; \t");
		double weight = weight_of(range + len, end);

		if (is_range(range, len, "application/openmetrics-text") && weight > openmetrics)
			openmetrics = weight;
		else if (is_range(range, len, "text/plain") && weight > text)
			text = weight;
		at = *end ? end + 1 : end;
	}
	return openmetrics > 0 && openmetrics >= text;
}

static bool is_name(const char *name)
{
	static const char all[] = "0123456789_"
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *name && (*name < '0' || *name > '9') && strspn(name, all) == strlen(name);
}

int fw_om_parse_label(char *text, const char *const *taken, struct fw_om_label *out,
		      struct fw_err *err)
{
	char *equals = strchr(text, '=');

	if (!equals)
		return fw_err_set(err, -EINVAL, "'%s' is not NAME=VALUE", text);
	*equals = '\0';
	*out = (struct fw_om_label){ .name = text, .value = equals + 1 };
	if (!is_name(text) || !strncmp(text, "__", 2))
		return fw_err_set(err, -EINVAL,
				  "'%s' is not the name of a label: letters, digits "
				  "and _, not first a digit, not first __",
				  text);
	for (; taken && *taken; taken++) {
		if (!strcmp(text, *taken))
			return fw_err_set(err, -EINVAL, "'%s' is a label that finwait itself sets",
					  text);
	}
	return 0;
}
