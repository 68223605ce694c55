// SPDX-License-Identifier: GPL-2.0-only
#include "report/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fw_severity_name(enum fw_severity severity)
{
	static const char *const names[FW_SEVERITY_MAX] = { "info", "warning", "critical" };

	return severity < FW_SEVERITY_MAX ? names[severity] : "unknown";
}

struct fw_cell fw_cell_unknown(void)
{
	return (struct fw_cell){ .kind = FW_CELL_UNKNOWN };
}

struct fw_cell fw_cell_count(uint64_t n)
{
	return (struct fw_cell){ .kind = FW_CELL_COUNT, .u = n };
}

struct fw_cell fw_cell_duration(uint64_t ns)
{
	return (struct fw_cell){ .kind = FW_CELL_DURATION, .u = ns };
}

struct fw_cell fw_cell_bytes(uint64_t n)
{
	return (struct fw_cell){ .kind = FW_CELL_BYTES, .u = n };
}

struct fw_cell fw_cell_rate(double per_s)
{
	return (struct fw_cell){ .kind = FW_CELL_RATE, .d = per_s };
}

struct fw_cell fw_cell_percent(double pct)
{
	return (struct fw_cell){ .kind = FW_CELL_PERCENT, .d = pct };
}

struct fw_cell fw_cell_bool(bool b)
{
	return (struct fw_cell){ .kind = FW_CELL_BOOL, .u = b };
}

struct fw_cell fw_cell_text(const char *text, size_t max)
{
	struct fw_cell cell = { .kind = FW_CELL_TEXT };

	cell.text = text ? strndup(text, max) : NULL;
	return cell.text ? cell : fw_cell_unknown();
}

struct fw_cell fw_cell_printf(const char *fmt, ...)
{
	struct fw_cell cell = { .kind = FW_CELL_TEXT };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&cell.text, fmt, ap) < 0)
		cell = fw_cell_unknown();
	va_end(ap);
	return cell;
}

struct fw_cell fw_cell_at_least(struct fw_cell cell)
{
	cell.at_least = true;
	return cell;
}

static void cell_fini(struct fw_cell *cell)
{
	if (cell->kind == FW_CELL_TEXT)
		free(cell->text);
}

/* One more zeroed element at the end of *@array, or NULL with the failure noted. */
static void *append(struct fw_report *r, void **array, size_t *nr, size_t size)
{
	/* Doubles at powers of two, so no capacity need be kept. */
	if (!(*nr & (*nr - 1))) {
		void *more = realloc(*array, (*nr ? *nr * 2 : 1) * size);

		if (!more) {
			r->failed = true;
			return NULL;
		}
		*array = more;
	}
	return memset((char *)*array + (*nr)++ * size, 0, size);
}

static char *copy(struct fw_report *r, const char *s)
{
	char *mine = strdup(s);

	r->failed |= !mine;
	return mine;
}

static void add_fact(struct fw_report *r, struct fw_facts *facts, const char *key,
		     const char *label, struct fw_cell cell)
{
	struct fw_fact *fact = append(r, (void **)&facts->fact, &facts->nr, sizeof(*fact));

	if (!fact) {
		cell_fini(&cell);
		return;
	}
	*fact = (struct fw_fact){ copy(r, key), copy(r, label), cell };
}

static void facts_fini(struct fw_facts *facts)
{
	for (size_t i = 0; i < facts->nr; i++) {
		free(facts->fact[i].key);
		free(facts->fact[i].label);
		cell_fini(&facts->fact[i].cell);
	}
	free(facts->fact);
}

static void table_fini(struct fw_table *t)
{
	for (size_t i = 0; i < t->nr_columns; i++) {
		free(t->columns[i].key);
		free(t->columns[i].label);
	}
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++)
		cell_fini(&t->cells[i]);
	free(t->columns);
	free(t->cells);
	free(t->key);
	free(t->title);
}

static void section_fini(struct fw_section *s)
{
	for (size_t i = 0; i < s->nr_tables; i++) {
		table_fini(s->tables[i]);
		free(s->tables[i]);
	}
	for (size_t i = 0; i < s->nr_notes; i++)
		free(s->notes[i]);
	facts_fini(&s->facts);
	free(s->tables);
	free(s->notes);
	free(s->key);
	free(s->title);
	free(s);
}

static void finding_fini(struct fw_finding *f)
{
	facts_fini(&f->evidence);
	free(f->id);
	free(f->title);
	free(f->meaning);
	free(f->advice);
	free(f->confidence);
	free(f);
}

void fw_report_fini(struct fw_report *r)
{
	for (size_t i = 0; i < r->nr_sections; i++)
		section_fini(r->sections[i]);
	for (size_t i = 0; i < r->nr_findings; i++)
		finding_fini(r->findings[i]);
	facts_fini(&r->about);
	free(r->sections);
	free(r->findings);
	*r = (struct fw_report){ 0 };
}

void fw_report_about(struct fw_report *r, const char *key, const char *label, struct fw_cell cell)
{
	add_fact(r, &r->about, key, label, cell);
}

/* A zeroed object whose address stays, and that *@array will hold; NULL: no memory. */
static void *append_object(struct fw_report *r, void ***array, size_t *nr, size_t size)
{
	void *object = calloc(1, size), **slot;

	slot = object ? append(r, (void **)array, nr, sizeof(*slot)) : NULL;
	if (!slot) {
		r->failed = true;
		free(object);
		return NULL;
	}
	*slot = object;
	return object;
}

struct fw_section *fw_report_section(struct fw_report *r, const char *key, const char *title)
{
	struct fw_section *s = append_object(r, (void ***)&r->sections, &r->nr_sections, sizeof(*s));

	if (!s)
		return NULL;
	s->key = copy(r, key);
	s->title = copy(r, title);
	return s;
}

void fw_section_fact(struct fw_report *r, struct fw_section *s, const char *key, const char *label,
		     struct fw_cell cell)
{
	if (s)
		add_fact(r, &s->facts, key, label, cell);
	else
		cell_fini(&cell);
}

void fw_section_note(struct fw_report *r, struct fw_section *s, const char *fmt, ...)
{
	char **note = s ? append(r, (void **)&s->notes, &s->nr_notes, sizeof(*note)) : NULL;
	va_list ap;

	if (!note)
		return;
	va_start(ap, fmt);
	if (vasprintf(note, fmt, ap) < 0)
		*note = NULL;
	va_end(ap);
	r->failed |= !*note;
}

struct fw_table *fw_section_table(struct fw_report *r, struct fw_section *s, const char *key,
				  const char *title, const char *const *columns)
{
	struct fw_table *t;

	if (!s)
		return NULL;
	t = append_object(r, (void ***)&s->tables, &s->nr_tables, sizeof(*t));
	if (!t)
		return NULL;
	t->key = copy(r, key);
	t->title = copy(r, title);
	for (; columns[0]; columns += 2) {
		struct fw_column *column = append(r, (void **)&t->columns, &t->nr_columns,
						  sizeof(*column));

		if (column)
			*column = (struct fw_column){ copy(r, columns[0]), copy(r, columns[1]) };
	}
	return t;
}

void fw_table_row(struct fw_report *r, struct fw_table *t, struct fw_cell *cells, size_t nr)
{
	size_t used = t ? t->nr_rows * t->nr_columns : 0;
	struct fw_cell *more = NULL;

	if (t && nr == t->nr_columns) {
		more = t->cells;
		if (t->nr_rows == t->cap_rows) {
			size_t cap = t->cap_rows ? t->cap_rows * 2 : 16;

			more = realloc(t->cells, cap * nr * sizeof(*more));
			if (more) {
				t->cells = more;
				t->cap_rows = cap;
			}
		}
	}
	if (!more) {
		r->failed = true;
		for (size_t i = 0; i < nr; i++)
			cell_fini(&cells[i]);
		return;
	}
	memcpy(&t->cells[used], cells, nr * sizeof(*cells));
	t->nr_rows++;
}

struct fw_finding *fw_report_finding(struct fw_report *r, const char *id,
				     enum fw_severity severity, uint64_t harm)
{
	struct fw_finding *f = append_object(r, (void ***)&r->findings, &r->nr_findings, sizeof(*f));

	if (!f)
		return NULL;
	f->id = copy(r, id);
	f->severity = severity;
	f->harm = harm;
	return f;
}

static char **finding_field(struct fw_finding *f, enum fw_finding_part part)
{
	char **const fields[FW_FINDING_PART_MAX] = {
		[FW_FINDING_TITLE] = &f->title,
		[FW_FINDING_MEANING] = &f->meaning,
		[FW_FINDING_ADVICE] = &f->advice,
		[FW_FINDING_CONFIDENCE] = &f->confidence,
	};

	return fields[part];
}

void fw_finding_say(struct fw_report *r, struct fw_finding *f, enum fw_finding_part part,
		    const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	r->failed |= !text;
	free(*finding_field(f, part));
	*finding_field(f, part) = text;
}

void fw_finding_evidence(struct fw_report *r, struct fw_finding *f, const char *key,
			 const char *label, struct fw_cell cell)
{
	if (f)
		add_fact(r, &f->evidence, key, label, cell);
	else
		cell_fini(&cell);
}

static int worse_first(const void *a, const void *b)
{
	const struct fw_finding *x = *(struct fw_finding *const *)a;
	const struct fw_finding *y = *(struct fw_finding *const *)b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	if (x->harm != y->harm)
		return x->harm < y->harm ? 1 : -1;
	return strcmp(x->title ? x->title : "", y->title ? y->title : "");
}

void fw_report_sort(struct fw_report *r)
{
	if (r->nr_findings)
		qsort(r->findings, r->nr_findings, sizeof(*r->findings), worse_first);
}
