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
static __always_inline __u64 fw_sock_cookie(struct sock *sk, const struct fw_rec_head *head,
					    int oldstate, int newstate)
{
	bool child = oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV;

	if (!fw_cfg.no_cookie_helper) {
		__u64 cookie = child ? 0 : sk->__sk_common.skc_cookie.counter;

		/* All but its first transition find it there. */
		return child || cookie ? cookie : bpf_get_socket_cookie(sk);
	}
	if (!child)
		return fw_compat_cookie(head, oldstate, newstate);
	fw_compat_forget(head->skaddr);
	return 0;
}

/* How long ago a request may have been only counted for its child to be told so. */
#define FW_UNSEEN_NS (2 * FW_NS_PER_SEC)

/* LISTEN -> SYN_RECV: leaves word for the end of its request socket, which follows on this CPU. */
static __always_inline void fw_note_child(struct fw_rec_head *head)
{
	struct fw_half_open *half_open = fw_my_half_open();

	if (!half_open)
		return;
	half_open->child_ns = head->ts_ns;
	half_open->child_lport = head->lport;
	half_open->child_rport = head->rport;
	/* Under a flood of SYNs the request may not have been reported. */
	if (half_open->suppressed_ns && head->ts_ns - half_open->suppressed_ns < FW_UNSEEN_NS)
		head->flags |= FW_REC_REQ_UNSEEN;
}

/*
 * The moments at which "current" is the one that acts: connect(), listen(), and the close() or
 * shutdown() that sends our FIN. Every other transition may run in softirq on top of anybody.
 */
static __always_inline bool fw_is_process_context(int oldstate, int newstate)
{
	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN || newstate == TCP_FIN_WAIT1)
		return oldstate != TCP_SYN_RECV;
	return newstate == TCP_LAST_ACK && oldstate == TCP_CLOSE_WAIT;
}

static __always_inline void fw_fill_totals(struct fw_rec_state *rec, struct tcp_sock *tp)
{
	rec->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
	rec->bytes_received = tp->bytes_received;
	rec->retransmits = tp->total_retrans;
}

static __always_inline void fw_no_totals(struct fw_rec_state *rec)
{
	rec->bytes_sent = rec->bytes_received = 0;
	rec->retransmits = 0;
}

static __always_inline void fw_fill_owner(struct fw_rec_state *rec, struct sock *sk)
{
	rec->head.flags |= FW_REC_OWNER;
	rec->cgroup_id = fw_compat_cgroup_id(sk);
	rec->pid = bpf_get_current_pid_tgid() >> 32;
	fw_process_name(rec->comm);
}

static __always_inline void fw_no_owner(struct fw_rec_state *rec)
{
	rec->cgroup_id = 0;
	rec->pid = 0;
	__builtin_memset(rec->comm, 0, sizeof(rec->comm));
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(fw_set_state, struct sock *sk, int oldstate, int newstate)
{
	struct fw_rec_head head;
	struct fw_rec_state *rec;
	struct tcp_sock *tp;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	fw_head_from_sock(&head, sk);
	if (!fw_wanted_early(&head))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	head.cookie = fw_sock_cookie(sk, &head, oldstate, newstate);
	/* The port is given back before this transition, but inet_sport still holds its number. */
	if (newstate == TCP_CLOSE && !head.lport)
		head.lport = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	head.kind = FW_REC_STATE;
	head.oldstate = oldstate;
	head.newstate = newstate;
	head.flags = fw_sock_flags(sk);
	if (newstate == TCP_CLOSE)
		head.flags |= fw_sock_end_flags(tp);

	head.ts_ns = bpf_ktime_get_ns();
	/* Also if there is no room for the record: the end of its request is not to be lost as well. */
	if (oldstate == TCP_LISTEN && newstate == TCP_SYN_RECV)
		fw_note_child(&head);

	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	rec->head = head;
	rec->uid = sk->sk_uid.val;
	rec->err = sk->sk_err;
	rec->segs_in = tp->segs_in;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	if (newstate == TCP_CLOSE)
		fw_fill_totals(rec, tp);
	else
		fw_no_totals(rec);
	if (fw_is_process_context(oldstate, newstate) &&
	    (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN || !fw_is_kernel_thread()))
		fw_fill_owner(rec, sk);
	else
		fw_no_owner(rec);
	fw_emit_submit(rec);
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
	__u8 state;

	if (!sk)
		return 0;
	state = BPF_CORE_READ(skc, skc_state);
	if (state == TCP_NEW_SYN_RECV || state == TCP_LISTEN)
		return 0;
	fw_head_from_common(&head, skc);
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
	head.oldstate = head.newstate = state;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head = head;
	fw_emit_submit(rec);
	return 0;
}
