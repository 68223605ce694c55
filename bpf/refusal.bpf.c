// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind() and connect() that the kernel refuses before there is a transition: the address is in use, is not
 * an address of this host, has no route, or a rule forbids it. By the same three front ends as minisocks;
 * where functions cannot be traced, the system calls are, and then io_uring is not seen.
 *
 * A connect() that blocks also returns what came after its SYN (refused, timed out, an ICMP error), which a
 * transition has reported already. Errors that only a transition has are left out here; the others user
 * space tells apart by the transition.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

#define EPERM 1
#define EACCES 13
#define EINVAL 22
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define ENETDOWN 100
#define ENETUNREACH 101
#define EHOSTUNREACH 113

/* What is asked for, between entry and return, where the return does not have it. */
struct fw_binding_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* thread */
	__type(value, struct fw_rec_head);
};
struct fw_binding_map fw_binding SEC(".maps");
/* The same of the function around the one that uses the map above. */
struct fw_binding_map fw_calling SEC(".maps");

/* ---- Addresses --------------------------------------------------------------------------- */

#define FW_SOCKADDR_V4_BYTES 8

/* struct sockaddr_in and sockaddr_in6. */
struct fw_sockaddr {
	__u16 family, port_be;
	__u32 addr_v4_be; /* IPv6: flow label */
	__u8 addr_v6[16];
};

/* Sets one side of @head to @addr. False: it is not of IP. */
static __always_inline bool fw_head_set(struct fw_rec_head *head, const struct fw_sockaddr *addr,
					bool remote)
{
	if (remote)
		head->rport = bpf_ntohs(addr->port_be);
	else
		head->lport = bpf_ntohs(addr->port_be);
	if (addr->family == AF_INET) {
		fw_head_v4(head, remote ? *(__u32 *)head->laddr : addr->addr_v4_be,
			   remote ? addr->addr_v4_be : 0);
		return true;
	}
	if (addr->family != AF_INET6)
		return false;
	head->family = AF_INET6;
	__builtin_memcpy(remote ? head->raddr : head->laddr, addr->addr_v6, sizeof(head->raddr));
	fw_unmap_v4(head);
	return true;
}

static __always_inline bool fw_head_set_kernel(struct fw_rec_head *head, const void *uaddr, bool remote)
{
	struct fw_sockaddr addr = {};

	/* Kernel copies of addresses have room for the largest. */
	return !bpf_probe_read_kernel(&addr, sizeof(addr), uaddr) && fw_head_set(head, &addr, remote);
}

/* @uaddr: of the current process. */
static __always_inline bool fw_head_set_user(struct fw_rec_head *head, const void *uaddr, bool remote)
{
	struct fw_sockaddr addr = {};

	if (bpf_probe_read_user(&addr, FW_SOCKADDR_V4_BYTES, uaddr))
		return false;
	if (addr.family == AF_INET6 && bpf_probe_read_user(&addr, sizeof(addr), uaddr))
		return false;
	return fw_head_set(head, &addr, remote);
}

/* ---- bind() ------------------------------------------------------------------------------ */

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

/* @err: errno, 0 or below: it succeeded. */
static __always_inline int fw_bind_end(long err)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct fw_rec_head *known = bpf_map_lookup_elem(&fw_binding, &thread), head;

	if (!known)
		return 0;
	head = *known;
	bpf_map_delete_elem(&fw_binding, &thread);
	if (err == EADDRINUSE || err == EADDRNOTAVAIL)
		fw_emit_process(&head, FW_REC_BIND_FAILED, NULL, err);
	return 0;
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
	return fw_bind_end(ret ? EADDRINUSE : 0);
}

SEC("tp/syscalls/sys_enter_bind")
int fw_timer_bind(struct trace_event_raw_sys_enter *ctx)
{
	struct sock *sk = fw_sock_of_fd(ctx->args[0]);
	struct fw_rec_head head;

	if (!sk)
		return 0;
	fw_bind_head(&head, sk);
	if (fw_head_set_user(&head, (const void *)ctx->args[1], false))
		fw_bind_begin(&head);
	return 0;
}

SEC("tp/syscalls/sys_exit_bind")
int fw_timer_bind_end(struct trace_event_raw_sys_exit *ctx)
{
	return fw_bind_end(-ctx->ret);
}

/* The TCP socket of @socket, or NULL. */
static __always_inline struct sock *fw_sock_of_socket(struct socket *socket)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);

	return sk && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ? sk : NULL;
}

/* ---- connect(), and bind() to an address that is not there ---------------------------------- */

static __always_inline bool fw_is_refusal(long err)
{
	switch (err) {
	case EPERM:
	case EACCES:
	case EINVAL:
	case EADDRNOTAVAIL:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return true;
	default:
		return false;
	}
}

static __always_inline void fw_call_head(struct fw_rec_head *head, struct sock *sk)
{
	__builtin_memset(head, 0, sizeof(*head));
	fw_head_from_common(head, &sk->__sk_common);
	if (fw_cfg.no_cookie_helper)
		head->cookie = fw_compat_sk_cookie(head->skaddr);
	head->oldstate = head->newstate = TCP_CLOSE;
}

/* @uaddr: in kernel memory. */
static __always_inline int fw_connect_failed(struct socket *socket, const void *uaddr, long err)
{
	struct sock *sk = fw_is_refusal(err) ? fw_sock_of_socket(socket) : NULL;
	struct fw_rec_head head;

	if (!sk)
		return 0;
	fw_call_head(&head, sk);
	if (fw_head_set_kernel(&head, uaddr, true))
		fw_emit_process(&head, FW_REC_CONNECT_FAILED, sk, err);
	return 0;
}

static __always_inline int fw_bind_refused(struct socket *socket, const void *uaddr, long err)
{
	struct sock *sk = err == EADDRNOTAVAIL ? fw_sock_of_socket(socket) : NULL;
	struct fw_rec_head head;

	if (!sk)
		return 0;
	fw_bind_head(&head, sk);
	if (fw_head_set_kernel(&head, uaddr, false))
		fw_emit_process(&head, FW_REC_BIND_FAILED, sk, err);
	return 0;
}

SEC("fexit/inet_stream_connect")
int BPF_PROG(fw_fentry_connect, struct socket *socket, void *uaddr, int len, int flags, int ret)
{
	return fw_connect_failed(socket, uaddr, -ret);
}

SEC("fexit/inet_bind")
int BPF_PROG(fw_fentry_bind, struct socket *socket, void *uaddr, int len, int ret)
{
	return fw_bind_refused(socket, uaddr, -ret);
}

SEC("fexit/inet6_bind")
int BPF_PROG(fw_fentry_bind6, struct socket *socket, void *uaddr, int len, int ret)
{
	return fw_bind_refused(socket, uaddr, -ret);
}

static __always_inline int fw_call_begin(struct socket *socket, const void *uaddr, bool remote)
{
	struct sock *sk = fw_sock_of_socket(socket);
	__u64 thread = bpf_get_current_pid_tgid();
	struct fw_rec_head head;

	if (!sk)
		return 0;
	fw_call_head(&head, sk);
	if (fw_head_set_kernel(&head, uaddr, remote))
		bpf_map_update_elem(&fw_calling, &thread, &head, BPF_ANY);
	return 0;
}

static __always_inline int fw_call_end(__u8 kind, long err, bool refused)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct fw_rec_head *known = bpf_map_lookup_elem(&fw_calling, &thread), head;

	if (!known)
		return 0;
	head = *known;
	bpf_map_delete_elem(&fw_calling, &thread);
	if (refused)
		fw_emit_process(&head, kind, NULL, err);
	return 0;
}

SEC("kprobe/inet_stream_connect")
int BPF_KPROBE(fw_kprobe_connect, struct socket *socket, void *uaddr)
{
	return fw_call_begin(socket, uaddr, true);
}

SEC("kretprobe/inet_stream_connect")
int BPF_KRETPROBE(fw_kprobe_connect_end, int ret)
{
	return fw_call_end(FW_REC_CONNECT_FAILED, -ret, fw_is_refusal(-ret));
}

SEC("kprobe/inet_bind")
int BPF_KPROBE(fw_kprobe_bind, struct socket *socket, void *uaddr)
{
	return fw_call_begin(socket, uaddr, false);
}

SEC("kretprobe/inet_bind")
int BPF_KRETPROBE(fw_kprobe_bind_end, int ret)
{
	return fw_call_end(FW_REC_BIND_FAILED, -ret, ret == -EADDRNOTAVAIL);
}

SEC("kprobe/inet6_bind")
int BPF_KPROBE(fw_kprobe_bind6, struct socket *socket, void *uaddr)
{
	return fw_call_begin(socket, uaddr, false);
}

SEC("kretprobe/inet6_bind")
int BPF_KRETPROBE(fw_kprobe_bind6_end, int ret)
{
	return fw_call_end(FW_REC_BIND_FAILED, -ret, ret == -EADDRNOTAVAIL);
}

/* The arguments are taken when it has failed: what succeeds pays for one comparison. */
SEC("tp/syscalls/sys_exit_connect")
int fw_timer_connect(struct trace_event_raw_sys_exit *ctx)
{
	struct fw_rec_head head;
	struct pt_regs *regs;
	struct sock *sk;

	if (!fw_is_refusal(-ctx->ret) || !fw_compat_has_pt_regs())
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	sk = fw_sock_of_fd(PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (!sk)
		return 0;
	fw_call_head(&head, sk);
	if (fw_head_set_user(&head, (const void *)PT_REGS_PARM2_CORE_SYSCALL(regs), true))
		fw_emit_process(&head, FW_REC_CONNECT_FAILED, sk, -ctx->ret);
	return 0;
}
