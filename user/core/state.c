// SPDX-License-Identifier: GPL-2.0-only
#include "core/state.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[FW_STATE_MAX] = {
	[FW_ESTABLISHED] = "ESTABLISHED",
	[FW_SYN_SENT] = "SYN_SENT",
	[FW_SYN_RECV] = "SYN_RECV",
	[FW_FIN_WAIT_1] = "FIN_WAIT_1",
	[FW_FIN_WAIT_2] = "FIN_WAIT_2",
	[FW_TIME_WAIT] = "TIME_WAIT",
	[FW_CLOSE] = "CLOSE",
	[FW_CLOSE_WAIT] = "CLOSE_WAIT",
	[FW_LAST_ACK] = "LAST_ACK",
	[FW_LISTEN] = "LISTEN",
	[FW_CLOSING] = "CLOSING",
};

const char *fw_state_name(unsigned int state, char scratch[FW_STATE_NAME_LEN])
{
	if (state < FW_STATE_MAX && state_names[state])
		return state_names[state];
	snprintf(scratch, FW_STATE_NAME_LEN, "STATE(%u)", state % 1000);
	return scratch;
}

#define CANONICAL_LEN 32

/* Letters and digits only, upper case. What is longer than any name stays so. */
static void canonical(const char *name, char out[CANONICAL_LEN])
{
	size_t n = 0;

	for (; *name && n < CANONICAL_LEN - 1; name++) {
		if (isalnum((unsigned char)*name))
			out[n++] = (char)toupper((unsigned char)*name);
	}
	out[n] = '\0';
}

unsigned int fw_state_from_name(const char *name)
{
	char want[CANONICAL_LEN], have[CANONICAL_LEN];

	canonical(name, want);
	for (unsigned int s = 1; s < FW_STATE_MAX; s++) {
		canonical(state_names[s], have);
		if (!strcmp(want, have))
			return s;
	}
	if (!strcmp(want, "SYNRECEIVED") || !strcmp(want, "SYNRCVD"))
		return FW_SYN_RECV;
	if (!strcmp(want, "CLOSED"))
		return FW_CLOSE;
	return 0;
}

const uint8_t fw_states_in_order[FW_STATES_ORDERED + 1] = {
	FW_LISTEN, FW_SYN_SENT, FW_SYN_RECV, FW_ESTABLISHED, FW_FIN_WAIT_1, FW_FIN_WAIT_2, FW_CLOSING,
	FW_TIME_WAIT, FW_CLOSE_WAIT, FW_LAST_ACK,
};
_Static_assert(FW_STATES_ORDERED == FW_STATE_MAX - 2, "all but 0 and CLOSE");

unsigned int fw_state_origin(unsigned int state)
{
	return state == FW_SYN_RECV ? FW_LISTEN : FW_CLOSE;
}

#define TO(state) (1U << (state))

/*
 * RFC 9293 figure 5, and what Linux adds: every state can end at once (reset, abort, timeout), so
 * CLOSE is in every row; FIN_WAIT_1 -> TIME_WAIT is the FIN+ACK in one segment.
 */
static const uint16_t legal[FW_STATE_MAX] = {
	[FW_CLOSE] = TO(FW_LISTEN) | TO(FW_SYN_SENT),
	[FW_LISTEN] = TO(FW_SYN_RECV) | TO(FW_CLOSE),
	[FW_SYN_SENT] = TO(FW_ESTABLISHED) | TO(FW_SYN_RECV) | TO(FW_CLOSE),
	[FW_SYN_RECV] = TO(FW_ESTABLISHED) | TO(FW_FIN_WAIT_1) | TO(FW_CLOSE_WAIT) | TO(FW_CLOSE),
	[FW_ESTABLISHED] = TO(FW_FIN_WAIT_1) | TO(FW_CLOSE_WAIT) | TO(FW_CLOSE),
	[FW_FIN_WAIT_1] = TO(FW_FIN_WAIT_2) | TO(FW_CLOSING) | TO(FW_TIME_WAIT) | TO(FW_CLOSE),
	[FW_FIN_WAIT_2] = TO(FW_TIME_WAIT) | TO(FW_CLOSE),
	[FW_CLOSING] = TO(FW_TIME_WAIT) | TO(FW_CLOSE),
	[FW_TIME_WAIT] = TO(FW_CLOSE),
	[FW_CLOSE_WAIT] = TO(FW_LAST_ACK) | TO(FW_CLOSE),
	[FW_LAST_ACK] = TO(FW_CLOSE),
};

bool fw_state_legal(unsigned int from, unsigned int to)
{
	return from < FW_STATE_MAX && to < FW_STATE_MAX && (legal[from] & TO(to));
}
