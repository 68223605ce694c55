// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who accepted a connection, and whose bind() failed: moments in process context that are no
 * transitions. By the same three front ends as minisocks; where functions cannot be traced, the
 * system calls are.
 */
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "process.bpf.h"
#include <bpf/bpf_tracing.h>

#define EADDRINUSE 98

/* What bind() is asked for, between its entry and its return. */
struct fw_binding_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* thread */
	__type(value, struct fw_rec_head);
};
struct fw_binding_map fw_binding SEC(".maps");

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

/* @sk: full socket that is being bound. All of @head is written: it goes into a map (compat.bpf.h). */
static __always_inline void fw_bind_head(struct fw_rec_head *head, struct sock *sk)
{
	__builtin_memset(head, 0, sizeof(*head));
	fw_head_from_common(head, &sk->__sk_common);
	head->cookie = 0;
	head->oldstate = head->newstate = TCP_CLOSE;
}

static __always_inline void fw_bind_begin(const struct fw_rec_head *head)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&fw_binding, &thread, head, BPF_ANY);
}

static __always_inline int fw_bind_end(bool failed)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct fw_rec_head *known = bpf_map_lookup_elem(&fw_binding, &thread), head;

	if (!known)
		return 0;
	head = *known;
	bpf_map_delete_elem(&fw_binding, &thread);
	if (failed)
		fw_emit_process(&head, FW_REC_BIND_FAILED, NULL, EADDRINUSE);
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

SEC("fexit/inet_csk_get_port")
int BPF_PROG(fw_fentry_get_port, struct sock *sk, unsigned short port, int ret)
{
	struct fw_rec_head head;

	if (!ret || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	fw_bind_head(&head, sk);
	head.lport = port;
	fw_emit_process(&head, FW_REC_BIND_FAILED, sk, EADDRINUSE);
	return 0;
}

SEC("kprobe/inet_csk_get_port")
int BPF_KPROBE(fw_kprobe_get_port, struct sock *sk, unsigned short port)
{
	struct fw_rec_head head;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	fw_bind_head(&head, sk);
	head.lport = port;
	fw_bind_begin(&head);
	return 0;
}

SEC("kretprobe/inet_csk_get_port")
int BPF_KRETPROBE(fw_kprobe_get_port_end, int ret)
{
	return fw_bind_end(ret);
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

/* struct sockaddr_in and sockaddr_in6. */
struct fw_sockaddr {
	__u16 family, port_be;
	__u32 addr_v4_be; /* IPv6: flow label */
	__u8 addr_v6[16];
};

SEC("tp/syscalls/sys_enter_bind")
int fw_timer_bind(struct trace_event_raw_sys_enter *ctx)
{
	struct sock *sk = fw_sock_of_fd(ctx->args[0]);
	struct fw_sockaddr addr = {};
	struct fw_rec_head head;

	if (!sk || bpf_probe_read_user(&addr, 8, (void *)ctx->args[1]))
		return 0;
	fw_bind_head(&head, sk);
	head.lport = bpf_ntohs(addr.port_be);
	if (addr.family == AF_INET) {
		fw_head_v4(&head, addr.addr_v4_be, 0);
	} else {
		if (bpf_probe_read_user(&addr, sizeof(addr), (void *)ctx->args[1]))
			return 0;
		head.family = AF_INET6;
		__builtin_memcpy(head.laddr, addr.addr_v6, sizeof(head.laddr));
		fw_unmap_v4(&head);
	}
	fw_bind_begin(&head);
	return 0;
}

SEC("tp/syscalls/sys_exit_bind")
int fw_timer_bind_end(struct trace_event_raw_sys_exit *ctx)
{
	return fw_bind_end(ctx->ret == -EADDRINUSE);
}
