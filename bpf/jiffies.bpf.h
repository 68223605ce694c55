/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's jiffies, to measure HZ where the kernel's configuration cannot be read. Each object
 * that turns jiffies into time includes it once; user space calls it by BPF_PROG_TEST_RUN.
 */
#ifndef FW_BPF_JIFFIES_BPF_H
#define FW_BPF_JIFFIES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("raw_tp")
int fw_jiffies(void *ctx)
{
	return (int)bpf_jiffies64();
}

#endif
