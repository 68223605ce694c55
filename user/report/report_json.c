// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as one JSON document. The unit of a cell ends its key: "oldest" becomes "oldest_ns", and
 * "oldest_ns_min" when it is a lower bound.
 */
#include "report/render.h"

#include <string.h>

/* Writes ,"name<suffix>": or, first in its object, "name<suffix>": */
static void key_with(struct fw_buf *b, const char *name, const char *suffix, const char *bound)
{
	if (b->len && b->data[b->len - 1] != '{')
		fw_buf_putc(b, ',');
	fw_buf_json(b, name ? name : "", SIZE_MAX);
	if (b->len) /* back over the closing quote */
		b->len--;
	fw_buf_puts(b, suffix);
	fw_buf_puts(b, bound);
	fw_buf_puts(b, "\":");
}

static void key(struct fw_buf *b, const char *name)
{
	key_with(b, name, "", "");
}

static void text(struct fw_buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	key(b, name);
	fw_buf_json(b, value, SIZE_MAX);
}

static void number(struct fw_buf *b, const char *name, const char *suffix, uint64_t n)
{
	key_with(b, name, suffix, "");
	fw_buf_u64(b, n);
}

static void value(struct fw_buf *b, const struct fw_cell *c)
{
	switch (c->kind) {
	case FW_CELL_RATE:
	case FW_CELL_PERCENT:
		fw_buf_printf(b, "%.10g", c->d);
		break;
	case FW_CELL_BOOL:
		fw_buf_puts(b, c->u ? "true" : "false");
		break;
	case FW_CELL_TEXT:
		fw_buf_json(b, c->text ? c->text : "", SIZE_MAX);
		break;
	default:
		fw_buf_u64(b, c->u);
	}
}

static void cell(struct fw_buf *b, const char *name, const struct fw_cell *c)
{
	static const char *const suffixes[FW_CELL_MAX] = {
		[FW_CELL_COUNT] = "",	      [FW_CELL_DURATION] = "_ns", [FW_CELL_BYTES] = "_bytes",
		[FW_CELL_RATE] = "_per_s",    [FW_CELL_PERCENT] = "_pct", [FW_CELL_BOOL] = "",
		[FW_CELL_TEXT] = "",	      [FW_CELL_ID] = "",
	};

	if (c->kind == FW_CELL_UNKNOWN || c->kind >= FW_CELL_MAX)
		return;
	key_with(b, name, suffixes[c->kind], c->at_least ? "_min" : "");
	value(b, c);
	if (c->kind != FW_CELL_ID || !c->text)
		return;
	key_with(b, name, "_name", "");
	fw_buf_json(b, c->text, SIZE_MAX);
}

static void facts(struct fw_buf *b, const struct fw_facts *f)
{
	for (size_t i = 0; i < f->nr; i++)
		cell(b, f->fact[i].key, &f->fact[i].cell);
}

static void table(struct fw_buf *b, const char *name, const struct fw_table *t)
{
	key(b, name);
	fw_buf_putc(b, '[');
	for (size_t row = 0; row < t->nr_rows; row++) {
		fw_buf_puts(b, row ? ",{" : "{");
		for (size_t c = 0; c < t->nr_columns; c++)
			cell(b, t->columns[c].key, &t->cells[row * t->nr_columns + c]);
		fw_buf_putc(b, '}');
	}
	fw_buf_putc(b, ']');
	if (t->nr_more)
		number(b, name, "_more", t->nr_more);
}

static void bars(struct fw_buf *b, const struct fw_bars *all)
{
	key(b, all->key);
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < all->nr; i++) {
		fw_buf_puts(b, i ? ",{" : "{");
		number(b, "from_ns", "", all->bar[i].from_ns);
		if (all->bar[i].to_ns != UINT64_MAX)
			number(b, "to_ns", "", all->bar[i].to_ns);
		number(b, "count", "", all->bar[i].count);
		fw_buf_putc(b, '}');
	}
	fw_buf_putc(b, ']');
}

/* What was folded into it. */
static void also(struct fw_buf *b, const struct fw_finding *f)
{
	if (!f->nr_also)
		return;
	key(b, "also");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < f->nr_also; i++) {
		fw_buf_puts(b, i ? ",{" : "{");
		text(b, "id", f->also[i].id);
		text(b, "title", f->also[i].title);
		fw_buf_putc(b, '}');
	}
	fw_buf_putc(b, ']');
}

static void finding(struct fw_buf *b, const struct fw_finding *f)
{
	fw_buf_putc(b, '{');
	text(b, "id", f->id);
	text(b, "severity", fw_severity_name(f->severity));
	text(b, "title", f->title);
	if (f->fails_in_ns != FW_FAILS_NEVER)
		number(b, "fails_in", "_ns", f->fails_in_ns);
	also(b, f);
	key(b, "evidence");
	fw_buf_putc(b, '{');
	facts(b, &f->evidence);
	fw_buf_putc(b, '}');
	if (f->offenders)
		table(b, "offenders", f->offenders);
	text(b, "meaning", f->meaning);
	text(b, "advice", f->advice);
	text(b, "confidence", f->confidence);
	fw_buf_putc(b, '}');
}

static void section(struct fw_buf *b, const struct fw_section *s)
{
	key(b, s->key);
	fw_buf_putc(b, '{');
	facts(b, &s->facts);
	for (size_t i = 0; i < s->nr_tables; i++)
		table(b, s->tables[i].key, &s->tables[i]);
	for (size_t i = 0; i < s->nr_bars; i++)
		bars(b, &s->bars[i]);
	key(b, "notes");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < s->nr_notes; i++) {
		if (i)
			fw_buf_putc(b, ',');
		fw_buf_json(b, s->notes[i], SIZE_MAX);
	}
	fw_buf_puts(b, "]}");
}

void fw_report_json(const struct fw_report *r, struct fw_buf *out)
{
	fw_buf_puts(out, "{\"complete\":");
	fw_buf_puts(out, r->failed ? "false" : "true");
	fw_buf_puts(out, ",\"about\":{");
	facts(out, &r->about);
	fw_buf_puts(out, "},\"findings\":[");
	for (size_t i = 0; i < r->nr_findings; i++) {
		if (i)
			fw_buf_putc(out, ',');
		finding(out, &r->findings[i]);
	}
	fw_buf_puts(out, "],\"sections\":{");
	for (size_t i = 0; i < r->nr_sections; i++)
		section(out, &r->sections[i]);
	fw_buf_puts(out, "}}\n");
}
