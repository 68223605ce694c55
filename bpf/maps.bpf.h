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

#ifdef FW_MAPS_OWNER
const volatile struct fw_bpf_config fw_cfg = {};
#else
extern const volatile struct fw_bpf_config fw_cfg;
#endif

/* Its size is set by the loader. */
struct fw_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
};
FW_SHARED struct fw_ring_map fw_ring SEC(".maps");

/*
 * One a CPU; how many, the loader sets. User space maps it instead of asking: while a system call looks
 * into a map, the kernel runs no kprobe program on that CPU (bpf_prog_active), and the minisocks whose
 * timers expire on top of it would end unseen (measured on 5.10).
 */
struct fw_stats_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fw_cpu_stats);
};
FW_SHARED struct fw_stats_map fw_stats SEC(".maps");

/* Request sockets on this CPU. */
struct fw_half_open {
	__u64 second, born;  /* how many were born in it */
	__u64 child_ns;	     /* when a child was last born, and its ports */
	__u16 child_lport, child_rport;
	__u32 child_had_request; /* the request of that child has ended since */
	__u64 request_since_ns;	 /* and when that first sent a SYN-ACK; 0: not known */
};

struct fw_half_open_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_half_open);
};
FW_SHARED struct fw_half_open_map fw_half_open SEC(".maps");

/* The request sockets that were only counted, by address: their ends are nobody's business either. */
struct fw_suppressed_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64 * 1024);
	__type(key, __u64);
	__type(value, __u8);
};
FW_SHARED struct fw_suppressed_map fw_suppressed SEC(".maps");

/* Processes that have listened or accepted: their end is reported. The value is not used. */
struct fw_serving_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16 * 1024);
	__type(key, __u32); /* thread group id */
	__type(value, __u8);
};
FW_SHARED struct fw_serving_map fw_serving SEC(".maps");

static __always_inline void fw_note_serving(__u32 pid)
{
	__u8 yes = 1;

	if (!bpf_map_lookup_elem(&fw_serving, &pid))
		bpf_map_update_elem(&fw_serving, &pid, &yes, BPF_ANY);
}

/*
 * Timer front end: minisocks in FIN_WAIT_2, by address, with their cookie. Only hooks and iterators write it,
 * so that settle.bpf.c reads no address that user space chose. What has left FIN_WAIT_2 is removed, or makes room
 * for others in time. The loader leaves the map out for the other front ends.
 */
struct fw_unsettled_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64 * 1024);
	__type(key, __u64);
	__type(value, __u64);
};
FW_SHARED struct fw_unsettled_map fw_unsettled SEC(".maps");

/* A minisock is in FIN_WAIT_2. */
static __always_inline void fw_note_unsettled(__u64 skaddr, __u64 cookie)
{
	if (fw_cfg.tw_timer_handler)
		bpf_map_update_elem(&fw_unsettled, &skaddr, &cookie, BPF_ANY);
}

/* It has ended there. */
static __always_inline void fw_forget_unsettled(__u64 skaddr)
{
	if (fw_cfg.tw_timer_handler)
		bpf_map_delete_elem(&fw_unsettled, &skaddr);
}

/* A child is born, its request ends, and the child leaves SYN_RECV within one segment's processing. */
#define FW_COMPLETION_NS 100000

static __always_inline struct fw_half_open *fw_my_half_open(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&fw_half_open, &zero);
}

/* Whether fw_suppressed has ever had an entry: until then nobody needs to look. */
FW_SHARED __u32 fw_flood_seen;

#endif
