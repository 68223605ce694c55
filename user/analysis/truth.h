/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself says, beside what was measured: settings and counters of a network
 * namespace. Filled in from outside (analyses read no files); FW_TRUTH_UNKNOWN: it could not be read.
 */
#ifndef FW_ANALYSIS_TRUTH_H
#define FW_ANALYSIS_TRUTH_H

#include <stddef.h>
#include <stdint.h>

#define FW_TRUTH_UNKNOWN (-1)

/* net.ipv4.* */
struct fw_sysctls {
	int64_t tcp_fin_timeout; /* s */
	int64_t tcp_tw_reuse;	 /* 0 no, 1 yes, 2 on loopback only */
	int64_t tcp_max_tw_buckets;
	int64_t tcp_rfc1337;
	int64_t tcp_timestamps;
	int64_t tcp_max_orphans;
	int64_t tcp_orphan_retries;
	int64_t tcp_max_syn_backlog;
	int64_t tcp_syncookies;
	int64_t tcp_synack_retries;
	int64_t tcp_syn_retries;
	int64_t somaxconn; /* net.core */
	int64_t port_low, port_high; /* ip_local_port_range */
	int64_t ports_reserved;	     /* of these: in ip_local_reserved_ports */
};

/* What the counters of SNMP and TcpExt grew by while finwait watched. */
struct fw_kernel_counters {
	int64_t active_opens, passive_opens, attempt_fails, estab_resets;
	int64_t tw, tw_killed, tw_recycled; /* TcpExt TW, TWKilled, TWRecycled */
	int64_t time_wait_overflow;	    /* TCPTimeWaitOverflow */
	int64_t listen_overflows, listen_drops;
	int64_t syncookies_sent;
	int64_t req_q_full_drop;
	int64_t abort_on_data, abort_on_timeout, abort_on_memory;
	/* Not what they grew by, but what there is: /proc/net/sockstat. tw counts minisocks; orphan
	 * counts full sockets without a process, of all network namespaces.
	 */
	int64_t tw_now, orphans_now;
};

struct fw_truth {
	uint32_t netns;
	/* Between these moments the counters were read; CLOCK_MONOTONIC. */
	uint64_t read_from_ns, read_ns;
	struct fw_sysctls sysctls;
	struct fw_kernel_counters counters;
};

#endif
