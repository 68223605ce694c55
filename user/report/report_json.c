// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as one JSON document. The unit of a cell ends its key: "oldest" becomes "oldest_ns", and
 * "oldest_ns_min" when it is a lower bound.
 */
#include "report/render.h"

#include "util/json.h"

static void key(struct fw_json *j, const char *name, const char *suffix)
{
	fw_json_key_of_text(j, name ? name : "", suffix);
}

static void string(struct fw_json *j, const char *value)
{
	fw_json_text(j, value ? value : "", SIZE_MAX);
}

static void text(struct fw_json *j, const char *name, const char *value)
{
	if (!value)
		return;
	fw_json_key(j, name);
	string(j, value);
}

static void number(struct fw_json *j, const char *name, uint64_t n)
{
	fw_json_key(j, name);
	fw_json_u64(j, n);
}

static void value(struct fw_json *j, const struct fw_cell *c)
{
	switch (c->kind) {
	case FW_CELL_RATE:
	case FW_CELL_PERCENT:
		fw_json_double(j, c->d);
		break;
	case FW_CELL_BOOL:
		fw_json_bool(j, c->u);
		break;
	case FW_CELL_TEXT:
		string(j, c->text);
		break;
	default:
		fw_json_u64(j, c->u);
	}
}

static void cell(struct fw_json *j, const char *name, const struct fw_cell *c)
{
	/* and of a lower bound */
	static const char *const suffixes[FW_CELL_MAX][2] = {
		[FW_CELL_COUNT] = { "", "_min" },	    [FW_CELL_DURATION] = { "_ns", "_ns_min" },
		[FW_CELL_BYTES] = { "_bytes", "_bytes_min" }, [FW_CELL_RATE] = { "_per_s", "_per_s_min" },
		[FW_CELL_PERCENT] = { "_pct", "_pct_min" }, [FW_CELL_BOOL] = { "", "_min" },
		[FW_CELL_TEXT] = { "", "_min" },	    [FW_CELL_ID] = { "", "_min" },
	};

	if (c->kind == FW_CELL_UNKNOWN || c->kind >= FW_CELL_MAX)
		return;
	key(j, name, suffixes[c->kind][c->at_least]);
	value(j, c);
	if (c->kind != FW_CELL_ID || !c->text)
		return;
	key(j, name, "_name");
	string(j, c->text);
}

static void facts(struct fw_json *j, const struct fw_facts *f)
{
	for (size_t i = 0; i < f->nr; i++)
		cell(j, f->fact[i].key, &f->fact[i].cell);
}

static void table(struct fw_json *j, const char *name, const struct fw_table *t)
{
	key(j, name, "");
	fw_json_array(j);
	for (size_t row = 0; row < t->nr_rows; row++) {
		fw_json_object(j);
		for (size_t c = 0; c < t->nr_columns; c++)
			cell(j, t->columns[c].key, &t->cells[row * t->nr_columns + c]);
		fw_json_object_end(j);
	}
	fw_json_array_end(j);
	if (!t->nr_more)
		return;
	key(j, name, "_more");
	fw_json_u64(j, t->nr_more);
}

static void bars(struct fw_json *j, const struct fw_bars *all)
{
	key(j, all->key, "");
	fw_json_array(j);
	for (size_t i = 0; i < all->nr; i++) {
		fw_json_object(j);
		number(j, "from_ns", all->bar[i].from_ns);
		if (all->bar[i].to_ns != UINT64_MAX)
			number(j, "to_ns", all->bar[i].to_ns);
		number(j, "count", all->bar[i].count);
		fw_json_object_end(j);
	}
	fw_json_array_end(j);
}

/* What was folded into it. */
static void also(struct fw_json *j, const struct fw_finding *f)
{
	if (!f->nr_also)
		return;
	fw_json_key(j, "also");
	fw_json_array(j);
	for (size_t i = 0; i < f->nr_also; i++) {
		fw_json_object(j);
		text(j, "id", f->also[i].id);
		text(j, "title", f->also[i].title);
		fw_json_object_end(j);
	}
	fw_json_array_end(j);
}

static void finding(struct fw_json *j, const struct fw_finding *f)
{
	fw_json_object(j);
	text(j, "id", f->id);
	text(j, "severity", fw_severity_name(f->severity));
	text(j, "title", f->title);
	if (f->fails_in_ns != FW_FAILS_NEVER)
		number(j, "fails_in_ns", f->fails_in_ns);
	also(j, f);
	fw_json_key(j, "evidence");
	fw_json_object(j);
	facts(j, &f->evidence);
	fw_json_object_end(j);
	if (f->offenders)
		table(j, "offenders", f->offenders);
	text(j, "meaning", f->meaning);
	text(j, "advice", f->advice);
	text(j, "confidence", f->confidence);
	fw_json_object_end(j);
}

static void section(struct fw_json *j, const struct fw_section *s)
{
	key(j, s->key, "");
	fw_json_object(j);
	facts(j, &s->facts);
	for (size_t i = 0; i < s->nr_tables; i++)
		table(j, s->tables[i].key, &s->tables[i]);
	for (size_t i = 0; i < s->nr_bars; i++)
		bars(j, &s->bars[i]);
	fw_json_key(j, "notes");
	fw_json_array(j);
	for (size_t i = 0; i < s->nr_notes; i++)
		string(j, s->notes[i]);
	fw_json_array_end(j);
	fw_json_object_end(j);
}

void fw_report_json(const struct fw_report *r, struct fw_buf *out)
{
	struct fw_json j = { .out = out };

	fw_json_object(&j);
	fw_json_key(&j, "complete");
	fw_json_bool(&j, !r->failed);
	fw_json_key(&j, "about");
	fw_json_object(&j);
	facts(&j, &r->about);
	fw_json_object_end(&j);
	fw_json_key(&j, "findings");
	fw_json_array(&j);
	for (size_t i = 0; i < r->nr_findings; i++)
		finding(&j, &r->findings[i]);
	fw_json_array_end(&j);
	fw_json_key(&j, "sections");
	fw_json_object(&j);
	for (size_t i = 0; i < r->nr_sections; i++)
		section(&j, &r->sections[i]);
	fw_json_object_end(&j);
	fw_json_object_end(&j);
	fw_json_line_end(&j);
}
