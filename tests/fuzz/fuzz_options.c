// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: arguments are the lines of the input. argp() ends the process on an error and for
 * --help; here it is told not to, and to say nothing. What names files is left out: those it would open.
 */
#include <argp.h>
#include <stddef.h>

#define argp_parse(argp, argc, argv, flags, index, input) \
	fuzz_argp_parse(argp, argc, argv, flags, index, input)
static error_t fuzz_argp_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			       int *index, void *input)
{
	return (argp_parse)(argp, argc, argv, flags | ARGP_SILENT, index, input);
}

#include "cmd/options.c"

#include "input.h"

#define MAX_ARGS 24

static int take_own(void *arg, int key, char *value, struct fw_err *err)
{
	(void)arg;
	return key == FW_OPT_ARGUMENT ? fw_parse_duration(value, &(uint64_t){ 0 }, err) : 0;
}

static void check(const struct fw_options *o)
{
	const struct fw_filter *f = &o->filter;

	must(o->format);
	must(f->rule.nr_lports <= FW_MAX_PORTS && f->rule.nr_rports <= FW_MAX_PORTS);
	must(f->rule.nr_local <= FW_MAX_CIDRS && f->rule.nr_remote <= FW_MAX_CIDRS);
	must(f->rule.nr_netns + o->nr_netns_names <= FW_MAX_NETNS);
	must(f->nr_pids <= FW_MAX_PIDS && f->nr_comms <= FW_MAX_COMMS);
	must(f->states < 1U << FW_STATE_MAX);
	must(!memcmp(&o->live.rule, &f->rule, sizeof(f->rule)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fw_command_options command = {
		.doc = "",
		.args = "[DURATION]",
		.html = true,
		.parse = take_own,
	};
	char *argv[MAX_ARGS + 2] = { (char *)"finwait timeline" }, *save = NULL;
	char *text = strndup((const char *)data, size);
	struct fw_options opt;
	int argc = 1;

	must(text);
	for (char *arg = strtok_r(text, "\n", &save); arg && argc <= MAX_ARGS;
	     arg = strtok_r(NULL, "\n", &save)) {
		if (!strstr(arg, "netn"))
			argv[argc++] = arg;
	}
	fw_options_parse(&opt, argc, argv, &command);
	check(&opt);
	free(text);
	return 0;
}
