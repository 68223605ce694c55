// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of ends.
 */
#include "core/end.h"

#include <stddef.h>

#define CLASS(c) .class = FW_END_CLASS_##c
#define TROUBLE(t) .trouble = FW_END_TROUBLE_##t
#define RST_IN .reset = FW_END_RESET_IN
#define RST_OUT .reset = FW_END_RESET_OUT
#define IN_RFC .in_rfc = true

static const struct fw_end_info ends[FW_END_MAX] = {
	[FW_END_OPEN] = { "open", "still open", NULL, CLASS(OPEN) },
	[FW_END_LAST_ACK] = { "last_ack", "closed", NULL, CLASS(ORDERLY), IN_RFC },
	[FW_END_TIME_WAIT_EXPIRED] = { "time_wait_expired", "2MSL timer", "expired",
				      CLASS(TIME_WAIT), IN_RFC },
	[FW_END_TIME_WAIT_RESET] = { "time_wait_reset", "RST in TIME_WAIT", "reset",
				      CLASS(TIME_WAIT),
				     TROUBLE(CUT_SHORT), RST_IN, .brief = "RST" },
	[FW_END_TIME_WAIT_REOPENED] = { "time_wait_reopened", "reopened by SYN", "reopened",
					CLASS(TIME_WAIT), TROUBLE(CUT_SHORT) },
	[FW_END_TIME_WAIT_REUSED] = { "time_wait_reused", "reused by connect()", "reused",
				      CLASS(TIME_WAIT), TROUBLE(CUT_SHORT) },
	[FW_END_TIME_WAIT_PURGED] = { "time_wait_purged", "namespace removed", "purged",
				      CLASS(TIME_WAIT), TROUBLE(CUT_SHORT),
				      .brief = "netns removed" },
	[FW_END_TIME_WAIT_DESTROYED] = { "time_wait_destroyed", "destroyed (ss -K)", "destroyed",
					 CLASS(TIME_WAIT), TROUBLE(CUT_SHORT) },
	[FW_END_TIME_WAIT_OVERFLOW] = { "time_wait_overflow", "TIME_WAIT table full", NULL,
					CLASS(ORDERLY), TROUBLE(OVERFLOW), .brief = "table full" },
	[FW_END_FIN_WAIT_2_TIMEOUT] = { "fin_wait_2_timeout", "tcp_fin_timeout", NULL,
				      CLASS(ORDERLY) },
	[FW_END_FIN_WAIT_2_SKIPPED] = { "fin_wait_2_skipped", "TCP_LINGER2 < 0", NULL,
				      CLASS(ORDERLY) },
	[FW_END_FIN_WAIT_2_DATA] = { "fin_wait_2_data", "peer sent data after close", NULL,
				      CLASS(RESET),
				     TROUBLE(RESET), RST_OUT, .brief = "data after close" },
	[FW_END_RESET_RECEIVED] = { "reset_received", "reset by peer", NULL, CLASS(RESET),
				    TROUBLE(RESET), RST_IN },
	[FW_END_RESET_SENT] = { "reset_sent", "reset by us", NULL, CLASS(RESET), TROUBLE(RESET),
				RST_OUT },
	[FW_END_REFUSED] = { "refused", "refused", NULL, CLASS(NEVER_ESTABLISHED), TROUBLE(FAILED),
			     RST_IN },
	[FW_END_TIMED_OUT] = { "timed_out", "timed out", NULL, CLASS(TIMED_OUT), TROUBLE(FAILED) },
	[FW_END_NO_PORT] = { "no_port", "no free port", NULL, CLASS(NEVER_ESTABLISHED),
			     TROUBLE(FAILED) },
	[FW_END_HALF_OPEN_EXPIRED] = { "half_open_expired", "handshake timed out", NULL,
				       CLASS(NEVER_ESTABLISHED), TROUBLE(HALF_OPEN),
				      .brief = "timed out" },
	[FW_END_HALF_OPEN_DROPPED] = { "half_open_dropped", "handshake dropped", NULL,
				       CLASS(NEVER_ESTABLISHED), TROUBLE(HALF_OPEN),
				      .brief = "dropped" },
	[FW_END_ABORTED] = { "aborted", "aborted", NULL, CLASS(ABORTED), TROUBLE(FAILED), IN_RFC },
	[FW_END_UNKNOWN] = { "unknown", "unknown", NULL, CLASS(UNKNOWN) },
	[FW_END_UNREACHABLE] = { "unreachable", "unreachable", NULL, CLASS(TIMED_OUT),
				      TROUBLE(FAILED) },
	[FW_END_KILLED] = { "killed", "killed (ss -K)", NULL, CLASS(ABORTED), TROUBLE(FAILED) },
	[FW_END_ORPHAN_LIMIT] = { "orphan_limit", "too many orphans", NULL, CLASS(ABORTED),
				  TROUBLE(OVERFLOW) },
	[FW_END_DISCONNECTED] = { "disconnected", "connect(AF_UNSPEC)", NULL, CLASS(ABORTED) },
	[FW_END_REPAIRED] = { "repaired", "migrated (TCP_REPAIR)", NULL, CLASS(ABORTED) },
};

const struct fw_end_info *fw_end_info(unsigned int end)
{
	return &ends[end < FW_END_MAX ? end : FW_END_UNKNOWN];
}
