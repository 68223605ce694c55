// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that whatever number a report shows to people is in its JSON too: that every cell is there under
 * its key, that no key hides another one, and that no word with a digit is in the text that is not in a
 * string of the JSON, or is not what one of its numbers looks like.
 */
#include "story.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

/* ---- Every cell under its key ------------------------------------------------------------ */

static const char *suffix_of(const struct fw_cell *c)
{
	switch (c->kind) {
	case FW_CELL_DURATION:
		return "_ns";
	case FW_CELL_BYTES:
		return "_bytes";
	case FW_CELL_RATE:
		return "_per_s";
	case FW_CELL_PERCENT:
		return "_pct";
	default:
		return "";
	}
}

static void expect_cell(const char *json, const char *key, const struct fw_cell *c)
{
	struct fw_buf b = { 0 };

	if (c->kind == FW_CELL_UNKNOWN || c->kind == FW_CELL_TEXT || c->kind == FW_CELL_BOOL)
		return;
	fw_buf_printf(&b, "\"%s%s%s\":", key, suffix_of(c), c->at_least ? "_min" : "");
	if (c->kind == FW_CELL_RATE || c->kind == FW_CELL_PERCENT)
		fw_buf_printf(&b, "%.10g", c->d);
	else
		fw_buf_u64(&b, c->u);
	if (!strstr(json, fw_buf_str(&b)))
		fail_msg("not in the JSON: %s", fw_buf_str(&b));
	fw_buf_free(&b);
}

static void expect_facts(const char *json, const struct fw_facts *f)
{
	for (size_t i = 0; i < f->nr; i++)
		expect_cell(json, f->fact[i].key, &f->fact[i].cell);
}

static void expect_table(const char *json, const struct fw_table *t)
{
	for (size_t i = 0; i < t->nr_rows * t->nr_columns; i++)
		expect_cell(json, t->columns[i % t->nr_columns].key, &t->cells[i]);
}

/* From @begin up to the next of its kind. */
static char *part_of(const char *json, const char *begin, const char *end)
{
	const char *from = strstr(json, begin), *to;

	assert_non_null(from);
	to = strstr(from + 1, end);
	return strndup(from, to ? (size_t)(to - from) : strlen(from));
}

static void cells(void **state)
{
	struct watch *w = *state;
	struct fw_buf b = { 0 };

	whole_story(w);
	fw_report_json(&w->report, &b);
	for (size_t i = 0; i < w->report.nr_findings; i++) {
		const struct fw_finding *f = &w->report.findings[i];
		struct fw_buf begin = { 0 };
		char *part;

		fw_buf_printf(&begin, "{\"id\":\"%s\"", f->id);
		part = part_of(fw_buf_str(&b), fw_buf_str(&begin), "{\"id\":");
		expect_facts(part, &f->evidence);
		if (f->offenders)
			expect_table(part, f->offenders);
		fw_buf_free(&begin);
		free(part);
	}
	for (size_t i = 0; i < w->report.nr_sections; i++) {
		const struct fw_section *s = &w->report.sections[i];
		struct fw_buf begin = { 0 };
		char *part;

		fw_buf_printf(&begin, "\"%s\":{", s->key);
		part = part_of(fw_buf_str(&b), fw_buf_str(&begin), "\"notes\":");
		expect_facts(part, &s->facts);
		for (size_t t = 0; t < s->nr_tables; t++)
			expect_table(part, &s->tables[t]);
		fw_buf_free(&begin);
		free(part);
	}
	fw_buf_free(&b);
}

/* ---- No key twice ------------------------------------------------------------------------ */

#define DEPTH_MAX 16
#define KEYS_MAX 128

struct object {
	const char *key[KEYS_MAX];
	size_t len[KEYS_MAX], nr;
};

static void take_key(struct object *o, const char *key, size_t len)
{
	for (size_t i = 0; i < o->nr; i++) {
		if (o->len[i] == len && !memcmp(o->key[i], key, len))
			fail_msg("a key stands twice in one object: %.*s", (int)len, key);
	}
	assert_true(o->nr < KEYS_MAX);
	o->key[o->nr] = key;
	o->len[o->nr++] = len;
}

/* Past the string that begins at @p. */
static const char *string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

static void no_key_twice(const char *json)
{
	static struct object stack[DEPTH_MAX];
	size_t depth = 0;

	for (const char *p = json; *p;) {
		if (*p == '{' || *p == '[') {
			assert_true(depth < DEPTH_MAX);
			stack[depth++].nr = 0;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (*p == '"') {
			const char *end = string_end(p);

			if (*end == ':')
				take_key(&stack[depth - 1], p, (size_t)(end - p));
			p = end;
		} else {
			p++;
		}
	}
	assert_int_equal(depth, 0);
}

static void keys(void **state)
{
	struct watch *w = *state;
	struct fw_buf b = { 0 };

	whole_story(w);
	fw_report_json(&w->report, &b);
	no_key_twice(fw_buf_str(&b));
	fw_buf_free(&b);
}

/* ---- Every word with a digit ------------------------------------------------------------- */

/* What people may read for the number of that key, each within blanks. */
static void add_number(struct fw_buf *words, const char *key, size_t len, const char *value)
{
	const char *suffixes[] = { "_ns_min", "_ns", "_bytes", "_per_s", "_pct", "" };
	const struct fw_cell cells_of[] = {
		fw_cell_duration(strtoull(value, NULL, 10)), fw_cell_duration(strtoull(value, NULL, 10)),
		fw_cell_bytes(strtoull(value, NULL, 10)), fw_cell_rate(strtod(value, NULL)),
		fw_cell_percent(strtod(value, NULL)), fw_cell_count(strtoull(value, NULL, 10)),
	};
	const struct fw_cell id = fw_cell_id(strtoull(value, NULL, 10));
	size_t i = 0;

	while (strlen(suffixes[i]) > len ||
	       memcmp(key + len - strlen(suffixes[i]), suffixes[i], strlen(suffixes[i])))
		i++;
	fw_buf_putc(words, ' ');
	fw_page_cell(words, &cells_of[i]);
	fw_buf_putc(words, ' ');
	fw_page_cell(words, &id);
	fw_buf_putc(words, ' ');
}

static void words_of(const char *json, struct fw_buf *words)
{
	const char *key = "", *key_end = key;

	for (const char *p = json; *p;) {
		const char *end = p + 1;

		if (*p == '"') {
			end = string_end(p);
			if (*end == ':') {
				key = p + 1;
				key_end = end - 1;
			} else {
				fw_buf_putc(words, ' ');
				fw_buf_mem(words, p + 1, (size_t)(end - p) - 2);
				fw_buf_putc(words, ' ');
			}
		} else if (isdigit((unsigned char)*p)) {
			add_number(words, key, (size_t)(key_end - key), p);
			end = p + strspn(p, "0123456789.e+-");
		}
		p = end;
	}
}

static bool has_digit(const char *word)
{
	return strcspn(word, "0123456789") < strlen(word);
}

/* Labels and titles are not in the JSON; their numbers are limits that stand there as facts. */
static bool is_label(const struct fw_report *r, const char *word)
{
	for (size_t i = 0; i < r->nr_sections; i++) {
		const struct fw_section *s = &r->sections[i];

		if (strstr(s->title, word))
			return true;
		for (size_t k = 0; k < s->facts.nr; k++) {
			if (strstr(s->facts.fact[k].label, word))
				return true;
		}
		for (size_t t = 0; t < s->nr_tables; t++) {
			for (size_t c = 0; c < s->tables[t].nr_columns; c++) {
				if (strcasestr(s->tables[t].columns[c].label, word))
					return true;
			}
		}
	}
	return false;
}

static void words_with_digits(void **state)
{
	struct fw_buf json = { 0 }, text = { 0 }, words = { 0 };
	struct watch *w = *state;
	unsigned int checked = 0;
	char *save = NULL;

	whole_story(w);
	fw_report_json(&w->report, &json);
	fw_report_text(&w->report, &text, 0, false);
	words_of(fw_buf_str(&json), &words);
	fw_buf_str(&text);
	for (char *word = strtok_r(text.data, " \n|#", &save); word; word = strtok_r(NULL, " \n|#", &save)) {
		if (!has_digit(word))
			continue;
		checked++;
		if (!strstr(fw_buf_str(&words), word) && !is_label(&w->report, word) &&
		    strcmp(word, "1") && strcmp(word, "2"))
			fail_msg("'%s' is in the text, but not in the JSON", word);
	}
	assert_true(checked > 300);
	fw_buf_free(&json);
	fw_buf_free(&text);
	fw_buf_free(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(cells), watch_test(keys), watch_test(words_with_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
