// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the page's script has no list that C has: no names of ends, troubles, findings or severities,
 * no flag by its number, and the states only where they are given their places in the picture. Runs where the
 * sources are.
 */
#include "unit.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/conn.h"
#include "report/explain.h"
#include "report/page_lists.h"
#include "report/places.h"
#include "report/report.h"

/* A picture speaks of some states; a list names many. */
#define STATES_MAX 3
/* This file says where each state stands in the diagram. */
#define LAYOUT "layout.js"

struct script {
	const char *path;
	char *code; /* without comments */
};

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct fw_buf b = { 0 };
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		fw_buf_putc(&b, (char)c);
	fclose(f);
	fw_buf_putc(&b, '\0');
	assert_false(b.failed);
	return b.data;
}

/* Good enough for these sources: no string of them has the beginning of a comment. */
static char *without_comments(char *code)
{
	char *to = code;

	for (char *at = code; *at;) {
		char *end = !strncmp(at, "/*", 2) ? strstr(at, "*/") : !strncmp(at, "// ", 3) ? strchr(at, '\n') :
			    NULL;

		if (end)
			at = end + (*end == '*' ? 2 : 0);
		else
			*to++ = *at++;
	}
	*to = '\0';
	return code;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* "name" as a string, or as a key of an object. */
static bool has_name(const char *code, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = code; (at = strstr(at, name)); at += len) {
		char before = at == code ? '\0' : at[-1], after = at[len];

		if (is_word_char(before) || is_word_char(after))
			continue;
		if ((before == '"' && after == '"') || (strchr("\t {", before) && after == ':'))
			return true;
	}
	return false;
}

static void must_lack(const struct script *s, const char *name, const char *list)
{
	if (has_name(s->code, name))
		fail_msg("%s has \"%s\": the list of %s is data of the model", s->path, name, list);
}

static void check_states(const struct script *s)
{
	char scratch[FW_STATE_NAME_LEN];
	unsigned int nr = 0;

	for (unsigned int state = 1; state < FW_STATE_MAX; state++)
		nr += has_name(s->code, fw_state_name(state, scratch));
	if (nr > STATES_MAX && !strstr(s->path, LAYOUT))
		fail_msg("%s names %u states", s->path, nr);
}

static void check_names(const struct script *s)
{
	/* Ends whose names are words for something else too. */
	static const char *const common[] = { "open", "unknown", "killed" };

	for (unsigned int e = 0; e < FW_END_MAX; e++) {
		bool skip = false;

		for (size_t i = 0; i < ARRAY_SIZE(common); i++)
			skip |= !strcmp(fw_end_name(e), common[i]);
		if (!skip)
			must_lack(s, fw_end_name(e), "ends");
	}
	for (unsigned int t = 0; t < FW_TROUBLE_MAX; t++) {
		if (t != FW_TROUBLE_GAP) /* the flag is asked for by its name */
			must_lack(s, fw_trouble_name(t), "troubles");
	}
	for (size_t i = 0; fw_explained_findings[i].topic; i++)
		must_lack(s, fw_explained_findings[i].topic, "findings");
	for (unsigned int i = 0; i < FW_SEVERITY_MAX; i++)
		must_lack(s, fw_severity_name(i), "severities");
}

static void check_script(const struct script *s)
{
	if (strstr(s->code, "1 <<") || strstr(s->code, "1<<"))
		fail_msg("%s has a bit by its number: flags have names in the model", s->path);
	check_states(s);
	check_names(s);
}

static void the_script_has_no_list_of_its_own(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("web/src/*.js", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 20);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct script s = { found.gl_pathv[i], without_comments(read_file(found.gl_pathv[i])) };

		check_script(&s);
		free(s.code);
	}
	globfree(&found);
}

/* The check above finds what it is for. */
static void a_list_would_be_found(void **state)
{
	(void)state;
	assert_true(has_name("const GOOD = new Set([\"last_ack\"]);", "last_ack"));
	assert_true(has_name("const colors = {\n\ttime_wait_reset: 1 };", "time_wait_reset"));
	assert_false(has_name("rows.reset();", "reset"));
	assert_false(has_name("\"time_wait_expired_ones\"", "time_wait_expired"));
}

/* The diagram has a place for every state, and the layout knows no other. */
static void each_state_has_a_place(void **state)
{
	char *code = without_comments(read_file("web/src/" LAYOUT)), scratch[FW_STATE_NAME_LEN];

	(void)state;
	for (unsigned int s = 1; s < FW_STATE_MAX; s++) {
		const char *name = fw_state_name(s, scratch);

		if (!has_name(code, name))
			fail_msg("%s has no place", name);
	}
	free(code);
}

/* A finding leads to the section with its numbers. */
static void each_finding_has_a_place(void **state)
{
	(void)state;
	for (size_t i = 0; fw_explained_findings[i].topic; i++) {
		if (!fw_place_of(fw_explained_findings[i].topic))
			fail_msg("%s has no place in report/places.c", fw_explained_findings[i].topic);
	}
	assert_null(fw_place_of("no-such-finding"));
}

static void lists_are_whole(void **state)
{
	struct fw_buf b = { 0 };
	char scratch[FW_STATE_NAME_LEN];

	(void)state;
	fw_page_lists_json(&(struct fw_json){ .out = &b });
	for (unsigned int e = 0; e < FW_END_MAX; e++)
		assert_non_null(strstr(fw_buf_str(&b), fw_end_name(e)));
	for (unsigned int s = 1; s < FW_STATE_MAX; s++) {
		if (s != FW_CLOSE)
			assert_non_null(strstr(fw_buf_str(&b), fw_state_name(s, scratch)));
	}
	assert_non_null(strstr(fw_buf_str(&b), "[\"last_ack\",\"closed\",\"closed\",true,true]"));
	assert_non_null(strstr(fw_buf_str(&b), "[\"warning\",\"Warning\",\"warnings\"]"));
	fw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_script_has_no_list_of_its_own),
		cmocka_unit_test(a_list_would_be_found), cmocka_unit_test(each_state_has_a_place),
		cmocka_unit_test(each_finding_has_a_place), cmocka_unit_test(lists_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
