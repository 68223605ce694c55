/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the trampoline and the kprobe front end have in common: both stand at the entry of the
 * kernel functions that every minisock passes through, so only minisock traffic pays.
 */
#ifndef FW_BPF_PROBE_BPF_H
#define FW_BPF_PROBE_BPF_H

#include "minisock.bpf.h"

/* __inet_twsk_schedule(tw, timeo, rearm): birth, or (@rearm) FIN_WAIT_2 -> TIME_WAIT or restart. */
static __always_inline int fw_probe_tw_schedule(void *ctx, struct inet_timewait_sock *tw, int timeo,
						bool rearm)
{
	fw_tw_event(ctx, tw, FW_REC_TW_SCHED, bpf_jiffies64() + timeo, rearm ? FW_REC_REARMED : 0);
	return 0;
}

/* inet_twsk_kill(tw): every end. */
static __always_inline int fw_probe_tw_kill(void *ctx, struct inet_timewait_sock *tw)
{
	fw_tw_event(ctx, tw, FW_REC_TW_END, BPF_CORE_READ(tw, tw_timer.expires), 0);
	return 0;
}

/* inet_csk_reqsk_queue_hash_add(sk, req): the SYN was accepted into the queue. */
static __always_inline int fw_probe_req_add(void *ctx, struct request_sock *req)
{
	fw_req_event(ctx, req, FW_REC_REQ_SCHED, BPF_CORE_READ(req, rsk_timer.expires));
	return 0;
}

/*
 * __inet_csk_reqsk_queue_drop(sk, req), or reqsk_queue_unlink(req) where the kernel does not have
 * that: every end (completed, expired, reset, listener closed), measured on 5.10 to 7.3. The stack
 * says which. inet_csk_reqsk_queue_drop() is not enough: expiry never passes through it.
 */
static __always_inline int fw_probe_req_end(void *ctx, struct request_sock *req)
{
	fw_req_event(ctx, req, FW_REC_REQ_END, BPF_CORE_READ(req, rsk_timer.expires));
	return 0;
}

#endif
