// SPDX-License-Identifier: GPL-2.0-only
#include "serve/serve_options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "serve/clickhouse.h"
#include "util/fmt.h"
#include "util/parse.h"

/* Looks at all sockets, for what only they can tell: at 5 s, 10 s, 20 s, then once a minute. */
#define FIRST_LOOK_NS (5 * FW_NS_PER_S)
#define MAX_LOOK_NS (60 * FW_NS_PER_S)
#define DEFAULT_TABLE "finwait_fleet"
#define DEFAULT_SPOOL_BYTES (1ULL << 30)
#define DEFAULT_LISTEN "127.0.0.1:9435"
#define DEFAULT_WINDOW_NS (600 * FW_NS_PER_S)
#define SHORTEST_WINDOW_NS (10 * FW_NS_PER_S)
/* Of the page: it is made while events come in. */
#define PAGE_LIVES 2000

enum {
	OPT_LISTEN = FW_OPT_OF_COMMAND, OPT_TOKEN_FILE, OPT_LABEL, OPT_STALL, OPT_LEAK_AGE, OPT_USER,
	OPT_ALL_NAMESPACES, OPT_WINDOW,
	OPT_CLICKHOUSE, OPT_CLICKHOUSE_TABLE, OPT_CLICKHOUSE_AUTH, OPT_HOST, OPT_SPOOL_DIR, OPT_SPOOL_MAX,
};

static int add_label(struct fw_exporter_options *e, char *value, struct fw_err *err)
{
	const struct fw_om_label *label = &e->labels[e->nr_labels];

	if (e->nr_labels == FW_EXPORTER_LABELS)
		return fw_err_set(err, -EINVAL, "more than %d labels", FW_EXPORTER_LABELS);
	if (fw_om_parse_label(value, fw_metrics_labels, &e->labels[e->nr_labels], err))
		return err->code;
	for (size_t i = 0; i < e->nr_labels; i++) {
		if (!strcmp(e->labels[i].name, label->name))
			return fw_err_set(err, -EINVAL, "'%s' is there already", label->name);
	}
	e->nr_labels++;
	return 0;
}

static int take_table(const char *value, struct fw_serve_options *w, struct fw_err *err)
{
	w->clickhouse_table = value;
	/* It becomes a part of a query. */
	if (!*value || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") !=
			       strlen(value))
		return fw_err_set(err, -EINVAL, "'%s' is not [DATABASE.]TABLE", value);
	return 0;
}

static int take_push(struct fw_serve_options *w, int key, const char *value, struct fw_err *err)
{
	uint64_t mib;

	switch (key) {
	case OPT_CLICKHOUSE:
		w->clickhouse = value;
		if (strncmp(value, "http://", 7) && strncmp(value, "https://", 8))
			return fw_err_set(err, -EINVAL, "must begin with http:// or https://");
		return fw_clickhouse_check_url(value, err);
	case OPT_CLICKHOUSE_TABLE:
		return take_table(value, w, err);
	case OPT_CLICKHOUSE_AUTH:
		w->clickhouse_auth = value;
		return 0;
	case OPT_HOST:
		w->host = value;
		return 0;
	case OPT_SPOOL_DIR:
		w->spool_dir = value;
		return 0;
	case OPT_SPOOL_MAX:
		if (fw_parse_u64(value, 1, 1 << 20, &mib, err))
			return err->code;
		w->spool_max_bytes = mib << 20;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int take(void *arg, int key, char *value, struct fw_err *err)
{
	struct fw_serve_options *w = arg;

	switch (key) {
	case OPT_LISTEN:
		if (w->nr_listen == FW_SERVE_LISTEN_MAX)
			return fw_err_set(err, -EINVAL, "more than %d sockets", FW_SERVE_LISTEN_MAX);
		w->listen[w->nr_listen++] = value;
		return 0;
	case OPT_TOKEN_FILE:
		w->token_file = value;
		return 0;
	case OPT_WINDOW:
		if (fw_parse_duration(value, &w->window_ns, err))
			return err->code;
		if (w->window_ns < SHORTEST_WINDOW_NS)
			return fw_err_set(err, -EINVAL, "must be 10s at least");
		return 0;
	case OPT_USER:
		w->user = value;
		return 0;
	case OPT_ALL_NAMESPACES:
		w->all_namespaces = true;
		return 0;
	case OPT_LABEL:
		return add_label(&w->exporter, value, err);
	case OPT_STALL:
		return fw_parse_duration(value, &w->exporter.stall_ns, err);
	case OPT_LEAK_AGE:
		return fw_parse_duration(value, &w->exporter.leak_age_ns, err);
	default:
		return take_push(w, key, value, err);
	}
}

static const struct argp_option own_options[] = {
	{ "listen", OPT_LISTEN, "WHERE", 0,
	  "Answer there: ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH (default " DEFAULT_LISTEN
	  "; may be repeated)", 0 },
	{ "token-file", OPT_TOKEN_FILE, "FILE", 0,
	  "Answer only who sends the token in FILE: 'Authorization: Bearer TOKEN'", 0 },
	{ "window", OPT_WINDOW, "TIME", 0,
	  "The page and report.json are about that long at the most, and half of it at least "
	  "(default 10m)", 0 },
	{ "clickhouse", OPT_CLICKHOUSE, "URL", 0,
	  "Send every connection that has ended to a ClickHouse server: http://HOST:8123/", 0 },
	{ "clickhouse-table", OPT_CLICKHOUSE_TABLE, "TABLE", 0,
	  "[DATABASE.]TABLE there (default " DEFAULT_TABLE ")", 0 },
	{ "clickhouse-auth", OPT_CLICKHOUSE_AUTH, "FILE", 0, "FILE holds USER:PASSWORD for it", 0 },
	{ "host", OPT_HOST, "NAME", 0, "The name of this host there (default: its own)", 0 },
	{ "spool-dir", OPT_SPOOL_DIR, "DIR", 0,
	  "Keep there what cannot be sent (default: 64 MiB in memory)", 0 },
	{ "spool-max", OPT_SPOOL_MAX, "MIB", 0, "At most so much of it (default 1024)", 0 },
	{ "user", OPT_USER, "NAME", 0,
	  "Become that user once everything is open (default: finwait if there is one, else nobody)",
	  0 },
	{ "all-namespaces", OPT_ALL_NAMESPACES, 0, 0,
	  "Keep the privileges to look into other network namespaces later too, not only at the start "
	  "(CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH)", 0 },
	{ "label", OPT_LABEL, "NAME=VALUE", 0, "A label of every metric (may be repeated)", 0 },
	{ "stall", OPT_STALL, "TIME", 0, "FIN_WAIT_2 longer than that is a stall (default 1s)", 0 },
	{ "leak-age", OPT_LEAK_AGE, "TIME", 0,
	  "CLOSE_WAIT longer than that is a leak (default 30s)", 0 },
	{ 0 },
};

static const char doc[] =
	"Watches TCP until it is stopped, and answers over HTTP: /metrics for Prometheus "
	"(OpenMetrics, or its text format), / for people (the report of the last minutes as pictures, which "
	"reloads itself), /report.json for programs, /healthz for whoever supervises it. Meant to run as a "
	"service on every host."
	"\v"
	"Examples:\n"
	"  finwait serve                               then: curl http://127.0.0.1:9435/metrics\n"
	"  finwait serve --listen 0.0.0.0:9435 --token-file /etc/finwait/token\n"
	"  finwait serve --listen unix:/run/finwait/http --label role=proxy\n"
	"  finwait serve --clickhouse http://clickhouse:8123/ --spool-dir /var/lib/finwait/spool\n"
	"SIGHUP reads the token and the kernel's settings again.\n";

/* Counters of a part of all connections would be taken for those of the host. */
static bool is_usable(const struct fw_options *opt)
{
	const struct fw_filter *f = &opt->filter;

	if (opt->nr_inputs) {
		fw_say(FW_LEVEL_ERROR, "serve watches the running kernel: finwait report -i reads a "
		      "recording");
		return false;
	}
	if (!f->states && !f->min_duration_ns && !f->nr_pids && !f->nr_comms && !f->cgroup)
		return true;
	fw_say(FW_LEVEL_ERROR, "--state, --min-duration, --pid, --comm and --cgroup are for trace and "
	      "timeline: metrics count whole connections of all owners");
	return false;
}

int fw_serve_options_parse(struct fw_serve_options *w, struct fw_options *opt, int argc, char **argv)
{
	const struct fw_command_options command = {
		.doc = doc, .options = own_options, .parse = take, .arg = w,
	};

	*w = (struct fw_serve_options){
		.exporter = { .stall_ns = FW_NS_PER_S, .leak_age_ns = 30 * FW_NS_PER_S },
		.analysis = { .top = FW_TOP_MAX, .lives = PAGE_LIVES },
		.window_ns = DEFAULT_WINDOW_NS,
		.clickhouse_table = DEFAULT_TABLE,
		.spool_max_bytes = DEFAULT_SPOOL_BYTES,
	};
	fw_options_parse(opt, argc, argv, &command);
	if (!is_usable(opt))
		return -EINVAL;
	if (!w->clickhouse && (w->spool_dir || w->clickhouse_auth)) {
		fw_say(FW_LEVEL_ERROR, "--spool-dir and --clickhouse-auth are for --clickhouse");
		return -EINVAL;
	}
	opt->readings = true;
	opt->looks = (struct fw_looks_options){ .first_ns = FIRST_LOOK_NS, .max_ns = MAX_LOOK_NS };
	w->exporter.all_namespaces = w->all_namespaces;
	w->analysis.stall_ns = w->exporter.stall_ns;
	w->analysis.leak_age_ns = w->exporter.leak_age_ns;
	if (!w->nr_listen)
		w->listen[w->nr_listen++] = DEFAULT_LISTEN;
	return 0;
}
