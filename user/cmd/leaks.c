// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait leaks: which processes leak connections, now.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "analysis/leaks.h"
#include "cmd/cmd.h"
#include "cmd/look.h"
#include "util/parse.h"

#define OPT_WATCH FW_OPT_OF_COMMAND
#define OPT_LEAK_AGE (FW_OPT_OF_COMMAND + 1)
#define OPT_AT (FW_OPT_OF_COMMAND + 2)

#define DEFAULT_WATCH_NS 5000000000ULL
#define DEFAULT_LEAK_AGE_NS 30000000000ULL

struct leaks_options {
	struct fw_options common;
	uint64_t watch_ns, leak_age_ns;
	bool watch_told;
	struct fw_at at;
};

static const struct argp_option leaks_options[] = {
	{ "watch", OPT_WATCH, "TIME", 0,
	  "Look three times within TIME, to see what grows (default 5s; 0: look once)", 0 },
	{ "leak-age", OPT_LEAK_AGE, "TIME", 0,
	  "Leave out groups of which none is older (default 30s)", 0 },
	FW_AT_OPTION(OPT_AT),
	{ 0 },
};

static int parse(void *arg, int key, char *value, struct fw_err *err)
{
	struct leaks_options *opt = arg;

	switch (key) {
	case OPT_AT:
		return fw_at_parse(value, &opt->at, err);
	case OPT_WATCH:
		opt->watch_told = true;
		return fw_parse_duration(value, &opt->watch_ns, err);
	case OPT_LEAK_AGE:
		return fw_parse_duration(value, &opt->leak_age_ns, err);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int look(struct fw_session *s, const struct leaks_options *opt, struct fw_err *err)
{
	int ret = fw_look_once(s, &opt->at, err);

	/* A recording has been watched as long as it is. */
	if (ret || !opt->watch_ns || fw_stopping || s->src->info.recorded)
		return ret;
	for (unsigned int i = 0; i < 2 && !ret && !fw_stopping; i++) {
		fw_look_wait(s, opt->watch_ns / 2);
		if (!fw_stopping)
			ret = fw_look_once(s, &opt->at, err);
	}
	/* A signal ends the watch early, not the command. */
	if (!fw_stopping || (ret && ret != -EINTR))
		return ret;
	fw_stopping = 0;
	*err = (struct fw_err){ 0 };
	return fw_look_once(s, &opt->at, err);
}

/* The exit status, or a negative errno. None found is none only if all was looked at. */
static int leaks(const struct leaks_options *opt, struct fw_err *err)
{
	struct fw_observer observer = { 0 };
	struct fw_session s = { 0 };
	struct fw_report report = { 0 };
	struct fw_leaks_options leak = {
		.leak_age_ns = opt->leak_age_ns,
		.tracker = &s.tracker,
		.filter = &s.filter,
		.cgroup_path = fw_session_cgroup_path,
		.netns_name = fw_session_netns_name,
		.arg = &s,
	};
	struct fw_leaks *l = fw_leaks_new(&leak);
	int ret, status = FW_EXIT_OK;

	if (!l)
		return fw_err_set(err, -ENOMEM, "no memory");
	fw_leaks_observe(l, &observer);
	ret = fw_session_open(&s, &opt->common, &observer, err);
	if (!ret)
		ret = look(&s, opt, err);
	if (!ret) {
		fw_look_about(&s, "finwait leaks", &report);
		if (fw_leaks_report(l, &report))
			status = FW_EXIT_LEAKS;
		else if (s.seen.netns_refused || s.seen.netns_hidden ||
			 fw_session_netns_unfound(&s))
			status = FW_EXIT_UNSEEN;
		ret = fw_look_print(&opt->common, &report, err);
	}
	fw_report_fini(&report);
	fw_leaks_free(l);
	fw_session_close(&s);
	return ret ? ret : status;
}

static int run_leaks(int argc, char **argv)
{
	struct leaks_options opt = {
		.watch_ns = DEFAULT_WATCH_NS, .leak_age_ns = DEFAULT_LEAK_AGE_NS,
	};
	const struct fw_command_options command = {
		.doc = "Shows which processes leak connections: in CLOSE_WAIT, established ones that "
		       "only become more, and descriptors of connections that are over. By process "
		       "and service, how many, how old, how fast they accumulate, what the "
		       "application forgot, and when it runs out of descriptors. Attaches nothing."
		       "\v"
		       "Exit status: 0 no leak, 4 leaks found, 5 no leak, but some network namespaces "
		       "could not be looked at; 1 error, 2 usage. An idle pool is no leak.\n\n"
		       "Examples:\n"
		       "  finwait leaks                        watch for five seconds\n"
		       "  finwait leaks --watch 0 -p 1234      one look at one process\n"
		       "  finwait leaks -f json --watch 1m     for programs\n",
		.options = leaks_options,
		.parse = parse,
		.arg = &opt,
		.output = FW_PRINTS_REPORT,
	};
	struct fw_err err = { 0 };
	int status;

	fw_options_parse(&opt.common, argc, argv, &command);
	opt.common.look = opt.common.no_snapshot = true;
	if (!fw_look_check(&opt.common, &opt.at, &err) && opt.watch_told && opt.common.nr_inputs)
		fw_err_set(&err, -EINVAL, "--watch is for the running kernel: a recording has been "
					  "watched from its beginning to its end");
	if (err.code) {
		fw_complain(&err);
		return FW_EXIT_USAGE;
	}
	status = leaks(&opt, &err);
	if (status >= 0)
		return status;
	fw_complain(&err);
	return FW_EXIT_FAILED;
}

const struct fw_command fw_cmd_leaks = {
	.name = "leaks",
	.summary = "which processes leak connections, now, and what they forgot",
	.run = run_leaks,
};
