/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only home of differences between kernels. Each entry says what changed, when, and when the
 * entry may go. Everything here is decided by CO-RE or by the loader; nothing is #ifdef'ed.
 */
#ifndef FW_BPF_COMPAT_BPF_H
#define FW_BPF_COMPAT_BPF_H

#include "maps.bpf.h"
#include <bpf/bpf_core_read.h>

/*
 * Before Linux 5.15 (commit 8520e224f547) sock_cgroup_data is a union that holds a tagged pointer
 * or, once net_cls or net_prio is in use, a class id (bit 0 set). May go with 5.10.
 */
struct sock_cgroup_data___v5_14 {
	__u64 val;
} __attribute__((preserve_access_index));

/* @sk: trusted, so that a chain of plain loads is safe, NULL on the way included. */
static __always_inline __u64 fw_compat_cgroup_id(struct sock *sk)
{
	struct sock_cgroup_data___v5_14 *old;
	struct cgroup *cgrp;

	if (bpf_core_field_exists(struct sock_cgroup_data, cgroup))
		return sk->sk_cgrp_data.cgroup->kn->id;
	old = (void *)sk + bpf_core_field_offset(struct sock, sk_cgrp_data);
	cgrp = (void *)BPF_CORE_READ(old, val);
	return (__u64)cgrp & 1 || !cgrp ? 0 : BPF_CORE_READ(cgrp, kn, id);
}

/*
 * Before Linux 5.12 (commit c5dbb89fc2ac) tracing programs cannot ask for, and so cannot assign,
 * socket cookies. There identities of our own stand in: by socket address while the full socket
 * lives, by netns and 4-tuple from the moment our FIN is sent, which is where minisocks come from.
 * The loader sets no_cookie_helper, and leaves these maps out everywhere else. May go with 5.10.
 */
#define FW_COMPAT_CONNECTIONS (256 * 1024)
#define FW_COMPAT_ID_MARK (1ULL << 63)
#define FW_COMPAT_ID_SEEN (3ULL << 62) /* given by an iterator */

struct fw_compat_tuple {
	__u32 netns;
	__u16 lport, rport;
	__u8 laddr[16], raddr[16];
};

struct fw_compat_sk_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_COMPAT_CONNECTIONS);
	__type(key, __u64);
	__type(value, __u64);
};

struct fw_compat_tuple_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_COMPAT_CONNECTIONS);
	__type(key, struct fw_compat_tuple);
	__type(value, __u64);
};

struct fw_compat_next_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

FW_SHARED struct fw_compat_sk_map fw_compat_sk SEC(".maps");
FW_SHARED struct fw_compat_tuple_map fw_compat_tuple SEC(".maps");
FW_SHARED struct fw_compat_next_map fw_compat_next SEC(".maps");

static __always_inline struct fw_compat_tuple fw_compat_tuple_of(const struct fw_rec_head *head)
{
	struct fw_compat_tuple t = {
		.netns = head->netns, .lport = head->lport, .rport = head->rport,
	};

	__builtin_memcpy(t.laddr, head->laddr, sizeof(t.laddr));
	__builtin_memcpy(t.raddr, head->raddr, sizeof(t.raddr));
	return t;
}

static __always_inline __u64 fw_compat_new_id(__u64 skaddr)
{
	__u64 *next, id;
	__u32 zero = 0;

	next = bpf_map_lookup_elem(&fw_compat_next, &zero);
	if (!next)
		return 0;
	id = FW_COMPAT_ID_MARK | (__u64)bpf_get_smp_processor_id() << 48 | ++*next;
	bpf_map_update_elem(&fw_compat_sk, &skaddr, &id, BPF_ANY);
	return id;
}

/* Minisocks are born in these states. */
static __always_inline void fw_compat_note_tuple(const struct fw_rec_head *head, int state, __u64 id)
{
	struct fw_compat_tuple t;

	if (state != TCP_FIN_WAIT1 && state != TCP_FIN_WAIT2 && state != TCP_CLOSING)
		return;
	t = fw_compat_tuple_of(head);
	bpf_map_update_elem(&fw_compat_tuple, &t, &id, BPF_ANY);
}

static __always_inline __u64 fw_compat_cookie(const struct fw_rec_head *head, int oldstate,
					      int newstate)
{
	__u64 skaddr = head->skaddr, *known, id;

	known = oldstate == TCP_CLOSE ? NULL : bpf_map_lookup_elem(&fw_compat_sk, &skaddr);
	id = known ? *known : fw_compat_new_id(skaddr);
	fw_compat_note_tuple(head, newstate, id);
	return id;
}

/* A child is born at an address that an older socket may have had. */
static __always_inline void fw_compat_forget(__u64 skaddr)
{
	bpf_map_delete_elem(&fw_compat_sk, &skaddr);
}

static __always_inline __u64 fw_compat_tw_cookie(const struct fw_rec_head *head)
{
	struct fw_compat_tuple t = fw_compat_tuple_of(head);
	__u64 *id = bpf_map_lookup_elem(&fw_compat_tuple, &t);

	return id ? *id : 0;
}

static __always_inline __u64 fw_compat_sk_cookie(__u64 skaddr)
{
	__u64 *id = bpf_map_lookup_elem(&fw_compat_sk, &skaddr);

	return id ? *id : 0;
}

#endif
