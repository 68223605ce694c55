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

/*
 * LISTEN -> SYN_RECV: noted for the end of its request socket, which follows on this CPU. Also if there
 * is no room for the child's record: that end must not be lost as well.
 */
static __always_inline void fw_note_child(struct sock *sk, __u64 now_ns)
{
	struct fw_half_open *half_open = fw_my_half_open();

	if (!half_open)
		return;
	half_open->child_ns = now_ns;
	half_open->child_had_request = 0;
	half_open->child_lport = sk->__sk_common.skc_num;
	half_open->child_rport = bpf_ntohs(sk->__sk_common.skc_dport);
}

/* SYN_RECV -> *: whether a request socket ended for this child just before, on this CPU. */
static __always_inline bool fw_had_request(struct sock *sk, __u64 now_ns, __u64 *since_ns)
{
	struct fw_half_open *half_open = fw_my_half_open();

	if (!half_open || !half_open->child_had_request ||
	    now_ns - half_open->child_ns >= FW_COMPLETION_NS ||
	    half_open->child_lport != sk->__sk_common.skc_num)
		return false;
	half_open->child_had_request = 0;
	half_open->child_ns = 0;
	*since_ns = half_open->request_since_ns;
	return true;
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
	rec->exchanges = tp->data_segs_in < tp->data_segs_out ? tp->data_segs_in : tp->data_segs_out;
	fw_fill_timing(rec, tp);
}

/* Whether it was idle when it was closed: a server that closes idle connections, or an exchange. */
static __always_inline void fw_fill_idle(struct fw_rec_state *rec, struct tcp_sock *tp)
{
	__u32 now = (__u32)bpf_jiffies64();

	rec->sent_ago_jiffies = now - tp->lsndtime;
	rec->received_ago_jiffies = now - tp->inet_conn.icsk_ack.lrcvtime;
}

static __always_inline bool fw_is_first_fin(int oldstate, int newstate)
{
	return oldstate == TCP_ESTABLISHED &&
	       (newstate == TCP_FIN_WAIT1 || newstate == TCP_CLOSE_WAIT);
}

static __always_inline void fw_no_totals(struct fw_rec_state *rec)
{
	rec->bytes_sent = rec->bytes_received = 0;
	rec->retransmits = rec->segs_out = rec->exchanges = 0;
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

/*
 * What proves an end, at * -> CLOSE. The initial sequence number is chosen after the port: without it
 * connect() got no port, or its 4-tuple is in use. A full TIME_WAIT table is the reason that no minisock
 * follows FIN_WAIT_2 or CLOSING.
 */
static __always_inline __u32 fw_evidence(struct sock *sk, struct tcp_sock *tp, int oldstate,
					 __u16 lport)
{
	if (oldstate == TCP_SYN_SENT)
		return !tp->segs_out && (!lport || !tp->write_seq) ? FW_REC_NO_PORT : 0;
	if (oldstate == TCP_FIN_WAIT1 || oldstate == TCP_FIN_WAIT2 || oldstate == TCP_CLOSING)
		return fw_compat_tw_table_full(sk) ? FW_REC_TABLE_FULL : 0;
	return 0;
}

/* Whether children have been seen in SYN_RECV without their peer: Linux before 6.15. */
static __u32 fw_blind_children;

/* inet_put_port() runs before * -> CLOSE, but inet_sport still has the number. */
static __always_inline __u16 fw_port_at_close(struct tcp_sock *tp)
{
	return bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
}

/* The record is filled in where it stands in the ring, so the filters look at a head of their own. */
static __always_inline enum fw_rule_answer fw_sock_wanted(struct sock *sk, int oldstate,
							  int newstate)
{
	struct fw_rec_head head;

	fw_head_from_sock(&head, sk);
	if (newstate == TCP_CLOSE && !head.lport) {
		struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

		head.lport = tp ? fw_port_at_close(tp) : 0;
	}
	if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV && !head.rport)
		fw_blind_children = 1;
	return fw_rule_transition(&fw_cfg.rule, &head, oldstate, fw_blind_children);
}

static __always_inline void fw_fill_state(struct fw_rec_state *rec, struct sock *sk,
					  struct tcp_sock *tp, int oldstate, int newstate)
{
	rec->uid = sk->sk_uid.val;
	rec->err = sk->sk_err;
	rec->segs_in = tp->segs_in;
	rec->mptcp_token = fw_may_join_mptcp(oldstate, newstate) ? fw_mptcp_token(tp) : 0;
	rec->pad = 0;
	rec->sent_ago_jiffies = rec->received_ago_jiffies = 0;
	if (fw_is_first_fin(oldstate, newstate)) {
		fw_fill_totals(rec, tp);
		fw_fill_idle(rec, tp);
	} else if (newstate == TCP_CLOSE) {
		fw_fill_totals(rec, tp);
	} else {
		fw_no_totals(rec);
	}
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

	struct fw_rec_head head;

	fw_head_from_sock(&head, sk);
	if (!fw_has_mptcp() || !fw_wanted_early(&head))
		return 0;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head = head;
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.cookie = 0;
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
	enum fw_rule_answer answer;
	__u32 flags = 0;
	__u64 now_ns, cookie, since_ns = 0;

	if (sk->sk_protocol == IPPROTO_MPTCP)
		fw_tell_mptcp(sk, oldstate, newstate);
	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	answer = fw_is_filtered() ? fw_sock_wanted(sk, oldstate, newstate) : FW_RULE_IN;
	if (answer == FW_RULE_OUT)
		return;
	if (answer == FW_RULE_FORGET)
		flags |= FW_REC_RULED_OUT;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	now_ns = bpf_ktime_get_ns();
	if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV)
		fw_note_child(sk, now_ns);
	else if (oldstate == TCP_SYN_RECV && fw_had_request(sk, now_ns, &since_ns))
		flags |= FW_REC_HAD_REQUEST;
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
		if (!rec->head.lport)
			rec->head.lport = fw_port_at_close(tp);
		flags |= fw_sock_end_flags(tp) | fw_evidence(sk, tp, oldstate, rec->head.lport);
	}
	rec->head.flags = flags;
	rec->since_ns = since_ns;
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

#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02

/* A received segment: its sequence numbers cover more than its SYN and FIN. */
static __always_inline bool fw_has_data(struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = (struct tcp_skb_cb *)skb->cb;
	__u32 len = BPF_CORE_READ(cb, end_seq) - BPF_CORE_READ(cb, seq);
	__u32 tcp_flags = BPF_CORE_READ(cb, tcp_flags);

	return len - !!(tcp_flags & TCPHDR_SYN) - !!(tcp_flags & TCPHDR_FIN);
}

/*
 * An RST that answers the segment @skb, or (@skb is NULL) that an abort sends. It comes just after the
 * socket's last transition, or just before it, and proves a reset by this host. @sk may be NULL, or
 * since Linux 6.10 a minisock.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(fw_send_reset, struct sock *sk, struct sk_buff *skb)
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
	head.flags = skb && fw_has_data(skb) ? FW_REC_ANSWERS_DATA : 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head = head;
	fw_emit_submit(rec);
	return 0;
}

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
	tcp_flags = BPF_CORE_READ((struct tcp_skb_cb *)skb->cb, tcp_flags);
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
