// SPDX-License-Identifier: GPL-2.0-only
/*
 * What exists already: every socket of a network namespace (iter/tcp); holders.bpf.c has the processes. An
 * object of its own: it is loaded for snapshots, with hooks or without, and shares with them the configuration,
 * the processes whose end is reported, minisocks in FIN_WAIT_2 and, before Linux 5.12, the identities of
 * compat.bpf.h.
 */
#define FW_MAPS_OWNER
#include "iter.bpf.h"
#include "jiffies.bpf.h"

char LICENSE[] SEC("license") = "GPL";

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

/* What belongs to one item is written at once, or the kernel would show half of it again. */
static struct {
	struct fw_rec_sock sock, mptcp;
} fw_subflow_item;

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
