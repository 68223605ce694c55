// SPDX-License-Identifier: GPL-2.0-only
/*
 * finwait doctor: what this kernel and these privileges allow, and what is lost without the rest.
 */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "cmd/rights.h"
#include "cmd/selftest.h"
#include "core/decode.h"
#include "io/host.h"
#include "io/ksyms.h"
#include "io/live.h"

static const char *const costs[FW_HOOKS_MAX] = {
	[FW_HOOKS_TRAMPOLINE] = "exact; only minisocks pay",
	[FW_HOOKS_KPROBE] = "exact; only minisocks pay, a little more",
	[FW_HOOKS_TIMER] =
		("a FIN that reaches an orphaned FIN_WAIT_2 within one timer-wheel bucket (2 to 4 s) is\n"
		 "              seen up to a second late in trace; its time is exact to one jiffy"),
};

static void say_kernel(void)
{
	struct utsname u;

	if (!uname(&u))
		printf("kernel        %s %s\n", u.release, u.machine);
}

/* The verifier's log and the like go on for lines; the first one says it. */
static void say_refused(const struct fw_err *err)
{
	printf("refused: %.*s\n", (int)strcspn(err->msg, "\n"), err->msg);
}

static void say_front_end(enum fw_hooks h, const struct fw_err *err, bool chosen)
{
	printf("%-13s ", fw_hooks_name(h));
	if (err->code < 0)
		say_refused(err);
	else
		printf("works%s: %s\n", chosen ? ", chosen" : "", costs[h]);
}

static bool self_test(struct fw_source *src)
{
	struct fw_source_cost cost = { 0 };
	struct fw_err err = { 0 };
	bool fired;

	src->ops->measure(src, true);
	fired = fw_selftest(src, &err);
	src->ops->cost(src, &cost);
	if (err.code)
		fw_complain(&err);
	if (cost.runs)
		printf("              a BPF program takes %llu ns a run (%llu runs)\n",
		       (unsigned long long)(cost.run_ns / cost.runs),
		       (unsigned long long)cost.runs);
	return fired;
}

/* What finwait serve would go on with. */
static void say_kept(struct fw_source *src)
{
	struct fw_privileges p;
	struct fw_buf kept = { 0 };
	struct fw_err err = { 0 };

	if (fw_rights_find(&p, src, NULL, false, &err)) {
		printf("serve         cannot give up its privileges: %s\n", err.msg);
		return;
	}
	fw_privileges_print(p.caps, &kept);
	printf("serve         goes on as user %s with %s once it has begun\n", p.user,
	       fw_buf_str(&kept));
	fw_buf_free(&kept);
}

/* Each is tried by itself: that one works does not say that the next would not. */
static int try_front_ends(const struct fw_ksyms *ks, bool test)
{
	struct fw_live_options opt = {
		.ring_bytes = 1024 * 1024, .half_open_limit = 1, .ksyms = ks,
	};
	bool chosen = false, fired = true;

	for (unsigned int h = 0; h < FW_HOOKS_MAX; h++) {
		struct fw_live_report report;
		struct fw_err err = { 0 };
		struct fw_source *src;

		opt.hooks = (enum fw_hooks)h;
		src = fw_live_open(&opt, &report, &err);
		say_front_end(opt.hooks, &report.front_end[h], src && !chosen);
		if (src && !chosen)
			printf("hz            %u%s\n", src->info.hz, src->info.hz ? "" : " (unknown)");
		if (src && !chosen)
			say_kept(src);
		chosen |= src != NULL;
		if (src && test)
			fired &= self_test(src);
		if (src)
			src->ops->free(src);
	}
	return chosen && fired ? FW_EXIT_OK : FW_EXIT_FAILED;
}

#define OPT_SELF_TEST 0x100

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	bool *test = state->input;

	if (key == OPT_SELF_TEST)
		*test = true;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s' is not an option; nothing else was expected", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static int run_doctor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "self-test", OPT_SELF_TEST, 0, 0,
		  "Make connections over loopback, and see which hooks fire", 0 },
		{ 0 },
	};
	const struct argp argp = {
		.options = options,
		.parser = parse_one,
		.doc = "Says what this kernel and these privileges allow: which front ends work, the "
		       "exact error of those that do not, and what cannot be known without them.",
	};
	struct fw_err err = { 0 };
	struct fw_ksyms *ks;
	bool test = false;
	int status;

	argp_err_exit_status = FW_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &test);
	say_kernel();
	if (fw_host_check(&err)) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	printf("privileges    sufficient\nbtf           present\n");
	ks = fw_ksyms_open(&err);
	if (!ks) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	printf("symbols       readable: the cause of every early end of TIME_WAIT is named\n");
	status = try_front_ends(ks, test);
	fw_ksyms_free(ks);
	return status;
}

const struct fw_command fw_cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel and these privileges allow",
	.run = run_doctor,
};
