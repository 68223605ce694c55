// SPDX-License-Identifier: GPL-2.0-only
/* Proves that builders copy, order and survive, and that bars stand between round numbers. */
#include "report_sample.h"

#include <stdio.h>
#include <string.h>

#include "report/render.h"
#include "util/hist.h"

static void everything_is_copied(void **state)
{
	char text[] = "java", key[] = "process";
	const char *columns[] = { key, key, NULL };
	struct fw_report r = { 0 };
	struct fw_section *s = fw_report_section(&r, key, text);
	struct fw_table *t = fw_section_table(&r, s, key, text, columns);
	struct fw_finding *f = fw_report_finding(&r, key, FW_SEVERITY_INFO, 1);

	(void)state;
	fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_text(text, 2) });
	fw_section_note(&r, s, "%s", text);
	fw_finding_say(&r, &f->title, "%s", text);
	memset(text, 'x', 4);
	memset(key, 'x', 7);
	assert_string_equal(s->key, "process");
	assert_string_equal(t->columns[0].key, "process");
	assert_string_equal(t->cells[0].text, "ja");
	assert_string_equal(s->notes[0], "java");
	assert_string_equal(f->id, "process");
	fw_finding_say(&r, &f->title, "%s and %s", f->title, f->title);
	assert_string_equal(f->title, "java and java");
	assert_false(r.failed);
	fw_report_fini(&r);
	fw_report_fini(&r);
	fw_report_fini(NULL);
}

static void not_known_is_not_zero(void **state)
{
	(void)state;
	assert_int_equal(fw_cell_text(NULL, 3).kind, FW_CELL_UNKNOWN);
	assert_int_equal(fw_cell_rate(0.0 / (0 * 1.0)).kind, FW_CELL_UNKNOWN);
	assert_int_equal(fw_cell_percent(1 / (0 * 1.0)).kind, FW_CELL_UNKNOWN);
	assert_int_equal(fw_cell_rate(0).kind, FW_CELL_RATE);
	assert_true(fw_cell_at_least(fw_cell_count(1)).at_least);
}

/* Analyses hold on to what they were given while they and others go on building. */
static void pointers_stay(void **state)
{
	static const char *const columns[] = { "n", "n", NULL };
	struct fw_report r = { 0 };
	struct fw_section *first = fw_report_section(&r, "first", "First");
	struct fw_table *t = fw_section_table(&r, first, "t", "T", columns);
	struct fw_bars *b = fw_section_bars(&r, first, "b", "B");

	(void)state;
	for (size_t i = 1; i < FW_REPORT_SECTIONS_MAX; i++)
		fw_report_section(&r, "more", "More");
	for (size_t i = 1; i < FW_SECTION_TABLES_MAX; i++)
		fw_section_table(&r, first, "more", "More", columns);
	for (uint64_t i = 0; i < 1000; i++) {
		fw_table_row(&r, t, (struct fw_cell[]){ fw_cell_count(i) });
		fw_bars_add(&r, b, i, i + 1, i);
		fw_section_note(&r, first, "%d", (int)i);
		fw_section_fact(&r, first, "k", "l", fw_cell_count(i));
	}
	assert_false(r.failed);
	assert_int_equal(r.sections[0].tables[0].nr_rows, 1000);
	assert_int_equal(r.sections[0].tables[0].cells[999].u, 999);
	assert_int_equal(r.sections[0].bars[0].bar[999].to_ns, 1000);
	assert_string_equal(r.sections[0].notes[999], "999");
	assert_int_equal(r.sections[0].facts.fact[999].cell.u, 999);
	fw_report_fini(&r);
}

/* More than there is room for: said, and harmless. */
static void too_much(void **state)
{
	static const char *const columns[] = { "n", "n", NULL };
	struct fw_report r = { 0 };
	struct fw_section *s = NULL;
	struct fw_finding *f = NULL;

	(void)state;
	for (size_t i = 0; i <= FW_REPORT_SECTIONS_MAX; i++)
		s = fw_report_section(&r, "s", "S");
	assert_true(r.failed);
	assert_int_equal(r.nr_sections, FW_REPORT_SECTIONS_MAX);
	fw_section_fact(&r, s, "k", "l", fw_cell_text("text", SIZE_MAX));
	fw_section_note(&r, s, "note");
	for (size_t i = 0; i <= FW_SECTION_TABLES_MAX; i++) {
		fw_table_row(&r, fw_section_table(&r, s, "t", "T", columns),
			     (struct fw_cell[]){ fw_cell_count(1) });
		fw_bars_add(&r, fw_section_bars(&r, s, "b", "B"), 0, 1, 1);
	}
	for (size_t i = 0; i <= FW_REPORT_FINDINGS_MAX; i++)
		f = fw_report_finding(&r, "f", FW_SEVERITY_INFO, i);
	assert_int_equal(r.nr_findings, FW_REPORT_FINDINGS_MAX);
	for (int i = 0; i < 2; i++) {
		fw_finding_say(&r, &f->title, "title");
		fw_finding_evidence(&r, f, "k", "l", fw_cell_text("text", SIZE_MAX));
		fw_table_row(&r, fw_finding_offenders(&r, f, columns),
			     (struct fw_cell[]){ fw_cell_count(1) });
	}
	fw_report_fini(&r);
}

static void memory_short_for_a_cell(void **state)
{
	struct fw_report r = { 0 };

	(void)state;
	fw_report_about(&r, "k", "l", (struct fw_cell){ .kind = FW_CELL_TEXT });
	assert_true(r.failed);
	assert_int_equal(r.about.fact[0].cell.kind, FW_CELL_UNKNOWN);
	fw_report_fini(&r);
}

static void worst_first(void **state)
{
	static const struct {
		const char *id;
		enum fw_severity severity;
		uint64_t harm;
	} cases[] = {
		{ "e", FW_SEVERITY_INFO, 1ULL << 63 }, { "b", FW_SEVERITY_CRITICAL, 1 },
		{ "d", FW_SEVERITY_WARNING, 5 },       { "a", FW_SEVERITY_CRITICAL, 1ULL << 40 },
		{ "c", FW_SEVERITY_WARNING, 5 },
	};
	struct fw_report r = { 0 };

	(void)state;
	fw_report_sort(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		fw_report_finding(&r, cases[i].id, cases[i].severity, cases[i].harm);
	fw_report_sort(&r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(r.findings[i].id[0], 'a' + (int)i);
	assert_string_equal(fw_severity_name(r.findings[0].severity), "critical");
	assert_string_equal(fw_severity_name(FW_SEVERITY_MAX), "unknown");
	fw_report_fini(&r);
}

/* "60 61:5 ": edges in @unit and counts. Whatever the edges, nothing is left out. */
static void expect_bars(struct fw_hist *h, size_t most, uint64_t unit, const char *want)
{
	struct fw_report r = { 0 };
	struct fw_bars *b = fw_section_bars(&r, fw_report_section(&r, "s", "S"), "b", "B");
	struct fw_buf got = { 0 };
	uint64_t sum = 0;

	fw_bars_hist(&r, b, h, most);
	assert_true(b->nr <= most);
	for (size_t i = 0; i < b->nr; i++) {
		fw_buf_printf(&got, "%llu", (unsigned long long)(b->bar[i].from_ns / unit));
		fw_buf_printf(&got, ":%llu ", (unsigned long long)b->bar[i].count);
		sum += b->bar[i].count;
		assert_true(!i || b->bar[i].from_ns == b->bar[i - 1].to_ns);
	}
	if (b->nr && b->bar[b->nr - 1].to_ns != UINT64_MAX)
		fw_buf_printf(&got, "%llu", (unsigned long long)(b->bar[b->nr - 1].to_ns / unit));
	assert_int_equal(sum, most > 1 ? h->count : 0);
	if (want)
		assert_string_equal(fw_buf_str(&got), want);
	fw_buf_free(&got);
	fw_report_fini(&r);
}

static void round_numbers(void **state)
{
	static struct fw_hist h;

	(void)state;
	expect_bars(&h, 10, 1, "");
	fw_hist_record(&h, 60100 * FW_NS_PER_MS);
	expect_bars(&h, 10, FW_NS_PER_MS, "60100:1 60200");
	for (unsigned int ms = 0; ms < 2000; ms++)
		fw_hist_record(&h, (60000 + ms) * FW_NS_PER_MS);
	expect_bars(&h, 3, FW_NS_PER_S, "60:1001 61:1000 62");
	expect_bars(&h, 12, FW_NS_PER_MS, NULL);
	expect_bars(&h, 1, 1, "");
	fw_hist_record(&h, 300 * FW_NS_PER_MS);
	expect_bars(&h, 12, FW_NS_PER_MS, "200:1 500:0 1000:0 2000:0 5000:0 10000:0 20000:0 "
					  "30000:67 60000:1934 120000"); /* 60 s is in a bucket */
	expect_bars(&h, 4, FW_NS_PER_MS, "100:1 1000:0 10000:67 60000:1934 600000");
	fw_hist_record(&h, 0);
	fw_hist_record(&h, UINT64_MAX);
	for (size_t most = 2; most < 60; most++)
		expect_bars(&h, most, 1, NULL);
}

static void extremes(void **state)
{
	static const uint64_t values[] = { 0, 1, 9999, 10000, 3600 * FW_NS_PER_S, UINT64_MAX / 2,
					   UINT64_MAX };
	static struct fw_hist h;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		memset(&h, 0, sizeof(h));
		fw_hist_record(&h, values[i]);
		for (size_t most = 2; most < 30; most++)
			expect_bars(&h, most, 1, NULL);
		fw_hist_record(&h, values[i] / 3);
		expect_bars(&h, 2, 1, NULL);
		expect_bars(&h, 20, 1, NULL);
	}
}

static struct fw_finding *told(struct fw_report *r, const char *id, uint32_t story, enum fw_part part,
			       enum fw_severity severity)
{
	struct fw_finding *f = fw_report_finding(r, id, severity, 1);

	fw_finding_say(r, &f->title, "title of %s", id);
	f->story = story;
	f->part = part;
	return f;
}

/* The cause stays, with what it explains; what has no cause stays for itself. */
static void one_story_is_one_finding(void **state)
{
	struct fw_report r = { 0 };
	struct fw_buf b = { 0 };

	(void)state;
	told(&r, "proxy", 1, FW_PART_EFFECT, FW_SEVERITY_WARNING);
	told(&r, "stall", 1, FW_PART_WAITER, FW_SEVERITY_WARNING);
	told(&r, "leak", 1, FW_PART_CAUSE, FW_SEVERITY_INFO);
	told(&r, "other", 2, FW_PART_EFFECT, FW_SEVERITY_INFO);
	told(&r, "none", 0, FW_PART_EFFECT, FW_SEVERITY_INFO);
	told(&r, "nothing", 0, FW_PART_EFFECT, FW_SEVERITY_INFO);
	fw_report_sort(&r);
	assert_int_equal(r.nr_findings, 4);
	for (size_t i = 0; i < r.nr_findings; i++)
		assert_int_equal(r.findings[i].nr_also, strcmp(r.findings[i].id, "leak") ? 0 : 2);
	fw_report_json(&r, &b);
	assert_non_null(strstr(fw_buf_str(&b), "\"id\":\"leak\",\"severity\":\"info\",\"title\":\"title of leak\","
			       "\"also\":[{\"id\":\"proxy\",\"title\":\"title of proxy\"},"
			       "{\"id\":\"stall\",\"title\":\"title of stall\"}]"));
	fw_buf_clear(&b);
	fw_report_text(&r, &b, 100, false);
	assert_non_null(strstr(fw_buf_str(&b), "also:  title of stall\n"));
	fw_buf_free(&b);
	fw_report_fini(&r);
}

/* Among findings of one severity, what fails first; a story is as urgent as its most urgent part. */
static void what_fails_first_comes_first(void **state)
{
	struct fw_report r = { 0 };
	struct fw_finding *f;

	(void)state;
	told(&r, "never", 0, FW_PART_EFFECT, FW_SEVERITY_CRITICAL)->harm = UINT64_MAX;
	f = told(&r, "cause", 1, FW_PART_CAUSE, FW_SEVERITY_WARNING);
	f->fails_in_ns = 9000;
	told(&r, "soon", 0, FW_PART_EFFECT, FW_SEVERITY_CRITICAL)->fails_in_ns = 50;
	told(&r, "effect", 1, FW_PART_EFFECT, FW_SEVERITY_CRITICAL)->fails_in_ns = 7;
	told(&r, "now", 0, FW_PART_EFFECT, FW_SEVERITY_CRITICAL)->fails_in_ns = 0;
	fw_report_sort(&r);
	assert_int_equal(r.nr_findings, 4);
	assert_string_equal(r.findings[0].id, "now");
	assert_string_equal(r.findings[1].id, "cause");
	assert_int_equal(r.findings[1].fails_in_ns, 7);
	assert_string_equal(r.findings[2].id, "soon");
	assert_string_equal(r.findings[3].id, "never");
	fw_report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_copied),
		cmocka_unit_test(not_known_is_not_zero),
		cmocka_unit_test(pointers_stay),
		cmocka_unit_test(too_much),
		cmocka_unit_test(memory_short_for_a_cell),
		cmocka_unit_test(worst_first),
		cmocka_unit_test(one_story_is_one_finding),
		cmocka_unit_test(what_fails_first_comes_first),
		cmocka_unit_test(round_numbers),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
