// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kprobe front end: the same functions as the trampoline front end, for kernels without BPF
 * trampolines.
 */
#include "probe.bpf.h"
#include <bpf/bpf_tracing.h>

SEC("kprobe/__inet_twsk_schedule")
int BPF_KPROBE(fw_kprobe_tw_schedule, struct inet_timewait_sock *tw, int timeo, bool rearm)
{
	return fw_probe_tw_schedule(ctx, tw, timeo, rearm);
}

SEC("kprobe/inet_twsk_kill")
int BPF_KPROBE(fw_kprobe_tw_kill, struct inet_timewait_sock *tw)
{
	return fw_probe_tw_kill(ctx, tw);
}

SEC("kprobe/inet_csk_reqsk_queue_hash_add")
int BPF_KPROBE(fw_kprobe_req_add, struct sock *sk, struct request_sock *req)
{
	return fw_probe_req_add(ctx, req);
}

SEC("kprobe/__inet_csk_reqsk_queue_drop")
int BPF_KPROBE(fw_kprobe_req_drop, struct sock *sk, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}

/* Instead of the one above on older kernels: see compat.bpf.h. */
SEC("kprobe/reqsk_queue_unlink")
int BPF_KPROBE(fw_kprobe_req_unlink, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}
