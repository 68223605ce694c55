// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait record: writes down what happens, for whoever wants to look at it later and elsewhere.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/cost.h"
#include "cmd/record_info.h"
#include "cmd/session.h"
#include "util/fmt.h"
#include "util/parse.h"

#define PROGRESS_NS (FW_NS_PER_S / 2)
#define MIN_FILE_BYTES 65536

enum {
	OPT_INFO = FW_OPT_OF_COMMAND,
	OPT_MAX_SIZE,
	OPT_MAX_AGE,
	OPT_KEEP,
	OPT_LEVEL,
	OPT_SNAPSHOT_INTERVAL,
	OPT_NO_HOST,
};

#define FIRST_LOOK_NS (5 * FW_NS_PER_S)

struct wishes {
	struct fw_recorder_options files;
	uint64_t duration_ns, snapshot_ns; /* 0: none */
	bool snapshot_told, no_host;
	const char *info;
	char **command; /* NULL: none */
};

struct run {
	const struct fw_options *opt;
	const struct wishes *wishes;
	struct fw_session session;
	pid_t child; /* 0: none, or it has ended */
	int child_status;
	uint64_t next_progress_ns;
	bool progress; /* stderr is a terminal */
};

/* ---- The command ------------------------------------------------------------------------- */

/* Runs when it is told that recording has begun, so that its first connection is in it. */
static int start_command(struct run *run, struct fw_err *err)
{
	char *const *argv = run->wishes->command;
	int status;

	if (!argv)
		return 0;
	fflush(NULL);
	run->child = fork();
	if (run->child < 0)
		return fw_err_set(err, -errno, "cannot run %s: %s", argv[0], strerror(errno));
	if (run->child)
		return 0;
	fw_stop_release();
	execvp(argv[0], argv);
	status = errno == ENOENT ? 127 : 126;
	fw_say(FW_LEVEL_ERROR, "cannot run %s: %s", argv[0], strerror(errno));
	_exit(status);
}

static bool command_has_ended(struct run *run)
{
	if (!run->child || waitpid(run->child, &run->child_status, WNOHANG) != run->child)
		return false;
	run->child = 0;
	return true;
}

/* Ctrl-C reaches it by itself; SIGTERM does not. */
static void stop_command(struct run *run)
{
	if (!run->child)
		return;
	kill(run->child, SIGTERM);
	waitpid(run->child, &run->child_status, 0);
	run->child = 0;
}

/* Its own, as a shell would tell it. */
static int exit_of_command(const struct run *run)
{
	if (WIFSIGNALED(run->child_status))
		return 128 + WTERMSIG(run->child_status);
	return WEXITSTATUS(run->child_status);
}

/* ---- Recording --------------------------------------------------------------------------- */

static void clear_progress(const struct run *run)
{
	if (run->progress)
		fw_progress(NULL);
}

static void progress(struct run *run, uint64_t now)
{
	const struct fw_session *s = &run->session;
	struct fw_recorder_stats stats;
	struct fw_buf size = { 0 };

	if (!run->progress || now < run->next_progress_ns)
		return;
	run->next_progress_ns = now + PROGRESS_NS;
	fw_recorder_stats(s->recorder, &stats);
	fw_fmt_bytes(&size, stats.bytes);
	fw_progress("%llu s, %llu events, %llu lost, %s written; Ctrl-C ends",
		(unsigned long long)((now - s->src->info.start_ns) / FW_NS_PER_S),
		(unsigned long long)s->tracker.counters.events,
		(unsigned long long)s->tracker.counters.lost, fw_buf_str(&size));
	fw_buf_free(&size);
}

static int watch(struct run *run, struct fw_err *err)
{
	struct fw_session *s = &run->session;
	uint64_t start = fw_session_now_ns(s), now = start, duration = run->wishes->duration_ns;
	int ret = 0;

	while (!fw_stopping && !ret && (!duration || now - start < duration)) {
		fw_cost_sample(s);
		ret = fw_session_step(s, err);
		now = fw_session_now_ns(s);
		progress(run, now);
		if (run->wishes->command && command_has_ended(run))
			break;
	}
	clear_progress(run);
	return ret;
}

static void summarise(const struct run *run)
{
	const struct fw_recorder_stats *w = &run->session.recorded;
	struct fw_buf size = { 0 };

	fw_fmt_bytes(&size, w->bytes);
	fw_session_summarise(&run->session);
	if (w->parts > 1)
		fw_buf_printf(&size, " in %llu files", (unsigned long long)w->parts);
	fw_say(FW_LEVEL_INFO, "recorded %s", fw_buf_str(&size));
	fw_buf_free(&size);
}

static int run_all(struct run *run, struct fw_err *err)
{
	const struct fw_observer nobody = { 0 };
	int ret = fw_session_open(&run->session, run->opt, &nobody, err);

	if (ret)
		return ret;
	run->progress = isatty(STDERR_FILENO);
	if (!run->progress)
		fw_say(FW_LEVEL_INFO, "recording TCP with the %s hooks",
		       run->session.src->info.hooks);
	ret = start_command(run, err);
	if (!ret)
		ret = watch(run, err);
	stop_command(run);
	if (!ret)
		ret = fw_session_stop(&run->session, err);
	if (!ret)
		summarise(run);
	return ret;
}

static int run_and_close(const struct fw_options *opt, const struct wishes *wishes)
{
	struct run run = { .opt = opt, .wishes = wishes };
	struct fw_err err = { 0 };
	int ret = run_all(&run, &err);
	bool gaps = fw_session_has_gaps(&run.session);

	fw_session_close(&run.session);
	if (ret && ret != -EPIPE) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	if (wishes->command && exit_of_command(&run))
		return exit_of_command(&run);
	return opt->strict && gaps ? FW_EXIT_LOST : FW_EXIT_OK;
}

/* ---- Options ----------------------------------------------------------------------------- */

/* "100M" */
static int take_size(const char *value, uint64_t *out, struct fw_err *err)
{
	static const char units[] = "kMGT";
	size_t len = strlen(value);
	const char *unit = len ? strchr(units, value[len - 1]) : NULL;
	char digits[24];
	uint64_t n;

	if (unit)
		len--;
	if (!len || len >= sizeof(digits))
		return fw_err_set(err, -EINVAL, "'%s' is not a size such as 500k, 100M or 2G", value);
	memcpy(digits, value, len);
	digits[len] = '\0';
	if (fw_parse_u64(digits, 1, 1U << 20, &n, NULL) && (unit || fw_parse_u64(digits, 1, UINT64_MAX, &n, NULL)))
		return fw_err_set(err, -EINVAL, "'%s' is not a size such as 500k, 100M or 2G", value);
	*out = unit ? n << (10 * (unit - units + 1)) : n;
	return *out >= MIN_FILE_BYTES ? 0 :
		fw_err_set(err, -EINVAL, "%s is too small for a file: 64k at least", value);
}

static int take_positive(const char *value, uint64_t *out_ns, struct fw_err *err)
{
	int ret = fw_parse_duration(value, out_ns, err);

	return !ret && !*out_ns ? fw_err_set(err, -EINVAL, "must be more than nothing") : ret;
}

static int take_level(const char *value, int *out, struct fw_err *err)
{
	uint64_t level;

	if (fw_parse_u64(value, 1, 19, &level, err))
		return err->code;
	*out = (int)level;
	return 0;
}

static int take(void *arg, int key, char *value, struct fw_err *err)
{
	struct wishes *w = arg;

	switch (key) {
	case FW_OPT_ARGUMENT:
		return take_positive(value, &w->duration_ns, err);
	case OPT_INFO:
		w->info = value;
		return 0;
	case OPT_MAX_SIZE:
		return take_size(value, &w->files.max_bytes, err);
	case OPT_MAX_AGE:
		return take_positive(value, &w->files.max_age_ns, err);
	case OPT_KEEP:
		return fw_parse_u64(value, 1, UINT32_MAX, &w->files.keep, err) ? err->code : 0;
	case OPT_LEVEL:
		return take_level(value, &w->files.level, err);
	case OPT_SNAPSHOT_INTERVAL:
		w->snapshot_told = true;
		return fw_parse_duration(value, &w->snapshot_ns, err);
	case OPT_NO_HOST:
		w->no_host = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option own_options[] = {
	{ "info", OPT_INFO, "FILE", 0, "Say what is in that recording, and record nothing", 0 },
	{ "max-size", OPT_MAX_SIZE, "SIZE", 0,
	  "Begin another file when one is about so large: 100M. FILE.fwr is then FILE-000001.fwr and "
	  "so on; each can be read alone, and all in their order as one", 0 },
	{ "max-age", OPT_MAX_AGE, "TIME", 0, "Begin another file when one is so old", 0 },
	{ "keep", OPT_KEEP, "N", 0, "Of these files keep the last N", 0 },
	{ "compress-level", OPT_LEVEL, "N", 0, "Of zstd, 1 to 19 (default 3)", 0 },
	{ "snapshot-interval", OPT_SNAPSHOT_INTERVAL, "TIME", 0,
	  "How often all connections are looked at (default 30s; 0: at the beginning and at the end)", 0 },
	{ "no-host", OPT_NO_HOST, 0, 0, "Leave out the host's name", 0 },
	{ 0 },
};

static const char doc[] =
	"Records what happens to every TCP connection, for DURATION, as long as COMMAND runs, or "
	"until Ctrl-C. trace, timeline, report, leaks and states read it with -i FILE: anywhere, and "
	"without privileges."
	"\v"
	"Exit status: that of COMMAND if it is not 0 (128 + N if signal N ended it); else 0, 1 and 2 as "
	"ever.\n\n"
	"Examples:\n"
	"  finwait record -o incident.fwr 5m\n"
	"  finwait record -o curl.fwr -- curl -s https://example.com/\n"
	"  finwait record -o tcp.fwr --max-size 100M --keep 10\n"
	"  ssh host finwait record -o - 1m | finwait report -i -\n";

static int usage(const char *what)
{
	fw_say(FW_LEVEL_ERROR, "%s", what);
	return FW_EXIT_USAGE;
}

/* NULL: it can be done. */
static const char *problem(const struct fw_options *opt, const struct wishes *w)
{
	const struct fw_filter *f = &opt->filter;

	if (!opt->recorder.path)
		return "a recording needs a file: -o FILE, or -o - for a pipe";
	if (opt->nr_inputs)
		return "record reads no recordings; --info FILE says what is in one";
	if (!strcmp(opt->recorder.path, "-") && isatty(STDOUT_FILENO))
		return "a recording is not for a terminal: name a file with -o, or pipe it on";
	if (!strcmp(opt->recorder.path, "-") && (w->files.max_bytes || w->files.max_age_ns))
		return "standard output is one file: --max-size and --max-age need a name";
	if (w->files.keep && !w->files.max_bytes && !w->files.max_age_ns)
		return "--keep needs --max-size or --max-age";
	if (f->nr_pids || f->nr_comms || f->cgroup || f->states || f->min_duration_ns)
		return "owners, states and durations are known only afterwards: use -p, --comm, "
		       "--cgroup, --state and --min-duration with -i";
	if (w->command && !w->command[0])
		return "there is no command after --";
	if (w->command && !strcmp(opt->recorder.path, "-"))
		return "the command writes to standard output too: name a file with -o";
	if (w->command && w->duration_ns)
		return "either a duration or a command";
	return NULL;
}

/* What stands behind "--" is not ours. */
static char **split(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		*argc = i;
		argv[i] = NULL;
		return argv + i + 1;
	}
	return NULL;
}

static int run_record(int argc, char **argv)
{
	struct wishes w = { .files = { .level = 3 } };
	const struct fw_command_options command = {
		.doc = doc, .args = "[DURATION | -- COMMAND [ARG...]]", .options = own_options,
		.parse = take, .arg = &w,
	};
	struct fw_options opt;
	const char *why;

	w.command = split(&argc, argv);
	fw_options_parse(&opt, argc, argv, &command);
	if (w.info)
		return fw_record_info(w.info);
	if (opt.output)
		opt.recorder.path = opt.output;
	why = problem(&opt, &w);
	if (why)
		return usage(why);
	w.files.path = opt.recorder.path;
	opt.recorder = w.files;
	opt.no_host = w.no_host;
	opt.readings = true;
	if (w.snapshot_told)
		opt.snapshot_ns = w.snapshot_ns;
	/* As in a report of the running kernel (report.c). */
	if (opt.snapshot_ns)
		opt.looks.first_ns = w.duration_ns ? w.duration_ns / 2 : FIRST_LOOK_NS;
	if (!w.duration_ns)
		opt.looks.max_ns = opt.snapshot_ns;
	return run_and_close(&opt, &w);
}

const struct fw_command fw_cmd_record = {
	.name = "record",
	.summary = "write a recording, which the other commands read with -i",
	.run = run_record,
};
