/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The case file as data: cases with a header (what must come out) and steps (what happens).
 *
 *	case NAME                       begins a case; the lines up to the next one belong to it
 *	family 4 6 mapped               default "4 6"; mapped: an IPv6 socket speaking IPv4
 *	on loopback                     both ends are real sockets (app and srv); default: TUN
 *	timestamps                      the scripted peer offers TCP timestamps
 *	sysctl[?] NAME VALUE            in the case's namespace; "?": if this kernel has it
 *	path [WHO] STATE[(orphaned)][?][=DURATION|>DURATION] ...
 *	end VALUE [xN]                  how the path above ends; N lives of the same 4-tuple
 *	check FIELD=VALUE ...           further fields of finwait's line for the path above
 *	ACTOR VERB ARGUMENTS            a step; the verbs are in peer_app.c and peer_tcp.c
 *	wait DURATION                   a step
 *
 * '#' begins a comment. Only the shape is checked here; verbs are looked up by the caller.
 */
#ifndef TESTS_LIVE_PEER_SCRIPT_H
#define TESTS_LIVE_PEER_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_WORDS 20

struct line {
	int number;
	int nr_words;
	char *words[LINE_WORDS];
};

/* One expected connection: all words point into the lines of the case. */
struct expectation {
	const char *who;
	const struct line *path;
	int first_state; /* index of the first state word in path */
	const char *end;
	int times;
	const struct line *check;
};

enum { FAMILY_V4 = 1, FAMILY_V6 = 2, FAMILY_MAPPED = 4 };

struct script_case {
	const char *name;
	unsigned int families;
	bool loopback;
	bool timestamps;
	struct line *lines; /* all of them: skip those of the header when running */
	size_t nr_lines;
	struct expectation *expects;
	size_t nr_expects;
};

struct script {
	char *text;
	struct line *lines;
	size_t nr_lines;
	struct script_case *cases;
	size_t nr_cases;
};

/* Returns 0, or -1 with "FILE:LINE: what is wrong" in err. */
int script_load(struct script *script, const char *path, char *err, size_t size);
void script_free(struct script *script);
const struct script_case *script_find(const struct script *script, const char *name);

/* "100ms", "3s". Returns 0 or -1. */
int script_duration(const char *text, uint64_t *ns);

/* One of the lines from "case" to "check" above: nothing to run. */
bool line_is_header(const struct line *line);

/* The value of "key=value" among the words of a line, or NULL. */
const char *line_option(const struct line *line, const char *key);
bool line_has(const struct line *line, const char *word);

#endif
