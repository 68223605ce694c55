/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and attaches the BPF programs: front ends are tried in turn until the kernel accepts one,
 * and what each refusal said is kept.
 */
#ifndef FW_IO_ATTACH_H
#define FW_IO_ATTACH_H

#include "io/live.h"

/* For the system calls that the timer front end looks at. */
#define FW_NR_SYSCALL_HOOKS 5

struct fw_bpf;

struct fw_attached {
	struct fw_bpf *skel;
	struct bpf_link *syscalls[FW_NR_SYSCALL_HOOKS];
	struct fw_bpf_config cfg; /* as loaded */
	enum fw_hooks hooks;
	bool accepts_unseen; /* the system calls cannot be traced here */
	const struct fw_cpu_stats *stats; /* one a CPU, as the kernel side counts */
	unsigned int nr_cpus;
	uint64_t missed; /* as last said: it does not go back */
	int ring_fd;
	/* timer front end, else -1: the program of settle.bpf.c for BPF_PROG_TEST_RUN, and its map */
	int settle_fd, unsettled_fd;
	/* the identities of sockets where the kernel has none to give; else -1 */
	int serving_fd, compat_sk_fd, compat_tuple_fd, compat_next_fd;
};

/* 0, or a negative errno with @err filled. @report says what became of each front end. */
int fw_attach(struct fw_attached *a, const struct fw_live_options *opt,
	      struct fw_live_report *report, struct fw_err *err);

/* Whether maps can be read, programs looked at and asked with the privileges that there are now. */
bool fw_attached_works(const struct fw_attached *a);

/* The kernel's HZ, measured; 0: unknown. Only once: the program for it is unloaded. */
unsigned int fw_attached_hz(struct fw_attached *a);

/* No events from now on. The maps stay. */
void fw_detach(struct fw_attached *a);

/* Detaches, and releases all. */
void fw_attached_free(struct fw_attached *a);

/* Runs of the programs, and their time, while the kernel measured it (kernel.bpf_stats_enabled). */
void fw_attached_cost(const struct fw_attached *a, uint64_t *runs, uint64_t *ns);

/* Events that nobody told because the kernel skips a program that already runs on that CPU. */
uint64_t fw_attached_missed(struct fw_attached *a);

#endif
