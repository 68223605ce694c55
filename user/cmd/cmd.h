/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subcommands. Each is a table entry in main.c's registry and a file of its own.
 */
#ifndef FW_CMD_CMD_H
#define FW_CMD_CMD_H

#include "io/say.h"
#include "io/stop.h"

enum fw_exit { FW_EXIT_OK, FW_EXIT_FAILED, FW_EXIT_USAGE, FW_EXIT_LOST, FW_EXIT_LEAKS, FW_EXIT_UNSEEN };

struct fw_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* returns an enum fw_exit */
};

extern const struct fw_command fw_cmd_trace, fw_cmd_timeline, fw_cmd_report, fw_cmd_leaks,
	fw_cmd_states, fw_cmd_record, fw_cmd_serve, fw_cmd_explain, fw_cmd_doctor;

/* It is in two programs: see serve_exec.c. */
#define FW_SERVE_SUMMARY "watch all the time: metrics for Prometheus over HTTP"

#endif
