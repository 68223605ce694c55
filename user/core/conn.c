// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words for how a connection went.
 */
#include "core/conn.h"

#include <stddef.h>

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
