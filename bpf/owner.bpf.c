// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who accepted a connection: a moment in process context that is no transition. By the same three
 * front ends as minisocks; where functions cannot be traced, the system calls are.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

/* @sk: a TCP socket. */
static __always_inline void fw_emit_accepted(struct sock *sk)
{
	struct fw_rec_head head;

	fw_head_from_common(&head, &sk->__sk_common);
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_sk_cookie(head.skaddr);
	fw_note_serving(fw_my_pid());
	fw_emit_process(&head, FW_REC_ACCEPTED, sk, 0);
}

static __always_inline int fw_accepted(struct sock *sk)
{
	if (sk && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		fw_emit_accepted(sk);
	return 0;
}

SEC("fexit/inet_csk_accept")
int fw_fentry_accept(__u64 *ctx)
{
	return fw_accepted(fw_compat_accepted(ctx));
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(fw_kprobe_accept, struct sock *sk)
{
	return fw_accepted(sk);
}

static __always_inline int fw_accept_returned(long ret)
{
	struct sock *sk = ret < 0 ? NULL : fw_sock_of_fd(ret);

	/* What accept() takes from the queue is the first subflow. */
	if (sk)
		sk = fw_tcp_of(sk);
	if (sk)
		fw_emit_accepted(sk);
	return 0;
}

SEC("tp/syscalls/sys_exit_accept")
int fw_timer_accept(struct trace_event_raw_sys_exit *ctx)
{
	return fw_accept_returned(ctx->ret);
}

SEC("tp/syscalls/sys_exit_accept4")
int fw_timer_accept4(struct trace_event_raw_sys_exit *ctx)
{
	return fw_accept_returned(ctx->ret);
}

/*
 * A process that has listened or accepted ends: it does not hold its listener any more. The kernel calls
 * this for each thread, and has taken it off .live before.
 */
SEC("tp_btf/sched_process_exit")
int fw_process_exit(__u64 *ctx)
{
	struct fw_rec_state *rec;
	struct task_struct *task;
	__u32 pid = fw_my_pid();

	if (!bpf_map_lookup_elem(&fw_serving, &pid))
		return 0;
	task = (struct task_struct *)bpf_get_current_task();
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	bpf_map_delete_elem(&fw_serving, &pid);
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.kind = FW_REC_PROCESS_ENDED;
	rec->head.family = AF_INET;
	rec->head.cpu = bpf_get_smp_processor_id();
	rec->pid = pid;
	fw_process_name(rec->comm);
	fw_emit_submit(rec);
	return 0;
}
