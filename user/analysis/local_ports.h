/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many local ports there are for connections to one destination, by the settings of a namespace.
 */
#ifndef FW_ANALYSIS_LOCAL_PORTS_H
#define FW_ANALYSIS_LOCAL_PORTS_H

#include <stdbool.h>

#include "analysis/groups.h"
#include "util/netns_values.h"

/* connect() may take a port that has been in TIME_WAIT for so long, where fw_ports_reused(). */
#define FW_PORT_REUSE_NS 1000000000ULL

/* 0: not known. */
uint64_t fw_ports_available(const struct fw_sysctls *sysctls);

/* Whether connect() chooses from it. */
bool fw_port_in_range(const struct fw_sysctls *sysctls, uint16_t port);

/* Whether connect() from @key->laddr to @key->raddr takes ports out of TIME_WAIT. */
bool fw_ports_reused(const struct fw_sysctls *sysctls, const struct fw_group_key *key);

#endif
