// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/local_ports.h"

#include <string.h>
#include <sys/socket.h>

uint64_t fw_ports_available(const struct fw_sysctls *sysctls)
{
	int64_t reserved = sysctls->ports_reserved > 0 ? sysctls->ports_reserved : 0;
	int64_t n = sysctls->port_high - sysctls->port_low + 1 - reserved;

	return sysctls->port_low >= 0 && sysctls->port_high >= 0 && n > 0 ? (uint64_t)n : 0;
}

static bool is_loopback(const struct fw_group_key *key)
{
	static const uint8_t one[16] = { [15] = 1 };

	return key->family == AF_INET ? key->laddr[0] == 127 || key->raddr[0] == 127 :
					!memcmp(key->raddr, one, sizeof(one));
}

bool fw_ports_reused(const struct fw_sysctls *sysctls, const struct fw_group_key *key)
{
	return sysctls->tcp_timestamps != 0 &&
	       (sysctls->tcp_tw_reuse == 1 || (sysctls->tcp_tw_reuse == 2 && is_loopback(key)));
}
