// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running the lines of a case, one after the other, and the steps that belong to no side:
 *
 *	wait DURATION
 *	sysctl[?] NAME VALUE ...     "?": no error if this kernel has no such setting
 *	leave                        leave the namespace, so that the kernel removes it
 */
#include "peer_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer_net.h"
#include "witness.h"

static int step_wait(struct run *run, const struct line *line)
{
	uint64_t ns;

	if (line->nr_words != 2 || script_duration(line->words[1], &ns))
		return run_fail(run, "wait DURATION");
	run_sleep_ns(ns);
	return 0;
}

static int step_sysctl(struct run *run, const struct line *line)
{
	char value[64] = "", text[256];
	size_t used = 0;
	int optional = line->words[0][strlen("sysctl")] == '?';

	/* ip_local_port_range has two values. */
	for (int i = 2; i < line->nr_words && used < sizeof(value); i++)
		used += (size_t)snprintf(value + used, sizeof(value) - used, "%s%s",
					 i > 2 ? " " : "", line->words[i]);
	if (used == 0 || used >= sizeof(value))
		return run_fail(run, "sysctl NAME VALUE");
	if (net_sysctl(line->words[1], value, optional, text, sizeof(text)))
		return run_fail(run, "%s", text);
	return 0;
}

/* The witness's open files hold the namespace too, so it goes first and cannot see the end. */
static int step_leave(struct run *run, const struct line *line)
{
	char text[256];

	(void)line;
	witness_stop(run->witness);
	close(run->tun_fd);
	run->tun_fd = -1;
	run->left = true;
	if (net_namespace_leave(run->outer_fd, text, sizeof(text)))
		return run_fail(run, "%s", text);
	run_sleep_ns(2000000000);
	return 0;
}

static verb_fn *find_step(const struct line *line)
{
	const char *actor = line->words[0];
	int nr_args = line->nr_words - 2;

	if (!strcmp(actor, "wait"))
		return step_wait;
	if (!strcmp(actor, "sysctl") || !strcmp(actor, "sysctl?"))
		return step_sysctl;
	if (!strcmp(actor, "leave"))
		return step_leave;
	if (line->nr_words < 2)
		return NULL;
	if (!strcmp(actor, "app") || !strcmp(actor, "srv"))
		return app_verb(line->words[1], nr_args);
	return strcmp(actor, "peer") ? NULL : peer_verb(line->words[1], nr_args);
}

static void run_trace(const struct run *run, const struct line *line)
{
	fprintf(stderr, "%8.3f  ", (double)(run_now_ns() - run->start_ns) / 1e9);
	for (int i = 0; i < line->nr_words; i++)
		fprintf(stderr, " %s", line->words[i]);
	fputc('\n', stderr);
}

int run_steps(struct run *run)
{
	for (size_t i = 0; i < run->c->nr_lines; i++) {
		const struct line *line = &run->c->lines[i];
		verb_fn *fn;

		if (line_is_header(line))
			continue;
		run->line = line;
		if (run->verbose)
			run_trace(run, line);
		fn = find_step(line);
		if (!fn)
			return run_fail(run, "not a step: %s", line->words[0]);
		if (fn(run, line))
			return -1;
	}
	run->line = NULL;
	return 0;
}
