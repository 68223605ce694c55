// SPDX-License-Identifier: GPL-2.0-only
#include "report/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/lives.h"

/* ---- Memory ------------------------------------------------------------------------------ */

static char *copy(struct fw_report *r, const char *text)
{
	char *c = strdup(text);

	if (!c)
		r->failed = true;
	return c;
}

__attribute__((format(printf, 2, 0)))
static char *format(struct fw_report *r, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		r->failed = true;
		return NULL;
	}
	return text;
}

/* Room for one more of @size bytes in an array that may move. */
static void *grow(struct fw_report *r, void *array, size_t nr, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 8;
	void *p;

	if (nr < *cap)
		return array;
	p = reallocarray(array, more, size);
	if (!p) {
		r->failed = true;
		return NULL;
	}
	*cap = more;
	return p;
}

/* Room for one more in an array of @max that does not move; NULL if there is none. */
static void *fixed(struct fw_report *r, void *array, size_t nr, size_t max, size_t size)
{
	void *p = NULL;

	if (nr < max)
		p = array ? array : calloc(max, size);
	if (!p)
		r->failed = true;
	return p;
}

static void cell_fini(struct fw_cell *c)
{
	if (c->kind == FW_CELL_TEXT || c->kind == FW_CELL_ID)
		free(c->text);
}

static void facts_fini(struct fw_facts *f)
{
	for (size_t i = 0; i < f->nr; i++) {
		free(f->fact[i].key);
		free(f->fact[i].label);
		cell_fini(&f->fact[i].cell);
	}
	free(f->fact);
}

static void table_fini(struct fw_table *t)
{
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++)
		cell_fini(&t->cells[i]);
	for (size_t i = 0; i < t->nr_columns; i++) {
		free(t->columns[i].key);
		free(t->columns[i].label);
	}
	free(t->cells);
	free(t->columns);
	free(t->key);
	free(t->title);
}

static void bars_fini(struct fw_bars *b)
{
	free(b->bar);
	free(b->key);
	free(b->title);
}

static void section_fini(struct fw_section *s)
{
	facts_fini(&s->facts);
	for (size_t i = 0; i < s->nr_tables; i++)
		table_fini(&s->tables[i]);
	for (size_t i = 0; i < s->nr_bars; i++)
		bars_fini(&s->bars[i]);
	for (size_t i = 0; i < s->nr_notes; i++)
		free(s->notes[i]);
	free(s->tables);
	free(s->bars);
	free(s->notes);
	free(s->key);
	free(s->title);
}

static void finding_fini(struct fw_finding *f)
{
	facts_fini(&f->evidence);
	if (f->offenders)
		table_fini(f->offenders);
	free(f->offenders);
	for (size_t i = 0; i < f->nr_also; i++) {
		free(f->also[i].id);
		free(f->also[i].title);
	}
	free(f->also);
	free(f->id);
	free(f->title);
	free(f->meaning);
	free(f->advice);
	free(f->confidence);
}

void fw_report_fini(struct fw_report *r)
{
	if (!r)
		return;
	facts_fini(&r->about);
	for (size_t i = 0; i < r->nr_findings; i++)
		finding_fini(&r->findings[i]);
	for (size_t i = 0; i < r->nr_sections; i++)
		section_fini(&r->sections[i]);
	free(r->findings);
	free(r->sections);
	fw_lives_free(r->lives);
	section_fini(&r->spare.section);
	table_fini(&r->spare.table);
	bars_fini(&r->spare.bars);
	finding_fini(&r->spare.finding);
	*r = (struct fw_report){ 0 };
}

/* A text without text is how a maker of cells says that memory was short. */
static struct fw_cell checked(struct fw_report *r, struct fw_cell c)
{
	if (c.kind != FW_CELL_TEXT || c.text)
		return c;
	r->failed = true;
	return fw_cell_unknown();
}

/* ---- Builders ---------------------------------------------------------------------------- */

static void add_fact(struct fw_report *r, struct fw_facts *f, const char *key, const char *label,
		     struct fw_cell cell)
{
	struct fw_fact *fact = grow(r, f->fact, f->nr, &f->cap, sizeof(*fact));

	if (!fact) {
		cell_fini(&cell);
		return;
	}
	f->fact = fact;
	f->fact[f->nr++] = (struct fw_fact){
		.key = copy(r, key),
		.label = copy(r, label),
		.cell = checked(r, cell),
	};
}

void fw_report_about(struct fw_report *r, const char *key, const char *label, struct fw_cell cell)
{
	add_fact(r, &r->about, key, label, cell);
}

struct fw_section *fw_report_section(struct fw_report *r, const char *key, const char *title)
{
	struct fw_section *s = fixed(r, r->sections, r->nr_sections, FW_REPORT_SECTIONS_MAX,
				     sizeof(*s));

	if (!s)
		return &r->spare.section;
	r->sections = s;
	s += r->nr_sections++;
	s->key = copy(r, key);
	s->title = copy(r, title);
	return s;
}

void fw_section_fact(struct fw_report *r, struct fw_section *s, const char *key, const char *label,
		     struct fw_cell cell)
{
	add_fact(r, &s->facts, key, label, cell);
}

void fw_section_note(struct fw_report *r, struct fw_section *s, const char *fmt, ...)
{
	char **notes = grow(r, s->notes, s->nr_notes, &s->cap_notes, sizeof(*notes));
	va_list ap;
	char *text;

	if (!notes)
		return;
	s->notes = notes;
	va_start(ap, fmt);
	text = format(r, fmt, ap);
	va_end(ap);
	if (text)
		s->notes[s->nr_notes++] = text;
}

static void add_columns(struct fw_report *r, struct fw_table *t, const char *const *columns)
{
	size_t n = 0;

	while (columns[n])
		n++;
	n /= 2;
	t->columns = calloc(n ? n : 1, sizeof(*t->columns));
	if (!t->columns) {
		r->failed = true;
		return;
	}
	t->nr_columns = n;
	for (size_t i = 0; i < n; i++) {
		t->columns[i].key = copy(r, columns[2 * i]);
		t->columns[i].label = copy(r, columns[2 * i + 1]);
	}
}

struct fw_table *fw_section_table(struct fw_report *r, struct fw_section *s, const char *key,
				  const char *title, const char *const *columns)
{
	struct fw_table *t = fixed(r, s->tables, s->nr_tables, FW_SECTION_TABLES_MAX, sizeof(*t));

	if (!t)
		return &r->spare.table;
	s->tables = t;
	t += s->nr_tables++;
	t->key = copy(r, key);
	t->title = copy(r, title);
	add_columns(r, t, columns);
	return t;
}

/* A table that failed has no columns, and nobody knows how many cells there are: they leak. */
void fw_table_row(struct fw_report *r, struct fw_table *t, const struct fw_cell *cells)
{
	struct fw_cell *all = NULL;

	if (t->nr_columns)
		all = grow(r, t->cells, t->nr_rows, &t->cap_rows, t->nr_columns * sizeof(*cells));
	if (all)
		t->cells = all;
	for (size_t i = 0; i < t->nr_columns; i++) {
		struct fw_cell c = i < t->nr_columns - t->nr_appended ? cells[i] :
								       fw_cell_unknown();

		if (all)
			all[t->nr_rows * t->nr_columns + i] = checked(r, c);
		else
			cell_fini(&c);
	}
	t->nr_rows += all != NULL;
}

size_t fw_table_append(struct fw_report *r, struct fw_table *t, const char *key,
		       const char *label, bool detail)
{
	struct fw_column *more = NULL;

	if (t->nr_columns && !t->nr_rows)
		more = realloc(t->columns, (t->nr_columns + 1) * sizeof(*more));
	if (!more) {
		r->failed = true;
		return SIZE_MAX;
	}
	t->columns = more;
	t->nr_appended++;
	more[t->nr_columns] = (struct fw_column){ copy(r, key), copy(r, label), detail };
	return t->nr_columns++;
}

void fw_table_set(struct fw_report *r, struct fw_table *t, size_t column, struct fw_cell cell)
{
	struct fw_cell *at;

	if (column >= t->nr_columns || !t->nr_rows) {
		cell_fini(&cell);
		return;
	}
	at = &t->cells[(t->nr_rows - 1) * t->nr_columns + column];
	cell_fini(at);
	*at = checked(r, cell);
}

struct fw_bars *fw_section_bars(struct fw_report *r, struct fw_section *s, const char *key,
				const char *title)
{
	struct fw_bars *b = fixed(r, s->bars, s->nr_bars, FW_SECTION_BARS_MAX, sizeof(*b));

	if (!b)
		return &r->spare.bars;
	s->bars = b;
	b += s->nr_bars++;
	b->key = copy(r, key);
	b->title = copy(r, title);
	return b;
}

void fw_bars_add(struct fw_report *r, struct fw_bars *b, uint64_t from_ns, uint64_t to_ns,
		 uint64_t count)
{
	struct fw_bar *bar = grow(r, b->bar, b->nr, &b->cap, sizeof(*bar));

	if (!bar)
		return;
	b->bar = bar;
	b->bar[b->nr++] = (struct fw_bar){ .from_ns = from_ns, .to_ns = to_ns, .count = count };
}

/* ---- Findings ---------------------------------------------------------------------------- */

const char *fw_severity_name(enum fw_severity severity)
{
	static const char *const names[FW_SEVERITY_MAX] = {
		[FW_SEVERITY_INFO] = "info",
		[FW_SEVERITY_WARNING] = "warning",
		[FW_SEVERITY_CRITICAL] = "critical",
	};

	return severity < FW_SEVERITY_MAX ? names[severity] : "unknown";
}

struct fw_finding *fw_report_finding(struct fw_report *r, const char *id,
				     enum fw_severity severity, uint64_t harm)
{
	struct fw_finding *f = fixed(r, r->findings, r->nr_findings, FW_REPORT_FINDINGS_MAX,
				     sizeof(*f));

	if (!f)
		return &r->spare.finding;
	r->findings = f;
	f += r->nr_findings++;
	f->id = copy(r, id);
	f->severity = severity;
	f->harm = harm;
	f->fails_in_ns = FW_FAILS_NEVER;
	return f;
}

void fw_finding_say(struct fw_report *r, char **field, const char *fmt, ...)
{
	char *former = *field;
	va_list ap;

	va_start(ap, fmt);
	*field = format(r, fmt, ap);
	va_end(ap);
	free(former); /* it may have been one of the arguments */
}

void fw_finding_evidence(struct fw_report *r, struct fw_finding *f, const char *key,
			 const char *label, struct fw_cell cell)
{
	add_fact(r, &f->evidence, key, label, cell);
}

struct fw_table *fw_finding_offenders(struct fw_report *r, struct fw_finding *f,
				      const char *const *columns)
{
	struct fw_table *t = fixed(r, NULL, f->offenders != NULL, 1, sizeof(*t));

	if (!t)
		return &r->spare.table;
	f->offenders = t;
	add_columns(r, t, columns);
	return t;
}

static int descending(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int compare(const void *a, const void *b)
{
	const struct fw_finding *x = a, *y = b;
	int c = descending(x->severity, y->severity);

	if (!c)
		c = descending(y->fails_in_ns, x->fails_in_ns);
	if (!c)
		c = descending(x->harm, y->harm);
	if (!c)
		c = strcmp(x->id ? x->id : "", y->id ? y->id : "");
	return c ? c : strcmp(x->title ? x->title : "", y->title ? y->title : "");
}

/* The finding that @f is a part of; @f itself if it is the cause, or has no story. */
static struct fw_finding *cause_of(const struct fw_report *r, struct fw_finding *f)
{
	struct fw_finding *cause = f;

	for (size_t i = 0; f->story && i < r->nr_findings; i++) {
		struct fw_finding *other = &r->findings[i];

		if (other->story != f->story || other == cause)
			continue;
		if (other->part > cause->part || (other->part == cause->part && other < cause))
			cause = other;
	}
	return cause;
}

static void move_into(struct fw_report *r, struct fw_finding *cause, struct fw_finding *f)
{
	struct fw_also *also = grow(r, cause->also, cause->nr_also, &cause->cap_also, sizeof(*also));

	/* What fails first is a part of the story, too: a proxy can run out before its upstream does. */
	if (f->severity == FW_SEVERITY_CRITICAL) {
		cause->severity = FW_SEVERITY_CRITICAL;
		if (f->fails_in_ns < cause->fails_in_ns)
			cause->fails_in_ns = f->fails_in_ns;
	}
	if (!also)
		return;
	cause->also = also;
	also[cause->nr_also++] = (struct fw_also){ f->id, f->title };
	f->id = f->title = NULL;
}

static void fold(struct fw_report *r)
{
	bool folded[FW_REPORT_FINDINGS_MAX] = { false };
	size_t nr = 0;

	for (size_t i = 0; i < r->nr_findings; i++) {
		struct fw_finding *f = &r->findings[i], *cause = cause_of(r, f);

		folded[i] = cause != f;
		if (folded[i])
			move_into(r, cause, f);
	}
	for (size_t i = 0; i < r->nr_findings; i++) {
		if (folded[i])
			finding_fini(&r->findings[i]);
		else
			r->findings[nr++] = r->findings[i];
	}
	r->nr_findings = nr;
}

void fw_report_sort(struct fw_report *r)
{
	fold(r);
	if (r->nr_findings)
		qsort(r->findings, r->nr_findings, sizeof(*r->findings), compare);
}
