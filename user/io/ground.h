/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself says about TCP in one network namespace: its settings (sysctls), its
 * counters (/proc/net/snmp and netstat), and its gauges (/proc/net/sockstat). Reads, and does not
 * judge.
 *
 * Settings bear their own names ("tcp_fin_timeout"), and so do counters ("TCPTimeWaitOverflow").
 * Made up:
 *
 *	ip_local_port_low, ip_local_port_high	the two numbers of ip_local_port_range
 *	ip_local_ports_reserved			how many of those ip_local_reserved_ports takes away
 *	sockstat_inuse (IPv4 only), sockstat6_inuse, sockstat_tw: of the namespace
 *	sockstat_orphan, sockstat_alloc, sockstat_mem_pages: of the whole host
 */
#ifndef FW_IO_GROUND_H
#define FW_IO_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/err.h"

#define FW_GROUND_MAX 72

enum fw_ground_kind { FW_GROUND_SETTING, FW_GROUND_COUNTER, FW_GROUND_GAUGE };

struct fw_ground_value {
	const char *name;
	enum fw_ground_kind kind;
	bool known; /* older kernels have fewer; tcp_max_orphans is in the first namespace only */
	int64_t value;
};

struct fw_ground {
	uint64_t read_from_ns, read_ns; /* between these moments it was read; CLOCK_MONOTONIC */
	struct fw_ground_value values[FW_GROUND_MAX];
	size_t nr;
};

/* Reads the namespace that @netns_fd is (of /proc/PID/ns/net, /run/netns/NAME), or that of this
 * process for -1. What cannot be read is not known. Another namespace is entered by a thread that
 * does nothing else, which needs CAP_SYS_ADMIN: negative errno with @err if it cannot be entered,
 * and then nothing is known.
 */
int fw_ground_read(struct fw_ground *g, int netns_fd, struct fw_err *err);

/* The same of every namespace that can be entered, that of this process first. */
void fw_ground_read_all(void (*fn)(void *arg, uint32_t netns, const struct fw_ground *g), void *arg);

/* All names, and no values; sets one. A name that is none of ours is left out. */
void fw_ground_init(struct fw_ground *g);
void fw_ground_set(struct fw_ground *g, const char *name, int64_t value);

/* What is known, as lines "name value"; and back. Lines that are something else are left out. */
void fw_ground_print(const struct fw_ground *g, struct fw_buf *b);
void fw_ground_parse(struct fw_ground *g, const char *text, size_t len);

/* The value of that name, or -1 when it is not known. */
int64_t fw_ground_value(const struct fw_ground *g, const char *name);

/* Turns the counters of @g into what they grew by since @before, of the same namespace. */
void fw_ground_since(struct fw_ground *g, const struct fw_ground *before);

#endif
