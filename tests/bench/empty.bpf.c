// SPDX-License-Identifier: GPL-2.0-only
/* What attaching anything at all to the transitions costs: the limit for every tracer. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(empty, struct sock *sk, int oldstate, int newstate)
{
	return 0;
}
