// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/options.h"

#include <argp.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/cmd.h"
#include "io/netns.h"
#include "util/parse.h"

#define DEFAULT_RING_BYTES (16ULL * 1024 * 1024)
#define DEFAULT_MAX_CONNECTIONS 1000000ULL
#define DEFAULT_HALF_OPEN_LIMIT 10000
#define DEFAULT_LEVEL 3
#define DEFAULT_SNAPSHOT_NS 30000000000ULL

enum {
	OPT_LOCAL = 0x100,
	OPT_REMOTE,
	OPT_STATE,
	OPT_MIN_DURATION,
	OPT_HOOKS,
	OPT_WIDE,
	OPT_MAX_CONNECTIONS,
	OPT_RING_SIZE,
	OPT_HALF_OPEN_LIMIT,
	OPT_STRICT,
	OPT_COMM,
	OPT_CGROUP,
	OPT_NETNS,
	OPT_NO_SNAPSHOT,
	OPT_RECORD,
};

static const struct argp_option argp_options[] = {
	{ 0, 0, 0, 0, "Which connections:", 1 },
	{ 0, '4', 0, 0, "IPv4 only (includes IPv4-mapped IPv6)", 1 },
	{ 0, '6', 0, 0, "IPv6 only", 1 },
	{ "localport", 'L', "PORTS", 0, "Local port, or several: 80,443", 1 },
	{ "remoteport", 'D', "PORTS", 0, "Remote port, or several", 1 },
	{ "local", OPT_LOCAL, "CIDR", 0, "Local address or network (may be repeated)", 1 },
	{ "remote", OPT_REMOTE, "CIDR", 0, "Remote address or network (may be repeated)", 1 },
	{ "pid", 'p', "PID", 0, "Only what this process owns (may be repeated)", 1 },
	{ "comm", OPT_COMM, "PATTERN", 0,
	  "Only what processes of this name own, e.g. 'nginx*' (may be repeated)", 1 },
	{ "cgroup", OPT_CGROUP, "PATH", 0,
	  "Only this control group and those below it: /system.slice/nginx.service", 1 },
	{ "netns", OPT_NETNS, "NS", 0,
	  "Only this network namespace: a name of ip netns, a process id, a path or an inode number "
	  "(may be repeated)", 1 },
	{ "state", OPT_STATE, "STATES", 0,
	  "Only what was in one of these states: time_wait,fin_wait_2", 1 },
	{ "min-duration", OPT_MIN_DURATION, "TIME", 0,
	  "Only what lasted that long (in those states): 250ms, 30s, 5m", 1 },
	{ 0, 0, 0, 0, "Recordings:", 2 },
	{ "input", 'i', "FILE", 0,
	  "Read this recording, - for standard input, instead of the running kernel (may be repeated)", 2 },
	{ "record", OPT_RECORD, "FILE", 0, "Also write a recording of what is seen", 2 },
	{ 0, 0, 0, 0, "Output:", 3 },
	{ "format", 'f', "FORMAT", 0, "text (default), or json: one object per line; report: also html", 3 },
	{ "output", 'o', "FILE", 0, "Write there instead of standard output", 3 },
	{ "timestamp", 'T', 0, 0, "Time of day instead of seconds since the start", 3 },
	{ "line-buffered", 'l', 0, 0, "Write each batch at once, also into a pipe or file", 3 },
	{ "wide", OPT_WIDE, 0, 0, "Do not fold lines to the terminal", 3 },
	{ 0, 0, 0, 0, "How it works:", 4 },
	{ "hooks", OPT_HOOKS, "KIND", 0,
	  "trampoline, kprobe or timer instead of the best that works (see finwait doctor)", 4 },
	{ "max-connections", OPT_MAX_CONNECTIONS, "N", 0,
	  "Track at most N at a time; the longest idle is forgotten first (default 1000000)", 4 },
	{ "half-open-limit", OPT_HALF_OPEN_LIMIT, "N", 0,
	  "Request sockets to follow per second and CPU; above it they are only counted "
	  "(default 10000)", 4 },
	{ "ring-size", OPT_RING_SIZE, "MIB", 0, "Ring buffer, a power of two (default 16)", 4 },
	{ "no-snapshot", OPT_NO_SNAPSHOT, 0, 0,
	  "Do not look at the connections that exist when finwait starts", 4 },
	{ "strict", OPT_STRICT, 0, 0, "Exit with status 3 if events were lost", 4 },
	{ 0 },
};

/* The common ones and a command's own. */
#define MAX_OPTIONS 64
_Static_assert(sizeof(argp_options) / sizeof(argp_options[0]) < MAX_OPTIONS - 16, "room");

static int add_cidr(struct fw_cidr *cidrs, uint32_t *nr, const char *arg, struct fw_err *err)
{
	if (*nr == FW_MAX_CIDRS)
		return fw_err_set(err, -EINVAL, "more than %d networks", FW_MAX_CIDRS);
	if (fw_parse_cidr(arg, cidrs[*nr].addr, &cidrs[*nr].family, &cidrs[*nr].prefix_len, err))
		return err->code;
	(*nr)++;
	return 0;
}

static int set_ports(uint16_t *ports, uint32_t *nr, const char *arg, struct fw_err *err)
{
	int n = fw_parse_ports(arg, ports + *nr, FW_MAX_PORTS - (int)*nr, err);

	if (n < 0)
		return n;
	*nr += (uint32_t)n;
	return 0;
}

/* -4 -6 would let nothing through, and the last of them would win silently. */
static int set_family(struct fw_filter_rule *rule, uint32_t family, struct fw_err *err)
{
	if (rule->family && rule->family != family)
		return fw_err_set(err, -EINVAL, "-4 and -6 exclude each other");
	rule->family = family;
	return 0;
}

static int set_states(uint32_t *states, char *arg, struct fw_err *err)
{
	char *save = NULL;

	for (char *name = strtok_r(arg, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		unsigned int state = fw_state_from_name(name);

		if (!state)
			return fw_err_set(err, -EINVAL,
					  "'%s' is not a TCP state such as TIME_WAIT or CLOSE_WAIT", name);
		*states |= 1U << state;
	}
	return *states ? 0 : fw_err_set(err, -EINVAL, "names no state");
}

#define FORMATS_MAX 8

static size_t format_names(enum fw_command_output output, const char *names[FORMATS_MAX])
{
	size_t nr = 0;

	if (output == FW_PRINTS_LINES) {
		for (size_t i = 0; i < fw_nr_stream_formats && nr < FORMATS_MAX; i++)
			names[nr++] = fw_stream_formats[i]->name;
		return nr;
	}
	for (size_t i = 0; i < fw_nr_report_formats && nr < FORMATS_MAX; i++) {
		if (output == FW_PRINTS_PAGES || !fw_report_formats[i].to_file_only)
			names[nr++] = fw_report_formats[i].name;
	}
	return nr;
}

/* "'xml' is not a format: text, json or html" */
static int no_such_format(enum fw_command_output output, const char *name, struct fw_err *err)
{
	const char *names[FORMATS_MAX];
	size_t nr = format_names(output, names);
	struct fw_buf all = { 0 };

	for (size_t i = 0; i < nr; i++) {
		fw_buf_puts(&all, !i ? "" : i + 1 < nr ? ", " : " or ");
		fw_buf_puts(&all, names[i]);
	}
	fw_err_set(err, -EINVAL, "'%s' is not a format: %s", name, fw_buf_str(&all));
	fw_buf_free(&all);
	return -EINVAL;
}

static int set_format(struct fw_options *opt, enum fw_command_output output, const char *name,
		      struct fw_err *err)
{
	const struct fw_stream_format *lines = fw_stream_format_find(name);
	const struct fw_report_format *report = fw_report_format_find(name);

	if (output == FW_PRINTS_LINES && lines) {
		opt->format = lines;
		return 0;
	}
	if (output == FW_PRINTS_LINES || !report ||
	    (output == FW_PRINTS_REPORT && report->to_file_only))
		return no_such_format(output, name, err);
	opt->report_format = report;
	return 0;
}

static int set_hooks(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	opt->live.hooks = fw_hooks_from_name(arg);
	if (opt->live.hooks == FW_HOOKS_MAX)
		return fw_err_set(err, -EINVAL, "'%s' is not one of trampoline, kprobe, timer", arg);
	return 0;
}

static int set_ring_size(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	uint64_t mib;

	if (fw_parse_u64(arg, 1, 1024, &mib, err))
		return err->code;
	if (mib & (mib - 1))
		return fw_err_set(err, -EINVAL, "%s is not a power of two", arg);
	opt->live.ring_bytes = mib * 1024 * 1024;
	return 0;
}

static int set_half_open_limit(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	uint64_t n;

	if (fw_parse_u64(arg, 0, UINT32_MAX, &n, err))
		return err->code;
	opt->live.half_open_limit = (uint32_t)n;
	return 0;
}

static int set_owner(struct fw_filter *f, int key, char *arg, struct fw_err *err)
{
	uint64_t pid;

	switch (key) {
	case 'p':
		if (f->nr_pids == FW_MAX_PIDS)
			return fw_err_set(err, -EINVAL, "more than %d processes", FW_MAX_PIDS);
		if (fw_parse_u64(arg, 1, UINT32_MAX, &pid, err))
			return err->code;
		f->pids[f->nr_pids++] = (uint32_t)pid;
		return 0;
	case OPT_COMM:
		if (f->nr_comms == FW_MAX_COMMS)
			return fw_err_set(err, -EINVAL, "more than %d names", FW_MAX_COMMS);
		f->comms[f->nr_comms++] = arg;
		return 0;
	case OPT_CGROUP:
		if (f->cgroup)
			return fw_err_set(err, -EINVAL, "there is a control group already: %s",
					  f->cgroup);
		f->cgroup = arg;
		return *arg == '/' ? 0 : fw_err_set(err, -EINVAL, "'%s' does not begin with /", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int set_rule(struct fw_filter_rule *rule, int key, char *arg, struct fw_err *err)
{
	switch (key) {
	case '4':
		return set_family(rule, AF_INET, err);
	case '6':
		return set_family(rule, AF_INET6, err);
	case 'L':
		return set_ports(rule->lports, &rule->nr_lports, arg, err);
	case 'D':
		return set_ports(rule->rports, &rule->nr_rports, arg, err);
	case OPT_LOCAL:
		return add_cidr(rule->local, &rule->nr_local, arg, err);
	case OPT_REMOTE:
		return add_cidr(rule->remote, &rule->nr_remote, arg, err);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int set_filter(struct fw_filter *f, int key, char *arg, struct fw_err *err)
{
	int ret = set_rule(&f->rule, key, arg, err);

	if (ret != ARGP_ERR_UNKNOWN)
		return ret;
	switch (key) {
	case OPT_STATE:
		return set_states(&f->states, arg, err);
	case OPT_MIN_DURATION:
		return fw_parse_duration(arg, &f->min_duration_ns, err);
	default:
		return set_owner(f, key, arg, err);
	}
}

static int add_input(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	if (opt->nr_inputs == FW_MAX_INPUTS)
		return fw_err_set(err, -EINVAL, "more than %d files", FW_MAX_INPUTS);
	opt->inputs[opt->nr_inputs++] = arg;
	return 0;
}

static int add_netns(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	if (!*arg)
		return fw_err_set(err, -EINVAL, "a name, a process or a path is missing");
	if (opt->nr_netns_args == FW_MAX_NETNS)
		return fw_err_set(err, -EINVAL, "more than %d network namespaces", FW_MAX_NETNS);
	opt->netns_args[opt->nr_netns_args++] = arg;
	return 0;
}

static int set_files(struct fw_options *opt, int key, const char *arg, struct fw_err *err)
{
	switch (key) {
	case 'i':
		return add_input(opt, arg, err);
	case OPT_RECORD:
		opt->recorder.path = arg;
		return 0;
	case OPT_NETNS:
		return add_netns(opt, arg, err);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int set_rest(struct fw_options *opt, int key, char *arg, struct fw_err *err)
{
	switch (key) {
	case 'o':
		opt->output = arg;
		return 0;
	case 'T':
		opt->clock = true;
		return 0;
	case 'l':
		opt->line_buffered = true;
		return 0;
	case OPT_WIDE:
		opt->wide = true;
		return 0;
	case OPT_NO_SNAPSHOT:
		opt->no_snapshot = true;
		return 0;
	case OPT_STRICT:
		opt->strict = true;
		return 0;
	case OPT_HOOKS:
		return set_hooks(opt, arg, err);
	case OPT_RING_SIZE:
		return set_ring_size(opt, arg, err);
	case OPT_HALF_OPEN_LIMIT:
		return set_half_open_limit(opt, arg, err);
	case OPT_MAX_CONNECTIONS:
		return fw_parse_u64(arg, 1, 1ULL << 32, &opt->max_connections, err);
	default:
		return set_files(opt, key, arg, err);
	}
}

struct parsing {
	struct fw_options *opt;
	const struct fw_command_options *command;
	struct argp_option options[MAX_OPTIONS];
};

/* How the option is written, for the message. */
static void option_spelled(const struct argp_option *options, int key, char out[32])
{
	for (const struct argp_option *o = options; o->doc; o++) {
		if (o->key != key)
			continue;
		if (o->name)
			snprintf(out, 32, "--%s", o->name);
		else
			snprintf(out, 32, "-%c", key);
		return;
	}
}

static bool is_of_command(const struct fw_command_options *command, int key)
{
	const struct argp_option *o = command->options;

	while (o && o->doc && o->key != key)
		o++;
	return key == FW_OPT_ARGUMENT || (o && o->doc);
}

/* What the kernel is asked to leave out, for whoever reads the recording; and what only it has. */
static void note_option(struct fw_options *opt, int key, const char *spelled, const char *arg)
{
	size_t len = strlen(opt->filter_text);

	switch (key) {
	case '4':
	case '6':
	case 'L':
	case 'D':
	case OPT_LOCAL:
	case OPT_REMOTE:
	case OPT_NETNS:
		snprintf(opt->filter_text + len, sizeof(opt->filter_text) - len, "%s%s%s%s",
			 len ? " " : "", spelled, arg ? " " : "", arg ? arg : "");
		break;
	case OPT_HOOKS:
		opt->live_option = "--hooks";
		break;
	case OPT_RING_SIZE:
		opt->live_option = "--ring-size";
		break;
	case OPT_HALF_OPEN_LIMIT:
		opt->live_option = "--half-open-limit";
		break;
	case OPT_NO_SNAPSHOT:
		opt->live_option = "--no-snapshot";
		break;
	case OPT_RECORD:
		opt->live_option = "--record";
		break;
	}
}

/* A recording knows the names that the namespaces had then, and their inode numbers. */
static int add_recorded_netns(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	struct fw_filter_rule *rule = &opt->filter.rule;
	uint64_t inum;

	if (!fw_parse_u64(arg, 1, UINT32_MAX, &inum, NULL)) {
		if (inum < FW_NETNS_FIRST_INUM)
			return fw_err_set(err, -EINVAL, "--netns %s: a recording knows namespaces by "
							"name and by inode number, not by process", arg);
		rule->netns[rule->nr_netns++] = (uint32_t)inum;
		return 0;
	}
	if (strchr(arg, '/'))
		return fw_err_set(err, -EINVAL, "--netns %s: a recording knows namespaces by name and "
						"by inode number, not by path", arg);
	opt->netns_names[opt->nr_netns_names++] = arg;
	return 0;
}

static int add_own_netns(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	struct fw_filter_rule *rule = &opt->filter.rule;

	return fw_netns_parse(arg, &rule->netns[rule->nr_netns++], err);
}

/* When all options are known. */
static int complete(struct fw_options *opt, struct fw_err *err)
{
	int ret = 0;

	if (opt->nr_inputs && opt->live_option)
		return fw_err_set(err, -EINVAL, "%s is for the running kernel: it goes with no -i",
				  opt->live_option);
	for (size_t i = 0; i < opt->nr_netns_args && !ret; i++)
		ret = opt->nr_inputs ? add_recorded_netns(opt, opt->netns_args[i], err) :
				       add_own_netns(opt, opt->netns_args[i], err);
	return ret;
}

/* The message has the value of an option in it. */
static void refuse(const struct argp_state *state, const char *option, const struct fw_err *err)
{
	struct fw_buf b = { 0 };

	fw_buf_visible(&b, err->msg, sizeof(err->msg));
	argp_error(state, "%s%s%s", option, *option ? ": " : "", fw_buf_str(&b));
	fw_buf_free(&b);
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	const struct fw_command_options *command = p->command;
	struct fw_err err = { 0 };
	char spelled[32] = "";
	int ret;

	if (key == ARGP_KEY_END && complete(p->opt, &err))
		refuse(state, "", &err);
	if (key == ARGP_KEY_ARG && (!command->args || state->arg_num))
		argp_error(state, "'%s' is not an option; nothing else was expected", arg);
	if (key == 'f')
		ret = set_format(p->opt, command->output, arg, &err);
	else
		ret = set_filter(&p->opt->filter, key, arg, &err);
	if (ret == ARGP_ERR_UNKNOWN)
		ret = set_rest(p->opt, key, arg, &err);
	if (ret == ARGP_ERR_UNKNOWN && command->parse && is_of_command(command, key))
		ret = command->parse(command->arg, key, arg, &err);
	option_spelled(p->options, key, spelled);
	note_option(p->opt, key, spelled, arg);
	if (ret < 0) {
		refuse(state, spelled, &err);
	}
	return ret;
}

/* The command's own first. */
static void all_options(struct argp_option *all, const struct argp_option *own)
{
	size_t n = 0;

	for (; own && own->doc; own++)
		all[n++] = *own;
	memcpy(all + n, argp_options, sizeof(argp_options));
}

void fw_options_parse(struct fw_options *opt, int argc, char **argv,
		      const struct fw_command_options *command)
{
	struct parsing p = { .opt = opt, .command = command };
	const struct argp argp = {
		.options = p.options,
		.parser = parse_one,
		.args_doc = command->args,
		.doc = command->doc,
	};

	*opt = (struct fw_options){
		.format = fw_stream_formats[0],
		.report_format = &fw_report_formats[0],
		.max_connections = DEFAULT_MAX_CONNECTIONS,
		.live = { .hooks = FW_HOOKS_MAX, .ring_bytes = DEFAULT_RING_BYTES,
			  .half_open_limit = DEFAULT_HALF_OPEN_LIMIT },
		.recorder = { .level = DEFAULT_LEVEL },
		.snapshot_ns = DEFAULT_SNAPSHOT_NS,
	};
	argp_err_exit_status = FW_EXIT_USAGE;
	all_options(p.options, command->options);
	argp_parse(&argp, argc, argv, 0, NULL, &p);
	opt->live.rule = opt->filter.rule;
}
