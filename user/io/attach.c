// SPDX-License-Identifier: GPL-2.0-only
#include "io/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fw_bpf.skel.h"
#include "io/complaint.h"
#include "io/hz.h"
#include "io/tracefs.h"

/* Wake the reader when the ring is this full; its own timeout finds the rest. */
#define WAKEUP_FRACTION 8

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

static bool is_of_ipv6(const struct fw_bpf *skel, const struct bpf_program *prog)
{
	return prog == skel->progs.fw_fentry_bind6 || prog == skel->progs.fw_kprobe_bind6 ||
	       prog == skel->progs.fw_kprobe_bind6_end;
}

/* Where request sockets end: one of two kernel functions, and a program for each. */
static bool is_for_this_kernel(const struct fw_bpf *skel, const struct bpf_program *prog,
			       bool has_queue_drop, bool has_ipv6)
{
	if (is_of_ipv6(skel, prog))
		return has_ipv6;
	if (prog == skel->progs.fw_fentry_req_drop || prog == skel->progs.fw_kprobe_req_drop)
		return has_queue_drop;
	if (prog == skel->progs.fw_fentry_req_unlink || prog == skel->progs.fw_kprobe_req_unlink)
		return !has_queue_drop;
	return true;
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

#define FW_NR_ACCEPT_HOOKS 2

struct syscall_hook {
	struct bpf_program *prog;
	const char *event;
};

static struct syscall_hook syscall_hook(const struct fw_bpf *skel, unsigned int i)
{
	/* The first FW_NR_ACCEPT_HOOKS are accept()'s. */
	const struct syscall_hook hooks[FW_NR_SYSCALL_HOOKS] = {
		{ skel->progs.fw_timer_accept, "syscalls/sys_exit_accept" },
		{ skel->progs.fw_timer_accept4, "syscalls/sys_exit_accept4" },
		{ skel->progs.fw_timer_bind, "syscalls/sys_enter_bind" },
		{ skel->progs.fw_timer_bind_end, "syscalls/sys_exit_bind" },
		{ skel->progs.fw_timer_connect, "syscalls/sys_exit_connect" },
	};

	return hooks[i];
}

static int attach_syscall(struct fw_attached *a, unsigned int i)
{
	struct syscall_hook hook = syscall_hook(a->skel, i);
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
	a->syscalls[i] = bpf_program__attach_perf_event(hook.prog, fd);
	if (a->syscalls[i])
		return 0;
	close(fd);
	return -errno;
}

/* Without them accepted connections are their listener's until they are closed: worth less than a
 * front end that works.
 */
static void attach_syscalls(struct fw_attached *a)
{
	a->accepts_unseen = false;
	for (unsigned int i = 0; i < FW_NR_SYSCALL_HOOKS; i++) {
		if (attach_syscall(a, i) && i < FW_NR_ACCEPT_HOOKS)
			a->accepts_unseen = true;
	}
}

static void configure(struct fw_bpf *skel, const struct fw_live_options *opt,
		      const struct fw_bpf_config *cfg, enum fw_hooks hooks)
{
	bool has_queue_drop = fw_ksyms_address(opt->ksyms, "__inet_csk_reqsk_queue_drop");
	bool has_ipv6 = fw_ksyms_address(opt->ksyms, "inet6_bind");
	struct bpf_program *prog;

	skel->rodata->fw_cfg = *cfg;
	bpf_object__for_each_program(prog, skel->obj) {
		const char *name = bpf_program__name(prog);
		bool load = is_for_this_kernel(skel, prog, has_queue_drop, has_ipv6);

		for (unsigned int h = 0; h < FW_HOOKS_MAX; h++) {
			if (h != hooks && belongs_to(name, (enum fw_hooks)h))
				load = false;
		}
		bpf_program__set_autoload(prog, load);
	}
	if (hooks != FW_HOOKS_TIMER) {
		bpf_program__set_autoload(skel->progs.fw_settle, false);
		bpf_map__set_autocreate(skel->maps.fw_unsettled, false);
	}
	for (unsigned int i = 0; i < FW_NR_SYSCALL_HOOKS; i++)
		bpf_program__set_autoattach(syscall_hook(skel, i).prog, false);
	bpf_program__set_autoattach(skel->progs.fw_settle, false);
	bpf_program__set_autoattach(skel->progs.fw_jiffies, false);
	bpf_map__set_max_entries(skel->maps.fw_ring, (uint32_t)opt->ring_bytes);
	bpf_map__set_max_entries(skel->maps.fw_stats, (uint32_t)libbpf_num_possible_cpus());
	if (!cfg->no_cookie_helper) {
		bpf_map__set_autocreate(skel->maps.fw_compat_sk, false);
		bpf_map__set_autocreate(skel->maps.fw_compat_tuple, false);
		bpf_map__set_autocreate(skel->maps.fw_compat_next, false);
	}
}

/* From now on user space can write no map but the ring's consumer position and the globals. */
static int freeze_maps(struct fw_bpf *skel)
{
	struct bpf_map *const maps[] = {
		skel->maps.fw_stats,	 skel->maps.fw_half_open,    skel->maps.fw_suppressed,
		skel->maps.fw_unsettled, skel->maps.fw_compat_sk,    skel->maps.fw_compat_tuple,
		skel->maps.fw_compat_next,
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (bpf_map__autocreate(maps[i]) && bpf_map_freeze(bpf_map__fd(maps[i])))
			return -errno;
	}
	return 0;
}

static int try_once(struct fw_attached *a, const struct fw_live_options *opt, enum fw_hooks hooks,
		    bool no_cookie_helper, struct fw_err *err)
{
	struct fw_bpf_config cfg = { .rule = opt->rule };
	const char *stage = "open";
	char why[300];
	int ret;

	cfg.half_open_limit = opt->half_open_limit;
	cfg.wakeup_bytes = opt->ring_bytes / WAKEUP_FRACTION;
	cfg.no_cookie_helper = no_cookie_helper;
	if (hooks == FW_HOOKS_TIMER) {
		ret = set_timer_handlers(&cfg, opt->ksyms, err);
		if (ret)
			return ret;
	}
	fw_complaint_begin(why, sizeof(why));
	a->skel = fw_bpf__open();
	ret = a->skel ? 0 : -errno;
	if (!ret) {
		configure(a->skel, opt, &cfg, hooks);
		stage = "load";
		ret = fw_bpf__load(a->skel);
	}
	if (!ret) {
		stage = "attach";
		ret = freeze_maps(a->skel);
		if (!ret)
			ret = fw_bpf__attach(a->skel);
	}
	fw_complaint_end();
	a->cfg = cfg;
	if (ret) {
		fw_bpf__destroy(a->skel);
		a->skel = NULL;
		fw_err_set(err, ret, "%s: %s%s%s", stage, strerror(-ret), *why ? ": " : "", why);
	}
	return ret;
}

/* Linux before 5.12 has no cookie helper for tracing programs, and says so with EINVAL. */
static int try_front_end(struct fw_attached *a, const struct fw_live_options *opt,
			 enum fw_hooks hooks, struct fw_err *err)
{
	int ret = try_once(a, opt, hooks, false, err);

	if (ret == -EINVAL) {
		struct fw_err again = { 0 };

		ret = try_once(a, opt, hooks, true, &again);
		/* Where it is not the helper that is missing, the first one tells more. */
		if (ret && strcmp(again.msg, err->msg))
			*err = again;
	}
	return ret;
}

static size_t stats_bytes(const struct fw_attached *a)
{
	return a->nr_cpus * sizeof(*a->stats);
}

static int map_stats(struct fw_attached *a, struct fw_err *err)
{
	void *stats;

	a->nr_cpus = bpf_map__max_entries(a->skel->maps.fw_stats);
	stats = mmap(NULL, stats_bytes(a), PROT_READ, MAP_SHARED,
		     bpf_map__fd(a->skel->maps.fw_stats), 0);
	if (stats == MAP_FAILED)
		return fw_err_set(err, -errno, "cannot map the counts of lost events: %s",
				  strerror(errno));
	a->stats = stats;
	return 0;
}

static void find_fds(struct fw_attached *a)
{
	bool share = a->cfg.no_cookie_helper, settles = a->hooks == FW_HOOKS_TIMER;

	a->ring_fd = bpf_map__fd(a->skel->maps.fw_ring);
	a->settle_fd = settles ? bpf_program__fd(a->skel->progs.fw_settle) : -1;
	a->unsettled_fd = settles ? bpf_map__fd(a->skel->maps.fw_unsettled) : -1;
	a->serving_fd = bpf_map__fd(a->skel->maps.fw_serving);
	a->compat_sk_fd = share ? bpf_map__fd(a->skel->maps.fw_compat_sk) : -1;
	a->compat_tuple_fd = share ? bpf_map__fd(a->skel->maps.fw_compat_tuple) : -1;
	a->compat_next_fd = share ? bpf_map__fd(a->skel->maps.fw_compat_next) : -1;
}

int fw_attach(struct fw_attached *a, const struct fw_live_options *opt,
	      struct fw_live_report *report, struct fw_err *err)
{
	int ret = -EINVAL;

	for (unsigned int h = 0; h < FW_HOOKS_MAX; h++) {
		if (opt->hooks != FW_HOOKS_MAX && opt->hooks != h)
			continue;
		ret = try_front_end(a, opt, (enum fw_hooks)h, &report->front_end[h]);
		report->front_end[h].code = ret;
		if (ret)
			continue;
		a->hooks = (enum fw_hooks)h;
		if (h == FW_HOOKS_TIMER)
			attach_syscalls(a);
		find_fds(a);
		return map_stats(a, err);
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

void fw_attached_cost(const struct fw_attached *a, uint64_t *runs, uint64_t *ns)
{
	struct bpf_program *prog;

	*runs = *ns = 0;
	bpf_object__for_each_program(prog, a->skel->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		*runs += info.run_cnt;
		*ns += info.run_time_ns;
	}
}

static uint64_t told_on_top(const struct fw_attached *a)
{
	uint64_t told = 0;

	for (unsigned int i = 0; i < a->nr_cpus; i++)
		told += a->stats[i].on_top;
	return told;
}

static uint64_t misses_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_program__fd(prog);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.recursion_misses;
}

/*
 * The kernel skips a program that already runs on the same CPU: a softirq on top of close(). What the
 * second program told instead is not missed, nor is what that one is skipped for: the first has told
 * it. Those of the timer front end are not counted: nearly all are other people's timers.
 */
uint64_t fw_attached_missed(struct fw_attached *a)
{
	uint64_t misses = 0, on_top;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, a->skel->obj) {
		if (!belongs_to(bpf_program__name(prog), FW_HOOKS_TIMER) &&
		    prog != a->skel->progs.fw_set_state_on_top)
			misses += misses_of(prog);
	}
	/* Read later than the misses, so it may be ahead of them. */
	on_top = told_on_top(a);
	if (misses > on_top && misses - on_top > a->missed)
		a->missed = misses - on_top;
	return a->missed;
}

unsigned int fw_attached_hz(struct fw_attached *a)
{
	unsigned int hz = fw_hz_measure(bpf_program__fd(a->skel->progs.fw_jiffies));

	bpf_program__unload(a->skel->progs.fw_jiffies);
	return hz;
}

bool fw_attached_works(const struct fw_attached *a)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	uint64_t none[1] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = none, .ctx_size_in = sizeof(none));

	return !bpf_obj_get_info_by_fd(bpf_program__fd(a->skel->progs.fw_set_state), &info, &len) &&
	       (a->settle_fd < 0 || !bpf_prog_test_run_opts(a->settle_fd, &run));
}

void fw_detach(struct fw_attached *a)
{
	for (unsigned int i = 0; i < FW_NR_SYSCALL_HOOKS; i++) {
		bpf_link__destroy(a->syscalls[i]);
		a->syscalls[i] = NULL;
	}
	if (a->skel)
		fw_bpf__detach(a->skel);
}

void fw_attached_free(struct fw_attached *a)
{
	fw_detach(a);
	if (a->stats)
		munmap((void *)a->stats, stats_bytes(a));
	a->stats = NULL;
	fw_bpf__destroy(a->skel);
	a->skel = NULL;
}
