// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words for how a connection went.
 */
#include "core/conn.h"

#include <stddef.h>

static const struct {
	const char *name, *words;
} ends[FW_END_MAX] = {
	[FW_END_OPEN] = { "open", "still open" },
	[FW_END_LAST_ACK] = { "last_ack", "closed" },
	[FW_END_TIME_WAIT_EXPIRED] = { "time_wait_expired", "2MSL timer" },
	[FW_END_TIME_WAIT_RESET] = { "time_wait_reset", "RST in TIME_WAIT" },
	[FW_END_TIME_WAIT_REOPENED] = { "time_wait_reopened", "reopened by SYN" },
	[FW_END_TIME_WAIT_REUSED] = { "time_wait_reused", "reused by connect()" },
	[FW_END_TIME_WAIT_PURGED] = { "time_wait_purged", "namespace removed" },
	[FW_END_TIME_WAIT_DESTROYED] = { "time_wait_destroyed", "destroyed (ss -K)" },
	[FW_END_TIME_WAIT_OVERFLOW] = { "time_wait_overflow", "TIME_WAIT table full" },
	[FW_END_FIN_WAIT_2_TIMEOUT] = { "fin_wait_2_timeout", "tcp_fin_timeout" },
	[FW_END_FIN_WAIT_2_SKIPPED] = { "fin_wait_2_skipped", "TCP_LINGER2 < 0" },
	[FW_END_FIN_WAIT_2_DATA] = { "fin_wait_2_data", "peer sent data after close" },
	[FW_END_RESET_RECEIVED] = { "reset_received", "reset by peer" },
	[FW_END_RESET_SENT] = { "reset_sent", "reset by us" },
	[FW_END_REFUSED] = { "refused", "refused" },
	[FW_END_TIMED_OUT] = { "timed_out", "timed out" },
	[FW_END_NO_PORT] = { "no_port", "no free port" },
	[FW_END_HALF_OPEN_EXPIRED] = { "half_open_expired", "handshake timed out" },
	[FW_END_HALF_OPEN_DROPPED] = { "half_open_dropped", "handshake dropped" },
	[FW_END_ABORTED] = { "aborted", "aborted" },
	[FW_END_UNKNOWN] = { "unknown", "unknown" },
};

const char *fw_end_name(enum fw_end end)
{
	return end < FW_END_MAX ? ends[end].name : ends[FW_END_UNKNOWN].name;
}

const char *fw_end_words(enum fw_end end)
{
	return end < FW_END_MAX ? ends[end].words : ends[FW_END_UNKNOWN].words;
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
