// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kprobe front end: the same functions as the trampoline front end, for kernels without BPF
 * trampolines.
 */
#include "probe.bpf.h"
#include <bpf/bpf_tracing.h>

SEC("kprobe/__inet_twsk_schedule")
int BPF_KPROBE(fw_kprobe_tw_schedule, struct inet_timewait_sock *tw, int timeo)
{
	return fw_probe_tw_schedule(ctx, tw, timeo);
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

SEC("kprobe/inet_csk_complete_hashdance")
int BPF_KPROBE(fw_kprobe_req_complete, struct sock *sk, struct sock *child, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}

SEC("kprobe/inet_csk_reqsk_queue_drop")
int BPF_KPROBE(fw_kprobe_req_drop, struct sock *sk, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}

SEC("kprobe/reqsk_timer_handler")
int BPF_KPROBE(fw_kprobe_req_timer, struct timer_list *timer)
{
	__u64 addr = (__u64)timer;
	__u32 zero = 0;

	bpf_map_update_elem(&fw_kprobe_timer, &zero, &addr, BPF_ANY);
	return fw_probe_req_end(ctx, fw_timer_req(timer));
}

SEC("kretprobe/reqsk_timer_handler")
int BPF_KRETPROBE(fw_kretprobe_req_timer)
{
	__u32 zero = 0;
	__u64 *addr = bpf_map_lookup_elem(&fw_kprobe_timer, &zero);

	return addr && *addr ? fw_probe_req_timer_done(ctx, (struct timer_list *)*addr) : 0;
}
