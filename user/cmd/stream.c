// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/stream.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/session.h"
#include "io/output.h"
#include "io/say.h"

struct run {
	const struct fw_options *opt;
	struct fw_session session;
	struct fw_stream stream;
	struct fw_output out;
	bool full;   /* it was said that lines are left out */
	bool merged; /* it was said that what existed before is known */
};

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct run *run = arg;

	if (fw_filter_transition(&run->session.filter, c, tr))
		run->stream.format->transition(&run->stream, c, tr);
	fw_output_batch(&run->out, NULL);
}

static void on_bind_failed(void *arg, const struct fw_bind_failure *f)
{
	struct run *run = arg;

	if (fw_filter_record(&run->session.filter, f->rec))
		run->stream.format->bind_failed(&run->stream, f);
	fw_output_batch(&run->out, NULL);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct run *run = arg;

	if (fw_filter_connection(&run->session.filter, c))
		run->stream.format->connection(&run->stream, c);
	fw_output_batch(&run->out, NULL);
}

static void stream_init(struct run *run, bool transitions)
{
	const struct fw_options *opt = run->opt;
	const struct fw_source_info *info = &run->session.src->info;

	run->stream = (struct fw_stream){
		.format = opt->format,
		.out = &run->out.buf,
		.start_ns = info->start_ns,
		.wall = &run->session.clock,
		.cgroup_path = fw_session_cgroup_path,
		.cgroup_arg = &run->session,
		.netns_name = fw_session_netns_name,
		.netns_arg = &run->session,
		.own_netns = info->own_netns,
		.transitions = transitions,
		.clock = opt->clock,
		.color = run->out.color,
		.width = opt->wide || transitions ? 0 : run->out.columns,
	};
	if (run->stream.format->header)
		run->stream.format->header(&run->stream);
}

/* Watching goes on: what is tracked is worth more than the lines that there is no room for now. */
static void say_if_full(struct run *run)
{
	if (run->full || !run->out.left_out)
		return;
	run->full = true;
	fw_say(FW_LEVEL_INFO, "no space left for %s: lines are left out until there is",
		run->out.name);
}

/* Once what existed before has been merged in. */
static void say_merged(struct run *run)
{
	struct fw_session *s = &run->session;
	uint64_t ns = s->src->ops->now_ns(s->src) - s->src->info.start_ns;

	if (run->merged || s->src->ops->in_snapshot(s->src))
		return;
	run->merged = true;
	fw_say(FW_LEVEL_INFO, "knows %zu connections and listeners, %llu ms after it began",
		s->tracker.table.nr, (unsigned long long)(ns / 1000000));
}

static int run_all(struct run *run, bool transitions, struct fw_err *err)
{
	const struct fw_observer observer = {
		.transition = transitions ? on_transition : NULL,
		.bind_failed = transitions ? on_bind_failed : NULL,
		.connection = transitions ? NULL : on_connection,
		.arg = run,
	};
	int ret, ended;

	ret = fw_session_open(&run->session, run->opt, &observer, err);
	if (!ret)
		ret = fw_output_open(&run->out, run->opt->output, run->opt->line_buffered, err);
	if (ret)
		return ret;
	run->out.goes_on = true;
	stream_init(run, transitions);
	run->merged = run->opt->no_snapshot || run->session.src->info.recorded;
	fw_say(FW_LEVEL_INFO, "%s TCP with the %s hooks; Ctrl-C ends",
		run->session.src->info.recorded ? "reading a recording of" : "tracing",
		run->session.src->info.hooks);
	ret = fw_output_batch_end(&run->out, err);
	while (!fw_stopping && !ret && !fw_session_ended(&run->session)) {
		ret = fw_session_step(&run->session, err);
		say_merged(run);
		if (!ret)
			ret = fw_output_batch_end(&run->out, err);
		say_if_full(run);
	}
	if (ret && ret != -EPIPE)
		return ret;
	ended = fw_session_finish(&run->session, err);
	fw_session_summarise(&run->session);
	return ret ? ret : ended;
}

int fw_stream_run(const struct fw_options *opt, bool transitions)
{
	struct run run = { .opt = opt };
	struct fw_err err = { 0 };
	bool lost;
	int ret;

	ret = run_all(&run, transitions, &err);
	if (!ret)
		ret = fw_output_close(&run.out, &err);
	else if (run.out.name)
		fw_output_discard(&run.out);
	lost = fw_session_has_gaps(&run.session);
	fw_buf_free(&run.stream.scratch);
	fw_session_close(&run.session);
	/* Whoever read our output has seen enough: not an error. */
	if (ret == -EPIPE)
		return FW_EXIT_OK;
	if (ret) {
		fw_complain(&err);
		return opt->strict && run.out.left_out ? FW_EXIT_LOST : FW_EXIT_FAILED;
	}
	return opt->strict && lost ? FW_EXIT_LOST : FW_EXIT_OK;
}
