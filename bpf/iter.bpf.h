/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the iterators share: how records are written, and MPTCP sockets, which the iterators over sockets and
 * over files both show.
 */
#ifndef FW_BPF_ITER_BPF_H
#define FW_BPF_ITER_BPF_H

#include "filter.bpf.h"
#include <bpf/bpf_tracing.h>

/*
 * The kernel shows an item again, later, when its record did not fit into the reader's buffer; so
 * nothing may be remembered about an item before its record is written.
 */
static __always_inline bool fw_put(struct bpf_iter_meta *meta, void *rec, __u32 size)
{
	return !bpf_seq_write(meta->seq, rec, size);
}

#define SOCK_BINDPORT_LOCK 8

/*
 * @sk may be any pointer. A clone of a listener has its backlog, and has lost the mark that it was bound to a port. What was
 * connected has no backlog, or, if it listened in a former life, that mark. With listen(fd, 0) a clone
 * cannot be told from the other.
 */
static __always_inline bool fw_is_clone(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_max_ack_backlog) &&
	       BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN &&
	       !(BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
}

static __always_inline bool fw_is_dead(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DEAD);
}

/* More subflows than the path managers make (8 and the first), or a list that changes: no bound. */
#define FW_SUBFLOWS_MAX 9

/* When it was newest of all subflows: the last segment, in microseconds, and in jiffies. 0: not known. */
struct fw_newest {
	__u64 mstamp_us;
	__u32 received;
};

static __always_inline struct fw_newest fw_newest_segment(struct mptcp_sock *msk)
{
	struct list_head *end = (void *)msk + bpf_core_field_offset(struct mptcp_sock, conn_list);
	struct list_head *node = BPF_CORE_READ(msk, conn_list.next);
	struct fw_newest newest = {};

	for (int i = 0; i < FW_SUBFLOWS_MAX && node != end; i++) {
		struct mptcp_subflow_context *subflow =
			(void *)node - bpf_core_field_offset(struct mptcp_subflow_context, node);
		struct tcp_sock *tp = (struct tcp_sock *)BPF_CORE_READ(subflow, tcp_sock);
		__u64 mstamp_us = BPF_CORE_READ(tp, tcp_mstamp);
		__u32 received = BPF_CORE_READ(tp, rcv_tstamp);

		if (mstamp_us > newest.mstamp_us)
			newest.mstamp_us = mstamp_us;
		if (!i || (__s32)(received - newest.received) > 0)
			newest.received = received;
		node = BPF_CORE_READ(node, next);
	}
	if (node != end)
		newest.mstamp_us = 0;
	return newest;
}

/* A segment's data reaches the MPTCP socket in the same tick, or, if that is just being used, in the next. */
#define FW_SAME_MOMENT_JIFFIES 1

/*
 * By when an MPTCP socket was in CLOSE_WAIT: it entered it when all data before the peer's DATA_FIN had
 * arrived. A segment on one of the subflows brought the last of that, so it is not older than the newest
 * segment. But if the receive buffer had been full, a read made room for what waited in a subflow: then
 * nothing tells.
 */
static __always_inline __u64 fw_mptcp_since_ns(struct mptcp_sock *msk)
{
	struct fw_newest newest = fw_newest_segment(msk);

	if (bpf_core_field_exists(struct mptcp_sock, last_data_recv) &&
	    (__s32)(BPF_CORE_READ(msk, last_data_recv) - newest.received) > FW_SAME_MOMENT_JIFFIES)
		return 0;
	return newest.mstamp_us * 1000;
}

/*
 * With unread data the end of the stream (one byte) is unread too. Without, nothing tells: it counts as read.
 */
static __always_inline __u32 fw_mptcp_unread(struct mptcp_sock *msk, __u8 state)
{
	__u32 data;

	if (bpf_core_field_exists(struct mptcp_sock, bytes_consumed))
		data = BPF_CORE_READ(msk, bytes_received) - BPF_CORE_READ(msk, bytes_consumed);
	else
		data = fw_compat_mptcp_unread((struct sock *)msk);
	return data && state == TCP_CLOSE_WAIT ? data + 1 : data;
}

static __always_inline void fw_fill_mptcp(struct fw_rec_sock *rec, struct mptcp_sock *msk)
{
	struct sock *sk = (struct sock *)msk, *first;

	__builtin_memset(rec, 0, sizeof(*rec));
	fw_head_from_common(&rec->head, &sk->__sk_common);
	rec->head.cookie = 0; /* most have none: their address identifies them */
	rec->head.kind = FW_REC_SOCK;
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->object = FW_OBJECT_MPTCP;
	if (BPF_CORE_READ(sk, sk_socket))
		rec->head.flags |= FW_REC_HAS_FILE;
	rec->now_jiffies = bpf_jiffies64();
	if (rec->head.newstate == TCP_CLOSE_WAIT)
		rec->since_ns = fw_mptcp_since_ns(msk);
	rec->uid = BPF_CORE_READ(sk, sk_uid.val);
	rec->unread = fw_mptcp_unread(msk, rec->head.newstate);
	if (bpf_core_field_exists(struct mptcp_sock, bytes_sent)) {
		rec->bytes_sent = BPF_CORE_READ(msk, bytes_sent);
		rec->bytes_received = BPF_CORE_READ(msk, bytes_received);
	}
	rec->mptcp_token = BPF_CORE_READ(msk, token);
	first = BPF_CORE_READ(msk, first);
	rec->listener = (__u64)first;
	if (first && fw_is_clone(first))
		rec->head.flags |= FW_REC_CLONED;
}

#endif
