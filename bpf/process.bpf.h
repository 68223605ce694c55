/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The current process, as ps and ss name it: by its main thread, whatever the thread that acts calls
 * itself.
 */
#ifndef FW_BPF_PROCESS_BPF_H
#define FW_BPF_PROCESS_BPF_H

#include "compat.bpf.h"

static __always_inline __u32 fw_my_pid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void fw_process_name(char comm[FW_COMM_LEN])
{
	struct task_struct *task;

	if (fw_compat_has_task()) {
		/* As numbers: a char at a time is a guarded load each. */
		const __u64 *name = (const __u64 *)bpf_get_current_task_btf()->group_leader->comm;

		((__u64 *)comm)[0] = name[0];
		((__u64 *)comm)[1] = name[1];
		return;
	}
	task = (struct task_struct *)bpf_get_current_task();
	task = BPF_CORE_READ(task, group_leader);
	bpf_probe_read_kernel(comm, FW_COMM_LEN, &task->comm);
}

#define PF_KTHREAD 0x00200000

/*
 * A kernel thread that closes a socket does so for somebody else: what was in flight over a unix socket
 * that is gone, or the last reference that an interrupt dropped.
 */
static __always_inline bool fw_is_kernel_thread(void)
{
	struct task_struct *task;

	if (fw_compat_has_task())
		return bpf_get_current_task_btf()->flags & PF_KTHREAD;
	task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* Where the current process keeps file descriptor @fd, or NULL. */
static __always_inline struct file **fw_my_file(__u64 fd)
{
	struct task_struct *task;
	struct fdtable *fdt;

	if (fw_compat_has_task()) {
		fdt = bpf_get_current_task_btf()->files->fdt;
		return fd < fdt->max_fds ? fdt->fd + fd : NULL;
	}
	task = (struct task_struct *)bpf_get_current_task();
	fdt = BPF_CORE_READ(task, files, fdt);
	return fd < BPF_CORE_READ(fdt, max_fds) ? BPF_CORE_READ(fdt, fd) + fd : NULL;
}

#endif
