/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaks.c (collects) and leaks_report.c (concludes) share.
 */
#ifndef FW_ANALYSIS_LEAKS_INTERNAL_H
#define FW_ANALYSIS_LEAKS_INTERNAL_H

#include "analysis/leaks.h"

#define LEAK_PIDS 4

/* A socket in CLOSE_WAIT. */
struct leak_sock {
	uint64_t conn_id, cgroup_id;
	uint64_t since_ns;
	uint32_t unread;
	uint32_t netns;
	uint32_t pids[LEAK_PIDS]; /* who holds it */
	uint32_t fd;		  /* of the first of them */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint8_t family, nr_pids;
	bool since_before; /* in CLOSE_WAIT for at least so long */
	bool accepted;
};

struct leak_process {
	struct fw_rec_process rec;
	uint64_t activity; /* a sum that changes with what its sockets do */
};

/* One snapshot. */
struct leak_look {
	uint64_t ts_ns; /* 0: not complete */
	struct leak_sock *socks;
	size_t nr_socks, cap_socks;
	bool sorted;
	struct leak_process *processes;
	size_t nr_processes, cap_processes;
};

struct fw_leaks {
	struct fw_leaks_options opt;
	struct leak_look first, last, coming; /* of the last the end has not come yet */
	uint64_t activity; /* of the process whose files are being told */
	bool failed;
};

#endif
