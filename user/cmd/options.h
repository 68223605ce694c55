/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that all commands which watch share.
 */
#ifndef FW_CMD_OPTIONS_H
#define FW_CMD_OPTIONS_H

#include "core/filter.h"
#include "io/live.h"
#include "report/stream.h"

struct fw_options {
	struct fw_filter filter;
	struct fw_live_options live;
	const struct fw_stream_format *format;
	const char *output; /* NULL: stdout */
	uint64_t max_connections;
	bool clock;
	bool line_buffered;
	bool wide;
	bool strict;
};

struct argp_option;

/* What a command has beyond these. */
struct fw_options_own {
	const struct argp_option *options;
	const char *args_doc; /* NULL: it takes no arguments */
	/* Takes option @key, or for FW_OPTION_ARG an argument. 0, negative with @err filled, or
	 * FW_OPTION_UNKNOWN.
	 */
	int (*take)(void *arg, int key, char *value, struct fw_err *err);
	void *arg;
};
#define FW_OPTION_ARG (-1)
#define FW_OPTION_UNKNOWN 1

/* Exits with FW_EXIT_USAGE on unusable arguments, and with 0 after --help. @doc: what it does.
 * @own: NULL for none.
 */
void fw_options_parse(struct fw_options *opt, int argc, char **argv, const char *doc,
		      const struct fw_options_own *own);

#endif
