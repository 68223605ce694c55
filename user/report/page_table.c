// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables that fit. A table that is too wide gives up, in this order: headings in one line, the
 * middle of its longest texts (the ends of addresses and of "process/pid" tell more), half of the
 * space between columns, and being a table: then each row becomes a few lines of "heading value |
 * heading value".
 *
 *	  PROCESS         REMOTE              CLOSE
 *	                                       WAIT  OLDEST
 *	  java/4711       10.0.0..12:5432     1,024  41 m 02 s
 */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define SHORTEST_TEXT 14

struct column {
	size_t place;	/* in the table */
	size_t width;	/* as shown */
	size_t heading; /* the least for its heading, broken at spaces */
	size_t cells;	/* the longest cell */
	size_t least;	/* below which it may not shrink */
	bool text;	/* to the left, and may be cut */
};

struct grid {
	struct fw_page *page;
	const struct fw_table *t;
	size_t indent, gap;
	struct column *col; /* those that are shown */
	size_t nr;
	struct fw_buf one; /* the cell or heading at hand */
};

static const struct fw_cell *cell_at(const struct grid *g, size_t row, size_t c)
{
	return &g->t->cells[row * g->t->nr_columns + g->col[c].place];
}

static void take_cell(struct grid *g, size_t row, size_t c)
{
	fw_buf_clear(&g->one);
	fw_page_cell(&g->one, cell_at(g, row, c));
}

static void take_heading(struct grid *g, size_t c)
{
	const char *label = g->t->columns[g->col[c].place].label;

	fw_buf_clear(&g->one);
	fw_buf_visible(&g->one, label ? label : "", SIZE_MAX);
	for (size_t i = 0; i < g->one.len; i++) {
		if (g->one.data[i] >= 'a' && g->one.data[i] <= 'z')
			g->one.data[i] -= 'a' - 'A';
	}
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t longest_word(const struct fw_buf *b)
{
	size_t longest = 0, word = 0;

	for (size_t i = 0; i < b->len; i++) {
		word = b->data[i] == ' ' ? 0 : word + 1;
		longest = max(longest, word);
	}
	return longest;
}

static void measure(struct grid *g, size_t c)
{
	struct column *col = &g->col[c];

	for (size_t row = 0; row < g->t->nr_rows; row++) {
		const struct fw_cell *cell = cell_at(g, row, c);

		take_cell(g, row, c);
		col->cells = max(col->cells, g->one.len);
		col->text |= cell->kind == FW_CELL_TEXT || cell->kind == FW_CELL_BOOL ||
			     (cell->kind == FW_CELL_ID && cell->text);
	}
	take_heading(g, c);
	col->heading = longest_word(&g->one);
	col->width = max(col->cells, g->one.len);
}

static size_t total(const struct grid *g)
{
	size_t sum = g->indent;

	for (size_t c = 0; c < g->nr; c++)
		sum += g->col[c].width + (c ? g->gap : 0);
	return sum;
}

/* Takes from whichever has most to give until the table fits. False: nobody has anything left. */
static bool shrink(struct grid *g)
{
	for (size_t over = total(g); over > g->page->width; over--) {
		struct column *most = g->col;

		for (struct column *col = g->col; col < g->col + g->nr; col++) {
			if (col->width - col->least > most->width - most->least)
				most = col;
		}
		if (most->width == most->least)
			return false;
		most->width--;
	}
	return true;
}

static bool fit(struct grid *g)
{
	for (size_t c = 0; c < g->nr; c++) {
		measure(g, c);
		g->col[c].least = max(g->col[c].cells, g->col[c].heading);
	}
	if (shrink(g))
		return true;
	for (struct column *col = g->col; col < g->col + g->nr; col++) {
		if (col->text && col->cells > SHORTEST_TEXT)
			col->least = max(SHORTEST_TEXT, col->heading);
	}
	if (shrink(g))
		return true;
	g->gap = 1;
	return shrink(g);
}

static void end_line(struct fw_buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	fw_buf_putc(out, '\n');
}

static void put(struct grid *g, size_t c, const char *text, size_t len)
{
	size_t blank = g->col[c].width - len;

	fw_page_indent(g->page, (c ? g->gap : g->indent) + (g->col[c].text ? 0 : blank));
	fw_buf_mem(g->page->out, text, len);
	fw_page_indent(g->page, g->col[c].text ? blank : 0);
}

/* How much of the heading's rest is in its next line. */
static size_t heading_line(const struct fw_buf *b, size_t from, size_t width)
{
	size_t n = width;

	if (b->len - from <= width)
		return b->len - from;
	while (n && b->data[from + n] != ' ')
		n--;
	return n ? n : width;
}

/* Line @line of the heading in g->one; its length is 0 when there are fewer lines. */
static size_t heading_at(const struct grid *g, size_t c, size_t line, size_t *len)
{
	size_t from = 0;

	for (;;) {
		*len = heading_line(&g->one, from, g->col[c].width);
		if (!line-- || !*len)
			return from;
		from += *len;
		while (from < g->one.len && g->one.data[from] == ' ')
			from++;
	}
}

static size_t heading_lines(struct grid *g, size_t c)
{
	size_t len, n = 0;

	take_heading(g, c);
	while (heading_at(g, c, n, &len), len)
		n++;
	return n;
}

/* The last lines of all headings stand above the first row. */
static void headings(struct grid *g)
{
	size_t lines = 0;

	for (size_t c = 0; c < g->nr; c++)
		lines = max(lines, heading_lines(g, c));
	for (size_t line = 0; line < lines; line++) {
		for (size_t c = 0; c < g->nr; c++) {
			size_t blank = lines - heading_lines(g, c), len = 0, from = 0;

			if (line >= blank)
				from = heading_at(g, c, line - blank, &len);
			put(g, c, len ? g->one.data + from : "", len);
		}
		end_line(g->page->out);
	}
}

/* "10.0.0.1..12:5432": the tail is the longer part, it has the port or the pid. */
static void cut(struct fw_buf *b, size_t width)
{
	size_t tail = (width - 2 + 1) / 2, head = width - 2 - tail;

	if (b->len <= width)
		return;
	memcpy(b->data + head, "..", 2);
	memmove(b->data + head + 2, b->data + b->len - tail, tail);
	b->len = width;
}

static void rows(struct grid *g)
{
	for (size_t row = 0; row < g->t->nr_rows; row++) {
		for (size_t c = 0; c < g->nr; c++) {
			take_cell(g, row, c);
			cut(&g->one, g->col[c].width);
			put(g, c, g->one.data, g->one.len);
		}
		end_line(g->page->out);
	}
}

static void rows_as_items(struct grid *g)
{
	for (size_t row = 0; row < g->t->nr_rows; row++) {
		struct fw_flow f;

		fw_flow_begin(g->page, &f, g->indent, "- ");
		for (size_t c = 0; c < g->nr; c++)
			fw_flow_item(g->page, &f, g->t->columns[g->col[c].place].label,
				     cell_at(g, row, c));
		fw_flow_end(g->page, &f);
	}
}

static void draw(struct grid *g)
{
	if (!fit(g)) {
		rows_as_items(g);
		return;
	}
	fw_page_ink(g->page, FW_INK_DIM);
	headings(g);
	fw_page_ink_off(g->page);
	rows(g);
}

void fw_page_table(struct fw_page *p, size_t indent, const struct fw_table *t)
{
	struct grid g = { .page = p, .t = t, .indent = indent, .gap = 2 };

	g.col = calloc(t->nr_columns ? t->nr_columns : 1, sizeof(*g.col));
	for (size_t c = 0; g.col && c < t->nr_columns; c++) {
		if (!t->columns[c].detail)
			g.col[g.nr++].place = c;
	}
	if (!g.col)
		p->out->failed = true;
	else if (g.nr && t->nr_rows)
		draw(&g);
	if (t->nr_more) {
		fw_page_indent(p, indent);
		fw_buf_printf(p->out, "... and %zu more\n", t->nr_more);
	} else if (!t->nr_rows) {
		fw_page_indent(p, indent);
		fw_buf_puts(p->out, "(none)\n");
	}
	p->out->failed |= g.one.failed;
	fw_buf_free(&g.one);
	free(g.col);
}
