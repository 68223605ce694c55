/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that trace and timeline share.
 */
#ifndef FW_CMD_OPTIONS_H
#define FW_CMD_OPTIONS_H

#include "cmd/looks.h"
#include "core/filter.h"
#include "io/live.h"
#include "io/recorder.h"
#include "report/format.h"
#include "report/stream.h"

struct argp_option;

#define FW_MAX_INPUTS 1024

struct fw_options {
	struct fw_filter filter;
	struct fw_live_options live;
	const struct fw_stream_format *format; /* of lines */
	const struct fw_report_format *report_format;
	const char *output; /* NULL: stdout */
	uint64_t max_connections;
	bool clock;
	bool line_buffered;
	bool wide;
	bool strict;
	bool no_snapshot;
	bool look; /* snapshots only, no hooks */
	bool readings; /* settings, counters and costs too */
	/* recordings to be read instead of the running kernel */
	const char *inputs[FW_MAX_INPUTS];
	size_t nr_inputs;
	/* with .filter.rule.netns: namespaces of these names, whose numbers are in the recording */
	const char *netns_names[FW_MAX_NETNS];
	size_t nr_netns_names;
	/* a recording to be written; .path NULL: none */
	struct fw_recorder_options recorder;
	bool no_host;
	struct fw_looks_options looks; /* at all sockets, between start and end */
	uint64_t snapshot_ns; /* how often all connections are looked at for it; 0: only at its ends */
	char filter_text[FW_HEADER_TEXT]; /* what the kernel is asked to leave out, in words */
	const char *live_option; /* one that was given, and that only the running kernel has; NULL: none */
	const char *netns_args[FW_MAX_NETNS];
	size_t nr_netns_args;
};

/* Options of a command's own have keys from here, or letters. */
#define FW_OPT_OF_COMMAND 0x200
/* parse() is given this for an argument that is no option. */
#define FW_OPT_ARGUMENT 0

/* What a command prints, and hence which formats -f names. */
enum fw_command_output {
	FW_PRINTS_LINES,   /* a stream */
	FW_PRINTS_REPORT,  /* reports, not in formats that are to a file only */
	FW_PRINTS_PAGES,   /* reports in all formats */
};

/* What a command has beside the common options. */
struct fw_command_options {
	const char *doc;  /* what it does, "\v", examples */
	const char *args; /* for the usage line: "[DURATION]"; NULL: no arguments */
	const struct argp_option *options; /* ends with an empty one; NULL: none */
	enum fw_command_output output;
	/* 0, or a negative errno with @err filled. NULL: there is nothing to parse. */
	int (*parse)(void *arg, int key, char *value, struct fw_err *err);
	void *arg;
};

/* Exits with FW_EXIT_USAGE on unusable arguments, and with 0 after --help. */
void fw_options_parse(struct fw_options *opt, int argc, char **argv,
		      const struct fw_command_options *command);

#endif
