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
#include "util/json.h"

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

static void string(struct fw_json *j, const char *text)
{
	if (text)
		fw_json_text(j, text, SIZE_MAX);
	else
		fw_json_null(j);
}

static void text(struct fw_json *j, const char *name, const char *value)
{
	fw_json_key(j, name);
	string(j, value);
}

static void open_array(struct fw_json *j, const char *name)
{
	fw_json_key(j, name);
	fw_json_array(j);
}

static void cell_value(struct fw_json *j, const struct fw_cell *c)
{
	if (c->kind == FW_CELL_TEXT || (c->kind == FW_CELL_ID && c->text))
		string(j, c->text ? c->text : "");
	else if (c->kind == FW_CELL_RATE || c->kind == FW_CELL_PERCENT)
		fw_json_double(j, c->d);
	else
		fw_json_u64(j, c->u);
}

static void cell(struct fw_json *j, const struct fw_cell *c)
{
	static const char *const kinds[FW_CELL_MAX] = {
		[FW_CELL_COUNT] = "c", [FW_CELL_ID] = "i", [FW_CELL_DURATION] = "d",
		[FW_CELL_BYTES] = "b", [FW_CELL_RATE] = "r", [FW_CELL_PERCENT] = "p",
		[FW_CELL_BOOL] = "f", [FW_CELL_TEXT] = "t",
	};

	if (c->kind == FW_CELL_UNKNOWN || c->kind >= FW_CELL_MAX) {
		fw_json_null(j);
		return;
	}
	fw_json_array(j);
	fw_json_word(j, c->kind == FW_CELL_ID && c->text ? "t" : kinds[c->kind]);
	cell_value(j, c);
	if (c->at_least)
		fw_json_u64(j, 1);
	fw_json_array_end(j);
}

static void facts(struct fw_json *j, const char *name, const struct fw_facts *f)
{
	open_array(j, name);
	for (size_t i = 0; i < f->nr; i++) {
		fw_json_array(j);
		string(j, f->fact[i].key);
		string(j, f->fact[i].label);
		cell(j, &f->fact[i].cell);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void columns(struct fw_json *j, const struct fw_table *t)
{
	open_array(j, "columns");
	for (size_t i = 0; i < t->nr_columns; i++) {
		fw_json_array(j);
		string(j, t->columns[i].key);
		string(j, t->columns[i].label);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
}

static void table(struct fw_json *j, const struct fw_table *t)
{
	fw_json_object(j);
	text(j, "key", t->key);
	text(j, "title", t->title);
	columns(j, t);
	open_array(j, "rows");
	for (size_t row = 0; row < t->nr_rows; row++) {
		fw_json_array(j);
		for (size_t c = 0; c < t->nr_columns; c++)
			cell(j, &t->cells[row * t->nr_columns + c]);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
	fw_json_key(j, "more");
	fw_json_u64(j, t->nr_more);
	fw_json_object_end(j);
}

static void bars(struct fw_json *j, const struct fw_bars *all)
{
	fw_json_object(j);
	text(j, "key", all->key);
	text(j, "title", all->title);
	open_array(j, "bars");
	for (size_t i = 0; i < all->nr; i++) {
		const struct fw_bar *bar = &all->bar[i];

		fw_json_array(j);
		fw_json_u64(j, bar->from_ns);
		if (bar->to_ns == UINT64_MAX)
			fw_json_null(j);
		else
			fw_json_u64(j, bar->to_ns);
		fw_json_u64(j, bar->count);
		fw_json_array_end(j);
	}
	fw_json_array_end(j);
	fw_json_object_end(j);
}

/* "shows" is null for a finding that is not about some of the connections. */
static void place(struct fw_json *j, const char *id)
{
	const struct fw_place *place = fw_place_of(id);
	char scratch[FW_STATE_NAME_LEN];

	text(j, "section", place ? place->section : NULL);
	fw_json_key(j, "shows");
	if (!place || !place->of_connections) {
		fw_json_null(j);
		return;
	}
	fw_json_object(j);
	if (place->trouble < FW_TROUBLE_MAX)
		text(j, "trouble", fw_trouble_name(place->trouble));
	if (place->state)
		text(j, "state", fw_state_name(place->state, scratch));
	fw_json_object_end(j);
}

static void finding(struct fw_json *j, const struct fw_finding *f)
{
	fw_json_object(j);
	text(j, "id", f->id);
	text(j, "severity", fw_severity_name(f->severity));
	place(j, f->id);
	text(j, "title", f->title);
	text(j, "meaning", f->meaning);
	text(j, "advice", f->advice);
	text(j, "confidence", f->confidence);
	facts(j, "evidence", &f->evidence);
	open_array(j, "also");
	for (size_t i = 0; i < f->nr_also; i++)
		string(j, f->also[i].title ? f->also[i].title : "");
	fw_json_array_end(j);
	fw_json_key(j, "offenders");
	if (f->offenders)
		table(j, f->offenders);
	else
		fw_json_null(j);
	fw_json_object_end(j);
}

static void section(struct fw_json *j, const struct fw_section *s)
{
	fw_json_object(j);
	text(j, "key", s->key);
	text(j, "title", s->title);
	fw_json_key(j, "detail");
	fw_json_bool(j, s->detail);
	facts(j, "facts", &s->facts);
	open_array(j, "tables");
	for (size_t i = 0; i < s->nr_tables; i++)
		table(j, &s->tables[i]);
	fw_json_array_end(j);
	open_array(j, "bars");
	for (size_t i = 0; i < s->nr_bars; i++)
		bars(j, &s->bars[i]);
	fw_json_array_end(j);
	open_array(j, "notes");
	for (size_t i = 0; i < s->nr_notes; i++)
		string(j, s->notes[i]);
	fw_json_array_end(j);
	fw_json_object_end(j);
}

/* A served page fetches the model again every @every_s seconds. */
static void live(struct fw_json *j, unsigned int every_s)
{
	fw_json_key(j, "live");
	fw_json_object(j);
	text(j, "from", "model.json");
	fw_json_key(j, "every_s");
	fw_json_u64(j, every_s);
	fw_json_object_end(j);
}

/* @every_s 0: the page is a file. */
static void model(struct fw_json *j, const struct fw_report *r, unsigned int every_s)
{
	fw_json_object(j);
	text(j, "version", FW_VERSION);
	if (every_s)
		live(j, every_s);
	fw_json_key(j, "lists");
	fw_page_lists_json(j);
	fw_json_key(j, "complete");
	fw_json_bool(j, !r->failed);
	facts(j, "about", &r->about);
	open_array(j, "findings");
	for (size_t i = 0; i < r->nr_findings; i++)
		finding(j, &r->findings[i]);
	fw_json_array_end(j);
	open_array(j, "sections");
	for (size_t i = 0; i < r->nr_sections; i++)
		section(j, &r->sections[i]);
	fw_json_array_end(j);
	if (r->lives) {
		fw_json_key(j, "lives");
		fw_lives_json(r->lives, j);
	}
	fw_json_object_end(j);
}

void fw_report_html_model(const struct fw_report *r, unsigned int every_s, struct fw_buf *out)
{
	struct fw_buf json = { 0 };
	struct fw_json j = { .out = &json };

	model(&j, r, every_s);
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
