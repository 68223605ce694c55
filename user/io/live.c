// SPDX-License-Identifier: GPL-2.0-only
#include "io/live.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "io/attach.h"
#include "io/cgroup.h"
#include "io/host.h"
#include "io/host_clock.h"
#include "io/netns.h"
#include "io/netns_names.h"
#include "io/ring.h"
#include "io/snapshot.h"

#define NS_PER_S 1000000000LL

/* Looks at the holders of listeners take at most one part in so many of the time. */
#define HOLDERS_SHARE 500
#define HOLDERS_PAUSE_NS (NS_PER_S / 2)

/* What is read of a snapshot at a time. */
#define SNAPSHOT_CHUNK (64 * 1024)

struct live {
	struct fw_source src;
	struct fw_host_clock clock;
	struct fw_attached hooks;
	struct fw_ring *ring;
	fw_record_fn fn;
	void *arg;
	int measure_fd; /* while it is open the kernel measures programs; -1: it does not */
	struct fw_source_cost measured, at_begin;
	struct rusage usage; /* of this process, when it was opened */
	struct fw_cgroups *cgroups; /* NULL: no paths are known */
	struct fw_netns_names *names;
	uint64_t stopped_ns; /* when its hooks began to be detached; 0: they have not */
	struct fw_snapshot *snapshot; /* NULL: none was asked for yet */
	bool in_snapshot;
	/* when the look at the holders of listeners that is under way began (0: none is), and the next may */
	uint64_t holders_since_ns, next_holders_ns;
	/* records of a snapshot that are not older than what has come through the ring */
	const char *chunk_next, *chunk_end;
	uint64_t chunk[SNAPSHOT_CHUNK / sizeof(uint64_t)];
};

/* Hands over the records of the snapshot's chunk that are not younger than @ts_ns. */
static int deliver_chunk(struct live *live, uint64_t ts_ns)
{
	int n = 0;

	while (live->chunk_next < live->chunk_end) {
		const struct fw_rec_head *head = (const void *)live->chunk_next;
		size_t len = fw_snapshot_record_len(head);

		if (head->ts_ns > ts_ns)
			break;
		live->chunk_next += len;
		live->fn(live->arg, head, len);
		n++;
	}
	return n;
}

/*
 * Hooks are attached and detached one after the other. An event from a time at which some were missing would
 * be read without those that belong to it: a minisock's birth, or an RST.
 */
static bool is_outside(const struct live *live, const struct fw_rec_head *head)
{
	if (!fw_rec_is_event(head->kind) || head->kind == FW_REC_TW_SEEN)
		return false;
	return head->ts_ns < live->src.info.start_ns ||
	       (live->stopped_ns && head->ts_ns > live->stopped_ns);
}

static void on_record(void *arg, const void *data, size_t len)
{
	struct live *live = arg;

	if (is_outside(live, data))
		return;
	if (live->chunk_next < live->chunk_end)
		deliver_chunk(live, ((const struct fw_rec_head *)data)->ts_ns);
	live->fn(live->arg, data, len);
}

static void on_ahead(void *arg, const void *data, size_t len)
{
	struct live *live = arg;

	live->src.ahead(live->src.ahead_arg, data, len);
}

static void holders_done(struct live *live)
{
	uint64_t now_ns = fw_host_clock_ns(&live->clock);
	uint64_t pause_ns = (now_ns - live->holders_since_ns) * HOLDERS_SHARE;

	live->holders_since_ns = 0;
	live->next_holders_ns = now_ns + (pause_ns > HOLDERS_PAUSE_NS ? pause_ns : HOLDERS_PAUSE_NS);
}

/*
 * The next part of the snapshot, among the events of the same time: what happened to a socket before
 * the iterator came by must be known before, and what happened to it since, after.
 */
static int step_snapshot(struct live *live)
{
	long n = fw_snapshot_read(live->snapshot, live->chunk, sizeof(live->chunk));
	int events;

	/* A snapshot that breaks off lacks its end: nothing is concluded from what it has not shown. */
	if (n <= 0) {
		live->in_snapshot = false;
		if (live->holders_since_ns)
			holders_done(live);
		return 0;
	}
	live->chunk_next = (const char *)live->chunk;
	live->chunk_end = live->chunk_next + n;
	events = fw_ring_read(live->ring, on_record, NULL, live);
	return deliver_chunk(live, UINT64_MAX) + events;
}

static int live_poll(struct fw_source *src, int timeout_ms, fw_record_fn fn, void *arg,
		     struct fw_err *err)
{
	struct live *live = (struct live *)src;
	int ret;

	live->fn = fn;
	live->arg = arg;
	if (live->in_snapshot)
		return step_snapshot(live);
	ret = fw_ring_wait(live->ring, fw_netns_names_fd(live->names),
			   fw_netns_names_timeout_ms(live->names, timeout_ms));
	fw_netns_names_step(live->names);
	/* The kernel side wakes us by fill level only; below it we look for ourselves. */
	if (ret)
		return fw_err_set(err, ret, "cannot read events from the kernel: %s", strerror(-ret));
	return fw_ring_read(live->ring, on_record, src->ahead ? on_ahead : NULL, live);
}

static uint64_t live_now_ns(struct fw_source *src)
{
	const struct live *live = (struct live *)src;

	return live->stopped_ns ? live->stopped_ns : fw_host_clock_ns(&live->clock);
}

static void live_stats(struct fw_source *src, struct fw_source_stats *out)
{
	struct live *live = (struct live *)src;

	*out = (struct fw_source_stats){ 0 };
	for (unsigned int i = 0; i < live->hooks.nr_cpus; i++) {
		const struct fw_cpu_stats *cpu = &live->hooks.stats[i];

		out->lost += cpu->lost;
		out->suppressed += cpu->suppressed;
		if (cpu->last_lost_ns > out->last_lost_ns)
			out->last_lost_ns = cpu->last_lost_ns;
	}
	out->missed = fw_attached_missed(&live->hooks);
	fw_snapshot_unseen(live->snapshot, out);
}

static void live_look(struct fw_source *src, uint64_t skaddr, uint64_t cookie)
{
	struct live *live = (struct live *)src;
	uint64_t args[1] = { skaddr };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args));

	(void)cookie;
	if (live->hooks.settle_fd >= 0)
		bpf_prog_test_run_opts(live->hooks.settle_fd, &run);
}

static int open_snapshot(struct live *live, struct fw_err *err)
{
	struct fw_snapshot_options opt = {
		.cfg = live->hooks.cfg,
		.clock = live->clock,
		.compat_sk_fd = live->hooks.compat_sk_fd,
		.compat_tuple_fd = live->hooks.compat_tuple_fd,
		.compat_next_fd = live->hooks.compat_next_fd,
		.serving_fd = live->hooks.serving_fd,
		.unsettled_fd = live->hooks.unsettled_fd,
	};

	if (!live->snapshot)
		live->snapshot = fw_snapshot_open(&opt, err);
	return live->snapshot ? 0 : err->code;
}

static void live_holders(struct fw_source *src, bool now)
{
	struct live *live = (struct live *)src;
	uint64_t now_ns = fw_host_clock_ns(&live->clock);
	struct fw_err unused = { 0 };

	if (live->in_snapshot || (!now && now_ns < live->next_holders_ns) || open_snapshot(live, &unused))
		return;
	fw_snapshot_begin_holders(live->snapshot);
	live->in_snapshot = true;
	live->holders_since_ns = now_ns;
}

static int live_snapshot(struct fw_source *src, struct fw_err *err)
{
	struct live *live = (struct live *)src;
	int ret = open_snapshot(live, err);

	if (ret)
		return ret;
	live->holders_since_ns = 0;
	ret = fw_snapshot_begin(live->snapshot);
	if (ret)
		return fw_err_set(err, ret, "cannot list the network namespaces: %s", strerror(-ret));
	live->in_snapshot = true;
	return 0;
}

static bool live_in_snapshot(struct fw_source *src)
{
	const struct live *live = (const struct live *)src;

	return live->in_snapshot && !live->holders_since_ns;
}

static bool live_in_holders(struct fw_source *src)
{
	const struct live *live = (const struct live *)src;

	return live->in_snapshot && live->holders_since_ns;
}

static const char *live_netns_name(struct fw_source *src, uint32_t inum, uint16_t life)
{
	struct live *live = (struct live *)src;

	return fw_netns_names_find(live->names, inum, life);
}

static const char *live_cgroup_path(struct fw_source *src, uint64_t id)
{
	return fw_cgroups_path(((struct live *)src)->cgroups, id);
}

struct values_reader {
	const struct live *live;
	fw_netns_values_fn fn;
	void *arg;
};

/* In the time of the records. */
static void on_values(void *arg, const struct fw_netns_values *v)
{
	const struct values_reader *reader = arg;
	struct fw_netns_values mine = *v;

	mine.read_from_ns -= (uint64_t)reader->live->clock.ahead_ns;
	mine.read_ns -= (uint64_t)reader->live->clock.ahead_ns;
	reader->fn(reader->arg, &mine);
}

static void live_values(struct fw_source *src, fw_netns_values_fn fn, void *arg)
{
	struct values_reader reader = { (const struct live *)src, fn, arg };

	fw_netns_values_read_all(on_values, &reader);
}

static int64_t live_wall_offset_ns(struct fw_source *src)
{
	return fw_host_clock_wall_offset_ns(&((struct live *)src)->clock);
}

static struct fw_source_cost cost_now(const struct live *live)
{
	struct fw_source_cost cost = { .measured_ns = fw_host_clock_ns(&live->clock) };

	fw_attached_cost(&live->hooks, &cost.runs, &cost.run_ns);
	return cost;
}

/* Others may have it on all the time: only what passed while it was on for us counts. */
static struct fw_source_cost cost_so_far(const struct live *live)
{
	struct fw_source_cost sum = live->measured, now;

	if (live->measure_fd < 0)
		return sum;
	now = cost_now(live);
	sum.runs += now.runs - live->at_begin.runs;
	sum.run_ns += now.run_ns - live->at_begin.run_ns;
	sum.measured_ns += now.measured_ns - live->at_begin.measured_ns;
	return sum;
}

static void live_measure(struct fw_source *src, bool on)
{
	struct live *live = (struct live *)src;

	if (on == (live->measure_fd >= 0))
		return;
	if (on) {
		/* Linux 5.8 and later; elsewhere, and without privileges, it is just not known. */
		live->measure_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		live->at_begin = cost_now(live);
		return;
	}
	live->measured = cost_so_far(live);
	close(live->measure_fd);
	live->measure_fd = -1;
}

static uint64_t ns_since(const struct timeval *now, const struct timeval *then)
{
	return (uint64_t)((now->tv_sec - then->tv_sec) * NS_PER_S +
			  (now->tv_usec - then->tv_usec) * 1000);
}

static void live_cost(struct fw_source *src, struct fw_source_cost *out)
{
	struct live *live = (struct live *)src;
	struct rusage now;

	getrusage(RUSAGE_SELF, &now);
	*out = cost_so_far(live);
	out->span_ns = live_now_ns(src) - src->info.start_ns;
	out->user_ns = ns_since(&now.ru_utime, &live->usage.ru_utime);
	out->system_ns = ns_since(&now.ru_stime, &live->usage.ru_stime);
	out->memory_bytes = (uint64_t)now.ru_maxrss * 1024;
}

static bool live_works(struct fw_source *src)
{
	struct live *live = (struct live *)src;

	return fw_attached_works(&live->hooks) &&
	       (!live->snapshot || fw_snapshot_works(live->snapshot));
}

static void live_stop(struct fw_source *src)
{
	struct live *live = (struct live *)src;

	live->stopped_ns = fw_host_clock_ns(&live->clock);
	fw_detach(&live->hooks);
}

static void live_free(struct fw_source *src)
{
	struct live *live = (struct live *)src;

	if (!live)
		return;
	live_measure(src, false);
	fw_snapshot_free(live->snapshot);
	fw_netns_names_free(live->names);
	fw_ring_free(live->ring);
	fw_cgroups_free(live->cgroups);
	fw_attached_free(&live->hooks);
	free(live);
}

static void name_host(struct fw_source_info *info)
{
	struct utsname u;

	if (uname(&u))
		return;
	snprintf(info->host, sizeof(info->host), "%s", u.nodename);
	snprintf(info->kernel, sizeof(info->kernel), "%s", u.release);
}

static const struct fw_source_ops live_ops = {
	.poll = live_poll,
	.now_ns = live_now_ns,
	.wall_offset_ns = live_wall_offset_ns,
	.stats = live_stats,
	.look = live_look,
	.snapshot = live_snapshot,
	.in_snapshot = live_in_snapshot,
	.holders = live_holders,
	.in_holders = live_in_holders,
	.netns_name = live_netns_name,
	.cgroup_path = live_cgroup_path,
	.values = live_values,
	.measure = live_measure,
	.cost = live_cost,
	.works = live_works,
	.stop = live_stop,
	.free = live_free,
};

struct fw_source *fw_live_open(const struct fw_live_options *opt, struct fw_live_report *report,
			       struct fw_err *err)
{
	struct fw_live_report unused;
	struct live *live;

	if (!report)
		report = &unused;
	*report = (struct fw_live_report){ 0 };
	for (unsigned int h = 0; h < FW_HOOKS_MAX; h++)
		report->front_end[h].code = 1;
	if (fw_host_check(err))
		return NULL;
	live = calloc(1, sizeof(*live));
	if (live)
		live->names = fw_netns_names_new();
	if (!live || !live->names) {
		free(live);
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	live->measure_fd = -1;
	live->src.ops = &live_ops;
	live->clock = fw_host_clock();
	live->src.info.wall_offset_ns = fw_host_clock_wall_offset_ns(&live->clock);
	if (fw_attach(&live->hooks, opt, report, err))
		goto out_free;
	name_host(&live->src.info);
	live->src.info.hooks = fw_hooks_name(live->hooks.hooks);
	live->src.info.rearms_unseen = live->hooks.hooks == FW_HOOKS_TIMER;
	live->src.info.own_netns = fw_netns_own();
	live->src.info.accepts_unseen = live->hooks.accepts_unseen;
	live->src.info.start_ns = live_now_ns(&live->src);
	live->ring = fw_ring_open(live->hooks.ring_fd, opt->ring_bytes);
	if (!live->ring) {
		fw_err_set(err, -errno, "cannot map the ring buffer: %s", strerror(errno));
		goto out_free;
	}
	live->src.info.hz = fw_attached_hz(&live->hooks);
	live->src.info.filtered = fw_rule_has_endpoints(&opt->rule);
	live->cgroups = fw_cgroups_new();
	getrusage(RUSAGE_SELF, &live->usage);
	return &live->src;

out_free:
	live_free(&live->src);
	return NULL;
}
