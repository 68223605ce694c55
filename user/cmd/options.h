/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that trace and timeline share.
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

/* Exits with FW_EXIT_USAGE on unusable arguments, and with 0 after --help. @doc: what it does. */
void fw_options_parse(struct fw_options *opt, int argc, char **argv, const char *doc);

#endif
