/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handler for minisocks: TIME_WAIT minisocks and request sockets. Three front ends feed it
 * (trampoline.bpf.c, kprobe.bpf.c, timer.bpf.c); it only writes down what it sees. What ended a
 * minisock is concluded in user space from the stack of whoever ended it.
 */
#ifndef FW_BPF_MINISOCK_BPF_H
#define FW_BPF_MINISOCK_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"

/*
 * A SYN flood must not drown the other connections: above the limit request sockets are counted,
 * not sent. Births and ends have the same allowance, so an end is never dropped because of births.
 */
static __always_inline bool fw_half_open_allowed(bool born)
{
	__u64 now_ns = bpf_ktime_get_ns(), second = now_ns / FW_NS_PER_SEC;
	struct fw_half_open_rate *rate;
	struct fw_cpu_stats *stats;
	__u32 zero = 0;

	rate = bpf_map_lookup_elem(&fw_half_open, &zero);
	if (!rate)
		return true;
	if (rate->second != second) {
		rate->second = second;
		rate->born = rate->ended = 0;
	}
	if ((born ? ++rate->born : ++rate->ended) <= fw_cfg.half_open_limit)
		return true;
	rate->suppressed_ns = now_ns;
	stats = fw_my_stats();
	if (stats)
		stats->suppressed++;
	return false;
}

/* @stack: whether the record carries the caller's kernel stack, taken from @ctx. */
static __always_inline void fw_emit_mini(void *ctx, struct fw_rec_head *head, __u64 expires,
					 __u32 timeouts, bool stack)
{
	struct fw_rec_mini *rec;
	long n;

	if (!fw_wanted(head))
		return;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return;
	head->ts_ns = bpf_ktime_get_ns();
	rec->head = *head;
	rec->expires_jiffies = expires;
	rec->now_jiffies = bpf_jiffies64();
	rec->timeouts = timeouts;
	__builtin_memset(rec->ips, 0, sizeof(rec->ips));
	n = stack ? bpf_get_stack(ctx, rec->ips, sizeof(rec->ips), 0) : 0;
	rec->nr_ips = n > 0 ? (__u32)n / sizeof(rec->ips[0]) : 0;
	fw_emit_submit(rec);
}

/* @expires: what its timer is, or (at the entry of the function that sets it) will be set to. */
static __always_inline void fw_tw_event(void *ctx, struct inet_timewait_sock *tw, __u8 kind,
					__u64 expires)
{
	struct fw_rec_head head;

	fw_head_from_common(&head, (struct sock_common *)tw);
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_tw_cookie(&head);
	head.kind = kind;
	head.flags = 0;
	head.oldstate = head.newstate = BPF_CORE_READ(tw, tw_substate);
	fw_emit_mini(ctx, &head, expires, 0, kind == FW_REC_TW_END);
}

static __always_inline void fw_req_event(void *ctx, struct request_sock *req, __u8 kind,
					 __u64 expires)
{
	struct fw_rec_head head;
	struct sock *listener;

	if (!fw_half_open_allowed(kind == FW_REC_REQ_SCHED))
		return;
	fw_head_from_common(&head, (struct sock_common *)req);
	head.kind = kind;
	head.flags = 0;
	head.oldstate = head.newstate = TCP_SYN_RECV;
	listener = BPF_CORE_READ(req, __req_common.skc_listener);
	if (listener && BPF_CORE_READ(listener, __sk_common.skc_state) != TCP_LISTEN)
		head.flags |= FW_REC_LISTENER_GONE;
	fw_emit_mini(ctx, &head, expires, BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout),
		     kind == FW_REC_REQ_END);
}

#endif
