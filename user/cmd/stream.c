// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/cgroup.h"
#include "io/host.h"
#include "io/ksyms.h"
#include "io/output.h"

/* How long a line may wait below the ring's wake-up level. */
#define POLL_MS 50
#define SETTLE_NS 1000000000ULL

struct run {
	const struct fw_options *opt;
	struct fw_source *src;
	struct fw_symbols symbols;
	struct fw_tracker tracker;
	struct fw_stream stream;
	struct fw_output out;
	struct fw_cgroups *cgroups;
	struct fw_source_stats seen; /* as of the last batch */
	uint64_t next_settle_ns;
	uint64_t malformed;
};

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct run *run = arg;

	if (fw_filter_transition(&run->opt->filter, c, tr))
		run->stream.format->transition(&run->stream, c, tr);
	fw_output_batch(&run->out, NULL);
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct run *run = arg;

	if (fw_filter_connection(&run->opt->filter, c))
		run->stream.format->connection(&run->stream, c);
	fw_output_batch(&run->out, NULL);
}

static const char *cgroup_path(void *arg, uint64_t id)
{
	return fw_cgroups_path(arg, id);
}

static void on_record(void *arg, const void *record, size_t len)
{
	struct run *run = arg;
	struct fw_event ev;

	if (fw_decode(record, len, &run->symbols, &ev)) {
		run->malformed++;
		return;
	}
	/* Now, while it exists. */
	if (ev.state && run->cgroups)
		fw_cgroups_path(run->cgroups, ev.state->cgroup_id);
	fw_tracker_apply(&run->tracker, &ev);
}

static void look(void *arg, uint64_t skaddr, uint64_t cookie)
{
	struct fw_source *src = arg;

	src->ops->look(src, skaddr, cookie);
}

/* Before the records of a batch, so that what ends in it knows of the gap. */
static void check_losses(struct run *run)
{
	struct fw_source_stats now;

	run->src->ops->stats(run->src, &now);
	if (now.lost > run->seen.lost)
		fw_tracker_lost(&run->tracker, now.lost - run->seen.lost, now.last_lost_ns);
	if (now.missed > run->seen.missed)
		fw_tracker_lost(&run->tracker, now.missed - run->seen.missed,
				run->src->ops->now_ns(run->src));
	run->seen = now;
}

/* Once a second, and at the end: what no hook reports. */
static void settle(struct run *run)
{
	fw_tracker_unsettled(&run->tracker, look, run->src);
}

/* The functions that name causes, where they are in this kernel. */
static void set_symbols(struct fw_symbols *symbols, const struct fw_ksyms *ks)
{
	const char *names[FW_SYMBOLS_MAX];
	struct fw_ksym found[FW_SYMBOLS_MAX];
	unsigned int nr = 0;

	while (fw_symbol_names[nr].name) {
		names[nr] = fw_symbol_names[nr].name;
		nr++;
	}
	symbols->nr = fw_ksyms_find(ks, names, nr, found, FW_SYMBOLS_MAX);
	for (unsigned int i = 0; i < symbols->nr; i++)
		symbols->sym[i] = (struct fw_symbol){ found[i].start, found[i].end,
						      fw_symbol_names[found[i].name].frame };
}

static int open_live(struct run *run, struct fw_err *err)
{
	struct fw_live_options live = run->opt->live;
	struct fw_ksyms *ks = fw_ksyms_open(err);

	if (!ks)
		return err->code;
	set_symbols(&run->symbols, ks);
	live.ksyms = ks;
	run->src = fw_live_open(&live, NULL, err);
	fw_ksyms_free(ks);
	return run->src ? 0 : err->code;
}

static void stream_init(struct run *run, bool transitions)
{
	const struct fw_options *opt = run->opt;
	const char *no_color = getenv("NO_COLOR");

	run->stream = (struct fw_stream){
		.format = opt->format,
		.out = &run->out.buf,
		.start_ns = run->src->info.start_ns,
		.wall_offset_ns = run->src->info.wall_offset_ns,
		.cgroup_path = run->cgroups ? cgroup_path : NULL,
		.cgroup_arg = run->cgroups,
		.transitions = transitions,
		.clock = opt->clock,
		.color = run->out.is_tty && !(no_color && *no_color),
		.width = opt->wide || transitions ? 0 : run->out.columns,
	};
	if (run->stream.format->header)
		run->stream.format->header(&run->stream);
}

static int drain(struct run *run, int timeout_ms, struct fw_err *err)
{
	int n;

	check_losses(run);
	n = run->src->ops->poll(run->src, timeout_ms, on_record, run);
	if (n < 0)
		return fw_err_set(err, n, "cannot read events from the kernel");
	fw_tracker_advance(&run->tracker, run->src->ops->now_ns(run->src));
	return fw_output_batch_end(&run->out, err);
}

static int follow(struct run *run, struct fw_err *err)
{
	int ret = 0;

	while (!fw_stopping && !ret) {
		uint64_t now = run->src->ops->now_ns(run->src);

		if (now >= run->next_settle_ns) {
			settle(run);
			run->next_settle_ns = now + SETTLE_NS;
		}
		ret = drain(run, POLL_MS, err);
	}
	return ret;
}

/* Detach, take what is on its way, look at what no hook reported, and report what is open. */
static int finish(struct run *run, struct fw_err *err)
{
	int ret;

	run->src->ops->stop(run->src);
	ret = drain(run, 0, err);
	settle(run);
	if (!ret)
		ret = drain(run, 0, err);
	check_losses(run);
	fw_tracker_finish(&run->tracker, run->src->ops->now_ns(run->src));
	return ret;
}

static void say_count(const char *what, uint64_t n)
{
	if (n)
		fprintf(stderr, "finwait: %llu %s\n", (unsigned long long)n, what);
}

/* What there was, and all that could make it less than the truth. */
static void summarise(const struct run *run)
{
	const struct fw_tracker_counters *c = &run->tracker.counters;

	fprintf(stderr, "finwait: %llu events, %llu connections ended, %llu events lost\n",
		(unsigned long long)c->events, (unsigned long long)c->connections,
		(unsigned long long)c->lost);
	say_count("half-open connections above --half-open-limit were only counted", run->seen.suppressed);
	say_count("transitions did not follow from the state known before (events lost?)", c->gaps);
	say_count("transitions are not in the TCP state machine", c->illegal);
	say_count("connections were forgotten to stay within --max-connections", c->evicted);
	say_count("connections could not be tracked: no memory", c->no_memory);
	say_count("malformed records", run->malformed);
}

static int run_all(struct run *run, bool transitions, struct fw_err *err)
{
	const struct fw_options *opt = run->opt;
	const struct fw_observer observer = {
		.transition = transitions ? on_transition : NULL,
		.connection = transitions ? NULL : on_connection,
		.arg = run,
	};
	int ret;

	ret = open_live(run, err);
	if (ret)
		return ret;
	if (fw_tracker_init(&run->tracker, opt->max_connections, run->src->info.hz,
			    run->src->info.start_ns, &observer))
		return fw_err_set(err, -ENOMEM, "no memory for the connection table");
	run->tracker.rearms_unseen = run->src->info.rearms_unseen;
	run->cgroups = fw_cgroups_new();
	stream_init(run, transitions);
	fprintf(stderr, "finwait: tracing TCP with the %s hooks; Ctrl-C ends\n",
		run->src->info.hooks);
	ret = fw_output_batch_end(&run->out, err);
	if (!ret)
		ret = follow(run, err);
	if (ret && ret != -EPIPE)
		return ret;
	ret = finish(run, err);
	summarise(run);
	return ret;
}

int fw_stream_run(const struct fw_options *opt, bool transitions)
{
	struct run run = { .opt = opt };
	struct fw_err err = { 0 };
	int ret;

	ret = fw_host_check(&err);
	if (!ret)
		ret = fw_output_open(&run.out, opt->output, opt->line_buffered, &err);
	if (!ret)
		ret = run_all(&run, transitions, &err);
	if (run.src)
		run.src->ops->free(run.src);
	if (!ret)
		ret = fw_output_close(&run.out, &err);
	else
		fw_output_close(&run.out, NULL);
	fw_buf_free(&run.stream.scratch);
	fw_cgroups_free(run.cgroups);
	fw_tracker_fini(&run.tracker);
	/* Whoever read our output has seen enough: not an error. */
	if (ret == -EPIPE)
		return FW_EXIT_OK;
	if (ret) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	return opt->strict && run.tracker.counters.lost ? FW_EXIT_LOST : FW_EXIT_OK;
}
