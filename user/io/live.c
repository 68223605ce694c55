// SPDX-License-Identifier: GPL-2.0-only
#include "io/live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fw_bpf.skel.h"
#include "io/host.h"
#include "io/hz.h"
#include "io/ksyms.h"
#include "io/snapshot.h"
#include "io/tracefs.h"

#define NS_PER_S 1000000000LL

/* What is read of a snapshot at a time. */
#define SNAPSHOT_CHUNK (64 * 1024)

/* Wake the reader when the ring is this full; its own timeout finds the rest. */
#define WAKEUP_FRACTION 8

/* For the system calls that the timer front end looks at. */
#define NR_SYSCALLS 4

struct live {
	struct fw_source src;
	struct fw_bpf *skel;
	struct ring_buffer *ring;
	fw_record_fn fn;
	void *arg;
	int nr_cpus;
	struct bpf_link *syscalls[NR_SYSCALLS];
	struct fw_bpf_config cfg; /* as loaded */
	struct fw_snapshot *snapshot; /* NULL: none was asked for yet */
	bool in_snapshot;
	/* records of a snapshot that are not older than what has come through the ring */
	const char *chunk_next, *chunk_end;
	uint64_t chunk[SNAPSHOT_CHUNK / sizeof(uint64_t)];
};

/*
 * A program belongs to the front end that its name says, or to all of them. What is asked for by
 * BPF_PROG_TEST_RUN is loaded but not attached.
 */
static const struct {
	const char *name;
	const char *programs; /* prefix */
} front_ends[FW_HOOKS_MAX] = {
	[FW_HOOKS_TRAMPOLINE] = { "trampoline", "fw_fentry_" },
	[FW_HOOKS_KPROBE] = { "kprobe", "fw_kprobe_" },
	[FW_HOOKS_TIMER] = { "timer", "fw_timer_" },
};

const char *fw_hooks_name(enum fw_hooks hooks)
{
	return hooks < FW_HOOKS_MAX ? front_ends[hooks].name : "none";
}

enum fw_hooks fw_hooks_from_name(const char *name)
{
	unsigned int i = 0;

	while (i < FW_HOOKS_MAX && strcmp(front_ends[i].name, name))
		i++;
	return (enum fw_hooks)i;
}

static bool belongs_to(const char *program, enum fw_hooks hooks)
{
	const char *prefix = front_ends[hooks].programs;

	return !strncmp(program, prefix, strlen(prefix));
}

/* Where request sockets end: one of two kernel functions, and a program for each. */
static bool is_for_this_kernel(const struct fw_bpf *skel, const struct bpf_program *prog,
			       bool has_queue_drop)
{
	if (prog == skel->progs.fw_fentry_req_drop || prog == skel->progs.fw_kprobe_req_drop)
		return has_queue_drop;
	if (prog == skel->progs.fw_fentry_req_unlink || prog == skel->progs.fw_kprobe_req_unlink)
		return !has_queue_drop;
	return true;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* The last thing libbpf complained about, for the error message. Set while a front end is tried. */
static __thread char *complaint;
static __thread size_t complaint_len;

static int keep_complaint(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];

	if (level != LIBBPF_WARN || !complaint)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	/* The first one is the cause; what follows says only that loading failed. */
	if (!*complaint && !strstr(line, "ulimit"))
		snprintf(complaint, complaint_len, "%.*s", (int)complaint_len - 1, line);
	return 0;
}

static int set_timer_handlers(struct fw_bpf_config *cfg, const struct fw_ksyms *ks,
			      struct fw_err *err)
{
	cfg->tw_timer_handler = fw_ksyms_address(ks, "tw_timer_handler");
	cfg->reqsk_timer_handler = fw_ksyms_address(ks, "reqsk_timer_handler");
	if (!cfg->tw_timer_handler || !cfg->reqsk_timer_handler)
		return fw_err_set(err, -ENOENT,
				  "the kernel has no functions tw_timer_handler and "
				  "reqsk_timer_handler");
	return 0;
}

struct syscall_hook {
	struct bpf_program *prog;
	const char *event;
};

static struct syscall_hook syscall_hook(const struct fw_bpf *skel, unsigned int i)
{
	const struct syscall_hook hooks[NR_SYSCALLS] = {
		{ skel->progs.fw_timer_accept, "syscalls/sys_exit_accept" },
		{ skel->progs.fw_timer_accept4, "syscalls/sys_exit_accept4" },
		{ skel->progs.fw_timer_bind, "syscalls/sys_enter_bind" },
		{ skel->progs.fw_timer_bind_end, "syscalls/sys_exit_bind" },
	};

	return hooks[i];
}

static int attach_syscall(struct live *live, unsigned int i)
{
	struct syscall_hook hook = syscall_hook(live->skel, i);
	int id = fw_tracefs_event_id(hook.event), fd;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)(id < 0 ? 0 : id),
		.sample_period = 1,
	};

	if (id < 0)
		return id;
	/* A BPF program of a tracepoint runs on all CPUs, whatever the event says. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	live->syscalls[i] = bpf_program__attach_perf_event(hook.prog, fd);
	if (live->syscalls[i])
		return 0;
	close(fd);
	return -errno;
}

/* Without them accepted connections are their listener's until they are closed: worth less than a
 * front end that works.
 */
static void attach_syscalls(struct live *live)
{
	live->src.info.accepts_unseen = false;
	for (unsigned int i = 0; i < NR_SYSCALLS; i++) {
		if (attach_syscall(live, i))
			live->src.info.accepts_unseen = true;
	}
}

static void detach(struct live *live)
{
	for (unsigned int i = 0; i < NR_SYSCALLS; i++) {
		bpf_link__destroy(live->syscalls[i]);
		live->syscalls[i] = NULL;
	}
	if (live->skel)
		fw_bpf__detach(live->skel);
}

static void configure(struct fw_bpf *skel, const struct fw_live_options *opt,
		      const struct fw_bpf_config *cfg, enum fw_hooks hooks)
{
	bool has_queue_drop = fw_ksyms_address(opt->ksyms, "__inet_csk_reqsk_queue_drop");
	struct bpf_program *prog;

	skel->rodata->fw_cfg = *cfg;
	bpf_object__for_each_program(prog, skel->obj) {
		const char *name = bpf_program__name(prog);
		bool load = is_for_this_kernel(skel, prog, has_queue_drop);

		for (unsigned int h = 0; h < FW_HOOKS_MAX; h++) {
			if (h != hooks && belongs_to(name, (enum fw_hooks)h))
				load = false;
		}
		bpf_program__set_autoload(prog, load);
	}
	for (unsigned int i = 0; i < NR_SYSCALLS; i++)
		bpf_program__set_autoattach(syscall_hook(skel, i).prog, false);
	bpf_program__set_autoattach(skel->progs.fw_settle, false);
	bpf_program__set_autoattach(skel->progs.fw_jiffies, false);
	bpf_map__set_max_entries(skel->maps.fw_ring, (uint32_t)opt->ring_bytes);
	if (!cfg->no_cookie_helper) {
		bpf_map__set_autocreate(skel->maps.fw_compat_sk, false);
		bpf_map__set_autocreate(skel->maps.fw_compat_tuple, false);
		bpf_map__set_autocreate(skel->maps.fw_compat_next, false);
	}
}

static int try_once(struct live *live, const struct fw_live_options *opt, enum fw_hooks hooks,
		    bool no_cookie_helper, struct fw_err *err)
{
	struct fw_bpf_config cfg = opt->filter;
	const char *stage = "open";
	int ret;

	cfg.half_open_limit = opt->half_open_limit;
	cfg.wakeup_bytes = opt->ring_bytes / WAKEUP_FRACTION;
	cfg.no_cookie_helper = no_cookie_helper;
	if (hooks == FW_HOOKS_TIMER) {
		ret = set_timer_handlers(&cfg, opt->ksyms, err);
		if (ret)
			return ret;
	}
	err->msg[0] = '\0';
	complaint = err->msg;
	complaint_len = sizeof(err->msg);
	live->skel = fw_bpf__open();
	ret = live->skel ? 0 : -errno;
	if (!ret) {
		configure(live->skel, opt, &cfg, hooks);
		stage = "load";
		ret = fw_bpf__load(live->skel);
	}
	if (!ret) {
		stage = "attach";
		ret = fw_bpf__attach(live->skel);
	}
	complaint = NULL;
	live->cfg = cfg;
	if (ret) {
		char why[sizeof(err->msg)];

		snprintf(why, sizeof(why), "%s", err->msg);
		fw_bpf__destroy(live->skel);
		live->skel = NULL;
		fw_err_set(err, ret, "%s: %s%s%.300s", stage, strerror(-ret), *why ? ": " : "", why);
	}
	return ret;
}

/* Linux before 5.12 has no cookie helper for tracing programs, and says so with EINVAL. */
static int try_front_end(struct live *live, const struct fw_live_options *opt, enum fw_hooks hooks,
			 struct fw_err *err)
{
	int ret = try_once(live, opt, hooks, false, err);

	if (ret == -EINVAL) {
		struct fw_err again = { 0 };

		ret = try_once(live, opt, hooks, true, &again);
		/* Where it is not the helper that is missing, the first one tells more. */
		if (ret && strcmp(again.msg, err->msg))
			*err = again;
	}
	return ret;
}

static int choose(struct live *live, const struct fw_live_options *opt,
		  struct fw_live_report *report, struct fw_err *err)
{
	int ret = -EINVAL;

	for (unsigned int h = 0; h < FW_HOOKS_MAX; h++) {
		if (opt->hooks != FW_HOOKS_MAX && opt->hooks != h)
			continue;
		ret = try_front_end(live, opt, (enum fw_hooks)h, &report->front_end[h]);
		report->front_end[h].code = ret;
		if (ret)
			continue;
		live->src.info.hooks = front_ends[h].name;
		live->src.info.rearms_unseen = h == FW_HOOKS_TIMER;
		if (h == FW_HOOKS_TIMER)
			attach_syscalls(live);
		return 0;
	}
	if (opt->hooks != FW_HOOKS_MAX) {
		fw_err_set(err, ret, "the %s front end does not work here: %.400s",
			   front_ends[opt->hooks].name, report->front_end[opt->hooks].msg);
		fw_err_hint(err, "leave out --hooks to use what works; finwait doctor shows what does");
		return ret;
	}
	fw_err_set(err, ret, "this kernel accepts none of the front ends; the last, %s, says: %.350s",
		   front_ends[FW_HOOKS_MAX - 1].name, report->front_end[FW_HOOKS_MAX - 1].msg);
	fw_err_hint(err, "finwait doctor shows what was tried");
	return ret;
}

/*
 * The kernel skips a program that already runs on the same CPU: a softirq on top of close(). Those
 * of the timer front end are not counted: nearly all are other people's timers.
 */
static uint64_t recursion_misses(const struct live *live)
{
	struct bpf_program *prog;
	uint64_t misses = 0;

	bpf_object__for_each_program(prog, live->skel->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd < 0 || belongs_to(bpf_program__name(prog), FW_HOOKS_TIMER))
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			misses += info.recursion_misses;
	}
	return misses;
}

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

static int on_record(void *ctx, void *data, size_t len)
{
	struct live *live = ctx;

	if (live->chunk_next < live->chunk_end)
		deliver_chunk(live, ((const struct fw_rec_head *)data)->ts_ns);
	live->fn(live->arg, data, len);
	return 0;
}

/*
 * The next part of the snapshot, among the events of the same time: what happened to a socket before
 * the iterator came by must be known before, and what happened to it since, after.
 */
static int step_snapshot(struct live *live)
{
	long n = fw_snapshot_read(live->snapshot, live->chunk, sizeof(live->chunk));
	int more;

	/* A snapshot that breaks off lacks its end: nothing is concluded from what it has not shown. */
	if (n <= 0) {
		live->in_snapshot = false;
		return 0;
	}
	live->chunk_next = (const char *)live->chunk;
	live->chunk_end = live->chunk_next + n;
	more = ring_buffer__consume(live->ring);
	return deliver_chunk(live, UINT64_MAX) + (more > 0 ? more : 0);
}

static int live_poll(struct fw_source *src, int timeout_ms, fw_record_fn fn, void *arg)
{
	struct live *live = (struct live *)src;
	int n, more;

	live->fn = fn;
	live->arg = arg;
	n = ring_buffer__poll(live->ring, live->in_snapshot ? 0 : timeout_ms);
	if (n < 0 && n != -EINTR)
		return n;
	if (live->in_snapshot)
		return step_snapshot(live);
	/* The kernel side wakes us by fill level only; below it we look for ourselves. */
	more = ring_buffer__consume(live->ring);
	return (n > 0 ? n : 0) + (more > 0 ? more : 0);
}

static uint64_t live_now_ns(struct fw_source *src)
{
	(void)src;
	return clock_ns(CLOCK_MONOTONIC);
}

static void live_stats(struct fw_source *src, struct fw_source_stats *out)
{
	struct live *live = (struct live *)src;
	struct fw_cpu_stats *per_cpu = calloc((size_t)live->nr_cpus, sizeof(*per_cpu));
	uint32_t zero = 0;

	*out = (struct fw_source_stats){ 0 };
	if (per_cpu &&
	    !bpf_map_lookup_elem(bpf_map__fd(live->skel->maps.fw_stats), &zero, per_cpu)) {
		for (int i = 0; i < live->nr_cpus; i++) {
			out->lost += per_cpu[i].lost;
			out->suppressed += per_cpu[i].suppressed;
			if (per_cpu[i].last_lost_ns > out->last_lost_ns)
				out->last_lost_ns = per_cpu[i].last_lost_ns;
		}
	}
	free(per_cpu);
	out->missed = recursion_misses(live);
}

static void live_look(struct fw_source *src, uint64_t skaddr, uint64_t cookie)
{
	struct live *live = (struct live *)src;
	uint64_t args[2] = { skaddr, cookie };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args));

	bpf_prog_test_run_opts(bpf_program__fd(live->skel->progs.fw_settle), &run);
}

static int live_snapshot(struct fw_source *src, struct fw_err *err)
{
	struct live *live = (struct live *)src;
	bool share = live->cfg.no_cookie_helper;
	struct fw_snapshot_options opt = {
		.cfg = live->cfg,
		.compat_sk_fd = share ? bpf_map__fd(live->skel->maps.fw_compat_sk) : -1,
		.compat_tuple_fd = share ? bpf_map__fd(live->skel->maps.fw_compat_tuple) : -1,
		.compat_next_fd = share ? bpf_map__fd(live->skel->maps.fw_compat_next) : -1,
	};
	int ret;

	if (!live->snapshot)
		live->snapshot = fw_snapshot_open(&opt, err);
	if (!live->snapshot)
		return err->code;
	ret = fw_snapshot_begin(live->snapshot);
	if (ret)
		return fw_err_set(err, ret, "cannot list the network namespaces: %s", strerror(-ret));
	live->in_snapshot = true;
	return 0;
}

static bool live_in_snapshot(struct fw_source *src)
{
	return ((struct live *)src)->in_snapshot;
}

static const char *live_netns_name(struct fw_source *src, uint32_t inum)
{
	struct live *live = (struct live *)src;

	return live->snapshot ? fw_snapshot_netns_name(live->snapshot, inum) : NULL;
}

static void live_stop(struct fw_source *src)
{
	detach((struct live *)src);
}

static void live_free(struct fw_source *src)
{
	struct live *live = (struct live *)src;

	if (!live)
		return;
	fw_snapshot_free(live->snapshot);
	ring_buffer__free(live->ring);
	detach(live);
	fw_bpf__destroy(live->skel);
	free(live);
}

static const struct fw_source_ops live_ops = {
	.poll = live_poll,
	.now_ns = live_now_ns,
	.stats = live_stats,
	.look = live_look,
	.snapshot = live_snapshot,
	.in_snapshot = live_in_snapshot,
	.netns_name = live_netns_name,
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
	if (!live) {
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	libbpf_set_print(keep_complaint);
	live->nr_cpus = libbpf_num_possible_cpus();
	live->src.ops = &live_ops;
	live->src.info.wall_offset_ns =
		(int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC));
	if (choose(live, opt, report, err))
		goto out_free;
	live->src.info.start_ns = clock_ns(CLOCK_MONOTONIC);
	live->ring = ring_buffer__new(bpf_map__fd(live->skel->maps.fw_ring), on_record, live, NULL);
	if (!live->ring) {
		fw_err_set(err, -errno, "cannot map the ring buffer: %s", strerror(errno));
		goto out_free;
	}
	live->src.info.hz = fw_hz_measure(bpf_program__fd(live->skel->progs.fw_jiffies));
	return &live->src;

out_free:
	live_free(&live->src);
	return NULL;
}
