// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as a page: a prebuilt one (web/dist/report.html, which make puts into the program as it is)
 * with the whole model as JSON in a block of data that its script reads. Nothing of the model ever is
 * markup: in that JSON <, > and & are written as escapes, so that nothing in it can end the block, and
 * the script makes text nodes of it only (web/src).
 *
 *	{"version":"0.1.0","live":{"from":"model.json","every_s":10},"complete":true,"about":[FACT],
 *	 "lists":{},
 *	 "findings":[{"id","severity","section","shows":{"trouble","state"},"title","meaning","advice",
 *		      "confidence","evidence":[FACT],"also":[""],"offenders":TABLE}],
 *	 "sections":[{"key","title","detail","facts":[FACT],"tables":[TABLE],"bars":[BARS],
 *		      "notes":[]}],
 *	 "lives":{}}
 *	FACT  ["key","label",CELL]
 *	CELL  null, or ["c",12]: kind and value; a third item, 1, for a lower bound
 *	TABLE {"key","title","columns":[["key","label"]],"rows":[[CELL]],"more":0}
 *	BARS  {"key","title","bars":[[from_ns,to_ns or null,count]]}
 */
#include <string.h>

#include "report/html_page.h"
#include "report/lives.h"
#include "report/page_lists.h"
#include "report/places.h"
#include "report/render.h"

/* JSON that may stand in HTML: these bytes are in strings only. */
static void safe(struct fw_buf *out, const struct fw_buf *json)
{
	size_t from = 0;

	for (size_t i = 0; i < json->len; i++) {
		char c = json->data[i];

		if (c != '<' && c != '>' && c != '&')
			continue;
		fw_buf_mem(out, json->data + from, i - from);
		fw_buf_printf(out, "\\u%04x", c);
		from = i + 1;
	}
	fw_buf_mem(out, json->data + from, json->len - from);
}

/* "key": or, if there was something before, ,"key": */
static void key(struct fw_buf *b, const char *name)
{
	char last = b->len ? b->data[b->len - 1] : '{';

	if (last != '{' && last != '[')
		fw_buf_putc(b, ',');
	fw_buf_json(b, name, SIZE_MAX);
	fw_buf_putc(b, ':');
}

static void comma(struct fw_buf *b, size_t i)
{
	if (i)
		fw_buf_putc(b, ',');
}

static void string(struct fw_buf *b, const char *text)
{
	if (text)
		fw_buf_json(b, text, SIZE_MAX);
	else
		fw_buf_puts(b, "null");
}

static void text(struct fw_buf *b, const char *name, const char *value)
{
	key(b, name);
	string(b, value);
}

static void cell(struct fw_buf *b, const struct fw_cell *c)
{
	static const char kinds[FW_CELL_MAX] = {
		[FW_CELL_COUNT] = 'c', [FW_CELL_ID] = 'i', [FW_CELL_DURATION] = 'd',
		[FW_CELL_BYTES] = 'b', [FW_CELL_RATE] = 'r', [FW_CELL_PERCENT] = 'p',
		[FW_CELL_BOOL] = 'f', [FW_CELL_TEXT] = 't',
	};
	bool named;

	if (c->kind == FW_CELL_UNKNOWN || c->kind >= FW_CELL_MAX) {
		fw_buf_puts(b, "null");
		return;
	}
	named = c->kind == FW_CELL_ID && c->text;
	fw_buf_printf(b, "[\"%c\",", named ? 't' : kinds[c->kind]);
	if (c->kind == FW_CELL_TEXT || named)
		string(b, c->text ? c->text : "");
	else if (c->kind == FW_CELL_RATE || c->kind == FW_CELL_PERCENT)
		fw_buf_printf(b, "%.10g", c->d);
	else
		fw_buf_u64(b, c->u);
	fw_buf_puts(b, c->at_least ? ",1]" : "]");
}

static void facts(struct fw_buf *b, const char *name, const struct fw_facts *f)
{
	key(b, name);
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < f->nr; i++) {
		comma(b, i);
		fw_buf_putc(b, '[');
		string(b, f->fact[i].key);
		fw_buf_putc(b, ',');
		string(b, f->fact[i].label);
		fw_buf_putc(b, ',');
		cell(b, &f->fact[i].cell);
		fw_buf_putc(b, ']');
	}
	fw_buf_putc(b, ']');
}

static void columns(struct fw_buf *b, const struct fw_table *t)
{
	key(b, "columns");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < t->nr_columns; i++) {
		comma(b, i);
		fw_buf_putc(b, '[');
		string(b, t->columns[i].key);
		fw_buf_putc(b, ',');
		string(b, t->columns[i].label);
		fw_buf_putc(b, ']');
	}
	fw_buf_putc(b, ']');
}

static void table(struct fw_buf *b, const struct fw_table *t)
{
	fw_buf_putc(b, '{');
	text(b, "key", t->key);
	text(b, "title", t->title);
	columns(b, t);
	key(b, "rows");
	fw_buf_putc(b, '[');
	for (size_t row = 0; row < t->nr_rows; row++) {
		comma(b, row);
		fw_buf_putc(b, '[');
		for (size_t c = 0; c < t->nr_columns; c++) {
			comma(b, c);
			cell(b, &t->cells[row * t->nr_columns + c]);
		}
		fw_buf_putc(b, ']');
	}
	fw_buf_putc(b, ']');
	key(b, "more");
	fw_buf_u64(b, t->nr_more);
	fw_buf_putc(b, '}');
}

static void bars(struct fw_buf *b, const struct fw_bars *all)
{
	fw_buf_putc(b, '{');
	text(b, "key", all->key);
	text(b, "title", all->title);
	key(b, "bars");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < all->nr; i++) {
		const struct fw_bar *bar = &all->bar[i];

		comma(b, i);
		fw_buf_putc(b, '[');
		fw_buf_u64(b, bar->from_ns);
		fw_buf_putc(b, ',');
		if (bar->to_ns == UINT64_MAX)
			fw_buf_puts(b, "null");
		else
			fw_buf_u64(b, bar->to_ns);
		fw_buf_putc(b, ',');
		fw_buf_u64(b, bar->count);
		fw_buf_putc(b, ']');
	}
	fw_buf_puts(b, "]}");
}

/* "shows" is null for a finding that is not about some of the connections. */
static void place(struct fw_buf *b, const char *id)
{
	const struct fw_place *place = fw_place_of(id);
	char scratch[FW_STATE_NAME_LEN];

	text(b, "section", place ? place->section : NULL);
	key(b, "shows");
	if (!place || !place->of_connections) {
		fw_buf_puts(b, "null");
		return;
	}
	fw_buf_putc(b, '{');
	if (place->trouble < FW_TROUBLE_MAX)
		text(b, "trouble", fw_trouble_name(place->trouble));
	if (place->state)
		text(b, "state", fw_state_name(place->state, scratch));
	fw_buf_putc(b, '}');
}

static void finding(struct fw_buf *b, const struct fw_finding *f)
{
	fw_buf_putc(b, '{');
	text(b, "id", f->id);
	text(b, "severity", fw_severity_name(f->severity));
	place(b, f->id);
	text(b, "title", f->title);
	text(b, "meaning", f->meaning);
	text(b, "advice", f->advice);
	text(b, "confidence", f->confidence);
	facts(b, "evidence", &f->evidence);
	key(b, "also");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < f->nr_also; i++) {
		comma(b, i);
		fw_buf_json(b, f->also[i].title ? f->also[i].title : "", SIZE_MAX);
	}
	fw_buf_putc(b, ']');
	key(b, "offenders");
	if (f->offenders)
		table(b, f->offenders);
	else
		fw_buf_puts(b, "null");
	fw_buf_putc(b, '}');
}

static void section(struct fw_buf *b, const struct fw_section *s)
{
	fw_buf_putc(b, '{');
	text(b, "key", s->key);
	text(b, "title", s->title);
	key(b, "detail");
	fw_buf_puts(b, s->detail ? "true" : "false");
	facts(b, "facts", &s->facts);
	key(b, "tables");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < s->nr_tables; i++) {
		comma(b, i);
		table(b, &s->tables[i]);
	}
	fw_buf_putc(b, ']');
	key(b, "bars");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < s->nr_bars; i++) {
		comma(b, i);
		bars(b, &s->bars[i]);
	}
	fw_buf_putc(b, ']');
	key(b, "notes");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < s->nr_notes; i++) {
		comma(b, i);
		string(b, s->notes[i]);
	}
	fw_buf_puts(b, "]}");
}

/* @every_s: how often a served page fetches the model again; 0: it is a file. */
static void model(struct fw_buf *b, const struct fw_report *r, unsigned int every_s)
{
	fw_buf_putc(b, '{');
	text(b, "version", FW_VERSION);
	if (every_s)
		fw_buf_printf(b, ",\"live\":{\"from\":\"model.json\",\"every_s\":%u}", every_s);
	key(b, "lists");
	fw_page_lists_json(b);
	key(b, "complete");
	fw_buf_puts(b, r->failed ? "false" : "true");
	facts(b, "about", &r->about);
	key(b, "findings");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < r->nr_findings; i++) {
		comma(b, i);
		finding(b, &r->findings[i]);
	}
	fw_buf_putc(b, ']');
	key(b, "sections");
	fw_buf_putc(b, '[');
	for (size_t i = 0; i < r->nr_sections; i++) {
		comma(b, i);
		section(b, &r->sections[i]);
	}
	fw_buf_putc(b, ']');
	if (r->lives) {
		key(b, "lives");
		fw_lives_json(r->lives, b);
	}
	fw_buf_putc(b, '}');
}

void fw_report_html_model(const struct fw_report *r, unsigned int every_s, struct fw_buf *out)
{
	struct fw_buf json = { 0 };

	model(&json, r, every_s);
	safe(out, &json);
	out->failed |= json.failed;
	fw_buf_free(&json);
}

/* The page up to the place of the model. A page that is served may ask its own server. */
static void beginning(struct fw_buf *out, const char *place, bool is_live)
{
	const char *policy = memmem(fw_html_page, place - fw_html_page, FW_HTML_POLICY,
				    strlen(FW_HTML_POLICY));
	const char *rest = policy + strlen(FW_HTML_POLICY);

	fw_buf_mem(out, fw_html_page, rest - fw_html_page);
	if (is_live)
		fw_buf_puts(out, "; connect-src 'self'");
	fw_buf_mem(out, rest, place - rest);
}

void fw_report_html_live(const struct fw_report *r, unsigned int every_s, struct fw_buf *out)
{
	size_t len = fw_html_page_end - fw_html_page;
	const char *place = memmem(fw_html_page, len, FW_HTML_PLACE, strlen(FW_HTML_PLACE));
	const char *after = place + strlen(FW_HTML_PLACE);

	beginning(out, place, every_s > 0);
	fw_report_html_model(r, every_s, out);
	fw_buf_mem(out, after, fw_html_page_end - after);
}

void fw_report_html(const struct fw_report *r, struct fw_buf *out)
{
	fw_report_html_live(r, 0, out);
}
