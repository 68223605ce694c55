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
