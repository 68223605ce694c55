/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handler for minisocks: TIME_WAIT minisocks and request sockets. Three front ends feed it
 * (trampoline.bpf.c, kprobe.bpf.c, timer.bpf.c); it only records. User space concludes what ended a
 * minisock from the kernel stack at its end.
 */
#ifndef FW_BPF_MINISOCK_BPF_H
#define FW_BPF_MINISOCK_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"

static __always_inline bool fw_birth_allowed(struct fw_half_open *half_open, __u64 now_ns)
{
	__u64 second = now_ns / FW_NS_PER_SEC;
	struct fw_cpu_stats *stats;

	if (half_open->second != second) {
		half_open->second = second;
		half_open->born = 0;
	}
	if (++half_open->born <= fw_cfg.half_open_limit)
		return true;
	stats = fw_my_stats();
	if (stats)
		stats->suppressed++;
	return false;
}

/*
 * A SYN flood must not drown the other connections: above the limit request sockets are counted, not
 * sent. What was not sent at its birth is not sent later; what was, is sent to its end.
 */
static __always_inline bool fw_request_wanted(struct fw_half_open *half_open, __u64 skaddr,
					      bool birth, __u64 now_ns)
{
	__u8 yes = 1;

	if (!birth)
		return !fw_flood_seen || !bpf_map_lookup_elem(&fw_suppressed, &skaddr);
	if (fw_birth_allowed(half_open, now_ns)) {
		if (fw_flood_seen)
			bpf_map_delete_elem(&fw_suppressed, &skaddr);
		return true;
	}
	fw_flood_seen = 1;
	bpf_map_update_elem(&fw_suppressed, &skaddr, &yes, BPF_ANY);
	return false;
}

/* When @req first sent a SYN-ACK; 0: it has not yet. */
static __always_inline __u64 fw_request_since_ns(struct request_sock *req)
{
	return BPF_CORE_READ((struct tcp_request_sock *)req, snt_synack) * 1000;
}

/*
 * The handshake has completed: the child that was just born on this CPU reports it. Leaving out this end
 * saves the record and its stack (measured: 2 us of a connection's 26). The child's next transition, on
 * this CPU too, carries that there was a request and since when: the request itself may not have been
 * reported. Before Linux 6.15 the child's peer is not known yet, so the local port decides.
 */
static __always_inline bool fw_is_completion(struct fw_half_open *half_open, struct request_sock *req,
					     const struct fw_rec_head *head, __u64 now_ns)
{
	if (head->lport != half_open->child_lport || half_open->child_had_request ||
	    now_ns - half_open->child_ns >= FW_COMPLETION_NS ||
	    (half_open->child_rport && half_open->child_rport != head->rport))
		return false;
	half_open->child_had_request = 1; /* one end per child */
	half_open->request_since_ns = fw_request_since_ns(req);
	return true;
}

/* What only request sockets have. */
struct fw_request_facts {
	__u64 listener;
	__u32 timeouts;
};

/* @head: of what has passed the filter. @stack: whether the record carries the caller's kernel stack, taken from @ctx. */
static __always_inline void fw_emit_mini(void *ctx, struct fw_rec_head *head, __u64 expires,
					 __u64 since_ns, struct fw_request_facts request, bool stack)
{
	struct fw_rec_mini *rec;
	long n;

	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return;
	head->ts_ns = bpf_ktime_get_ns();
	rec->head = *head;
	rec->expires_jiffies = expires;
	rec->now_jiffies = bpf_jiffies64();
	rec->listener = request.listener;
	rec->since_ns = since_ns;
	rec->timeouts = request.timeouts;
	__builtin_memset(rec->ips, 0, sizeof(rec->ips));
	n = stack ? bpf_get_stack(ctx, rec->ips, sizeof(rec->ips), 0) : 0;
	rec->nr_ips = n > 0 ? (__u32)n / sizeof(rec->ips[0]) : 0;
	fw_emit_submit(rec);
}

/* @expires: what its timer is, or (at the entry of the function that sets it) will be set to. @flags:
 * FW_REC_REARMED or 0.
 */
static __always_inline void fw_tw_event(void *ctx, struct inet_timewait_sock *tw, __u8 kind,
					__u64 expires, __u32 flags)
{
	struct fw_rec_head head;

	fw_head_from_common(&head, (struct sock_common *)tw);
	if (!fw_wanted(&head))
		return;
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_tw_cookie(&head);
	head.kind = kind;
	head.flags = kind == FW_REC_TW_END ? flags | fw_compat_tw_flags(tw) : flags;
	head.oldstate = head.newstate = BPF_CORE_READ(tw, tw_substate);
	if (head.newstate == TCP_FIN_WAIT2 && kind == FW_REC_TW_SCHED)
		fw_note_unsettled(head.skaddr, head.cookie);
	else if (head.newstate == TCP_FIN_WAIT2)
		fw_forget_unsettled(head.skaddr);
	fw_emit_mini(ctx, &head, expires, fw_compat_tw_since_ns(tw), (struct fw_request_facts){},
		     kind == FW_REC_TW_END);
}

static __always_inline struct sock *fw_listener_of(struct request_sock *req)
{
	return BPF_CORE_READ(req, __req_common.skc_listener);
}

static __always_inline bool fw_listener_is_gone(struct sock *listener)
{
	return listener && BPF_CORE_READ(listener, __sk_common.skc_state) != TCP_LISTEN;
}

static __always_inline void fw_req_event(void *ctx, struct request_sock *req, __u8 kind,
					 __u64 expires)
{
	struct fw_half_open *half_open = fw_my_half_open();
	__u64 now_ns = bpf_ktime_get_ns();
	struct fw_request_facts facts;
	struct fw_rec_head head;
	struct sock *listener;

	if (!half_open)
		return;
	fw_head_from_common(&head, (struct sock_common *)req);
	if (kind == FW_REC_REQ_END && fw_is_completion(half_open, req, &head, now_ns))
		return;
	/* What nobody asked for takes nothing from the limit, and is not counted either. */
	if (!fw_wanted(&head))
		return;
	listener = fw_listener_of(req);
	facts.listener = (__u64)listener;
	facts.timeouts = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	if (!fw_request_wanted(half_open, head.skaddr, kind == FW_REC_REQ_SCHED && !facts.timeouts,
			       now_ns))
		return;
	if (kind == FW_REC_REQ_SCHED)
		fw_head_netns_life(&head, (struct sock_common *)req);
	head.kind = kind;
	head.flags = 0;
	if (fw_flood_seen)
		head.flags |= FW_REC_REQ_UNSEEN;
	if (fw_request_acked(req))
		head.flags |= FW_REC_ACKED;
	head.oldstate = head.newstate = TCP_SYN_RECV;
	if (kind == FW_REC_REQ_END && fw_listener_is_gone(listener))
		head.flags |= FW_REC_LISTENER_GONE;
	fw_emit_mini(ctx, &head, expires, fw_request_since_ns(req), facts, kind == FW_REC_REQ_END);
}

#endif
