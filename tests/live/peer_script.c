// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read the case file: lines to words, words to cases. See peer_script.h for the format.
 */
#include "peer_script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct script *script;
	struct script_case *current;
	const char *path;
	const struct line *line;
	char *err;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int bad(const struct parser *p, const char *fmt, ...)
{
	va_list ap;
	int used = snprintf(p->err, p->size, "%s:%d: ", p->path, p->line ? p->line->number : 0);

	va_start(ap, fmt);
	if (used >= 0 && (size_t)used < p->size)
		vsnprintf(p->err + used, p->size - (size_t)used, fmt, ap);
	va_end(ap);
	return -1;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, used = 0, n = 1;

	while (f && n) {
		if (size - used < 4096) {
			char *p = realloc(text, size += 65536);

			if (!p)
				break;
			text = p;
		}
		n = fread(text + used, 1, size - used - 1, f);
		used += n;
	}
	if (f)
		fclose(f);
	if (text)
		text[used] = '\0';
	return text;
}

static int split(struct parser *p, char *text, struct line *line)
{
	char *save = NULL;

	text[strcspn(text, "#")] = '\0';
	line->nr_words = 0;
	for (char *w = strtok_r(text, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (line->nr_words == LINE_WORDS) {
			p->line = line;
			return bad(p, "more than %d words", LINE_WORDS);
		}
		line->words[line->nr_words++] = w;
	}
	return 0;
}

/* All lines that are not empty. The array is allocated once, so pointers into it stay good. */
static int read_lines(struct parser *p)
{
	struct script *script = p->script;
	size_t max = 1;
	int number = 1;

	for (const char *s = script->text; *s; s++)
		max += *s == '\n';
	script->lines = calloc(max, sizeof(*script->lines));
	if (!script->lines)
		return bad(p, "out of memory");
	for (char *s = script->text, *next; s; s = next, number++) {
		struct line *line = &script->lines[script->nr_lines];

		next = strchr(s, '\n');
		if (next)
			*next++ = '\0';
		line->number = number;
		if (split(p, s, line))
			return -1;
		if (line->nr_words)
			script->nr_lines++;
	}
	return 0;
}

static int begin_case(struct parser *p, const struct line *line)
{
	struct script *script = p->script;
	struct script_case *c;

	if (line->nr_words != 2)
		return bad(p, "a case has one name");
	if (script_find(script, line->words[1]))
		return bad(p, "two cases are called %s", line->words[1]);
	c = &script->cases[script->nr_cases++];
	c->name = line->words[1];
	c->families = FAMILY_V4 | FAMILY_V6;
	c->lines = script->lines + (line - script->lines) + 1;
	p->current = c;
	return 0;
}

static int parse_family(struct parser *p, const struct line *line)
{
	p->current->families = 0;
	for (int i = 1; i < line->nr_words; i++) {
		if (!strcmp(line->words[i], "4"))
			p->current->families |= FAMILY_V4;
		else if (!strcmp(line->words[i], "6"))
			p->current->families |= FAMILY_V6;
		else if (!strcmp(line->words[i], "mapped"))
			p->current->families |= FAMILY_MAPPED;
		else
			return bad(p, "family %s?", line->words[i]);
	}
	return 0;
}

static int parse_path(struct parser *p, const struct line *line)
{
	struct script_case *c = p->current;
	struct expectation *e;
	bool named = line->nr_words > 1 && line->words[1][0] >= 'a' && line->words[1][0] <= 'z';

	e = realloc(c->expects, (c->nr_expects + 1) * sizeof(*e));
	if (!e)
		return bad(p, "out of memory");
	c->expects = e;
	e += c->nr_expects++;
	*e = (struct expectation){
		.who = named ? line->words[1] : "app",
		.path = line,
		.first_state = named ? 2 : 1,
		.times = 1,
	};
	return line->nr_words > e->first_state ? 0 : bad(p, "a path without states");
}

static int parse_end(struct parser *p, const struct line *line)
{
	struct script_case *c = p->current;
	struct expectation *e = c->nr_expects ? &c->expects[c->nr_expects - 1] : NULL;

	if (!e || e->end || line->nr_words < 2)
		return bad(p, "one end follows each path");
	e->end = line->words[1];
	if (line->nr_words == 3)
		e->times = line->words[2][0] == 'x' ? atoi(line->words[2] + 1) : 0;
	return e->times > 0 ? 0 : bad(p, "end VALUE [xN]");
}

static int parse_check(struct parser *p, const struct line *line)
{
	struct script_case *c = p->current;

	if (!c->nr_expects)
		return bad(p, "check follows a path");
	c->expects[c->nr_expects - 1].check = line;
	return 0;
}

static int parse_on(struct parser *p, const struct line *line)
{
	if (line->nr_words != 2 || strcmp(line->words[1], "loopback"))
		return bad(p, "on loopback");
	p->current->loopback = true;
	return 0;
}

static int parse_timestamps(struct parser *p, const struct line *line)
{
	(void)line;
	p->current->timestamps = true;
	return 0;
}

static const struct {
	const char *word;
	int (*parse)(struct parser *p, const struct line *line);
} headers[] = {
	{ "case", begin_case },
	{ "family", parse_family },
	{ "on", parse_on },
	{ "path", parse_path },
	{ "end", parse_end },
	{ "check", parse_check },
	{ "timestamps", parse_timestamps },
};

#define NR_HEADERS (sizeof(headers) / sizeof(headers[0]))

static size_t find_header(const struct line *line)
{
	size_t i = 0;

	while (i < NR_HEADERS && strcmp(line->words[0], headers[i].word))
		i++;
	return i;
}

bool line_is_header(const struct line *line)
{
	return find_header(line) < NR_HEADERS;
}

static int parse_line(struct parser *p, const struct line *line)
{
	size_t header = find_header(line);

	p->line = line;
	if (!p->current && strcmp(line->words[0], "case"))
		return bad(p, "the first line must begin a case");
	return header < NR_HEADERS ? headers[header].parse(p, line) : 0;
}

/* Every case is closed by the next one or by the end of the file. */
static int end_case(struct parser *p, struct script_case *c, const struct line *end)
{
	c->nr_lines = (size_t)(end - c->lines);
	for (size_t i = 0; i < c->nr_expects; i++) {
		p->line = c->expects[i].path;
		if (!c->expects[i].end)
			return bad(p, "a path without an end");
	}
	p->line = c->lines - 1;
	return c->nr_expects ? 0 : bad(p, "%s expects nothing", c->name);
}

int script_load(struct script *script, const char *path, char *err, size_t size)
{
	struct parser p = { .script = script, .path = path, .err = err, .size = size };

	memset(script, 0, sizeof(*script));
	script->text = read_file(path);
	if (!script->text) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (read_lines(&p))
		return -1;
	script->cases = calloc(script->nr_lines + 1, sizeof(*script->cases));
	if (!script->cases)
		return bad(&p, "out of memory");
	for (size_t i = 0; i < script->nr_lines; i++) {
		if (parse_line(&p, &script->lines[i]))
			return -1;
	}
	for (size_t i = 0; i < script->nr_cases; i++) {
		struct script_case *c = &script->cases[i];
		const struct line *end = script->lines + script->nr_lines;

		if (i + 1 < script->nr_cases)
			end = c[1].lines - 1; /* its "case" line */
		if (end_case(&p, c, end))
			return -1;
	}
	return 0;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->nr_cases; i++)
		free(script->cases[i].expects);
	free(script->cases);
	free(script->lines);
	free(script->text);
}

const struct script_case *script_find(const struct script *script, const char *name)
{
	for (size_t i = 0; i < script->nr_cases; i++) {
		if (!strcmp(script->cases[i].name, name))
			return &script->cases[i];
	}
	return NULL;
}

int script_duration(const char *text, uint64_t *ns)
{
	char *unit;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &unit, 10);
	if (errno || unit == text || value > 1000000)
		return -1;
	if (!strcmp(unit, "ms"))
		*ns = value * 1000000ull;
	else if (!strcmp(unit, "s"))
		*ns = value * 1000000000ull;
	else
		return -1;
	return 0;
}

const char *line_option(const struct line *line, const char *key)
{
	size_t len = strlen(key);

	for (int i = 1; i < line->nr_words; i++) {
		if (!strncmp(line->words[i], key, len) && line->words[i][len] == '=')
			return line->words[i] + len + 1;
	}
	return NULL;
}

bool line_has(const struct line *line, const char *word)
{
	for (int i = 1; i < line->nr_words; i++) {
		if (!strcmp(line->words[i], word))
			return true;
	}
	return false;
}
