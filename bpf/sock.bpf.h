/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All reads of kernel sockets: IPv4, IPv6, full socket or minisock is decided here, once.
 *
 * Full sockets come from a tracepoint as trusted pointers and are read by plain loads. Minisocks
 * are found by arithmetic (container_of a timer) or come from a probe, so they are read through
 * bpf_probe_read_kernel; their sock_common is the same.
 */
#ifndef FW_BPF_SOCK_BPF_H
#define FW_BPF_SOCK_BPF_H

#include "compat.bpf.h"
#include <bpf/bpf_endian.h>

#define AF_INET 2
#define AF_INET6 10
#define RCV_SHUTDOWN 1
#define SEND_SHUTDOWN 2

/* ::ffff:a.b.c.d is IPv4 on the wire, so it is IPv4 here. */
static __always_inline bool fw_is_v4mapped(const __u8 *a)
{
	const __u32 *w = (const __u32 *)a;

	return !w[0] && !w[1] && w[2] == bpf_htonl(0xffff);
}

/* Turns an IPv6 pair in @head into the IPv4 pair it stands for, if it is one. */
static __always_inline void fw_unmap_v4(struct fw_rec_head *head)
{
	__u32 *l = (__u32 *)head->laddr, *r = (__u32 *)head->raddr;

	if (!fw_is_v4mapped(head->raddr) && !fw_is_v4mapped(head->laddr))
		return;
	head->family = AF_INET;
	l[0] = l[3];
	r[0] = r[3];
	l[1] = l[2] = l[3] = 0;
	r[1] = r[2] = r[3] = 0;
}

static __always_inline void fw_head_v4(struct fw_rec_head *head, __u32 laddr_be, __u32 raddr_be)
{
	__u32 *l = (__u32 *)head->laddr, *r = (__u32 *)head->raddr;

	head->family = AF_INET;
	l[0] = laddr_be;
	r[0] = raddr_be;
	l[1] = l[2] = l[3] = 0;
	r[1] = r[2] = r[3] = 0;
}

/* From the cookie of a namespace, which is never given again. Linux has it since 5.12. */
static __always_inline __u16 fw_netns_life(__u64 net_cookie)
{
	__u16 life = net_cookie ^ net_cookie >> 16;

	return life ? life : 0xffff;
}

/* Fills all of @head but ts_ns, cookie, kind, flags and the states from a trusted full socket. */
static __always_inline void fw_head_from_sock(struct fw_rec_head *head, struct sock *sk)
{
	struct net *net = sk->__sk_common.skc_net.net;

	head->skaddr = (__u64)sk;
	head->netns = net->ns.inum;
	head->netns_life = bpf_core_field_exists(struct net, net_cookie) ?
				   fw_netns_life(net->net_cookie) : 0;
	head->ifindex = sk->__sk_common.skc_bound_dev_if;
	head->lport = sk->__sk_common.skc_num;
	head->rport = bpf_ntohs(sk->__sk_common.skc_dport);
	head->cpu = bpf_get_smp_processor_id();
	if (sk->__sk_common.skc_family == AF_INET) {
		fw_head_v4(head, sk->__sk_common.skc_rcv_saddr, sk->__sk_common.skc_daddr);
		return;
	}
	head->family = AF_INET6;
	for (int i = 0; i < 4; i++) {
		((__u32 *)head->laddr)[i] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		((__u32 *)head->raddr)[i] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[i];
	}
	fw_unmap_v4(head);
}

/* What is wanted of a sock_common lies in its first bytes: the cookie ends at 96 (5.10 to 7.x). The
 * verifier refuses what does not fit.
 */
#define FW_COMMON_BYTES 112

struct fw_common {
	__u8 raw[FW_COMMON_BYTES] __attribute__((aligned(8)));
};

#define FW_COMMON(common, field) \
	((common)->raw + bpf_core_field_offset(struct sock_common, field))

/*
 * The same, cookie and states too, from the sock_common of any socket: one safe read instead of one a
 * field, which took half the time of the programs for minisocks.
 */
static __always_inline void fw_head_from_common(struct fw_rec_head *head, struct sock_common *skc)
{
	struct fw_common common;
	struct net *net;

	bpf_probe_read_kernel(&common, sizeof(common), skc);
	net = *(struct net **)FW_COMMON(&common, skc_net);
	head->skaddr = (__u64)skc;
	head->cookie = *(__u64 *)FW_COMMON(&common, skc_cookie);
	head->netns = BPF_CORE_READ(net, ns.inum);
	head->ifindex = *(__u32 *)FW_COMMON(&common, skc_bound_dev_if);
	head->lport = *(__u16 *)FW_COMMON(&common, skc_num);
	head->rport = bpf_ntohs(*(__u16 *)FW_COMMON(&common, skc_dport));
	head->oldstate = head->newstate = *FW_COMMON(&common, skc_state);
	head->cpu = bpf_get_smp_processor_id();
	head->netns_life = 0; /* costs a read of its own: fw_head_netns_life() */
	if (*(__u16 *)FW_COMMON(&common, skc_family) == AF_INET) {
		fw_head_v4(head, *(__u32 *)FW_COMMON(&common, skc_rcv_saddr),
			   *(__u32 *)FW_COMMON(&common, skc_daddr));
		return;
	}
	head->family = AF_INET6;
	__builtin_memcpy(head->laddr, FW_COMMON(&common, skc_v6_rcv_saddr), sizeof(head->laddr));
	__builtin_memcpy(head->raddr, FW_COMMON(&common, skc_v6_daddr), sizeof(head->raddr));
	fw_unmap_v4(head);
}

/* For the records that may be the first of a namespace. */
static __always_inline void fw_head_netns_life(struct fw_rec_head *head, struct sock_common *skc)
{
	if (bpf_core_field_exists(struct net, net_cookie))
		head->netns_life = fw_netns_life(BPF_CORE_READ(skc, skc_net.net, net_cookie));
}

/* The minisock around its timer, and back. */
static __always_inline struct inet_timewait_sock *fw_timer_tw(struct timer_list *timer)
{
	return (void *)timer - bpf_core_field_offset(struct inet_timewait_sock, tw_timer);
}

static __always_inline struct request_sock *fw_timer_req(struct timer_list *timer)
{
	return (void *)timer - bpf_core_field_offset(struct request_sock, rsk_timer);
}

/* @req: of TCP, so an inet_request_sock. */
static __always_inline bool fw_request_acked(struct request_sock *req)
{
	return BPF_CORE_READ_BITFIELD_PROBED((struct inet_request_sock *)req, acked);
}

static __always_inline __u32 fw_sock_flags(struct sock *sk)
{
	unsigned long skf = sk->__sk_common.skc_flags;
	__u8 shutdown = sk->sk_shutdown;
	__u32 flags = 0;

	if (skf & (1UL << SOCK_DEAD))
		flags |= FW_REC_ORPHAN;
	if (skf & (1UL << SOCK_DONE))
		flags |= FW_REC_FIN_RECEIVED;
	if (sk->sk_socket)
		flags |= FW_REC_HAS_FILE;
	if (shutdown & RCV_SHUTDOWN)
		flags |= FW_REC_SHUT_RD;
	if (shutdown & SEND_SHUTDOWN)
		flags |= FW_REC_SHUT_WR;
	return flags;
}

/* Flags that only the end of a connection needs: reading them costs five more cache lines. */
static __always_inline __u32 fw_sock_end_flags(struct tcp_sock *tp)
{
	__u32 flags = 0;

	if (tp->snd_una == tp->write_seq)
		flags |= FW_REC_FIN_ACKED;
	if (tp->linger2 < 0)
		flags |= FW_REC_LINGER2_NEG;
	if (!tp->segs_out)
		flags |= FW_REC_SYN_UNSENT;
	if (!tp->snd_wnd)
		flags |= FW_REC_WINDOW_SHUT;
	if (BPF_CORE_READ_BITFIELD(tp, repair))
		flags |= FW_REC_REPAIR;
	return flags;
}

/* tcp_sock.srtt_us holds eight times the smoothed round-trip time. */
#define FW_SRTT_SHIFT 3

static __always_inline __u32 fw_srtt_us(struct tcp_sock *tp)
{
	return tp->srtt_us >> FW_SRTT_SHIFT;
}

/* @tp may be any pointer. NULL: not a subflow. */
static __always_inline struct mptcp_subflow_context *fw_subflow_of(struct tcp_sock *tp)
{
	if (!bpf_core_field_exists(struct tcp_sock, is_mptcp) || !BPF_CORE_READ(tp, is_mptcp))
		return NULL;
	return BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
}

/* The MPTCP socket of a subflow, or NULL. @subflow may be NULL. */
static __always_inline struct mptcp_sock *fw_mptcp_of(struct mptcp_subflow_context *subflow)
{
	return subflow ? (struct mptcp_sock *)BPF_CORE_READ(subflow, conn) : NULL;
}

/* The token of the MPTCP connection that @tp is a subflow of; 0: of none. */
static __always_inline __u32 fw_mptcp_token(struct tcp_sock *tp)
{
	struct mptcp_sock *msk = fw_mptcp_of(fw_subflow_of(tp));

	return msk ? BPF_CORE_READ(msk, token) : 0;
}

static __always_inline bool fw_has_mptcp(void)
{
	return bpf_core_type_exists(struct mptcp_sock);
}

/*
 * The TCP socket that a descriptor's socket acts through: itself, or the first subflow of an MPTCP
 * socket. NULL: it is neither, or has no subflow left.
 */
static __always_inline struct sock *fw_tcp_of(struct sock *sk)
{
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);

	if (protocol == IPPROTO_TCP)
		return sk;
	if (protocol != IPPROTO_MPTCP || !fw_has_mptcp())
		return NULL;
	return BPF_CORE_READ((struct mptcp_sock *)sk, first);
}

#endif
