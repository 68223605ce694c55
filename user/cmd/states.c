// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait states: connections by state, now.
 */
#include <argp.h>
#include <errno.h>

#include "analysis/tally.h"
#include "cmd/cmd.h"
#include "cmd/look.h"

#define OPT_BY FW_OPT_OF_COMMAND
#define OPT_AT (FW_OPT_OF_COMMAND + 1)

struct wishes {
	enum fw_tally_by by;
	struct fw_at at;
};

static const struct argp_option states_options[] = {
	{ "by", OPT_BY, "WHAT", 0, "One line per process, peer, cgroup, netns or port", 0 },
	FW_AT_OPTION(OPT_AT),
	{ 0 },
};

static int parse(void *arg, int key, char *value, struct fw_err *err)
{
	struct wishes *w = arg;

	if (key == OPT_AT)
		return fw_at_parse(value, &w->at, err);
	if (key != OPT_BY)
		return ARGP_ERR_UNKNOWN;
	w->by = fw_tally_by_from_name(value);
	if (w->by == FW_TALLY_BY_MAX)
		return fw_err_set(err, -EINVAL,
				  "'%s' is not one of process, peer, cgroup, netns, port", value);
	return 0;
}

static int states(const struct fw_options *opt, const struct wishes *w, struct fw_err *err)
{
	const struct fw_observer nobody = { 0 };
	struct fw_session s = { 0 };
	struct fw_report report = { 0 };
	int ret = fw_session_open(&s, opt, &nobody, err);

	if (!ret)
		ret = fw_look_once(&s, &w->at, err);
	if (!ret) {
		const struct fw_tally_options tally = {
			.by = w->by,
			.of_events = s.src->info.recorded,
			.filter = &s.filter,
			.cgroup_path = fw_session_cgroup_path,
			.netns_name = fw_session_netns_name,
			.arg = &s,
		};

		fw_look_about(&s, "finwait states", &report);
		ret = fw_tally_report(&tally, &s.tracker, &report);
		if (ret)
			fw_err_set(err, ret, "no memory for the counts");
	}
	if (!ret)
		ret = fw_look_print(opt, &report, err);
	fw_report_fini(&report);
	fw_session_close(&s);
	return ret;
}

static int run_states(int argc, char **argv)
{
	struct wishes w = { .by = FW_TALLY_BY_NONE };
	const struct fw_command_options command = {
		.doc = "Counts the connections of all network namespaces by state, now: listeners, "
		       "half-open connections and TIME_WAIT included. Attaches nothing."
		       "\v"
		       "Examples:\n"
		       "  finwait states --by process          who has how many of what?\n"
		       "  finwait states --state close_wait --by peer\n"
		       "  finwait states -f json               for programs\n",
		.options = states_options,
		.parse = parse,
		.arg = &w,
		.output = FW_PRINTS_REPORT,
	};
	struct fw_err err = { 0 };
	struct fw_options opt;

	fw_options_parse(&opt, argc, argv, &command);
	opt.look = opt.no_snapshot = true;
	if (fw_look_check(&opt, &w.at, &err)) {
		fw_complain(&err);
		return FW_EXIT_USAGE;
	}
	if (!states(&opt, &w, &err))
		return FW_EXIT_OK;
	fw_complain(&err);
	return FW_EXIT_FAILED;
}

const struct fw_command fw_cmd_states = {
	.name = "states",
	.summary = "connections by state, now",
	.run = run_states,
};
