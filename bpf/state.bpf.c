// SPDX-License-Identifier: GPL-2.0-only
/*
 * Full sockets: every transition (sock:inet_sock_set_state) and every RST that is sent for one.
 *
 * It owns the maps and the configuration that the other objects share.
 */
#define FW_MAPS_OWNER
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "process.bpf.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/*
 * The cookie that follows the connection into its minisock. Asking for it assigns it.
 *
 * Not at LISTEN -> SYN_RECV: before Linux 6.15 the kernel overwrites the child's cookie just after
 * that transition (inet_csk_clone_lock), so one given out here would belong to nobody. The child
 * is known by its address until its next transition.
 */
static __always_inline __u64 fw_sock_cookie(struct sock *sk, int oldstate, int newstate)
{
	bool child = oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV;
	struct fw_rec_head head;

	if (!fw_cfg.no_cookie_helper) {
		__u64 cookie = child ? 0 : sk->__sk_common.skc_cookie.counter;

		/* All but its first transition find it there. */
		return child || cookie ? cookie : bpf_get_socket_cookie(sk);
	}
	fw_head_from_sock(&head, sk);
	if (!child)
		return fw_compat_cookie(&head, oldstate, newstate);
	fw_compat_forget(head.skaddr);
	return 0;
}

/* How long ago a request may have been only counted for its child to be told so. */
#define FW_UNSEEN_NS (2 * FW_NS_PER_SEC)

/*
 * LISTEN -> SYN_RECV: leaves word for the end of its request socket, which follows on this CPU. Also
 * if there is no room for the child's record: that end is not to be lost as well.
 */
static __always_inline __u32 fw_note_child(struct sock *sk, __u64 now_ns)
{
	struct fw_half_open *half_open = fw_my_half_open();

	if (!half_open)
		return 0;
	half_open->child_ns = now_ns;
	half_open->child_lport = sk->__sk_common.skc_num;
	half_open->child_rport = bpf_ntohs(sk->__sk_common.skc_dport);
	/* Under a flood of SYNs the request may not have been reported. */
	if (half_open->suppressed_ns && now_ns - half_open->suppressed_ns < FW_UNSEEN_NS)
		return FW_REC_REQ_UNSEEN;
	return 0;
}

/*
 * The transitions of connect(), listen(), and of the close() or shutdown() that sends our FIN: made by the
 * process that is current, if it has locked the socket (lock_sock() sets sk_lock.owned). A softirq runs on
 * top of any process and does not set it: since Linux 6.10 one makes the transition of a shutdown() that was
 * called in SYN_RECV. A kernel thread acts for others: it closes what was in flight over a unix socket that
 * is gone, or a subflow of an MPTCP socket.
 */
static __always_inline bool fw_is_process_context(struct sock *sk, int oldstate, int newstate)
{
	if (newstate != TCP_SYN_SENT && newstate != TCP_LISTEN && newstate != TCP_FIN_WAIT1 &&
	    !(newstate == TCP_LAST_ACK && oldstate == TCP_CLOSE_WAIT))
		return false;
	return sk->sk_lock.owned && !fw_is_kernel_thread();
}

/*
 * Subflows are made and closed by workers, and by processes that manage paths (ip mptcp, mptcpd). Only
 * the first one's connect() and listen() are the application's; its close() is a transition of the MPTCP
 * socket.
 */
static __always_inline bool fw_is_own_act(struct tcp_sock *tp, int newstate)
{
	struct mptcp_subflow_context *subflow = fw_subflow_of(tp);

	if (!subflow || newstate == TCP_LISTEN)
		return true;
	return newstate == TCP_SYN_SENT && !BPF_CORE_READ_BITFIELD_PROBED(subflow, request_join);
}

static __always_inline void fw_fill_timing(struct fw_rec_state *rec, struct tcp_sock *tp)
{
	rec->srtt_us = fw_srtt_us(tp);
	rec->rto_jiffies = tp->inet_conn.icsk_rto;
}

static __always_inline void fw_fill_totals(struct fw_rec_state *rec, struct tcp_sock *tp)
{
	rec->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
	rec->bytes_received = tp->bytes_received;
	rec->retransmits = tp->total_retrans;
	rec->segs_out = tp->segs_out;
	fw_fill_timing(rec, tp);
}

static __always_inline void fw_no_totals(struct fw_rec_state *rec)
{
	rec->bytes_sent = rec->bytes_received = 0;
	rec->retransmits = rec->segs_out = 0;
	rec->srtt_us = rec->rto_jiffies = 0;
}

/* A subflow is one from its SYN or its handshake on; its token is constant. */
static __always_inline bool fw_may_join_mptcp(int oldstate, int newstate)
{
	return newstate == TCP_SYN_SENT || newstate == TCP_ESTABLISHED || oldstate == TCP_SYN_RECV;
}

static __always_inline void fw_fill_owner(struct fw_rec_state *rec, struct sock *sk)
{
	rec->head.flags |= FW_REC_OWNER;
	rec->cgroup_id = fw_compat_cgroup_id(sk);
	rec->pid = fw_my_pid();
	fw_process_name(rec->comm);
}

static __always_inline void fw_no_owner(struct fw_rec_state *rec)
{
	rec->cgroup_id = 0;
	rec->pid = 0;
	__builtin_memset(rec->comm, 0, sizeof(rec->comm));
}

/* The record is filled in where it stands in the ring, so the filters look at a head of their own. */
static __always_inline bool fw_sock_wanted(struct sock *sk)
{
	struct fw_rec_head head;

	fw_head_from_sock(&head, sk);
	return fw_wanted_early(&head);
}

static __always_inline void fw_fill_state(struct fw_rec_state *rec, struct sock *sk,
					  struct tcp_sock *tp, int oldstate, int newstate)
{
	rec->uid = sk->sk_uid.val;
	rec->err = sk->sk_err;
	rec->segs_in = tp->segs_in;
	rec->mptcp_token = fw_may_join_mptcp(oldstate, newstate) ? fw_mptcp_token(tp) : 0;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	if (newstate == TCP_CLOSE)
		fw_fill_totals(rec, tp);
	else
		fw_no_totals(rec);
	if (fw_is_process_context(sk, oldstate, newstate) && fw_is_own_act(tp, newstate))
		fw_fill_owner(rec, sk);
	else
		fw_no_owner(rec);
	if (newstate == TCP_LISTEN && rec->pid)
		fw_note_serving(rec->pid);
}

/*
 * An MPTCP socket's transition: its close() and its CLOSE_WAIT are not those of its subflows. A function of
 * its own, so that TCP does not pay for it.
 */
static __noinline int fw_tell_mptcp(struct sock *sk, int oldstate, int newstate)
{
	struct fw_rec_state *rec;

	if (!fw_has_mptcp() || (fw_is_filtered() && !fw_sock_wanted(sk)))
		return 0;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	fw_head_from_sock(&rec->head, sk);
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.cookie = sk->__sk_common.skc_cookie.counter;
	rec->head.kind = FW_REC_STATE;
	rec->head.oldstate = oldstate;
	rec->head.newstate = newstate;
	rec->head.flags = fw_sock_flags(sk) | FW_REC_MPTCP;
	rec->uid = sk->sk_uid.val;
	rec->mptcp_token = BPF_CORE_READ((struct mptcp_sock *)sk, token);
	if (fw_is_process_context(sk, oldstate, newstate))
		fw_fill_owner(rec, sk);
	fw_emit_submit(rec);
	return 0;
}

static __always_inline void fw_tell_transition(struct sock *sk, int oldstate, int newstate)
{
	struct fw_rec_state *rec;
	struct tcp_sock *tp;
	__u32 flags = 0;
	__u64 now_ns, cookie;

	if (sk->sk_protocol == IPPROTO_MPTCP)
		fw_tell_mptcp(sk, oldstate, newstate);
	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	if (fw_is_filtered() && !fw_sock_wanted(sk))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	now_ns = bpf_ktime_get_ns();
	if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV)
		flags = fw_note_child(sk, now_ns);
	cookie = fw_sock_cookie(sk, oldstate, newstate);
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return;
	fw_head_from_sock(&rec->head, sk);
	rec->head.ts_ns = now_ns;
	rec->head.cookie = cookie;
	rec->head.kind = FW_REC_STATE;
	rec->head.oldstate = oldstate;
	rec->head.newstate = newstate;
	flags |= fw_sock_flags(sk);
	if (newstate == TCP_CLOSE) {
		flags |= fw_sock_end_flags(tp);
		/* The port is given back before this transition, but inet_sport still has its number. */
		if (!rec->head.lport)
			rec->head.lport = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	}
	rec->head.flags = flags;
	fw_fill_state(rec, sk, tp, oldstate, newstate);
	fw_emit_submit(rec);
}

/*
 * A softirq may come while connect() or close() is in fw_set_state, and run through a whole handshake. The
 * kernel does not run a program on top of itself (compat.bpf.h), so those transitions are told by
 * fw_set_state_on_top, a program of its own that is called after fw_set_state for every transition and has
 * something to do only then. What is left is the moment before and after .telling is set: the kernel
 * counts that. Older kernels do run fw_set_state on top of itself, and it says so.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(fw_set_state, struct sock *sk, int oldstate, int newstate)
{
	struct fw_cpu_stats *cpu = fw_my_stats();
	__u64 on_top;

	if (!cpu)
		return 0;
	on_top = cpu->telling;
	cpu->telling = 1;
	barrier();
	fw_tell_transition(sk, oldstate, newstate);
	if (on_top)
		cpu->told_on_top = (__u64)sk;
	barrier();
	cpu->telling = on_top;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(fw_set_state_on_top, struct sock *sk, int oldstate, int newstate)
{
	struct fw_cpu_stats *cpu = fw_my_stats();

	if (!cpu || !cpu->telling)
		return 0;
	if (cpu->told_on_top == (__u64)sk) {
		cpu->told_on_top = 0;
		return 0;
	}
	fw_tell_transition(sk, oldstate, newstate);
	cpu->on_top++;
	return 0;
}

/*
 * An RST that answers a segment, or that an abort sends. It comes after the socket's last
 * transition and tells "reset by us" from ends that look the same. @sk may be NULL, or a minisock.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(fw_send_reset, struct sock *sk)
{
	struct sock_common *skc = (struct sock_common *)sk;
	struct fw_rec_state *rec;
	struct fw_rec_head head;

	if (!sk)
		return 0;
	fw_head_from_common(&head, skc);
	if (head.newstate == TCP_NEW_SYN_RECV || head.newstate == TCP_LISTEN)
		return 0;
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_sk_cookie(head.skaddr);
	if (!head.cookie || !fw_wanted(&head))
		return 0;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	head.ts_ns = bpf_ktime_get_ns();
	head.kind = FW_REC_RESET_SENT;
	head.flags = 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head = head;
	fw_emit_submit(rec);
	return 0;
}

#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02

/*
 * A SYN or a FIN of a full socket was retransmitted: it explains a stall in SYN_SENT, FIN_WAIT_1, CLOSING or
 * LAST_ACK. Data is left out: it is too frequent, and no state waits for it.
 */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(fw_retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct fw_rec_state *rec;
	struct fw_rec_head head;
	struct tcp_sock *tp;
	__u8 tcp_flags;

	if (sk->__sk_common.skc_state == TCP_ESTABLISHED)
		return 0;
	tcp_flags = ((struct tcp_skb_cb *)skb->cb)->tcp_flags;
	if (!(tcp_flags & (TCPHDR_FIN | TCPHDR_SYN)))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	fw_head_from_sock(&head, sk);
	if (!fw_wanted(&head))
		return 0;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head = head;
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.cookie = fw_sock_cookie(sk, sk->__sk_common.skc_state, sk->__sk_common.skc_state);
	rec->head.kind = FW_REC_RETRANSMIT;
	rec->head.oldstate = rec->head.newstate = sk->__sk_common.skc_state;
	rec->head.flags = fw_sock_flags(sk) | (tcp_flags & TCPHDR_SYN ? FW_REC_SYN : 0) |
			  (tp->snd_wnd ? 0 : FW_REC_WINDOW_SHUT);
	rec->retransmits = tp->total_retrans;
	fw_fill_timing(rec, tp);
	fw_emit_submit(rec);
	return 0;
}
