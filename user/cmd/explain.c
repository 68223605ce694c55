// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait explain: what a state or a finding means, one screen each. Needs no privileges.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "core/state.h"
#include "io/output.h"
#include "report/explain.h"

#define SCREEN 80
#define CLOSE_NAMES 3

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	const char **topic = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (*topic)
		argp_error(state, "one topic at a time");
	*topic = arg;
	return 0;
}

static const char *parse(int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse_one,
		.args_doc = "[STATE|FINDING|TERM]",
		.doc = "Explains a TCP state, a finding of the report or a term: what it is, how long it "
		       "should last, what Linux does, where to look. Without an argument: lists "
		       "all."
		       "\v"
		       "Examples:\n"
		       "  finwait explain fin_wait_2\n"
		       "  finwait explain close-wait-leak\n",
	};
	const char *topic = NULL;

	argp_err_exit_status = FW_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &topic);
	return topic;
}

enum kind { STATE, FINDING, TERM, NR_KINDS };

static enum kind kind_of(const struct fw_explanation *e)
{
	if (e->meaning)
		return FINDING;
	return fw_state_from_name(e->topic) ? STATE : TERM;
}

static void list(struct fw_buf *b)
{
	static const char *const headings[NR_KINDS] = {
		[STATE] = "States, in the order of a life:\n",
		[FINDING] = "\nFindings of the report:\n",
		[TERM] = "\nTerms:\n",
	};
	const struct fw_explanation *e;
	enum kind last = NR_KINDS;

	for (size_t i = 0; (e = fw_explanation_at(i)); i++) {
		enum kind kind = kind_of(e);
		size_t since;

		if (kind != last)
			fw_buf_puts(b, headings[kind]);
		last = kind;
		since = b->len;
		fw_buf_printf(b, "  %s", e->topic);
		fw_buf_pad(b, since, kind == FINDING ? 29 : 15, 2);
		fw_buf_puts(b, e->title);
		fw_buf_putc(b, '\n');
	}
}

static int unknown(const char *topic)
{
	const struct fw_explanation *close[CLOSE_NAMES];
	size_t nr = fw_explain_close(topic, close, CLOSE_NAMES);
	struct fw_buf names = { 0 };
	struct fw_err err = { 0 };

	for (size_t i = 0; i < nr; i++)
		fw_buf_printf(&names, "%s%s", i ? ", " : "", close[i]->topic);
	fw_err_set(&err, -EINVAL, "there is no state and no finding '%s'", topic);
	if (nr)
		fw_err_hint(&err, "did you mean %s?", fw_buf_str(&names));
	else
		fw_err_hint(&err, "finwait explain lists all");
	fw_complain(&err);
	fw_buf_free(&names);
	return FW_EXIT_USAGE;
}

static int run_explain(int argc, char **argv)
{
	const char *topic = parse(argc, argv);
	const struct fw_explanation *e = topic ? fw_explain(topic) : NULL;
	struct fw_output out = { 0 };
	struct fw_err err = { 0 };
	int ret;

	if (topic && !e)
		return unknown(topic);
	ret = fw_output_open(&out, NULL, false, &err);
	if (!ret) {
		if (e)
			fw_explain_text(e, &out.buf, out.columns ? out.columns : SCREEN,
					out.color);
		else
			list(&out.buf);
		ret = fw_output_close(&out, &err);
	}
	if (!ret || out.gone)
		return FW_EXIT_OK;
	fw_complain(&err);
	return FW_EXIT_FAILED;
}

const struct fw_command fw_cmd_explain = {
	.name = "explain",
	.summary = "what a state or a finding means, and what to do about it",
	.run = run_explain,
};
