// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/options.h"

#include <argp.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/cmd.h"
#include "util/parse.h"

#define DEFAULT_RING_BYTES (16ULL * 1024 * 1024)
#define DEFAULT_MAX_CONNECTIONS 1000000ULL
#define DEFAULT_HALF_OPEN_LIMIT 10000

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
};

static const struct argp_option argp_options[] = {
	{ 0, 0, 0, 0, "Which connections:", 1 },
	{ 0, '4', 0, 0, "IPv4 only (includes IPv4-mapped IPv6)", 1 },
	{ 0, '6', 0, 0, "IPv6 only", 1 },
	{ "localport", 'L', "PORTS", 0, "Local port, or several: 80,443", 1 },
	{ "remoteport", 'D', "PORTS", 0, "Remote port, or several", 1 },
	{ "local", OPT_LOCAL, "CIDR", 0, "Local address or network (may be repeated)", 1 },
	{ "remote", OPT_REMOTE, "CIDR", 0, "Remote address or network (may be repeated)", 1 },
	{ "state", OPT_STATE, "STATES", 0,
	  "Only what was in one of these states: time_wait,fin_wait_2", 1 },
	{ "min-duration", OPT_MIN_DURATION, "TIME", 0,
	  "Only what lasted that long (in those states): 250ms, 30s, 5m", 1 },
	{ 0, 0, 0, 0, "Output:", 2 },
	{ "format", 'f', "FORMAT", 0, "text (default), or json: one object per line", 2 },
	{ "output", 'o', "FILE", 0, "Write there instead of standard output", 2 },
	{ "timestamp", 'T', 0, 0, "Time of day instead of seconds since the start", 2 },
	{ "line-buffered", 'l', 0, 0, "Write each batch at once, also into a pipe or file", 2 },
	{ "wide", OPT_WIDE, 0, 0, "Do not fold lines to the terminal", 2 },
	{ 0, 0, 0, 0, "How it works:", 3 },
	{ "hooks", OPT_HOOKS, "KIND", 0,
	  "trampoline, kprobe or timer instead of the best that works (see finwait doctor)", 3 },
	{ "max-connections", OPT_MAX_CONNECTIONS, "N", 0,
	  "Track at most N at a time; the longest idle is forgotten first (default 1000000)", 3 },
	{ "half-open-limit", OPT_HALF_OPEN_LIMIT, "N", 0,
	  "Request sockets to follow per second and CPU; above it they are only counted "
	  "(default 10000)", 3 },
	{ "ring-size", OPT_RING_SIZE, "MIB", 0, "Ring buffer, a power of two (default 16)", 3 },
	{ "strict", OPT_STRICT, 0, 0, "Exit with status 3 if events were lost", 3 },
	{ 0 },
};

static int add_cidr(struct fw_cidr *cidrs, unsigned int *nr, const char *arg, struct fw_err *err)
{
	if (*nr == FW_MAX_CIDRS)
		return fw_err_set(err, -EINVAL, "more than %d networks", FW_MAX_CIDRS);
	if (fw_parse_cidr(arg, cidrs[*nr].addr, &cidrs[*nr].family, &cidrs[*nr].prefix_len, err))
		return err->code;
	(*nr)++;
	return 0;
}

static int set_ports(uint16_t *ports, unsigned int *nr, const char *arg, struct fw_err *err)
{
	int n = fw_parse_ports(arg, ports + *nr, FW_MAX_PORTS - (int)*nr, err);

	if (n < 0)
		return n;
	*nr += (unsigned int)n;
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

static int set_format(struct fw_options *opt, const char *arg, struct fw_err *err)
{
	opt->format = fw_stream_format_find(arg);
	return opt->format ? 0 : fw_err_set(err, -EINVAL, "'%s' is not a format: text or json", arg);
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

static int set_filter(struct fw_filter *f, int key, char *arg, struct fw_err *err)
{
	switch (key) {
	case '4':
		f->family = AF_INET;
		return 0;
	case '6':
		f->family = AF_INET6;
		return 0;
	case 'L':
		return set_ports(f->lports, &f->nr_lports, arg, err);
	case 'D':
		return set_ports(f->rports, &f->nr_rports, arg, err);
	case OPT_LOCAL:
		return add_cidr(f->local, &f->nr_local, arg, err);
	case OPT_REMOTE:
		return add_cidr(f->remote, &f->nr_remote, arg, err);
	case OPT_STATE:
		return set_states(&f->states, arg, err);
	case OPT_MIN_DURATION:
		return fw_parse_duration(arg, &f->min_duration_ns, err);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int set_rest(struct fw_options *opt, int key, char *arg, struct fw_err *err)
{
	switch (key) {
	case 'f':
		return set_format(opt, arg, err);
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
		return ARGP_ERR_UNKNOWN;
	}
}

struct parsing {
	struct fw_options *opt;
	const struct fw_options_own *own;
};

/* How the option is written, for the message. */
static void option_spelled(const struct argp_option *options, int key, char out[32])
{
	for (const struct argp_option *o = options; o && o->doc; o++) {
		if (o->key != key)
			continue;
		if (o->name)
			snprintf(out, 32, "--%s", o->name);
		else
			snprintf(out, 32, "-%c", key);
		return;
	}
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct fw_options *opt = parsing->opt;
	struct fw_err err = { 0 };
	int ret;

	if (key == ARGP_KEY_ARG && !parsing->own)
		argp_error(state, "'%s' is not an option; nothing else was expected", arg);
	ret = set_filter(&opt->filter, key, arg, &err);
	if (ret == ARGP_ERR_UNKNOWN)
		ret = set_rest(opt, key, arg, &err);
	if (ret < 0) {
		char spelled[32] = "";

		option_spelled(argp_options, key, spelled);
		argp_error(state, "%s: %s", spelled, err.msg);
	}
	return ret;
}

static const struct argp common_argp = { .options = argp_options, .parser = parse_one };

/* The command's own options and arguments; the common ones are its child. */
static error_t parse_own(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct fw_err err = { 0 };
	int ret;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = parsing;
	if (!parsing->own || (key & 0xff000000 && key != ARGP_KEY_ARG))
		return ARGP_ERR_UNKNOWN;
	ret = parsing->own->take(parsing->own->arg, key == ARGP_KEY_ARG ? FW_OPTION_ARG : key, arg,
				 &err);
	if (ret < 0) {
		char spelled[32] = "";

		option_spelled(parsing->own->options, key, spelled);
		argp_error(state, "%s%s%s", spelled, *spelled ? ": " : "", err.msg);
	}
	return ret == FW_OPTION_UNKNOWN ? ARGP_ERR_UNKNOWN : ret;
}

/* What the kernel can decide is decided there. */
static void filter_to_kernel(const struct fw_filter *f, struct fw_bpf_config *cfg)
{
	cfg->family = (uint8_t)f->family;
	cfg->nr_lports = (uint8_t)f->nr_lports;
	cfg->nr_rports = (uint8_t)f->nr_rports;
	cfg->nr_local = (uint8_t)f->nr_local;
	cfg->nr_remote = (uint8_t)f->nr_remote;
	memcpy(cfg->lports, f->lports, sizeof(cfg->lports));
	memcpy(cfg->rports, f->rports, sizeof(cfg->rports));
	memcpy(cfg->local, f->local, sizeof(cfg->local));
	memcpy(cfg->remote, f->remote, sizeof(cfg->remote));
}

void fw_options_parse(struct fw_options *opt, int argc, char **argv, const char *doc,
		      const struct fw_options_own *own)
{
	const struct argp_child children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = own ? own->options : NULL,
		.parser = parse_own,
		.args_doc = own ? own->args_doc : NULL,
		.doc = doc,
		.children = children,
	};
	struct parsing parsing = { opt, own };

	*opt = (struct fw_options){
		.format = &fw_stream_text,
		.max_connections = DEFAULT_MAX_CONNECTIONS,
		.live = { .hooks = FW_HOOKS_MAX, .ring_bytes = DEFAULT_RING_BYTES,
			  .half_open_limit = DEFAULT_HALF_OPEN_LIMIT },
	};
	argp_err_exit_status = FW_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &parsing);
	filter_to_kernel(&opt->filter, &opt->live.filter);
}
