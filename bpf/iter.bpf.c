// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is there already: every socket of a network namespace (iter/tcp), and every process that has
 * one open (iter/task_file). An object of its own: it is loaded by who takes snapshots, with hooks or
 * without, and shares nothing with them but the configuration and, before Linux 5.12, the identities
 * of compat.bpf.h.
 */
#define FW_MAPS_OWNER
#include "filter.bpf.h"
#include "jiffies.bpf.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define RLIMIT_NOFILE 7

/*
 * The kernel shows an item again, later, when its record did not fit into the reader's buffer; so
 * nothing may be remembered about an item before its record is written.
 */
static __always_inline bool fw_put(struct bpf_iter_meta *meta, void *rec, __u32 size)
{
	return !bpf_seq_write(meta->seq, rec, size);
}

static __u64 fw_next_compat_id;

static __always_inline __u64 fw_compat_seen_cookie(const struct fw_rec_head *head, __u8 object)
{
	__u64 skaddr = head->skaddr, id;

	if (object == FW_OBJECT_MINI)
		return fw_compat_tw_cookie(head);
	id = fw_compat_sk_cookie(skaddr);
	if (!id) {
		id = FW_COMPAT_ID_SEEN | ++fw_next_compat_id;
		bpf_map_update_elem(&fw_compat_sk, &skaddr, &id, BPF_NOEXIST);
		id = fw_compat_sk_cookie(skaddr);
	}
	fw_compat_note_tuple(head, head->newstate, id);
	return id;
}

/*
 * When it was in its state already, by the clock of bpf_ktime_get_ns(); 0: not known. The last segment that
 * it sent or received (tcp_mstamp) is not older than the one that brought it into its state. Not jiffies:
 * they lag when ticks are late (by 0.4 s in an emulated guest), and so would make it older than it is.
 * A close() that could not send its FIN leaves no such trace, so FIN_WAIT_1, CLOSING and LAST_ACK have none.
 */
static __always_inline __u64 fw_since_ns(struct tcp_sock *tp, __u8 state, __u64 now_ns)
{
	__u32 ago_ms;

	switch (state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT2:
		return tp->tcp_mstamp * 1000;
	case TCP_SYN_SENT:
		if (!tp->retrans_stamp || (bpf_core_field_exists(struct tcp_sock, tcp_usec_ts) &&
					   BPF_CORE_READ_BITFIELD(tp, tcp_usec_ts)))
			return 0;
		/* The first SYN, in milliseconds of 32 bits. */
		ago_ms = (__u32)(now_ns / 1000000) - tp->retrans_stamp;
		return ago_ms < now_ns / 1000000 ? now_ns - ago_ms * 1000000ULL : 0;
	default:
		return 0;
	}
}

/*
 * No process waits on this socket: epoll does for as long as it is registered, accept() and poll() while they
 * sleep. A server that works on a connection in between does not wait either.
 */
static __always_inline bool fw_is_unattended(struct sock *sk)
{
	struct socket_wq *wq = BPF_CORE_READ(sk, sk_wq);
	struct list_head *head = wq ? &wq->wait.head : NULL;

	return head && BPF_CORE_READ(head, next) == head;
}

static __always_inline void fw_fill_full(struct fw_rec_sock *rec, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;

	rec->head.flags = fw_sock_flags(sk);
	rec->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
	rec->bytes_received = tp->bytes_received;
	rec->retransmits = tp->total_retrans;
	rec->cgroup_id = fw_compat_cgroup_id(sk);
	rec->uid = sk->sk_uid.val;
	rec->drops = sk->sk_drops.counter;
	rec->mptcp_token = fw_mptcp_token(tp);
	if (rec->head.newstate == TCP_LISTEN) {
		rec->unread = sk->sk_ack_backlog;
		rec->unsent = sk->sk_max_ack_backlog;
		if (fw_is_unattended(sk))
			rec->head.flags |= FW_REC_UNATTENDED;
		return;
	}
	rec->unread = tp->rcv_nxt - tp->copied_seq;
	rec->unsent = tp->write_seq - tp->snd_una;
	rec->queued_bytes = sk->sk_wmem_queued;
	rec->srtt_us = fw_srtt_us(tp);
	rec->rto_jiffies = tp->inet_conn.icsk_rto;
	if (!tp->snd_wnd)
		rec->head.flags |= FW_REC_WINDOW_SHUT;
	rec->since_ns = fw_since_ns(tp, rec->head.newstate, bpf_ktime_get_ns());
}

static __always_inline void fw_fill_mini(struct fw_rec_sock *rec, struct sock_common *skc)
{
	struct inet_timewait_sock *tw = (struct inet_timewait_sock *)skc;

	rec->head.oldstate = rec->head.newstate = BPF_CORE_READ(tw, tw_substate);
	rec->head.flags = FW_REC_ORPHAN;
	rec->expires_jiffies = BPF_CORE_READ(tw, tw_timer.expires);
	rec->since_ns = fw_compat_tw_since_ns(tw);
	rec->head.flags |= fw_compat_tw_flags(tw);
	rec->object = FW_OBJECT_MINI;
}

static __always_inline void fw_fill_request(struct fw_rec_sock *rec, struct sock_common *skc)
{
	struct request_sock *req = (struct request_sock *)skc;

	rec->head.oldstate = rec->head.newstate = TCP_SYN_RECV;
	rec->retransmits = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	rec->since_ns = BPF_CORE_READ((struct tcp_request_sock *)req, snt_synack) * 1000;
	rec->expires_jiffies = BPF_CORE_READ(req, rsk_timer.expires);
	rec->listener = (__u64)BPF_CORE_READ(req, __req_common.skc_listener);
	if (fw_request_acked(req))
		rec->head.flags |= FW_REC_ACKED;
	rec->object = FW_OBJECT_REQUEST;
}

SEC("iter/tcp")
int fw_iter_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct fw_rec_sock rec = {};
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	fw_head_from_common(&rec.head, skc);
	if (!fw_wanted_early(&rec.head))
		return 0;
	fw_head_netns_life(&rec.head, skc);
	rec.head.kind = FW_REC_SOCK;
	rec.head.oldstate = rec.head.newstate = BPF_CORE_READ(skc, skc_state);
	rec.now_jiffies = bpf_jiffies64();
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp)
		fw_fill_full(&rec, tp);
	else if (rec.head.newstate == TCP_TIME_WAIT)
		fw_fill_mini(&rec, skc);
	else if (rec.head.newstate == TCP_NEW_SYN_RECV)
		fw_fill_request(&rec, skc);
	else
		return 0;
	/* A request socket must not be given one: its child would inherit it. */
	if (rec.object == FW_OBJECT_REQUEST)
		rec.head.cookie = 0;
	else if (fw_cfg.no_cookie_helper)
		rec.head.cookie = fw_compat_seen_cookie(&rec.head, rec.object);
	else
		rec.head.cookie = bpf_get_socket_cookie(skc);
	if (rec.object == FW_OBJECT_MINI && rec.head.newstate == TCP_FIN_WAIT2)
		fw_note_unsettled(rec.head.skaddr, rec.head.cookie);
	rec.head.ts_ns = bpf_ktime_get_ns();
	fw_put(ctx->meta, &rec, sizeof(rec));
	return 0;
}

/* The process whose files are being shown, and what is known of it so far. */
static struct fw_rec_process fw_shown;
static __u32 fw_shown_sockets;

static __always_inline void fw_show_next(struct task_struct *task)
{
	fw_shown_sockets = 0;
	fw_shown.head.family = AF_INET;
	fw_shown.head.kind = FW_REC_PROCESS;
	fw_shown.head.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	fw_shown.pid = task->tgid;
	fw_shown.fds = 0;
	fw_shown.uid = BPF_CORE_READ(task, cred, uid.val);
	fw_shown.nofile = BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur);
	fw_shown.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&fw_shown.comm, task, group_leader, comm);
}

static __always_inline bool fw_put_shown(struct bpf_iter_meta *meta)
{
	fw_shown.head.ts_ns = bpf_ktime_get_ns();
	return !fw_shown_sockets || fw_put(meta, &fw_shown, sizeof(fw_shown));
}

/* A socket in CLOSE is in no table of sockets: only its holder can tell what it was connected to. */
static __always_inline void fw_fill_holder(struct fw_rec_head *head, struct sock *sk)
{
	head->skaddr = (__u64)sk;
	head->netns = fw_shown.head.netns;
	head->family = AF_INET;
	head->oldstate = head->newstate = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (head->oldstate == TCP_CLOSE) {
		__u8 shutdown = BPF_CORE_READ(sk, sk_shutdown);

		fw_head_from_common(head, &sk->__sk_common);
		/* skc_num has been given back. */
		head->lport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		head->flags = (shutdown & RCV_SHUTDOWN ? FW_REC_SHUT_RD : 0) |
			      (shutdown & SEND_SHUTDOWN ? FW_REC_SHUT_WR : 0);
	}
	head->cookie = fw_cfg.no_cookie_helper ? fw_compat_sk_cookie(head->skaddr) :
			       BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	head->ts_ns = bpf_ktime_get_ns();
	head->kind = FW_REC_HOLDER;
}

SEC("iter/task_file")
int fw_iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct fw_rec_holder rec = {};
	struct sock *sk;

	if (!task || !file) {
		if (fw_put_shown(ctx->meta))
			fw_shown_sockets = 0;
		return 0;
	}
	if ((__u32)task->tgid != fw_shown.pid) {
		if (!fw_put_shown(ctx->meta))
			return 0;
		fw_show_next(task);
	}
	sk = fw_compat_sock_of_file(file);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP) {
		fw_shown.fds++;
		return 0;
	}
	fw_fill_holder(&rec.head, sk);
	rec.pid = fw_shown.pid;
	rec.fd = ctx->fd;
	__builtin_memcpy(rec.comm, fw_shown.comm, sizeof(rec.comm));
	if (fw_put(ctx->meta, &rec, sizeof(rec))) {
		fw_shown.fds++;
		fw_shown_sockets++;
	}
	return 0;
}
