/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ClickHouse server over HTTP: batches into a table, each exactly once.
 *
 * ClickHouse has no transaction to ask, but a batch below a million rows, of one partition, is one block,
 * and that is there as a whole or not at all. So where an answer did not come, the number of rows of that
 * batch tells whether it must be sent again. Should the server be at it still while it is asked, the
 * table's key (batch, row) makes one row of two (ReplacingMergeTree). docs/fleet/clickhouse.sql.
 */
#ifndef FW_SERVE_CLICKHOUSE_H
#define FW_SERVE_CLICKHOUSE_H

#include <stdbool.h>

#include "serve/batch.h"
#include "util/err.h"

struct fw_clickhouse_options {
	const char *url;   /* http://host:8123/, https://...; a query string may follow */
	const char *table; /* [database.]table */
	const char *host;  /* the value of the column of that name in the rows */
	const char *auth;  /* "user:password"; NULL: none */
	/* Asked now and then while a transfer is under way: whether to give up. */
	bool (*give_up)(void *arg);
	void *arg;
};

struct fw_clickhouse;

/* Once in a process, before there are threads. */
int fw_clickhouse_global_init(struct fw_err *err);

/* Whether it is a URL, and one without a secret. 0, or -EINVAL with @err filled, which does not repeat it. */
int fw_clickhouse_check_url(const char *url, struct fw_err *err);

struct fw_clickhouse_server {
	uint16_t port;
	bool reads_files; /* to resolve its name, or to verify its certificate */
};

/* What reaching the server of @url takes. Resolves its host once, so that what the C library loads for that is loaded before
 * the sandbox forbids new code. 0, or a negative errno with @err filled.
 */
int fw_clickhouse_prepare(const char *url, struct fw_clickhouse_server *server, struct fw_err *err);

/* NULL with @err filled. For one thread. What is in @opt is copied, but for the callback's. */
struct fw_clickhouse *fw_clickhouse_open(const struct fw_clickhouse_options *opt,
					 struct fw_err *err);
void fw_clickhouse_free(struct fw_clickhouse *ch);

/* 0: the server has all rows of @batch. Else a negative errno with @err filled; @batch->maybe_there says
 * whether it may have them. */
int fw_clickhouse_insert(struct fw_clickhouse *ch, struct fw_batch *batch, struct fw_err *err);

#endif
