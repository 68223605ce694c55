/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results as data: what analyses fill in and renderers walk. An analysis knows no format, a
 * renderer knows no TCP. Keys are the names of the JSON contract; labels and titles are for people.
 *
 *	report
 *	  finding ...	what is wrong, the evidence, what to do
 *	  section ...	facts (one value each), tables, histograms, notes
 *
 * All strings that a report is given are copied; everything is freed with it. An empty report is
 * all zero. What a builder returns stays where it is until fw_report_sort() or fw_report_fini():
 * the arrays have a fixed size, because analyses hold on to several tables at once.
 */
#ifndef FW_REPORT_REPORT_H
#define FW_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fw_hist;
struct fw_lives;

#define FW_REPORT_SECTIONS_MAX 32
#define FW_REPORT_FINDINGS_MAX 256
#define FW_SECTION_TABLES_MAX 8
#define FW_SECTION_BARS_MAX 8

enum fw_cell_kind {
	FW_CELL_UNKNOWN, /* text "-", JSON: the key is absent */
	FW_CELL_COUNT,
	/* A number that is a name: a process, a namespace. With .text a person reads that instead, and
	 * JSON has it too: key suffix _name.
	 */
	FW_CELL_ID,
	FW_CELL_DURATION, /* ns; JSON key gets the suffix _ns */
	FW_CELL_BYTES,	  /* JSON key suffix _bytes */
	FW_CELL_RATE,	  /* per second; JSON key suffix _per_s */
	FW_CELL_PERCENT,  /* 0 to 100; JSON key suffix _pct */
	FW_CELL_BOOL,
	FW_CELL_TEXT, /* may hold anything, even escape sequences: made visible by the renderer */
	FW_CELL_MAX,
};

struct fw_cell {
	enum fw_cell_kind kind;
	bool at_least; /* a lower bound: text ">= ", JSON key suffix _min */
	uint64_t u;    /* COUNT, ID, DURATION, BYTES, BOOL */
	double d;      /* RATE, PERCENT */
	char *text;    /* TEXT, ID; owned by the report once it is in it */
};

struct fw_fact {
	char *key, *label;
	struct fw_cell cell;
};

struct fw_facts {
	struct fw_fact *fact;
	size_t nr, cap;
};

struct fw_column {
	char *key, *label;
	bool detail; /* for programs: text leaves it out */
};

struct fw_table {
	char *key, *title;
	struct fw_column *columns;
	size_t nr_columns;
	size_t nr_appended; /* of them the last: see fw_table_append() */
	struct fw_cell *cells; /* row after row */
	size_t nr_rows, cap_rows;
	size_t nr_more; /* rows left out by --top; JSON: <key>_more */
};

struct fw_bar {
	uint64_t from_ns, to_ns; /* to_ns is not in it; UINT64_MAX: no upper end */
	uint64_t count;
};

/* Bars over durations. */
struct fw_bars {
	char *key, *title;
	struct fw_bar *bar;
	size_t nr, cap;
};

struct fw_section {
	char *key, *title;
	struct fw_facts facts;
	struct fw_table *tables;
	size_t nr_tables;
	struct fw_bars *bars;
	size_t nr_bars;
	char **notes; /* sentences: what the numbers mean, what is not known */
	size_t nr_notes, cap_notes;
	bool detail; /* numbers for programs and pictures: text leaves them out */
};

enum fw_severity {
	FW_SEVERITY_INFO,     /* worth knowing */
	FW_SEVERITY_WARNING,  /* wrong, not urgent */
	FW_SEVERITY_CRITICAL, /* something fails now, or will within the hour */
	FW_SEVERITY_MAX,
};

/*
 * The same connections can be the subject of several findings: what one process does not close is a
 * stall of the process at the other end. Such findings have the same story, and only the cause stays a
 * finding of its own; fw_report_sort() moves the others into its .also.
 */
enum fw_part {
	FW_PART_EFFECT, /* it waits for what another one does */
	FW_PART_WAITER, /* as FW_PART_EFFECT, but closer to the cause: it waits for a peer elsewhere */
	FW_PART_CAUSE,
	FW_PART_ROOT,   /* what keeps a cause from acting */
};

/* A finding that was moved into another one. */
struct fw_also {
	char *id, *title;
};

#define FW_FAILS_NEVER UINT64_MAX /* or it is not known when */

struct fw_finding {
	char *id; /* stable: "close-wait-leak" */
	enum fw_severity severity;
	/* Findings of one severity: those that fail first come first, then those with more harm. */
	uint64_t fails_in_ns; /* until calls fail; 0: they fail now */
	uint64_t harm;
	uint32_t story; /* 0: none */
	enum fw_part part;
	struct fw_also *also;
	size_t nr_also, cap_also;
	char *title;	  /* one line with culprit and numbers */
	struct fw_facts evidence;
	struct fw_table *offenders; /* NULL: none */
	char *meaning;	  /* one sentence */
	char *advice;	  /* one sentence */
	char *confidence; /* how sure we are: what was not seen; NULL: nothing is missing */
};

struct fw_report {
	const char *title;     /* of text, static; NULL: "finwait report" */
	struct fw_facts about; /* source, span, hooks, counts, own cost */
	struct fw_finding *findings;
	size_t nr_findings;
	struct fw_section *sections;
	size_t nr_sections;
	struct fw_lives *lives; /* connections one by one (report/lives.h); NULL: not asked for */
	bool failed; /* no memory, or more than there is room for: the report is not complete */
	/* What builders return when they have failed. Not shown. */
	struct {
		struct fw_section section;
		struct fw_table table;
		struct fw_bars bars;
		struct fw_finding finding;
	} spare;
};

const char *fw_severity_name(enum fw_severity severity); /* "info", "warning", "critical" */

struct fw_cell fw_cell_unknown(void);
struct fw_cell fw_cell_count(uint64_t n);
struct fw_cell fw_cell_id(uint64_t id);
/* Copies @name; NULL: it has none. */
struct fw_cell fw_cell_named(uint64_t id, const char *name);
struct fw_cell fw_cell_duration(uint64_t ns);
struct fw_cell fw_cell_bytes(uint64_t n);
struct fw_cell fw_cell_rate(double per_s);
struct fw_cell fw_cell_percent(double pct);
struct fw_cell fw_cell_bool(bool b);
/* Copies @text, at most @max bytes of it (SIZE_MAX: all). NULL: unknown. */
struct fw_cell fw_cell_text(const char *text, size_t max);
struct fw_cell fw_cell_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct fw_cell fw_cell_at_least(struct fw_cell cell);

/* The builders take over their cells. When memory is short they set report->failed and go on with
 * something harmless, so callers need not check; nothing that they return is NULL.
 */
void fw_report_fini(struct fw_report *r);
void fw_report_about(struct fw_report *r, const char *key, const char *label, struct fw_cell cell);
struct fw_section *fw_report_section(struct fw_report *r, const char *key, const char *title);
void fw_section_fact(struct fw_report *r, struct fw_section *s, const char *key, const char *label,
		     struct fw_cell cell);
void fw_section_note(struct fw_report *r, struct fw_section *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* @columns: "key", "label", ..., NULL. */
struct fw_table *fw_section_table(struct fw_report *r, struct fw_section *s, const char *key,
				  const char *title, const char *const *columns);
/* A row of as many cells as there are columns. Rows left out: t->nr_more. */
void fw_table_row(struct fw_report *r, struct fw_table *t, const struct fw_cell *cells);
/* One column more, before the first row. fw_table_row() does not give its cells: they are unknown
 * until fw_table_set() sets those of the last row. Returns its place, to name it by.
 */
size_t fw_table_append(struct fw_report *r, struct fw_table *t, const char *key,
		       const char *label, bool detail);
void fw_table_set(struct fw_report *r, struct fw_table *t, size_t column, struct fw_cell cell);
struct fw_bars *fw_section_bars(struct fw_report *r, struct fw_section *s, const char *key,
				const char *title);
void fw_bars_add(struct fw_report *r, struct fw_bars *b, uint64_t from_ns, uint64_t to_ns,
		 uint64_t count);
/* At most @max (2 or more) bars that show @h, between round numbers: even steps when the values are
 * close to each other (60.0 s, 60.2 s, ...), 1-2-5 steps or decades when not (1 ms, 10 ms, ...).
 */
void fw_bars_hist(struct fw_report *r, struct fw_bars *b, const struct fw_hist *h, size_t max);
struct fw_finding *fw_report_finding(struct fw_report *r, const char *id,
				     enum fw_severity severity, uint64_t harm);
/* Sets title, meaning, advice or confidence: @field is one of them. What was there is replaced. */
void fw_finding_say(struct fw_report *r, char **field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void fw_finding_evidence(struct fw_report *r, struct fw_finding *f, const char *key,
			 const char *label, struct fw_cell cell);
struct fw_table *fw_finding_offenders(struct fw_report *r, struct fw_finding *f,
				      const char *const *columns);
/* Folds findings of one story into their cause, and sorts: worst first. After the last finding, before
 * rendering.
 */
void fw_report_sort(struct fw_report *r);

#endif
