/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP states: numbers as the kernel has them (include/net/tcp_states.h), names as RFC 9293 writes
 * them (SYN_RECV as Linux does), and the table of transitions that a connection can make.
 */
#ifndef FW_CORE_STATE_H
#define FW_CORE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum fw_state {
	FW_ESTABLISHED = 1,
	FW_SYN_SENT,
	FW_SYN_RECV,
	FW_FIN_WAIT_1,
	FW_FIN_WAIT_2,
	FW_TIME_WAIT,
	FW_CLOSE,
	FW_CLOSE_WAIT,
	FW_LAST_ACK,
	FW_LISTEN,
	FW_CLOSING,
	FW_STATE_MAX,
};

#define FW_STATE_NAME_LEN 12

/* "ESTABLISHED"; numbers this table does not know (kernels do grow new states) print as "STATE(14)",
 * in a buffer that @scratch (at least FW_STATE_NAME_LEN bytes, never NULL) provides.
 */
const char *fw_state_name(unsigned int state, char scratch[FW_STATE_NAME_LEN]);

/* The state of that name, in any case and with or without underscores ("fin-wait-1", "TIMEWAIT",
 * "established"); 0 if there is none.
 */
unsigned int fw_state_from_name(const char *name);

/* Where a connection comes from whose first state is @state: FW_LISTEN or FW_CLOSE. */
unsigned int fw_state_origin(unsigned int state);

/* All but CLOSE, in the order of a life: LISTEN, then the states of connections. 0 after the last. */
#define FW_STATES_ORDERED 10
extern const uint8_t fw_states_in_order[FW_STATES_ORDERED + 1];

/* Whether Linux's TCP can go from @from to @to. CLOSE stands for "no connection". */
bool fw_state_legal(unsigned int from, unsigned int to);

#endif
