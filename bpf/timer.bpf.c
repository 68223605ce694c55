// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timer front end: the timer tracepoints, for kernels and hosts that allow neither trampolines nor
 * kprobes. Every timer of the host passes through here, so the first thing is the way out.
 *
 * One cancel means one of three things (measured on 6.18; the stack says which):
 *   detach_if_pending < __mod_timer < ...                   re-armed: a start follows on this CPU
 *   detach_if_pending < timer_shutdown_sync < X             ended early, by X
 *   __run_timers < run_timer_softirq or timer_expire_remote  expired
 * so timer_expire_entry is not needed, and the host's timers pay for two tracepoints, not three.
 *
 * What it cannot see: a re-arm into the same bucket of the timer wheel fires nothing. User space
 * settles that from the minisock's own fields (settle.bpf.c, and expires_jiffies at its end).
 */
#include "minisock.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline int fw_timer_event(void *ctx, struct timer_list *timer, __u8 tw_kind,
					  __u8 req_kind)
{
	__u64 function = (__u64)timer->function;

	if (function == fw_cfg.tw_timer_handler)
		fw_tw_event(ctx, fw_timer_tw(timer), tw_kind, timer->expires, 0);
	else if (function == fw_cfg.reqsk_timer_handler)
		fw_req_event(ctx, fw_timer_req(timer), req_kind, timer->expires);
	return 0;
}

SEC("tp_btf/timer_start")
int BPF_PROG(fw_timer_start, struct timer_list *timer)
{
	return fw_timer_event(ctx, timer, FW_REC_TW_SCHED, FW_REC_REQ_SCHED);
}

SEC("tp_btf/timer_cancel")
int BPF_PROG(fw_timer_cancel, struct timer_list *timer)
{
	return fw_timer_event(ctx, timer, FW_REC_TW_END, FW_REC_REQ_END);
}
