/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The current process, as ps and ss name it: by its main thread, whatever the thread that acts calls
 * itself.
 */
#ifndef FW_BPF_PROCESS_BPF_H
#define FW_BPF_PROCESS_BPF_H

#include "maps.bpf.h"
#include <bpf/bpf_core_read.h>

/*
 * A main thread, which most are, names itself: the helper takes a tenth of the two guarded reads that
 * go to another thread's name.
 */
static __always_inline void fw_process_name(char comm[FW_COMM_LEN])
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct task_struct *task;

	if ((__u32)pid_tgid == pid_tgid >> 32) {
		bpf_get_current_comm(comm, FW_COMM_LEN);
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
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

#endif
