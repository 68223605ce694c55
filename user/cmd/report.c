// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait report: observe for a while, then say what was seen, what is wrong and what to do.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "cmd/cmd.h"
#include "cmd/cost.h"
#include "cmd/render.h"
#include "cmd/session.h"
#include "cmd/summary.h"
#include "io/output.h"
#include "util/fmt.h"
#include "util/parse.h"

#define DEFAULT_TOP 10
#define DEFAULT_LIVES 10000
#define LIVES_MAX 1000000
#define PROGRESS_NS (FW_NS_PER_S / 2)
#define FIRST_LOOK_NS (5 * FW_NS_PER_S)

enum { OPT_INTERVAL = FW_OPT_OF_COMMAND, OPT_TOP, OPT_STALL, OPT_LEAK_AGE, OPT_CONNECTIONS };

struct wishes {
	uint64_t duration_ns, interval_ns; /* 0: none */
	struct fw_analysis_options analysis;
};

struct run {
	const struct fw_options *opt;
	const struct wishes *wishes;
	struct fw_session session;
	struct fw_analyses analyses;
	struct fw_output out;
	uint64_t next_report_ns, next_progress_ns;
	unsigned int nr_reports;
	bool progress; /* stderr is a terminal */
	const char *page; /* the file that each report replaces; NULL: .out */
};

/* ---- A report ---------------------------------------------------------------------------- */

/* A page is one file: the next one replaces it. */
static int write_out(struct run *run, struct fw_err *err)
{
	int ret;

	if (!run->page)
		return fw_output_flush(&run->out, err);
	ret = fw_output_replace(run->page, &run->out.buf, err);
	fw_buf_clear(&run->out.buf);
	return ret;
}

/* What only the sockets themselves can tell. Worth a lot, but a report can be made without. */
static int look_at_sockets(struct run *run, struct fw_err *err)
{
	struct fw_source *src = run->session.src;
	struct fw_err why = { 0 };
	int ret = 0;

	if (run->opt->no_snapshot || !src->ops->snapshot)
		return 0;
	/* One that mends a loss may be under way. */
	if (!src->ops->in_snapshot(src) && src->ops->snapshot(src, &why)) {
		fw_complain(&why);
		return 0;
	}
	while (!ret && src->ops->in_snapshot(src))
		ret = fw_session_step(&run->session, err);
	return ret;
}

/* The kernel's counters have been read, for the first time or again. */
static void on_counters(void *arg, const struct fw_readings *readings)
{
	struct run *run = arg;

	fw_analyses_counters_read(&run->analyses, readings->values, readings->nr);
}

/* As of the last batch. The kernel's counters have been read: they go on. */
static int make_report(struct run *run, struct fw_err *err)
{
	struct fw_report r = { 0 };

	fw_summary_make(&run->session, &run->analyses, NULL, &r);
	if (run->nr_reports++)
		fw_buf_puts(&run->out.buf, run->opt->report_format->separator);
	fw_render(run->opt, &r, &run->out);
	fw_report_fini(&r);
	return write_out(run, err);
}

/* ---- Watching ---------------------------------------------------------------------------- */

static void clear_progress(const struct run *run)
{
	if (run->progress)
		fw_progress(NULL);
}

static void progress(struct run *run, uint64_t now)
{
	const struct fw_tracker *t = &run->session.tracker;

	if (!run->progress || now < run->next_progress_ns)
		return;
	run->next_progress_ns = now + PROGRESS_NS;
	fw_progress("%llu s, %llu events, %zu connections; Ctrl-C reports",
		(unsigned long long)((now - run->session.src->info.start_ns) / FW_NS_PER_S),
		(unsigned long long)t->counters.events, t->table.nr);
}

/* In the midst of it. */
static int report_now(struct run *run, struct fw_err *err)
{
	int ret = look_at_sockets(run, err);

	if (ret)
		return ret;
	fw_session_refresh(&run->session);
	/* What has happened until then may still be on its way. */
	ret = fw_session_step(&run->session, err);
	return ret ? ret : make_report(run, err);
}

static int watch(struct run *run, struct fw_err *err)
{
	const struct wishes *w = run->wishes;
	struct fw_source *src = run->session.src;
	uint64_t start = src->info.start_ns, now = start;
	int ret = 0;

	while (!fw_stopping && !ret && !fw_session_ended(&run->session) &&
	       (!w->duration_ns || now - start < w->duration_ns)) {
		fw_cost_sample(&run->session);
		ret = fw_session_step(&run->session, err);
		now = fw_session_now_ns(&run->session);
		progress(run, now);
		if (ret || !w->interval_ns || now < run->next_report_ns)
			continue;
		run->next_report_ns += w->interval_ns;
		clear_progress(run);
		ret = report_now(run, err);
	}
	clear_progress(run);
	return ret;
}

static int open_output(struct run *run, struct fw_err *err)
{
	const char *path = run->opt->output;

	if (!run->opt->report_format->to_file_only || !path || !strcmp(path, "-"))
		return fw_output_open(&run->out, path, false, err);
	run->page = path;
	return fw_output_check(path, err);
}

static int run_all(struct run *run, struct fw_err *err)
{
	const struct fw_observer observer = fw_analyses_observer(&run->analyses);
	struct fw_analysis_options analysis = run->wishes->analysis;
	int ret;

	analysis.filter = &run->session.filter;
	run->session.on_counters = on_counters;
	run->session.on_counters_arg = run;
	if (fw_analyses_init(&run->analyses, &analysis))
		return fw_err_set(err, -ENOMEM, "no memory for the analyses");
	ret = open_output(run, err);
	if (!ret)
		ret = fw_session_open(&run->session, run->opt, &observer, err);
	if (ret)
		return ret;
	run->progress = isatty(STDERR_FILENO);
	run->next_report_ns = run->session.src->info.start_ns + run->wishes->interval_ns;
	if (!run->progress)
		fw_say(FW_LEVEL_INFO, "%s TCP with the %s hooks",
			run->session.src->info.recorded ? "reading a recording of" : "watching",
			run->session.src->info.hooks);
	ret = watch(run, err);
	if (!ret)
		ret = look_at_sockets(run, err);
	if (!ret)
		ret = fw_session_stop(&run->session, err);
	if (ret)
		return ret;
	/* What still waits for an explanation gets none any more. */
	fw_tracker_advance(&run->session.tracker, UINT64_MAX);
	return make_report(run, err);
}

static int run_and_close(const struct fw_options *opt, const struct wishes *wishes)
{
	struct run run = { .opt = opt, .wishes = wishes };
	struct fw_err err = { 0 };
	bool lost;
	int ret;

	ret = run_all(&run, &err);
	if (run.page)
		fw_buf_free(&run.out.buf);
	else if (!ret)
		ret = fw_output_close(&run.out, &err);
	else if (run.out.name)
		fw_output_discard(&run.out);
	lost = fw_session_has_gaps(&run.session);
	fw_session_close(&run.session);
	fw_analyses_fini(&run.analyses);
	if (ret && ret != -EPIPE) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	return opt->strict && lost ? FW_EXIT_LOST : FW_EXIT_OK;
}

/* ---- Options ----------------------------------------------------------------------------- */

static int take_duration(const char *value, uint64_t *out_ns, struct fw_err *err)
{
	int ret = fw_parse_duration(value, out_ns, err);

	if (!ret && !*out_ns)
		return fw_err_set(err, -EINVAL, "must be more than nothing");
	return ret;
}

static int take(void *arg, int key, char *value, struct fw_err *err)
{
	struct wishes *w = arg;
	uint64_t top;

	switch (key) {
	case FW_OPT_ARGUMENT:
		if (w->duration_ns)
			return fw_err_set(err, -EINVAL, "'%s': there is a duration already", value);
		return take_duration(value, &w->duration_ns, err);
	case OPT_INTERVAL:
		return take_duration(value, &w->interval_ns, err);
	case OPT_TOP:
		if (fw_parse_u64(value, 1, FW_TOP_MAX, &top, err))
			return err->code;
		w->analysis.top = top;
		return 0;
	case OPT_CONNECTIONS:
		if (fw_parse_u64(value, 1, LIVES_MAX, &top, err))
			return err->code;
		w->analysis.lives = top;
		return 0;
	case OPT_STALL:
		return take_duration(value, &w->analysis.stall_ns, err);
	case OPT_LEAK_AGE:
		return take_duration(value, &w->analysis.leak_age_ns, err);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option own_options[] = {
	{ "interval", OPT_INTERVAL, "TIME", 0, "Report every TIME too, each from the beginning",
	  0 },
	{ "top", OPT_TOP, "N", 0, "Rows of a table (default 10; html: 100)", 0 },
	{ "connections", OPT_CONNECTIONS, "N", 0,
	  "html: single connections to show, the worst of all (default 10000)", 0 },
	{ "stall", OPT_STALL, "TIME", 0, "FIN_WAIT_2 longer than that is a stall (default 1s)", 0 },
	{ "leak-age", OPT_LEAK_AGE, "TIME", 0,
	  "CLOSE_WAIT longer than that is a leak (default 30s)", 0 },
	{ 0 },
};

static const char doc[] =
	"Observes TCP for DURATION (30s, 5m; default: until Ctrl-C), then reports: what is wrong, "
	"with "
	"evidence and advice, and where connections spend their time."
	"\v"
	"Examples:\n"
	"  finwait report 1m                    what is going on here?\n"
	"  finwait report -L 443 --top 20       only connections to our port 443\n"
	"  finwait report 1m -f html -o r.html  the same as pictures, in one file\n"
	"  finwait report 5m -f json | jq '.findings[].id'\n";

static bool format_is_possible(const struct fw_options *opt, const struct wishes *wishes)
{
	const struct fw_report_format *format = opt->report_format;

	if (!format->to_file_only || (opt->output && strcmp(opt->output, "-")))
		return true;
	if (isatty(STDOUT_FILENO))
		fw_say(FW_LEVEL_ERROR, "%s: name a file with -o", format->to_file_only);
	else if (wishes->interval_ns)
		fw_say(FW_LEVEL_ERROR, "-f %s --interval rewrites a file: name it with -o",
		       format->name);
	else
		return true;
	return false;
}

static int run_report(int argc, char **argv)
{
	struct wishes wishes = {
		.analysis = { .stall_ns = FW_NS_PER_S, .leak_age_ns = 30 * FW_NS_PER_S },
	};
	const struct fw_command_options command = {
		.doc = doc, .args = "[DURATION]", .options = own_options, .parse = take,
		.arg = &wishes, .output = FW_PRINTS_PAGES,
	};
	struct fw_options opt;

	fw_options_parse(&opt, argc, argv, &command);
	opt.readings = true;
	/* With a duration one look in its middle is enough. */
	opt.looks.first_ns = wishes.duration_ns ? wishes.duration_ns / 2 : FIRST_LOOK_NS;
	opt.looks.max_ns = wishes.duration_ns ? 0 : UINT64_MAX / 4;
	if (opt.filter.states || opt.filter.min_duration_ns) {
		fw_say(FW_LEVEL_ERROR, "--state and --min-duration are for trace and timeline: a report "
		      "needs "
		      "whole connections");
		return FW_EXIT_USAGE;
	}
	if (!format_is_possible(&opt, &wishes))
		return FW_EXIT_USAGE;
	if (!wishes.analysis.top)
		wishes.analysis.top = opt.report_format->pictures ? FW_TOP_MAX : DEFAULT_TOP;
	if (!opt.report_format->pictures)
		wishes.analysis.lives = 0;
	else if (!wishes.analysis.lives)
		wishes.analysis.lives = DEFAULT_LIVES;
	return run_and_close(&opt, &wishes);
}

const struct fw_command fw_cmd_report = {
	.name = "report",
	.summary = "observe for a while, then say what is wrong and what to do",
	.run = run_report,
};
