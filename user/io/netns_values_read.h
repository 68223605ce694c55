/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the kernel's settings, counters and gauges of TCP (util/netns_values.h) from /proc. It does not
 * judge them.
 */
#ifndef FW_IO_NETNS_VALUES_READ_H
#define FW_IO_NETNS_VALUES_READ_H

#include "util/err.h"
#include "util/netns_values.h"

/*
 * Reads the namespace of @netns_fd (of /proc/PID/ns/net or /run/netns/NAME), or that of this process for
 * -1. Values that cannot be read are unknown: older kernels have fewer, and tcp_max_orphans is in the
 * first namespace only. A thread enters another namespace, which needs CAP_SYS_ADMIN: negative errno with
 * @err if it cannot, and then all values are unknown. .netns is not set.
 */
int fw_netns_values_read(struct fw_netns_values *v, int netns_fd, struct fw_err *err);

/* Reads every namespace that can be entered, that of this process first. */
void fw_netns_values_read_all(void (*fn)(void *arg, const struct fw_netns_values *v), void *arg);

#endif
