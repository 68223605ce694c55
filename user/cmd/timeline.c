// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait timeline: one line per finished connection.
 */
#include "cmd/stream.h"

static int run_timeline(int argc, char **argv)
{
	struct fw_options opt;

	fw_options_parse(&opt, argc, argv,
			 "Shows every TCP connection when it has ended, after TIME_WAIT: the states "
			 "it went through, how long it was in each, and how it ended. What is still "
			 "open when finwait ends is shown then."
			 "\v"
			 "Examples:\n"
			 "  finwait timeline --state fin_wait_2 --min-duration 1s\n"
			 "                                       who is left in FIN_WAIT_2?\n"
			 "  finwait timeline -D 5432 -f json     connections to a database\n",
			 NULL);
	return fw_stream_run(&opt, false);
}

const struct fw_command fw_cmd_timeline = {
	.name = "timeline",
	.summary = "one line per finished connection: its states, how long, how it ended",
	.run = run_timeline,
};
