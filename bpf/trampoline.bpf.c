// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trampoline front end: fentry/fexit on the functions that every minisock passes through. Exact
 * and cheapest. Not inet_twsk_deschedule_put: on 5.10 and 6.1 it attaches and never fires.
 */
#include "probe.bpf.h"
#include <bpf/bpf_tracing.h>

SEC("fentry/__inet_twsk_schedule")
int BPF_PROG(fw_fentry_tw_schedule, struct inet_timewait_sock *tw, int timeo, bool rearm)
{
	return fw_probe_tw_schedule(ctx, tw, timeo, rearm);
}

SEC("fentry/inet_twsk_kill")
int BPF_PROG(fw_fentry_tw_kill, struct inet_timewait_sock *tw)
{
	return fw_probe_tw_kill(ctx, tw);
}

SEC("fentry/inet_csk_reqsk_queue_hash_add")
int BPF_PROG(fw_fentry_req_add, struct sock *sk, struct request_sock *req)
{
	return fw_probe_req_add(ctx, req);
}

SEC("fentry/__inet_csk_reqsk_queue_drop")
int BPF_PROG(fw_fentry_req_drop, struct sock *sk, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}

/* Instead of the one above on older kernels: see compat.bpf.h. */
SEC("fentry/reqsk_queue_unlink")
int BPF_PROG(fw_fentry_req_unlink, struct request_sock *req)
{
	return fw_probe_req_end(ctx, req);
}
