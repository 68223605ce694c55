/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the current process does with a socket that is no transition: accept(), and bind() and connect()
 * that fail.
 */
#ifndef FW_BPF_CALL_BPF_H
#define FW_BPF_CALL_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "process.bpf.h"

/* @head: all but ts_ns and kind. */
static __always_inline void fw_emit_process(struct fw_rec_head *head, __u8 kind, struct sock *sk,
					    int err)
{
	struct fw_rec_state *rec;

	if (!fw_wanted(head))
		return;
	rec = fw_emit_reserve(sizeof(*rec));
	if (!rec)
		return;
	__builtin_memset(rec, 0, sizeof(*rec));
	head->ts_ns = bpf_ktime_get_ns();
	head->kind = kind;
	head->flags = FW_REC_OWNER;
	rec->head = *head;
	rec->pid = fw_my_pid();
	rec->err = err;
	if (sk) {
		rec->uid = BPF_CORE_READ(sk, sk_uid.val);
		rec->mptcp_token = fw_mptcp_token((struct tcp_sock *)sk);
	}
	fw_process_name(rec->comm);
	rec->cgroup_id = bpf_get_current_cgroup_id();
	fw_emit_submit(rec);
}

/* struct socket up to its sk. The verifier refuses what does not fit. */
#define FW_SOCKET_BYTES 40

/* The TCP or MPTCP socket that a file descriptor of the current process stands for, or NULL. */
static __always_inline struct sock *fw_sock_of_fd(__u64 fd)
{
	__u8 socket[FW_SOCKET_BYTES] __attribute__((aligned(8)));
	struct file *file = NULL, **slot = fw_my_file(fd);
	struct sock *sk;
	__u16 family, protocol;

	if (!slot || bpf_probe_read_kernel(&file, sizeof(file), slot) || !file)
		return NULL;
	/* Of all private data only a socket's points back to the file. */
	if (bpf_probe_read_kernel(socket, sizeof(socket), BPF_CORE_READ(file, private_data)) ||
	    *(struct file **)(socket + bpf_core_field_offset(struct socket, file)) != file)
		return NULL;
	sk = *(struct sock **)(socket + bpf_core_field_offset(struct socket, sk));
	if (!sk)
		return NULL;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
		return NULL;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

#endif
