// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a socket: the descriptors of all processes (iter/task_file), and the threads that are in another
 * network namespace than their process (iter/task). Linked with iter.bpf.c.
 */
#include "iter.bpf.h"
#include "process.bpf.h"

#define RLIMIT_NOFILE 7

/* What belongs to one item is written at once, or the kernel would show half of it again. */
static struct {
	struct fw_rec_sock mptcp;
	struct fw_rec_holder holder;
} fw_mptcp_item;

/* The process whose files are being shown, and what is known of it so far. */
static struct fw_rec_process fw_shown;
static __u32 fw_shown_sockets;

static __always_inline void fw_show_next(struct task_struct *task)
{
	fw_shown_sockets = 0;
	fw_shown.head.family = AF_INET;
	fw_shown.head.kind = FW_REC_PROCESS;
	fw_shown.head.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	fw_shown.pid = task->tgid;
	fw_shown.fds = 0;
	fw_shown.uid = BPF_CORE_READ(task, cred, uid.val);
	fw_shown.nofile = BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur);
	fw_shown.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&fw_shown.comm, task, group_leader, comm);
}

static __always_inline bool fw_put_shown(struct bpf_iter_meta *meta)
{
	fw_shown.head.ts_ns = bpf_ktime_get_ns();
	return !fw_shown_sockets || fw_put(meta, &fw_shown, sizeof(fw_shown));
}

/* A socket in CLOSE is in no table of sockets: only its holder can tell what it was connected to. */
static __always_inline void fw_fill_closed(struct fw_rec_head *head, struct sock *sk)
{
	__u8 shutdown = BPF_CORE_READ(sk, sk_shutdown);

	fw_head_from_common(head, &sk->__sk_common);
	/* skc_num has been given back. */
	head->lport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	head->flags = (shutdown & RCV_SHUTDOWN ? FW_REC_SHUT_RD : 0) |
		      (shutdown & SEND_SHUTDOWN ? FW_REC_SHUT_WR : 0);
}

static __always_inline void fw_fill_holder(struct fw_rec_holder *rec, struct sock *sk, __u32 fd)
{
	rec->head.skaddr = (__u64)sk;
	rec->head.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	rec->head.family = AF_INET;
	rec->head.oldstate = rec->head.newstate = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (rec->head.oldstate == TCP_CLOSE)
		fw_fill_closed(&rec->head, sk);
	rec->head.cookie = fw_cfg.no_cookie_helper ?
				   fw_compat_sk_cookie(rec->head.skaddr) :
				   BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	rec->head.ts_ns = bpf_ktime_get_ns();
	rec->head.kind = FW_REC_HOLDER;
	rec->pid = fw_shown.pid;
	rec->fd = fd;
	__builtin_memcpy(rec->comm, fw_shown.comm, sizeof(rec->comm));
}

static __always_inline bool fw_put_tcp_holder(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	struct fw_rec_holder rec = {};

	fw_fill_holder(&rec, sk, fd);
	return fw_put(meta, &rec, sizeof(rec));
}

static __always_inline bool fw_put_mptcp_holder(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	struct fw_rec_holder *holder = &fw_mptcp_item.holder;

	fw_fill_mptcp(&fw_mptcp_item.mptcp, (struct mptcp_sock *)sk);
	__builtin_memset(holder, 0, sizeof(*holder));
	fw_fill_holder(holder, sk, fd);
	holder->head.cookie = 0;
	holder->mptcp_token = fw_mptcp_item.mptcp.mptcp_token;
	if (fw_wanted_early(&fw_mptcp_item.mptcp.head))
		return fw_put(meta, &fw_mptcp_item, sizeof(fw_mptcp_item));
	return fw_put(meta, holder, sizeof(*holder));
}

/* Set by user space: show the holders of listeners only, and no processes. */
int fw_listeners_only;

/* Whether the iterator may go on: false if there was no room for the record. */
static __always_inline bool fw_show_file(struct bpf_iter_meta *meta, struct sock *sk, __u32 fd)
{
	__u16 protocol = sk ? BPF_CORE_READ(sk, sk_protocol) : 0;
	bool mptcp = protocol == IPPROTO_MPTCP && fw_has_mptcp();

	if (protocol != IPPROTO_TCP && !mptcp)
		return true;
	if (fw_listeners_only && BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return true;
	if (!(mptcp ? fw_put_mptcp_holder(meta, sk, fd) : fw_put_tcp_holder(meta, sk, fd)))
		return false;
	if (!fw_listeners_only)
		fw_shown_sockets++;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		fw_note_serving(fw_shown.pid);
	return true;
}

SEC("iter/task_file")
int fw_iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file) {
		if (fw_put_shown(ctx->meta))
			fw_shown_sockets = 0;
		return 0;
	}
	if ((__u32)task->tgid != fw_shown.pid) {
		if (!fw_put_shown(ctx->meta))
			return 0;
		fw_show_next(task);
	}
	if (fw_show_file(ctx->meta, fw_compat_sock_of_file(file), ctx->fd))
		fw_shown.fds++;
	return 0;
}

SEC("iter/task")
int fw_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct fw_rec_thread rec;
	struct net *net;

	if (!task)
		return 0;
	net = BPF_CORE_READ(task, nsproxy, net_ns);
	if (!net || net == BPF_CORE_READ(task, group_leader, nsproxy, net_ns))
		return 0;
	rec.tid = task->pid;
	rec.netns = BPF_CORE_READ(net, ns.inum);
	fw_put(ctx->meta, &rec, sizeof(rec));
	return 0;
}
