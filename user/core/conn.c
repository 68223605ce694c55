// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words for how a connection went, and what its addresses stand for.
 */
#include "core/conn.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

bool fw_addr_is_loopback(unsigned int family, const uint8_t addr[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return family == AF_INET ? addr[0] == 127 : !memcmp(addr, one, sizeof(one));
}

const char *fw_role_name(enum fw_role role)
{
	static const char *const names[FW_ROLE_MAX] = {
		[FW_ROLE_ACTIVE] = "active",
		[FW_ROLE_PASSIVE] = "passive",
	};

	return role < FW_ROLE_MAX ? names[role] : NULL;
}

const char *fw_closed_by_name(enum fw_closed_by by)
{
	static const char *const names[FW_CLOSED_BY_MAX] = {
		[FW_CLOSED_BY_LOCAL] = "local",
		[FW_CLOSED_BY_REMOTE] = "remote",
		[FW_CLOSED_BY_BOTH] = "simultaneous",
	};

	return by < FW_CLOSED_BY_MAX ? names[by] : NULL;
}
