// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for people, most urgent first: what is wrong and what to do, then the numbers section by
 * section.
 *
 *	finwait report
 *	span 30.0 s | connections 12,345 | events lost 0
 *
 *	FINDINGS  1 critical, 1 warning
 *
 *	!! CRITICAL close-wait-leak
 *	   java/4711 holds 412 connections ...
 *	   means: ...
 *	   try:   ...
 *
 *	TIME_WAIT
 *	  entered  12,345
 */
#include "report/render.h"

#include <string.h>

#include "report/page.h"
#include "util/fmt.h"

#define INDENT 2
#define DETAIL 3 /* below the mark of a finding */
#define BAR_MAX 50

static const struct {
	const char *mark;
	enum fw_ink ink;
} severities[FW_SEVERITY_MAX] = {
	[FW_SEVERITY_INFO] = { "-- INFO", FW_INK_CYAN },
	[FW_SEVERITY_WARNING] = { " ! WARNING", FW_INK_YELLOW },
	[FW_SEVERITY_CRITICAL] = { "!! CRITICAL", FW_INK_RED },
};

static void inked(struct fw_page *p, enum fw_ink ink, const char *text)
{
	fw_page_ink(p, ink);
	fw_buf_visible(p->out, text ? text : "", SIZE_MAX);
	fw_page_ink_off(p);
}

static void items(struct fw_page *p, size_t indent, const char *mark, const struct fw_facts *facts)
{
	struct fw_flow f;

	if (!facts->nr)
		return;
	fw_flow_begin(p, &f, indent, mark);
	for (size_t i = 0; i < facts->nr; i++)
		fw_flow_item(p, &f, facts->fact[i].label, &facts->fact[i].cell);
	fw_flow_end(p, &f);
}

/* ---- Findings ---------------------------------------------------------------------------- */

/* "2 critical, 1 warning" */
static void tally(struct fw_page *p, const struct fw_report *r)
{
	size_t nr[FW_SEVERITY_MAX] = { 0 };
	bool any = false;

	for (size_t i = 0; i < r->nr_findings; i++)
		nr[r->findings[i].severity]++;
	for (int s = FW_SEVERITY_MAX - 1; s >= 0; s--) {
		if (!nr[s])
			continue;
		fw_buf_printf(p->out, "%s%zu %s", any ? ", " : "", nr[s], fw_severity_name(s));
		if (s == FW_SEVERITY_WARNING && nr[s] > 1)
			fw_buf_putc(p->out, 's');
		any = true;
	}
	fw_buf_puts(p->out, any ? "\n" : "none\n");
}

static void finding(struct fw_page *p, const struct fw_finding *f)
{
	inked(p, severities[f->severity].ink, severities[f->severity].mark);
	fw_buf_putc(p->out, ' ');
	inked(p, FW_INK_BOLD, f->id);
	fw_buf_putc(p->out, '\n');
	fw_page_sentence(p, DETAIL, "", f->title);
	fw_page_sentence(p, DETAIL, "means: ", f->meaning);
	fw_page_sentence(p, DETAIL, "try:   ", f->advice);
	fw_page_sentence(p, DETAIL, "sure:  ", f->confidence);
	items(p, DETAIL, "facts: ", &f->evidence);
	for (size_t i = 0; i < f->nr_also; i++)
		fw_page_sentence(p, DETAIL, "also:  ", f->also[i].title);
	if (f->offenders)
		fw_page_table(p, DETAIL + INDENT, f->offenders);
	fw_buf_putc(p->out, '\n');
}

static void findings(struct fw_page *p, const struct fw_report *r)
{
	inked(p, FW_INK_BOLD, "FINDINGS");
	fw_buf_puts(p->out, "  ");
	tally(p, r);
	fw_buf_putc(p->out, '\n');
	for (size_t i = 0; i < r->nr_findings; i++)
		finding(p, &r->findings[i]);
}

/* ---- Sections ---------------------------------------------------------------------------- */

static size_t longest_label(const struct fw_facts *facts)
{
	struct fw_buf b = { 0 };
	size_t longest = 0;

	for (size_t i = 0; i < facts->nr; i++) {
		fw_buf_clear(&b);
		fw_buf_visible(&b, facts->fact[i].label ? facts->fact[i].label : "", SIZE_MAX);
		longest = b.len > longest ? b.len : longest;
	}
	fw_buf_free(&b);
	return longest;
}

static void fact_list(struct fw_page *p, const struct fw_facts *facts)
{
	size_t width = longest_label(facts) + 2;
	struct fw_buf mark = { 0 }, value = { 0 };

	if (width > p->measure / 2) {
		items(p, INDENT, "", facts);
		return;
	}
	for (size_t i = 0; i < facts->nr; i++) {
		fw_buf_clear(&mark);
		fw_buf_clear(&value);
		fw_buf_visible(&mark, facts->fact[i].label ? facts->fact[i].label : "", SIZE_MAX);
		fw_buf_pad(&mark, 0, width, 0);
		fw_page_cell(&value, &facts->fact[i].cell);
		fw_page_visible(p, INDENT, fw_buf_str(&mark), &value);
	}
	p->out->failed |= mark.failed || value.failed;
	fw_buf_free(&mark);
	fw_buf_free(&value);
}

static void title(struct fw_page *p, const char *text)
{
	fw_buf_putc(p->out, '\n');
	if (*text)
		fw_page_sentence(p, INDENT, "", text);
}

static void range(struct fw_buf *b, const struct fw_bar *bar)
{
	fw_buf_clear(b);
	if (bar->to_ns == UINT64_MAX) {
		fw_buf_puts(b, ">= ");
		fw_fmt_duration(b, bar->from_ns);
	} else if (!bar->from_ns) {
		fw_buf_puts(b, "< ");
		fw_fmt_duration(b, bar->to_ns);
	} else {
		fw_fmt_duration(b, bar->from_ns);
		fw_buf_puts(b, " - ");
		fw_fmt_duration(b, bar->to_ns);
	}
}

struct scale {
	size_t range, count, bar; /* columns of each */
	uint64_t most;
};

static struct scale scale_of(const struct fw_page *p, const struct fw_bars *bars,
			     struct fw_buf *one)
{
	struct scale s = { .most = 1 };
	size_t used;

	for (size_t i = 0; i < bars->nr; i++) {
		range(one, &bars->bar[i]);
		s.range = one->len > s.range ? one->len : s.range;
		s.most = bars->bar[i].count > s.most ? bars->bar[i].count : s.most;
	}
	fw_buf_clear(one);
	fw_fmt_count(one, s.most);
	s.count = one->len;
	used = 2 * INDENT + s.range + 2 + s.count + 2;
	s.bar = p->measure > used + 10 ? p->measure - used : 10;
	s.bar = s.bar < BAR_MAX ? s.bar : BAR_MAX;
	return s;
}

/* Something is more than nothing: at least one '#'. */
static size_t bar_len(const struct scale *s, uint64_t count)
{
	size_t n = (size_t)((double)count / (double)s->most * (double)s->bar + 0.5);

	return count && !n ? 1 : n;
}

static void one_bar(struct fw_page *p, const struct scale *s, const struct fw_bar *bar,
		    struct fw_buf *one)
{
	size_t n = bar_len(s, bar->count);

	range(one, bar);
	fw_page_indent(p, 2 * INDENT + s->range - one->len);
	fw_buf_mem(p->out, one->data, one->len);
	fw_buf_clear(one);
	fw_fmt_count(one, bar->count);
	fw_page_indent(p, 2 + s->count - one->len);
	fw_buf_mem(p->out, one->data, one->len);
	fw_page_indent(p, n ? 2 : 0);
	while (n--)
		fw_buf_putc(p->out, '#');
	fw_buf_putc(p->out, '\n');
}

static void bars(struct fw_page *p, const struct fw_bars *b)
{
	struct fw_buf one = { 0 };
	struct scale s;

	title(p, b->title ? b->title : "");
	s = scale_of(p, b, &one);
	for (size_t i = 0; i < b->nr && !one.failed; i++)
		one_bar(p, &s, &b->bar[i], &one);
	if (!b->nr) {
		fw_page_indent(p, 2 * INDENT);
		fw_buf_puts(p->out, "(none)\n");
	}
	p->out->failed |= one.failed;
	fw_buf_free(&one);
}

static void section(struct fw_page *p, const struct fw_section *s)
{
	inked(p, FW_INK_BOLD, s->title);
	fw_buf_putc(p->out, '\n');
	if (!s->facts.nr && !s->nr_bars && !s->nr_tables && !s->nr_notes)
		fw_page_sentence(p, INDENT, "", "(nothing was seen)");
	fact_list(p, &s->facts);
	for (size_t i = 0; i < s->nr_bars; i++)
		bars(p, &s->bars[i]);
	for (size_t i = 0; i < s->nr_tables; i++) {
		title(p, s->tables[i].title ? s->tables[i].title : "");
		fw_page_table(p, 2 * INDENT, &s->tables[i]);
	}
	if (s->nr_notes && (s->nr_bars || s->nr_tables))
		fw_buf_putc(p->out, '\n');
	for (size_t i = 0; i < s->nr_notes; i++)
		fw_page_sentence(p, INDENT, "* ", s->notes[i]);
	fw_buf_putc(p->out, '\n');
}

static void incomplete(struct fw_page *p)
{
	fw_page_ink(p, FW_INK_RED);
	fw_page_sentence(p, 0, "NOT COMPLETE: ",
			 "finwait had not enough memory for this report. Something is missing "
			 "below.");
	fw_page_ink_off(p);
	fw_buf_putc(p->out, '\n');
}

static void about(struct fw_page *p, const struct fw_report *r)
{
	inked(p, FW_INK_BOLD, r->title ? r->title : "finwait report");
	fw_buf_putc(p->out, '\n');
	items(p, 0, "", &r->about);
	fw_buf_putc(p->out, '\n');
}

void fw_report_text(const struct fw_report *r, struct fw_buf *out, unsigned int columns, bool color)
{
	struct fw_page p;

	fw_page_init(&p, out, columns, color);
	if (r->about.nr)
		about(&p, r);
	if (r->failed)
		incomplete(&p);
	/* A look that finds nothing says so in its own words. */
	if (r->about.nr || r->nr_findings)
		findings(&p, r);
	for (size_t i = 0; i < r->nr_sections; i++) {
		if (!r->sections[i].detail)
			section(&p, &r->sections[i]);
	}
}
