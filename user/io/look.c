// SPDX-License-Identifier: GPL-2.0-only
/*
 * The running kernel as a source of snapshots only: no hook is attached, nothing is traced, and
 * nobody pays for it but the reader.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/cgroup.h"
#include "io/host.h"
#include "io/host_clock.h"
#include "io/live.h"
#include "io/netns_names.h"
#include "io/snapshot.h"

#define CHUNK (64 * 1024)

struct look {
	struct fw_source src;
	struct fw_host_clock clock;
	struct fw_snapshot *snapshot;
	struct fw_cgroups *cgroups; /* NULL: no paths are known */
	struct fw_netns_names *names;
	bool in_snapshot;
	uint64_t chunk[CHUNK / sizeof(uint64_t)];
};

static uint64_t look_now_ns(struct fw_source *src)
{
	return fw_host_clock_ns(&((struct look *)src)->clock);
}

static int64_t look_wall_offset_ns(struct fw_source *src)
{
	return fw_host_clock_wall_offset_ns(&((struct look *)src)->clock);
}

static int look_poll(struct fw_source *src, int timeout_ms, fw_record_fn fn, void *arg,
		     struct fw_err *err)
{
	struct look *look = (struct look *)src;
	const struct timespec pause = { .tv_nsec = timeout_ms * 1000000L };
	const char *at = (const char *)look->chunk, *end;
	int n = 0;
	long got;

	if (!look->in_snapshot) {
		nanosleep(&pause, NULL);
		return 0;
	}
	got = fw_snapshot_read(look->snapshot, look->chunk, sizeof(look->chunk));
	look->in_snapshot = got > 0;
	for (end = at + (got > 0 ? got : 0); at < end; n++) {
		const struct fw_rec_head *head = (const void *)at;
		size_t len = fw_snapshot_record_len(head);

		fn(arg, head, len);
		at += len;
	}
	return got < 0 ? fw_err_set(err, (int)got, "cannot read sockets from the kernel: %s",
				    strerror((int)-got))
		       : n;
}

static void look_stats(struct fw_source *src, struct fw_source_stats *out)
{
	*out = (struct fw_source_stats){ 0 };
	fw_snapshot_unseen(((struct look *)src)->snapshot, out);
}

/* Only hooks miss anything. */
static void look_look(struct fw_source *src, uint64_t skaddr, uint64_t cookie)
{
	(void)src;
	(void)skaddr;
	(void)cookie;
}

static int look_snapshot(struct fw_source *src, struct fw_err *err)
{
	struct look *look = (struct look *)src;
	int ret = fw_snapshot_begin(look->snapshot);

	if (ret)
		return fw_err_set(err, ret, "cannot list the network namespaces: %s", strerror(-ret));
	look->in_snapshot = true;
	return 0;
}

static bool look_in_snapshot(struct fw_source *src)
{
	return ((struct look *)src)->in_snapshot;
}

static const char *look_netns_name(struct fw_source *src, uint32_t inum, uint16_t life)
{
	return fw_netns_names_find(((struct look *)src)->names, inum, life);
}

static const char *look_cgroup_path(struct fw_source *src, uint64_t id)
{
	return fw_cgroups_path(((struct look *)src)->cgroups, id);
}

static void look_stop(struct fw_source *src)
{
	(void)src;
}

static void look_free(struct fw_source *src)
{
	struct look *look = (struct look *)src;

	fw_snapshot_free(look->snapshot);
	fw_cgroups_free(look->cgroups);
	fw_netns_names_free(look->names);
	free(look);
}

static const struct fw_source_ops look_ops = {
	.poll = look_poll,
	.now_ns = look_now_ns,
	.wall_offset_ns = look_wall_offset_ns,
	.stats = look_stats,
	.look = look_look,
	.snapshot = look_snapshot,
	.in_snapshot = look_in_snapshot,
	.netns_name = look_netns_name,
	.cgroup_path = look_cgroup_path,
	.stop = look_stop,
	.free = look_free,
};

struct fw_source *fw_look_open(const struct fw_live_options *opt, struct fw_err *err)
{
	struct fw_snapshot_options snapshot = {
		.cfg = { .rule = opt->rule },
		.clock = fw_host_clock(),
		.compat_sk_fd = -1, .compat_tuple_fd = -1, .compat_next_fd = -1, .unsettled_fd = -1, .serving_fd = -1,
		.measures_hz = true,
	};
	struct look *look;

	if (fw_host_check(err))
		return NULL;
	look = calloc(1, sizeof(*look));
	if (look)
		look->names = fw_netns_names_new();
	if (!look || !look->names) {
		free(look);
		fw_err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	look->snapshot = fw_snapshot_open(&snapshot, err);
	if (!look->snapshot) {
		look_free(&look->src);
		return NULL;
	}
	look->clock = snapshot.clock;
	look->cgroups = fw_cgroups_new();
	look->src.ops = &look_ops;
	look->src.info = (struct fw_source_info){
		.hooks = "none",
		.filtered = fw_rule_has_endpoints(&opt->rule),
		.hz = fw_snapshot_hz(look->snapshot),
		.start_ns = look_now_ns(&look->src),
		.wall_offset_ns = look_wall_offset_ns(&look->src),
	};
	return &look->src;
}
