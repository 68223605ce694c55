// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/local_ports.h"

/* The numbers may come from a recording: nothing is said of a range that is none. */
uint64_t fw_ports_available(const struct fw_sysctls *sysctls)
{
	int64_t low = sysctls->port_low, high = sysctls->port_high;
	int64_t reserved = sysctls->ports_reserved > 0 ? sysctls->ports_reserved : 0;

	if (low < 0 || high > UINT16_MAX || low > high || reserved > high - low)
		return 0;
	return (uint64_t)(high - low + 1 - reserved);
}

bool fw_port_in_range(const struct fw_sysctls *sysctls, uint16_t port)
{
	return port && sysctls->port_low >= 0 && port >= sysctls->port_low && port <= sysctls->port_high;
}

static bool is_loopback(const struct fw_group_key *key)
{
	return fw_addr_is_loopback(key->family, key->laddr) ||
	       fw_addr_is_loopback(key->family, key->raddr);
}

bool fw_ports_reused(const struct fw_sysctls *sysctls, const struct fw_group_key *key)
{
	return sysctls->tcp_timestamps != 0 &&
	       (sysctls->tcp_tw_reuse == 1 || (sysctls->tcp_tw_reuse == 2 && is_loopback(key)));
}
