/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF objects share: the ring, the loss counters and the configuration. state.bpf.c owns
 * them (FW_MAPS_OWNER); the other objects declare them and the static linker joins them.
 */
#ifndef FW_BPF_MAPS_BPF_H
#define FW_BPF_MAPS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "event.h"

#ifdef FW_MAPS_OWNER
#define FW_SHARED
#else
#define FW_SHARED extern
#endif

/* Its size is set by the loader. */
struct fw_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
};
FW_SHARED struct fw_ring_map fw_ring SEC(".maps");

struct fw_stats_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_cpu_stats);
};
FW_SHARED struct fw_stats_map fw_stats SEC(".maps");

/* Request sockets born and ended in the current second, per CPU. */
struct fw_half_open_rate {
	__u64 second;
	__u64 born;
	__u64 ended;
	__u64 suppressed_ns; /* when one was last only counted */
};

struct fw_half_open_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_half_open_rate);
};
FW_SHARED struct fw_half_open_map fw_half_open SEC(".maps");

#ifdef FW_MAPS_OWNER
const volatile struct fw_bpf_config fw_cfg = {};
#else
extern const volatile struct fw_bpf_config fw_cfg;
#endif

#endif
