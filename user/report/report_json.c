// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as one JSON document:
 *
 * {"about":{...},"findings":[{"id":"close-wait-leak","severity":"warning","title":"...",
 *  "evidence":{"count":12,"oldest_ns":...},...}],"sections":{"states":{"total":9,"states":[{...}]}}}
 */
#include "report/report.h"
#include "util/buf.h"

static const char *const suffixes[FW_CELL_MAX] = {
	[FW_CELL_DURATION] = "_ns",
	[FW_CELL_BYTES] = "_bytes",
	[FW_CELL_RATE] = "_per_s",
	[FW_CELL_PERCENT] = "_pct",
};

static void comma(struct fw_buf *b)
{
	char last = b->len ? b->data[b->len - 1] : '{';

	if (last != '{' && last != '[')
		fw_buf_putc(b, ',');
}

/* Keys are ours, but a state's name may be one. */
static void key(struct fw_buf *b, const char *name)
{
	comma(b);
	fw_buf_json(b, name ? name : "", SIZE_MAX);
	fw_buf_putc(b, ':');
}

static void value(struct fw_buf *b, const struct fw_cell *cell)
{
	switch (cell->kind) {
	case FW_CELL_RATE:
	case FW_CELL_PERCENT:
		fw_buf_printf(b, "%.6g", cell->d);
		break;
	case FW_CELL_BOOL:
		fw_buf_puts(b, cell->u ? "true" : "false");
		break;
	case FW_CELL_TEXT:
		fw_buf_json(b, cell->text, SIZE_MAX);
		break;
	default:
		fw_buf_u64(b, cell->u);
	}
}

static void member(struct fw_buf *b, const char *name, const struct fw_cell *cell)
{
	struct fw_buf full = { 0 };

	if (cell->kind == FW_CELL_UNKNOWN)
		return;
	fw_buf_puts(&full, name ? name : "");
	if (suffixes[cell->kind])
		fw_buf_puts(&full, suffixes[cell->kind]);
	if (cell->at_least)
		fw_buf_puts(&full, "_min");
	key(b, fw_buf_str(&full));
	fw_buf_free(&full);
	value(b, cell);
}

static void facts(struct fw_buf *b, const struct fw_facts *f)
{
	for (size_t i = 0; i < f->nr; i++)
		member(b, f->fact[i].key, &f->fact[i].cell);
}

static void string(struct fw_buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	key(b, name);
	fw_buf_json(b, text, SIZE_MAX);
}

static void finding(struct fw_buf *b, const struct fw_finding *f)
{
	comma(b);
	fw_buf_putc(b, '{');
	string(b, "id", f->id);
	string(b, "severity", fw_severity_name(f->severity));
	string(b, "title", f->title);
	key(b, "evidence");
	fw_buf_putc(b, '{');
	facts(b, &f->evidence);
	fw_buf_putc(b, '}');
	string(b, "meaning", f->meaning);
	string(b, "advice", f->advice);
	string(b, "confidence", f->confidence);
	fw_buf_putc(b, '}');
}

static void table(struct fw_buf *b, const struct fw_table *t)
{
	key(b, t->key);
	fw_buf_putc(b, '[');
	for (size_t row = 0; row < t->nr_rows; row++) {
		comma(b);
		fw_buf_putc(b, '{');
		for (size_t i = 0; i < t->nr_columns; i++)
			member(b, t->columns[i].key, &t->cells[row * t->nr_columns + i]);
		fw_buf_putc(b, '}');
	}
	fw_buf_putc(b, ']');
}

static void section(struct fw_buf *b, const struct fw_section *s)
{
	key(b, s->key);
	fw_buf_putc(b, '{');
	facts(b, &s->facts);
	for (size_t i = 0; i < s->nr_tables; i++)
		table(b, s->tables[i]);
	if (s->nr_notes) {
		key(b, "notes");
		fw_buf_putc(b, '[');
		for (size_t i = 0; i < s->nr_notes; i++) {
			comma(b);
			fw_buf_json(b, s->notes[i] ? s->notes[i] : "", SIZE_MAX);
		}
		fw_buf_putc(b, ']');
	}
	fw_buf_putc(b, '}');
}

void fw_report_json(const struct fw_report *r, struct fw_buf *out)
{
	fw_buf_puts(out, "{\"about\":{");
	facts(out, &r->about);
	fw_buf_puts(out, "},\"findings\":[");
	for (size_t i = 0; i < r->nr_findings; i++)
		finding(out, r->findings[i]);
	fw_buf_puts(out, "],\"sections\":{");
	for (size_t i = 0; i < r->nr_sections; i++)
		section(out, r->sections[i]);
	fw_buf_putc(out, '}');
	if (r->failed)
		fw_buf_puts(out, ",\"incomplete\":true");
	fw_buf_puts(out, "}\n");
}
