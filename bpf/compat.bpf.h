/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only home of differences between kernels. Each entry says what changed, in which commit and
 * version, and when the entry may go. Everything here is decided by CO-RE or by the loader; nothing
 * is #ifdef'ed. docs/kernels.md lists the same, and which test would notice; tests/vm/claims.py
 * compares the two.
 *
 * Five need no code but the choice of what to do everywhere, or allow none:
 *
 * Before Linux 6.3 (commit 6715df8d5d24) the verifier refuses to copy bytes of the stack that nobody
 * has written into a map: whatever becomes a map's value is cleared first. May go with 6.1.
 *
 * Before Linux 6.15 (commit a3a128f611a9) inet_csk_clone_lock() reports LISTEN -> SYN_RECV before the
 * child has its peer's address and its request's cookie, which overwrites one given out there. So the
 * child is known by its socket's address until its next transition: fw_sock_cookie() in state.bpf.c,
 * request.c in user/core. May go with 6.12.
 *
 * Before Linux 6.11 and its stable backports (commit 853c3bd7b791) a timeout wakes the application before
 * the last transition, and one that is quick takes the error away: see verdict.c in user/core.
 *
 * Since commit 05b24ff9b2cf, which stable series took over, the kernel skips a program of a tracepoint that
 * already runs on this CPU: hence fw_set_state_on_top in state.bpf.c, which has nothing to do before.
 *
 * Before Linux 6.7 (commit dd8657894c11) kprobe programs that are skipped are not counted: see
 * fw_tracker_overdue() in user/core. May go with 6.1, if misses are rare enough.
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

/*
 * Before Linux 5.11 (commit 3ca1032ab7ab) the current task is a number, read by helpers that guard each
 * read; then it is a pointer that the verifier knows, read by plain loads, which takes a quarter of the
 * time. May go with 5.10.
 */
static __always_inline bool fw_compat_has_task(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/*
 * Before Linux 5.15 (commit dd6e10fbd9fb) a tracing program cannot ask for the registers with which the
 * current task entered the kernel, so the timer front end does not see connect() that is refused before its
 * SYN. May go with 5.10.
 */
static __always_inline bool fw_compat_has_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

/*
 * Before Linux 5.11 (commit 4f19cab76136) there is no helper for the socket of a file; the file's
 * operations tell. May go with 5.10.
 */
extern const void socket_file_ops __ksym __weak;

static __always_inline struct sock *fw_compat_sock_of_file(struct file *file)
{
	struct socket *socket;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_sock_from_file)) {
		socket = bpf_sock_from_file(file);
		return socket ? socket->sk : NULL;
	}
	if (!&socket_file_ops || (const void *)file->f_op != &socket_file_ops)
		return NULL;
	socket = file->private_data;
	return BPF_CORE_READ(socket, sk);
}

/*
 * The TIME_WAIT table of a namespace is counted in tw_count in Linux 5.10, and in tw_refcount, which begins at
 * 1, from 6.1 on; kernels between reach it by a pointer. May go with 5.10.
 */
struct inet_timewait_death_row___v5_18 {
	atomic_t tw_count;
} __attribute__((preserve_access_index));

static __always_inline bool fw_compat_tw_table_full(struct sock *sk)
{
	struct net *net = sk->__sk_common.skc_net.net;
	struct inet_timewait_death_row___v5_18 *old;
	struct inet_timewait_death_row *row;
	int count;

	row = (void *)net + bpf_core_field_offset(struct net, ipv4) +
	      bpf_core_field_offset(struct netns_ipv4, tcp_death_row);
	if (bpf_core_field_size(struct netns_ipv4, tcp_death_row) == sizeof(void *))
		bpf_probe_read_kernel(&row, sizeof(row), row);
	if (bpf_core_field_exists(struct inet_timewait_death_row, tw_refcount)) {
		count = BPF_CORE_READ(row, tw_refcount.refs.counter) - 1;
	} else {
		old = (void *)row;
		count = BPF_CORE_READ(old, tw_count.counter);
	}
	return count >= BPF_CORE_READ(row, sysctl_max_tw_buckets);
}

/*
 * Since Linux 6.14 a minisock has the time at which it entered TIME_WAIT, in milliseconds
 * of bpf_ktime_get_ns(), the lower 32 bits. Before, only the time at which its timer was last set is known. May
 * go with 6.12.
 */
static __always_inline __u64 fw_compat_tw_since_ns(struct inet_timewait_sock *tw)
{
	__u64 now_ns = bpf_ktime_get_ns();
	__u32 stamp, ago_ms;

	if (!bpf_core_field_exists(struct inet_timewait_sock, tw_entry_stamp))
		return 0;
	stamp = BPF_CORE_READ(tw, tw_entry_stamp);
	ago_ms = (__u32)(now_ns / 1000000) - stamp;
	return stamp && ago_ms < now_ns / 1000000 ? (now_ns / 1000000 - ago_ms) * 1000000 : 0;
}

/* Without timestamps a FIN that reaches a minisock in FIN_WAIT_2 does not renew that time. */
static __always_inline __u32 fw_compat_tw_flags(struct inet_timewait_sock *tw)
{
	struct tcp_timewait_sock *tcptw = (struct tcp_timewait_sock *)tw;

	return bpf_core_field_exists(struct inet_timewait_sock, tw_entry_stamp) &&
			       BPF_CORE_READ(tw, tw_substate) == TCP_TIME_WAIT &&
			       BPF_CORE_READ(tcptw, tw_ts_recent_stamp) ?
		       FW_REC_ENTRY_KNOWN : 0;
}

/*
 * Since Linux 6.10 (commit 92ef0fd55ac8) inet_csk_accept() is called with (sk, arg), before with
 * (sk, flags, err, kern): what it returns comes after them. Reading it from the other place loads on
 * some kernels, and gives something else. May go with 6.1.
 */
static __always_inline struct sock *fw_compat_accepted(const __u64 *fexit_ctx)
{
	struct sock *sk;

	/* The verifier wants either offset as a constant, so the two loads must not become one. */
	if (bpf_core_type_exists(struct proto_accept_arg)) {
		sk = (struct sock *)fexit_ctx[2];
		barrier_var(sk);
	} else {
		sk = (struct sock *)fexit_ctx[4];
		barrier_var(sk);
	}
	return sk;
}

/*
 * Before Linux 6.7 (commit 5684ab1a0eff) an MPTCP socket does not count what the application has read: the
 * memory of what it has not read stands in, which is more than the bytes. Before 6.10 (commit 18d82cde7432) it
 * does not say when data came last: fw_mptcp_since_ns() takes the newest segment, which is too early if the
 * application had let its receive buffer fill up. May go with 6.6.
 */
static __always_inline __u32 fw_compat_mptcp_unread(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter);
}

/*
 * Since Linux 6.12, and in the stable series that took it over (commit e8c526f2bdf1), a request socket
 * ends in __inet_csk_reqsk_queue_drop(), before in reqsk_queue_unlink(). The trampoline and kprobe front
 * ends have a program for each; the loader takes the one whose function there is: is_for_this_kernel()
 * in user/io/attach.c. May go when no supported kernel lacks the former.
 */

#endif
