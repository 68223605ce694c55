// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait COMMAND [OPTION...]: finds the command and runs it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "io/limits.h"

static const struct fw_command *const commands[] = { &fw_cmd_trace, &fw_cmd_timeline,
						     &fw_cmd_report, &fw_cmd_leaks,
						     &fw_cmd_states, &fw_cmd_record,
						     &fw_cmd_serve,  &fw_cmd_explain,
						     &fw_cmd_doctor };
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "Usage: finwait COMMAND [OPTION...]\n\n"
		    "Shows how every TCP connection on this host lives and dies.\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\nfinwait COMMAND --help says more. finwait --version says which one this is.\n"
		    "Exit status: 0 done, 1 failed, 2 usage, 3 done but events were lost (--strict),\n"
		    "4 leaks found (leaks).\n");
}

/*
 * Descriptors of the parent's that nobody has named are of no use but to an attacker. Those that an argument may
 * name (/dev/fd/63) stay, and those that a command to be run may expect.
 */
static void close_inherited(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strstr(argv[i], "/fd/") || !strcmp(argv[i], "--"))
			return;
	}
	fw_limits_close_from(STDERR_FILENO + 1);
}

static int run(const struct fw_command *cmd, int argc, char **argv)
{
	char name[64];

	/* argp speaks of the program by this name. */
	snprintf(name, sizeof(name), "finwait %s", cmd->name);
	argv[0] = name;
	fw_stop_catch();
	fw_limits_set();
	close_inherited(argc, argv);
	return cmd->run(argc, argv);
}

int main(int argc, char **argv)
{
	fw_limits_open_standard();
	if (argc < 2) {
		usage(stderr);
		return FW_EXIT_USAGE;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i]->name))
			return run(commands[i], argc - 1, argv + 1);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return FW_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("finwait %s\n", FW_VERSION);
		return FW_EXIT_OK;
	}
	fw_say(FW_LEVEL_ERROR, "there is no command '%s'; finwait --help lists them", argv[1]);
	return FW_EXIT_USAGE;
}
