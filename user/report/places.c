// SPDX-License-Identifier: GPL-2.0-only
#include "report/places.h"

#include <stddef.h>
#include <string.h>

#define SOME .of_connections = true
#define ANY FW_TROUBLE_MAX

static const struct fw_place places[] = {
	{ "close-wait-leak", "close_wait", SOME, FW_TROUBLE_LEAK, 0 },
	{ "fin-wait-2-peer-stall", "fin_wait_2", SOME, FW_TROUBLE_STALL, 0 },
	{ "fin-wait-1-stall", "slow", SOME, FW_TROUBLE_SLOW, FW_FIN_WAIT_1 },
	{ "last-ack-stall", "slow", SOME, FW_TROUBLE_SLOW, FW_LAST_ACK },
	{ "syn-stall", "slow", SOME, FW_TROUBLE_SLOW, FW_SYN_SENT },
	{ "time-wait-port-exhaustion", "ports", SOME, ANY, 0 },
	{ "time-wait-table-full", "time_wait", SOME, FW_TROUBLE_OVERFLOW, 0 },
	{ "time-wait-reset", "time_wait_early", SOME, FW_TROUBLE_CUT_SHORT, 0 },
	{ "time-wait-behind-nat", "time_wait_early", SOME, FW_TROUBLE_CUT_SHORT, 0 },
	{ "short-connections", "flows", SOME, ANY, 0 },
	{ "server-closes-first", "closers", SOME, ANY, FW_TIME_WAIT },
	{ "simultaneous-close", "closing", SOME, FW_TROUBLE_CLOSING, 0 },
	{ "half-open-flood", "half_open", SOME, FW_TROUBLE_HALF_OPEN, 0 },
	{ "bind-in-use", "binds", .of_connections = false, ANY, 0 },
	{ "idle-pool", "close_wait", SOME, ANY, FW_CLOSE_WAIT },
	{ "connection-leak", "close_wait", SOME, ANY, FW_ESTABLISHED },
	{ "closed-socket-held", "close_wait", .of_connections = false, ANY, 0 },
	{ "inherited-sockets", "close_wait", SOME, ANY, FW_CLOSE_WAIT },
	{ "accept-queue-full", "accept_queues", .of_connections = false, ANY, 0 },
	{ "stale-connection-reuse", "stale", SOME, FW_TROUBLE_RESET, 0 },
	{ "bind-port-exhaustion", "bind_ports", .of_connections = false, ANY, 0 },
	{ "address-not-local", "not_local", .of_connections = false, ANY, 0 },
	{ "connect-failures", "connect_failures", SOME, FW_TROUBLE_FAILED, FW_SYN_SENT },
	{ "orphans-hold-memory", "orphans", SOME, FW_TROUBLE_SLOW, FW_FIN_WAIT_1 },
	{ "events-lost", "completeness", SOME, FW_TROUBLE_GAP, 0 },
};

const struct fw_place *fw_place_of(const char *id)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!strcmp(places[i].id, id))
			return &places[i];
	}
	return NULL;
}
