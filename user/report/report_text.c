// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for people: findings first, worst on top, then sections to scan.
 *
 * WARNING  python3/1234: 12 in CLOSE_WAIT from 192.0.2.7 to our port 8080: never closed
 *   sockets 12, oldest >= 4 m 12 s, unread 0 B, ...
 *   means: ...
 *   try:   ...
 */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "util/buf.h"
#include "util/fmt.h"

#define DEFAULT_COLUMNS 100
#define MIN_COLUMNS 40
#define MAX_CELL 48 /* of a table; longer text is cut, visibly */

struct page {
	struct fw_buf *out;
	unsigned int columns;
	bool color;
};

/* What there was no memory to copy. */
static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void color(struct page *p, const char *code)
{
	if (p->color)
		fw_buf_puts(p->out, code);
}

static void bytes(struct fw_buf *b, uint64_t n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)n;
	unsigned int unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	if (unit)
		fw_buf_printf(b, "%.1f %s", value, units[unit]);
	else
		fw_buf_printf(b, "%llu B", (unsigned long long)n);
}

/* Slow things are told by the minute. */
static void rate(struct fw_buf *b, double per_s)
{
	if (per_s < 10 && per_s > -10)
		fw_buf_printf(b, "%.4g a minute", per_s * 60);
	else
		fw_buf_printf(b, "%.4g a second", per_s);
}

static void cell_text(struct fw_buf *b, const struct fw_cell *cell)
{
	if (cell->at_least)
		fw_buf_puts(b, ">= ");
	switch (cell->kind) {
	case FW_CELL_COUNT:
		fw_buf_u64(b, cell->u);
		break;
	case FW_CELL_DURATION:
		fw_fmt_duration(b, cell->u);
		break;
	case FW_CELL_BYTES:
		bytes(b, cell->u);
		break;
	case FW_CELL_RATE:
		rate(b, cell->d);
		break;
	case FW_CELL_PERCENT:
		fw_buf_printf(b, "%.3g %%", cell->d);
		break;
	case FW_CELL_BOOL:
		fw_buf_puts(b, cell->u ? "yes" : "no");
		break;
	case FW_CELL_TEXT:
		fw_buf_visible(b, cell->text, SIZE_MAX);
		break;
	default:
		fw_buf_putc(b, '-');
	}
}

/* Words of @text from column @at on, folded below each other at column @indent. */
static void wrap(struct page *p, const char *text, size_t at, size_t indent)
{
	size_t column = at;
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && column + 1 + len > p->columns) {
			fw_buf_putc(p->out, '\n');
			fw_buf_pad(p->out, p->out->len, indent, 0);
			column = indent;
		} else if (!first) {
			fw_buf_putc(p->out, ' ');
			column++;
		}
		fw_buf_mem(p->out, text, len);
		column += len;
		text += len + strspn(text + len, " ");
		first = false;
	}
	fw_buf_putc(p->out, '\n');
}

/* "  means: ..." */
static void sentence(struct page *p, const char *label, const char *text)
{
	struct fw_buf visible = { 0 };

	if (!text)
		return;
	fw_buf_visible(&visible, text, SIZE_MAX);
	fw_buf_printf(p->out, "  %-6s ", label);
	wrap(p, fw_buf_str(&visible), 9, 9);
	fw_buf_free(&visible);
}

/* "  label value, label value": values do not break. */
static void evidence(struct page *p, const struct fw_facts *facts)
{
	struct fw_buf one = { 0 };
	size_t column = 2;

	fw_buf_puts(p->out, "  ");
	for (size_t i = 0; i < facts->nr; i++) {
		fw_buf_clear(&one);
		fw_buf_puts(&one, or_empty(facts->fact[i].label));
		fw_buf_putc(&one, ' ');
		cell_text(&one, &facts->fact[i].cell);
		if (i + 1 < facts->nr)
			fw_buf_putc(&one, ',');
		if (i && column + 1 + one.len > p->columns) {
			fw_buf_puts(p->out, "\n  ");
			column = 2;
		} else if (i) {
			fw_buf_putc(p->out, ' ');
			column++;
		}
		fw_buf_mem(p->out, one.data, one.len);
		column += one.len;
	}
	fw_buf_putc(p->out, '\n');
	fw_buf_free(&one);
}

static void finding(struct page *p, const struct fw_finding *f)
{
	static const struct {
		const char *word, *color;
	} marks[FW_SEVERITY_MAX] = {
		[FW_SEVERITY_INFO] = { "INFO", "\033[36m" },
		[FW_SEVERITY_WARNING] = { "WARNING", "\033[33m" },
		[FW_SEVERITY_CRITICAL] = { "CRITICAL", "\033[31m" },
	};
	struct fw_buf title = { 0 };

	fw_buf_visible(&title, f->title ? f->title : "", SIZE_MAX);
	color(p, marks[f->severity].color);
	fw_buf_printf(p->out, "%-8s", marks[f->severity].word);
	color(p, "\033[0m");
	fw_buf_putc(p->out, ' ');
	wrap(p, fw_buf_str(&title), 9, 9);
	evidence(p, &f->evidence);
	sentence(p, "means:", f->meaning);
	sentence(p, "try:", f->advice);
	sentence(p, "sure:", f->confidence);
	fw_buf_putc(p->out, '\n');
	fw_buf_free(&title);
}

/* A table's cell, cut to MAX_CELL; how long it is. */
static size_t table_cell(struct fw_buf *b, const struct fw_cell *cell)
{
	size_t since = b->len;

	cell_text(b, cell);
	if (b->len - since > MAX_CELL) {
		b->len = since + MAX_CELL - 2;
		fw_buf_puts(b, "..");
	}
	return b->len - since;
}

static bool is_number(const struct fw_table *t, size_t column)
{
	return t->nr_rows && t->cells[column].kind != FW_CELL_TEXT;
}

/* Numbers to the right, words to the left. */
static void put_cell(struct page *p, const char *text, size_t len, size_t width, bool right,
		     bool last)
{
	size_t pad = width > len ? width - len : 0;

	if (right)
		fw_buf_pad(p->out, p->out->len, pad, 0);
	fw_buf_mem(p->out, text, len);
	if (!right && !last)
		fw_buf_pad(p->out, p->out->len, pad, 0);
	fw_buf_puts(p->out, last ? "\n" : "  ");
}

static void rows(struct page *p, const struct fw_table *t, const size_t *widths)
{
	struct fw_buf one = { 0 };

	for (size_t i = 0; i < t->nr_columns; i++)
		put_cell(p, or_empty(t->columns[i].label), strlen(or_empty(t->columns[i].label)), widths[i],
			 is_number(t, i), i + 1 == t->nr_columns);
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++) {
		size_t column = i % t->nr_columns;

		fw_buf_clear(&one);
		table_cell(&one, &t->cells[i]);
		put_cell(p, fw_buf_str(&one), one.len, widths[column], is_number(t, column),
			 column + 1 == t->nr_columns);
	}
	fw_buf_free(&one);
}

static void table(struct page *p, const struct fw_table *t)
{
	size_t *widths = calloc(t->nr_columns ? t->nr_columns : 1, sizeof(*widths));
	struct fw_buf one = { 0 };

	if (!widths)
		return;
	for (size_t i = 0; i < t->nr_columns; i++)
		widths[i] = strlen(or_empty(t->columns[i].label));
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++) {
		size_t *width = &widths[i % t->nr_columns], len;

		fw_buf_clear(&one);
		len = table_cell(&one, &t->cells[i]);
		if (len > *width)
			*width = len;
	}
	if (*or_empty(t->title))
		fw_buf_printf(p->out, "%s\n", t->title);
	rows(p, t, widths);
	fw_buf_free(&one);
	free(widths);
}

static void fact_lines(struct page *p, const struct fw_facts *facts)
{
	size_t width = 0;

	for (size_t i = 0; i < facts->nr; i++) {
		size_t len = strlen(or_empty(facts->fact[i].label));

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < facts->nr; i++) {
		size_t since = p->out->len;

		fw_buf_puts(p->out, or_empty(facts->fact[i].label));
		fw_buf_pad(p->out, since, width + 2, 2);
		cell_text(p->out, &facts->fact[i].cell);
		fw_buf_putc(p->out, '\n');
	}
}

static void section(struct page *p, const struct fw_section *s)
{
	color(p, "\033[1m");
	fw_buf_puts(p->out, or_empty(s->title));
	color(p, "\033[0m");
	fw_buf_putc(p->out, '\n');
	for (size_t i = 0; i < s->nr_tables; i++)
		table(p, s->tables[i]);
	fact_lines(p, &s->facts);
	for (size_t i = 0; i < s->nr_notes; i++)
		wrap(p, s->notes[i] ? s->notes[i] : "", 0, 0);
}

void fw_report_text(const struct fw_report *r, struct fw_buf *out, unsigned int columns,
		    bool with_color)
{
	struct page p = { .out = out, .color = with_color, .columns = columns };

	if (!columns)
		p.columns = DEFAULT_COLUMNS;
	else if (columns < MIN_COLUMNS)
		p.columns = MIN_COLUMNS;
	fact_lines(&p, &r->about);
	if (r->about.nr)
		fw_buf_putc(out, '\n');
	for (size_t i = 0; i < r->nr_findings; i++)
		finding(&p, r->findings[i]);
	for (size_t i = 0; i < r->nr_sections; i++) {
		if (i)
			fw_buf_putc(out, '\n');
		section(&p, r->sections[i]);
	}
	if (r->failed)
		fw_buf_puts(out, "\nThis report is not complete: there was not enough memory.\n");
}
