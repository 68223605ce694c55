// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait serve: watches for as long as it runs, and answers over HTTP.
 *
 *	kernel -> session -> tracker -> metrics            the event loop
 *	                                   | renders what somebody wants, once a second at most
 *	                               documents
 *	                                   | references
 *	                                 http  <- clients   threads of libmicrohttpd
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "serve/answers.h"
#include "cmd/cmd.h"
#include "cmd/cost.h"
#include "serve/exporter.h"
#include "serve/serve_options.h"
#include "serve/pusher.h"
#include "cmd/rights.h"
#include "cmd/session.h"
#include "serve/window.h"
#include "core/fanout.h"
#include "serve/http.h"
#include "io/journal.h"
#include "serve/secret.h"
#include "serve/spool.h"
#include "report/render.h"
#include "util/fmt.h"

/* After that the event loop is said to be stuck; it comes by every 50 ms. */
#define STUCK_NS (5 * FW_NS_PER_S)
#define FILES (FW_SERVE_LISTEN_MAX * FW_HTTP_CONNECTIONS + 256U)
/* How often refused clients are logged. */
#define REFUSALS_NS (60 * FW_NS_PER_S)
/* How often findings are looked for, at most. */
#define ASSESS_NS (30 * FW_NS_PER_S)
/* For how long the BPF programs are measured. */
#define MEASURE_NS (10 * FW_NS_PER_S)

/* Directories that the sandbox still allows to look into. */
struct dirs {
	char token[PATH_MAX], listen[FW_SERVE_LISTEN_MAX][PATH_MAX];
};

/* Who observes; the window has two slots. */
enum { SLOT_METRICS, SLOT_WINDOW, SLOT_PUSHER = SLOT_WINDOW + 2 };

struct run {
	const struct fw_options *opt;
	const struct fw_serve_options *wishes;
	struct fw_session session;
	struct fw_fanout fanout;
	struct fw_exporter exporter;
	struct fw_window window;
	struct fw_pusher pusher;
	struct fw_buf push_auth; /* until it is started */
	struct fw_clickhouse_server clickhouse;
	struct fw_listen listen[FW_SERVE_LISTEN_MAX];
	size_t nr_listen;
	struct fw_documents *docs;
	struct fw_http *http;
	struct fw_http_stats refusals; /* as last logged */
	uint64_t next_refusals_ns, next_assess_ns;
	uint64_t watchdog_ns, next_watchdog_ns;
	int notify_fd; /* -1: there is no service manager */
};

/* ---- What is answered -------------------------------------------------------------------- */

/* In an HTTP thread. Of the run only what does not change any more is looked at. */
static bool health(void *arg, struct fw_buf *json)
{
	const struct run *run = arg;
	uint64_t idle_ns = fw_documents_idle_ns(run->docs);
	bool well = idle_ns < STUCK_NS;

	fw_buf_printf(json, "{\"status\":\"%s\",\"hooks\":\"%s\",\"loop_idle_seconds\":%.3f}\n",
		      well ? "ok" : "stuck", run->session.src->info.hooks, (double)idle_ns / 1e9);
	return well;
}

static void render_report(struct run *run, enum fw_serve_document which, struct fw_buf *out)
{
	struct fw_report r = { 0 };

	fw_window_report(&run->window, &run->session, &r);
	fw_metrics_findings_of(&run->exporter.findings, &r);
	if (which == FW_DOC_PAGE)
		fw_report_html(&r, out);
	else
		fw_report_json(&r, out);
	fw_report_fini(&r);
}

static void render_metrics(struct run *run, bool openmetrics, struct fw_buf *out)
{
	const struct fw_metrics_push push = fw_pusher_metrics(&run->pusher);
	struct fw_metrics_http http;
	struct fw_http_stats stats;

	fw_http_stats(run->http, &stats);
	http = (struct fw_metrics_http){
		.closed_slow = stats.closed.slow,
		.closed_limit = stats.closed.limit,
		.closed_address = stats.closed.address,
		.refused_token = stats.refused_token,
		.refused_host = stats.refused_host,
	};
	fw_exporter_render(&run->exporter, &run->session, &push, &http, openmetrics, out);
}

static void render(struct run *run, enum fw_serve_document which, struct fw_buf *out)
{
	switch (which) {
	case FW_DOC_PAGE:
	case FW_DOC_REPORT:
		render_report(run, which, out);
		break;
	case FW_DOC_OPENMETRICS:
	case FW_DOC_METRICS_TEXT:
		render_metrics(run, which == FW_DOC_OPENMETRICS, out);
		break;
	case FW_NR_DOCUMENTS:
		break;
	}
}

/* A report is of now: it waits for a look at all sockets, if the last one is not fresh. */
static bool must_wait(struct run *run, enum fw_serve_document which)
{
	return (which == FW_DOC_PAGE || which == FW_DOC_REPORT) && fw_session_looks(&run->session);
}

static void render_wanted(struct run *run)
{
	struct fw_source *src = run->session.src;

	for (unsigned int i = 0; i < FW_NR_DOCUMENTS; i++) {
		uint64_t begin = src->ops->now_ns(src);
		struct fw_buf out = { 0 };

		if (!fw_documents_wanted(run->docs, i) || must_wait(run, (enum fw_serve_document)i))
			continue;
		render(run, (enum fw_serve_document)i, &out);
		fw_documents_publish(run->docs, i, &out, src->ops->now_ns(src) - begin);
	}
}

/* Findings are metrics, too: a report is made now and then even if none is asked for. */
static void assess(struct run *run)
{
	struct fw_source *src = run->session.src;
	uint64_t begin = src->ops->now_ns(src), took;
	struct fw_report r = { 0 };

	if (begin < run->next_assess_ns || src->ops->in_snapshot(src))
		return;
	fw_window_report(&run->window, &run->session, &r);
	fw_metrics_findings_of(&run->exporter.findings, &r);
	fw_report_fini(&r);
	took = src->ops->now_ns(src) - begin;
	run->next_assess_ns = begin + ASSESS_NS + took * FW_DOCUMENT_COST_FACTOR;
}

/* ---- Running ----------------------------------------------------------------------------- */

static void sign_of_life(struct run *run)
{
	uint64_t now = run->session.src->ops->now_ns(run->session.src);

	fw_documents_beat(run->docs);
	if (!run->watchdog_ns || now < run->next_watchdog_ns)
		return;
	fw_notify(run->notify_fd, "WATCHDOG=1");
	run->next_watchdog_ns = now + run->watchdog_ns / 2;
}

/* Not a line for each: a client that wants to fill a disk would only have to ask. */
static void watch_clients(struct run *run)
{
	uint64_t now = run->session.src->ops->now_ns(run->session.src);
	struct fw_buf last = { 0 };
	struct fw_http_stats s;

	fw_http_step(run->http);
	if (now < run->next_refusals_ns)
		return;
	fw_http_stats(run->http, &s);
	if (!memcmp(&s, &run->refusals, sizeof(s)))
		return;
	run->refusals = s;
	run->next_refusals_ns = now + REFUSALS_NS;
	fw_http_print_last(run->http, &last);
	fw_say(FW_LEVEL_WARNING,
	       "clients refused since the start: %" PRIu64 " too slow, %" PRIu64 " too many, %" PRIu64
	       " too many of one address; requests: %" PRIu64 " without the token, %" PRIu64
	       " for another host name%s%s",
	       s.closed.slow, s.closed.limit, s.closed.address, s.refused_token, s.refused_host,
	       last.len ? "; last disconnected: " : "", last.len ? fw_buf_str(&last) : "");
	fw_buf_free(&last);
}

static int read_token(const struct fw_serve_options *wishes, struct fw_buf *token,
		      struct fw_err *err)
{
	return wishes->token_file ? fw_secret_read(wishes->token_file, token, err) : 0;
}

/* SIGHUP: the token and the settings of the kernel are read again. What fails stays as it was. */
static void reload(struct run *run)
{
	uint64_t now = run->session.src->ops->now_ns(run->session.src);
	struct fw_buf token = { 0 };
	struct fw_err err = { 0 };
	char message[64];

	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(now / 1000));
	fw_notify(run->notify_fd, message);
	if (read_token(run->wishes, &token, &err))
		fw_complain(&err);
	else if (fw_http_set_token(run->http, token.len ? fw_buf_str(&token) : NULL))
		fw_say(FW_LEVEL_ERROR, "no memory for the token: the old one stays");
	else
		fw_say(FW_LEVEL_INFO, "reloaded");
	fw_secret_free(&token);
	run->exporter.next_readings_ns = 0;
	fw_notify(run->notify_fd, "READY=1");
}

static bool hung_up(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	return sigtimedwait(&set, NULL, &at_once) == SIGHUP;
}

/* Each client is a file; the usual 1024 are fewer than two sockets let in. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES)
		return;
	limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void block_hangup(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_sockets(struct run *run, struct fw_err *err)
{
	const struct fw_serve_options *w = run->wishes;

	for (size_t i = 0; i < w->nr_listen; i++) {
		if (fw_listen_open(&run->listen[i], w->listen[i], err))
			return err->code;
		run->nr_listen++;
		if (!run->listen[i].is_local && !w->token_file)
			fw_say(FW_LEVEL_WARNING,
			       "whoever reaches %s can read who talks to whom on this host: think "
			       "of --token-file, and of TLS by a proxy",
			       w->listen[i]);
	}
	return 0;
}

/* What exists is known before anybody may ask. */
static int take_snapshot(struct run *run, struct fw_err *err)
{
	struct fw_source *src = run->session.src;
	int ret = 0;

	while (!ret && !fw_stopping && src->ops->in_snapshot(src))
		ret = fw_session_step(&run->session, err);
	return ret;
}

/* "/run/finwait" of "/run/finwait/http". False: @path is too long. */
static bool directory_of(const char *path, char dir[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return snprintf(dir, PATH_MAX, ".") > 0;
	return snprintf(dir, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path) <
	       PATH_MAX;
}

/* What the service still needs, and nothing else. */
static void plan_sandbox(const struct run *run, struct fw_sandbox *s, struct dirs *dirs)
{
	const struct fw_serve_options *w = run->wishes;

	*s = (struct fw_sandbox){
		.namespaces = w->all_namespaces,
		.settles = run->session.src->info.rearms_unseen,
		.connects = w->clickhouse,
		.port = run->clickhouse.port,
		.reads_files = run->clickhouse.reads_files,
		.write_dir = w->spool_dir,
	};
	if (w->token_file && directory_of(w->token_file, dirs->token))
		s->read_dirs[s->nr_read_dirs++] = dirs->token;
	for (size_t i = 0; i < run->nr_listen; i++) {
		if (run->listen[i].unix_path && directory_of(run->listen[i].unix_path, dirs->listen[i]))
			s->remove_dirs[s->nr_remove_dirs++] = dirs->listen[i];
	}
}

/* Everything is open. What an unprivileged process cannot do any more is in docs/metrics.md. */
static int give_up_privileges(struct run *run, struct fw_err *err)
{
	const struct fw_serve_options *w = run->wishes;
	struct fw_privileges p = { 0 };
	struct fw_sandbox sandbox;
	struct dirs dirs;
	int ret = fw_rights_find(&p, run->session.src, w->user, w->all_namespaces, err);

	for (size_t i = 0; i < run->nr_listen && !ret; i++)
		ret = fw_listen_give(&run->listen[i], p.uid, p.gid, err);
	if (!ret && w->spool_dir)
		ret = fw_spool_make(w->spool_dir, p.uid, p.gid, err);
	/* Only who is privileged can have programs measured: a few seconds at the beginning then. */
	run->session.src->ops->measure(run->session.src, true);
	plan_sandbox(run, &sandbox, &dirs);
	return ret ? ret : fw_rights_give_up(&p, &sandbox, err);
}

/* Before privileges are dropped: what only root may read or make. */
static int prepare_push(struct run *run, struct fw_err *err)
{
	const struct fw_serve_options *w = run->wishes;

	if (!w->clickhouse)
		return 0;
	run->fanout.to[SLOT_PUSHER] = fw_pusher_observer(&run->pusher);
	if (fw_clickhouse_global_init(err) ||
	    fw_clickhouse_prepare(w->clickhouse, &run->clickhouse, err))
		return err->code;
	return w->clickhouse_auth ? fw_secret_read(w->clickhouse_auth, &run->push_auth, err) : 0;
}

static int start_push(struct run *run, struct fw_err *err)
{
	const struct fw_serve_options *w = run->wishes;
	const struct fw_push_options options = {
		.to = { .url = w->clickhouse,
			.table = w->clickhouse_table,
			.auth = run->push_auth.len ? fw_buf_str(&run->push_auth) : NULL },
		.spool_dir = w->spool_dir,
		.spool_max_bytes = w->spool_max_bytes,
	};
	int ret = w->clickhouse ? fw_pusher_start(&run->pusher, &options, err) : 0;

	fw_secret_free(&run->push_auth);
	return ret;
}

static int start_http(struct run *run, const char *token, struct fw_err *err)
{
	const struct fw_http_options options = {
		.docs = run->docs,
		.routes = fw_serve_routes,
		.health = health,
		.arg = run,
		.token = token,
		.host = run->wishes->host,
	};

	run->http = fw_http_start(&options, run->listen, run->nr_listen, err);
	if (!run->http)
		return err->code;
	for (size_t i = 0; i < run->nr_listen; i++)
		fw_say(FW_LEVEL_INFO, "answering at %s", run->wishes->listen[i]);
	return 0;
}

static void measure_cost(struct run *run)
{
	struct fw_source *src = run->session.src;

	if (run->wishes->all_namespaces)
		fw_cost_sample(&run->session);
	else if (src->ops->now_ns(src) - src->info.start_ns > MEASURE_NS)
		src->ops->measure(src, false);
}

static int watch(struct run *run, struct fw_err *err)
{
	int ret = 0;

	run->watchdog_ns = fw_watchdog_ns();
	fw_notify(run->notify_fd, "READY=1");
	while (!ret && !fw_stopping) {
		sign_of_life(run);
		measure_cost(run);
		ret = fw_session_step(&run->session, err);
		if (ret)
			break;
		fw_exporter_step(&run->exporter, &run->session);
		fw_window_step(&run->window, &run->session);
		fw_pusher_step(&run->pusher);
		assess(run);
		render_wanted(run);
		watch_clients(run);
		if (hung_up())
			reload(run);
	}
	fw_notify(run->notify_fd, "STOPPING=1");
	return ret;
}

static int run_all(struct run *run, struct fw_err *err)
{
	const struct fw_observer observer = fw_fanout_observer(&run->fanout);
	struct fw_buf token = { 0 };
	int ret;

	run->docs = fw_documents_new(FW_NR_DOCUMENTS);
	if (!run->docs || fw_exporter_init(&run->exporter, &run->wishes->exporter))
		return fw_err_set(err, -ENOMEM, "no memory for the metrics");
	run->fanout.to[SLOT_METRICS] = fw_exporter_observer(&run->exporter);
	if (fw_window_init(&run->window, &run->wishes->analysis, run->wishes->window_ns,
			   &run->fanout, SLOT_WINDOW))
		return fw_err_set(err, -ENOMEM, "no memory for the analyses");
	ret = prepare_push(run, err);
	if (!ret)
		ret = open_sockets(run, err);
	if (!ret)
		ret = read_token(run->wishes, &token, err);
	if (!ret)
		ret = fw_session_open(&run->session, run->opt, &observer, err);
	if (!ret) {
		run->pusher.host =
			run->wishes->host ? run->wishes->host : run->session.src->info.host;
		fw_say(FW_LEVEL_INFO, "watching TCP with the %s hooks",
		       run->session.src->info.hooks);
		fw_exporter_read_settings(&run->exporter);
		fw_window_begin(&run->window, &run->session);
		ret = take_snapshot(run, err);
	}
	if (!ret)
		ret = give_up_privileges(run, err);
	if (!ret)
		ret = start_push(run, err);
	if (!ret)
		ret = start_http(run, token.len ? fw_buf_str(&token) : NULL, err);
	fw_secret_free(&token);
	return ret ? ret : watch(run, err);
}

static int run_and_close(const struct fw_options *opt, const struct fw_serve_options *wishes)
{
	struct run run = { .opt = opt, .wishes = wishes, .notify_fd = fw_notify_open() };
	struct fw_err err = { 0 };
	bool lost;
	int ret;

	block_hangup();
	raise_file_limit();
	fw_pusher_init(&run.pusher, &run.session, "");
	ret = run_all(&run, &err);
	fw_http_stop(run.http);
	if (!ret)
		ret = fw_session_stop(&run.session, &err);
	fw_pusher_stop(&run.pusher);
	if (!ret)
		fw_session_summarise(&run.session);
	lost = run.session.tracker.counters.lost;
	for (size_t i = 0; i < run.nr_listen; i++)
		fw_listen_close(&run.listen[i]);
	fw_session_close(&run.session);
	fw_pusher_fini(&run.pusher);
	fw_secret_free(&run.push_auth);
	fw_window_fini(&run.window);
	fw_exporter_fini(&run.exporter);
	fw_documents_free(run.docs);
	if (ret) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	return opt->strict && lost ? FW_EXIT_LOST : FW_EXIT_OK;
}

static int run_serve(int argc, char **argv)
{
	struct fw_serve_options wishes;
	struct fw_options opt;

	if (fw_serve_options_parse(&wishes, &opt, argc, argv))
		return FW_EXIT_USAGE;
	return run_and_close(&opt, &wishes);
}

const struct fw_command fw_cmd_serve = {
	.name = "serve",
	.summary = FW_SERVE_SUMMARY,
	.run = run_serve,
};
