// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait COMMAND [OPTION...]: finds the command and runs it.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "io/journal.h"
#include "util/buf.h"

static const struct fw_command *const commands[] = { &fw_cmd_trace, &fw_cmd_timeline,
						     &fw_cmd_report, &fw_cmd_leaks,
						     &fw_cmd_states, &fw_cmd_record,
						     &fw_cmd_serve,  &fw_cmd_explain,
						     &fw_cmd_doctor };
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

volatile sig_atomic_t fw_stopping;

/* A second signal so soon is the same wish once more: timeout(1) sends its own to us and to our group. */
#define SAME_WISH_MS 500

static volatile sig_atomic_t asked_ms; /* the first time to stop */

static sig_atomic_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (sig_atomic_t)((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

/* A second Ctrl-C ends at once. */
static void on_stop(int sig)
{
	sig_atomic_t now = now_ms();

	if (!fw_stopping) {
		asked_ms = now;
		fw_stopping = 1;
	} else if ((unsigned int)now - (unsigned int)asked_ms > SAME_WISH_MS) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void fw_complain(const struct fw_err *err)
{
	struct fw_buf b = { 0 };

	fw_buf_visible(&b, err->msg, sizeof(err->msg));
	fw_say(FW_LEVEL_ERROR, "%s", fw_buf_str(&b));
	if (err->hint[0])
		fw_say(FW_LEVEL_ERROR, "%s", err->hint);
	fw_buf_free(&b);
}

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

static int run(const struct fw_command *cmd, int argc, char **argv)
{
	char name[64];

	/* argp speaks of the program by this name. */
	snprintf(name, sizeof(name), "finwait %s", cmd->name);
	argv[0] = name;
	catch_signals();
	return cmd->run(argc, argv);
}

int main(int argc, char **argv)
{
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
	fprintf(stderr, "finwait: there is no command '");
	for (const char *c = argv[1]; *c; c++)
		fputc(*c >= 0x20 && *c < 0x7f ? *c : '?', stderr);
	fprintf(stderr, "'; finwait --help lists them\n");
	return FW_EXIT_USAGE;
}
