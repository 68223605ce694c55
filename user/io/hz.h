/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HZ, the rate of the kernel's jiffies: a build-time choice that no interface tells, and not every
 * host has its kernel's .config.
 */
#ifndef FW_IO_HZ_H
#define FW_IO_HZ_H

/* @prog_fd: fw_jiffies of bpf/jiffies.bpf.h. Takes some tens of milliseconds; 0: cannot be told. */
unsigned int fw_hz_measure(int prog_fd);

#endif
