/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of finwait serve.
 */
#ifndef FW_SERVE_OPTIONS_H
#define FW_SERVE_OPTIONS_H

#include "analysis/analysis.h"
#include "serve/exporter.h"
#include "cmd/options.h"

#define FW_SERVE_LISTEN_MAX 4

struct fw_serve_options {
	const char *listen[FW_SERVE_LISTEN_MAX];
	size_t nr_listen;
	const char *token_file;
	const char *user; /* NULL: see fw_privileges_user() */
	bool all_namespaces;
	struct fw_exporter_options exporter;
	const char *clickhouse, *clickhouse_table, *clickhouse_auth; /* NULL: nothing is pushed */
	const char *host;					     /* NULL: the host's name */
	const char *spool_dir;
	uint64_t spool_max_bytes;
	struct fw_analysis_options analysis; /* of the page */
	uint64_t window_ns;
};

/* Exits as fw_options_parse() does. 0, or -EINVAL after saying why. */
int fw_serve_options_parse(struct fw_serve_options *w, struct fw_options *opt, int argc,
			   char **argv);

#endif
