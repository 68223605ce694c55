// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait trace: one line per transition.
 */
#include "cmd/stream.h"

static int run_trace(int argc, char **argv)
{
	struct fw_options opt;

	fw_options_parse(&opt, argc, argv,
			 "Shows every transition of every TCP connection as it happens, TIME_WAIT "
			 "and SYN_RECV included, with the time spent in the state left."
			 "\v"
			 "Examples:\n"
			 "  finwait trace -L 443                 connections to our port 443\n"
			 "  finwait trace --state time_wait      into and out of TIME_WAIT\n"
			 "  finwait trace -f json | jq .to       for programs\n",
			 NULL);
	return fw_stream_run(&opt, true);
}

const struct fw_command fw_cmd_trace = {
	.name = "trace",
	.summary = "one line per transition, live, with the time spent in the state left",
	.run = run_trace,
};
