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

/* Which listener a connection in an accept queue waits for, by its address. */
struct fw_queued_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16 * 1024);
	__type(key, __u64);
	__type(value, __u64);
};
struct fw_queued_map fw_queued SEC(".maps");

/* Of a longer queue the rest is not known to be this listener's. */
#define FW_QUEUE_SHOWN 512

/*
 * Listeners come first in iter/tcp. The addresses of a connection do not tell its listener: with IP_TRANSPARENT
 * it may listen elsewhere, and with SO_REUSEPORT there are several.
 */
static __always_inline void fw_note_queue(struct tcp_sock *tp)
{
	struct request_sock *req = BPF_CORE_READ(tp, inet_conn.icsk_accept_queue.rskq_accept_head);
	__u64 listener = (__u64)tp;

	for (int i = 0; i < FW_QUEUE_SHOWN && req; i++) {
		__u64 child = (__u64)BPF_CORE_READ(req, sk);

		bpf_map_update_elem(&fw_queued, &child, &listener, BPF_ANY);
		req = BPF_CORE_READ(req, dl_next);
	}
}

/* Valid only for a connection that waits in an accept queue now. */
static __always_inline __u64 fw_queue_of(struct sock *sk)
{
	__u64 child = (__u64)sk, *listener = bpf_map_lookup_elem(&fw_queued, &child);

	return listener ? *listener : 0;
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

/* close() of an MPTCP socket leaves its subflows without a file, and to a worker. */
static __always_inline bool fw_is_left_behind(struct tcp_sock *tp)
{
	struct mptcp_sock *msk = fw_has_mptcp() ? fw_mptcp_of(fw_subflow_of(tp)) : NULL;

	return msk && fw_is_dead((struct sock *)msk);
}

static __always_inline void fw_fill_full(struct fw_rec_sock *rec, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;

	rec->head.flags = fw_sock_flags(sk) | (fw_is_clone(sk) ? FW_REC_CLONED : 0) |
			  (fw_is_left_behind(tp) ? FW_REC_ORPHAN : 0);
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
		fw_note_queue(tp);
		return;
	}
	if (!(rec->head.flags & (FW_REC_HAS_FILE | FW_REC_ORPHAN)))
		rec->listener = fw_queue_of(sk);
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

/* What belongs to one item is written at once, or the kernel would show half of it again. */
static struct {
	struct fw_rec_sock sock, mptcp;
} fw_subflow_item;

static struct {
	struct fw_rec_sock mptcp;
	struct fw_rec_holder holder;
} fw_mptcp_item;

/*
 * Of an MPTCP connection that waits in an accept queue no descriptor tells: it is shown after its first
 * subflow. NULL: @tp is not one.
 */
static __always_inline struct mptcp_sock *fw_mptcp_in_queue(struct tcp_sock *tp)
{
	struct mptcp_sock *msk = fw_has_mptcp() ? fw_mptcp_of(fw_subflow_of(tp)) : NULL;

	if (!msk || BPF_CORE_READ(msk, first) != (struct sock *)tp ||
	    BPF_CORE_READ((struct sock *)msk, sk_socket) || fw_is_dead((struct sock *)msk))
		return NULL;
	return msk;
}

static __always_inline void fw_put_full(struct bpf_iter_meta *meta, const struct fw_rec_sock *rec,
					struct tcp_sock *tp)
{
	struct mptcp_sock *msk = fw_mptcp_in_queue(tp);

	if (!msk) {
		fw_put(meta, (void *)rec, sizeof(*rec));
		return;
	}
	fw_subflow_item.sock = *rec;
	fw_fill_mptcp(&fw_subflow_item.mptcp, msk);
	fw_put(meta, &fw_subflow_item, sizeof(fw_subflow_item));
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
	if (tp)
		fw_put_full(ctx->meta, &rec, tp);
	else
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
static __always_inline void fw_fill_closed(struct fw_rec_head *head, struct sock *sk)
{
	__u8 shutdown = BPF_CORE_READ(sk, sk_shutdown);

	fw_head_from_common(head, &sk->__sk_common);
	/* skc_num has been given back. */
	head->lport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	head->flags = (shutdown & RCV_SHUTDOWN ? FW_REC_SHUT_RD : 0) |
		      (shutdown & SEND_SHUTDOWN ? FW_REC_SHUT_WR : 0);
}

static __always_inline void fw_fill_holder(struct fw_rec_holder *rec, struct sock *sk, __u32 fd)
{
	rec->head.skaddr = (__u64)sk;
	rec->head.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	rec->head.family = AF_INET;
	rec->head.oldstate = rec->head.newstate = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (rec->head.oldstate == TCP_CLOSE)
		fw_fill_closed(&rec->head, sk);
	rec->head.cookie = fw_cfg.no_cookie_helper ?
				   fw_compat_sk_cookie(rec->head.skaddr) :
				   BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.kind = FW_REC_HOLDER;
	rec->pid = fw_shown.pid;
	rec->fd = fd;
	__builtin_memcpy(rec->comm, fw_shown.comm, sizeof(rec->comm));
}

static __always_inline bool fw_put_tcp_holder(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	struct fw_rec_holder rec = {};

	fw_fill_holder(&rec, sk, fd);
	return fw_put(meta, &rec, sizeof(rec));
}

static __always_inline bool fw_put_mptcp_holder(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	struct fw_rec_holder *holder = &fw_mptcp_item.holder;

	fw_fill_mptcp(&fw_mptcp_item.mptcp, (struct mptcp_sock *)sk);
	__builtin_memset(holder, 0, sizeof(*holder));
	fw_fill_holder(holder, sk, fd);
	holder->head.cookie = 0;
	holder->mptcp_token = fw_mptcp_item.mptcp.mptcp_token;
	if (fw_wanted_early(&fw_mptcp_item.mptcp.head))
		return fw_put(meta, &fw_mptcp_item, sizeof(fw_mptcp_item));
	return fw_put(meta, holder, sizeof(*holder));
}

/* Set by user space: show the holders of listeners only, and no processes. */
int fw_listeners_only;

/* Whether the iterator may go on: false if there was no room for the record. */
static __always_inline bool fw_show_file(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	__u16 protocol = sk ? BPF_CORE_READ(sk, sk_protocol) : 0;
	bool mptcp = protocol == IPPROTO_MPTCP && fw_has_mptcp();

	if (protocol != IPPROTO_TCP && !mptcp)
		return true;
	if (fw_listeners_only && BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return true;
	if (!(mptcp ? fw_put_mptcp_holder(meta, sk, fd) : fw_put_tcp_holder(meta, sk, fd)))
		return false;
	if (!fw_listeners_only)
		fw_shown_sockets++;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		fw_note_serving(fw_shown.pid);
	return true;
}

SEC("iter/task_file")
int fw_iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

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
	if (fw_show_file(ctx->meta, fw_compat_sock_of_file(file), ctx->fd))
		fw_shown.fds++;
	return 0;
}

SEC("iter/task")
int fw_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct fw_rec_thread rec;
	struct net *net;

	if (!task)
		return 0;
	net = BPF_CORE_READ(task, nsproxy, net_ns);
	if (!net || net == BPF_CORE_READ(task, group_leader, nsproxy, net_ns))
		return 0;
	rec.tid = task->pid;
	rec.netns = BPF_CORE_READ(net, ns.inum);
	fw_put(ctx->meta, &rec, sizeof(rec));
	return 0;
}
