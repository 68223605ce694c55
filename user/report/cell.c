// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makers of cells. They know no report: a text without text says that memory was short, and the
 * builder that is given it notices.
 */
#include "report/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fw_cell fw_cell_unknown(void)
{
	return (struct fw_cell){ .kind = FW_CELL_UNKNOWN };
}

struct fw_cell fw_cell_count(uint64_t n)
{
	return (struct fw_cell){ .kind = FW_CELL_COUNT, .u = n };
}

struct fw_cell fw_cell_id(uint64_t id)
{
	return (struct fw_cell){ .kind = FW_CELL_ID, .u = id };
}

struct fw_cell fw_cell_named(uint64_t id, const char *name)
{
	return (struct fw_cell){
		.kind = FW_CELL_ID, .u = id, .text = name ? strdup(name) : NULL,
	};
}

struct fw_cell fw_cell_duration(uint64_t ns)
{
	return (struct fw_cell){ .kind = FW_CELL_DURATION, .u = ns };
}

struct fw_cell fw_cell_bytes(uint64_t n)
{
	return (struct fw_cell){ .kind = FW_CELL_BYTES, .u = n };
}

/* What is no number (0/0) is not known. */
static struct fw_cell real(enum fw_cell_kind kind, double d)
{
	if (!__builtin_isfinite(d))
		return fw_cell_unknown();
	return (struct fw_cell){ .kind = kind, .d = d };
}

struct fw_cell fw_cell_rate(double per_s)
{
	return real(FW_CELL_RATE, per_s);
}

struct fw_cell fw_cell_percent(double pct)
{
	return real(FW_CELL_PERCENT, pct);
}

struct fw_cell fw_cell_bool(bool b)
{
	return (struct fw_cell){ .kind = FW_CELL_BOOL, .u = b };
}

struct fw_cell fw_cell_text(const char *text, size_t max)
{
	if (!text)
		return fw_cell_unknown();
	return (struct fw_cell){
		.kind = FW_CELL_TEXT,
		.text = max == SIZE_MAX ? strdup(text) : strndup(text, max),
	};
}

struct fw_cell fw_cell_printf(const char *fmt, ...)
{
	struct fw_cell c = { .kind = FW_CELL_TEXT };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&c.text, fmt, ap) < 0)
		c.text = NULL;
	va_end(ap);
	return c;
}

struct fw_cell fw_cell_at_least(struct fw_cell cell)
{
	cell.at_least = true;
	return cell;
}
