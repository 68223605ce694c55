/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracked sockets that listen, and which process is known to hold each.
 *
 * The process that called listen() may have closed the socket or ended since: a service that
 * daemonises, a supervisor that hands it over. So it counts as a holder only after a snapshot, a look
 * at the holders of listeners, or an accept() has confirmed it.
 */
#ifndef FW_CORE_LISTENERS_H
#define FW_CORE_LISTENERS_H

#include "core/conn_table.h"

#define FW_LISTENER_BUCKETS 256

struct fw_listener {
	struct fw_listener *next, *next_at; /* in the buckets by port, and by address */
	struct fw_conn *conn; /* with the holder's pid and comm */
	uint64_t held_ns;     /* when a process was last known to hold it; 0: none is known to */
	uint64_t looked_ns;   /* when the iterator last reported a holder */
	uint32_t nr_holders;  /* processes, as the last look found them; 0: not known */
	uint32_t last_pid;    /* of the holder that was reported last */
};

struct fw_listeners {
	struct fw_listener *buckets[FW_LISTENER_BUCKETS];
	struct fw_listener *at[FW_LISTENER_BUCKETS];
};

/* Without memory the listener is not remembered. @c: netns, lport and skaddr do not change while it is
 * in the set; fw_listeners_move() changes the port.
 */
void fw_listeners_add(struct fw_listeners *l, struct fw_conn *c);
void fw_listeners_remove(struct fw_listeners *l, const struct fw_conn *c);
/* @c has another port since it was added, with @lport. */
void fw_listeners_move(struct fw_listeners *l, const struct fw_conn *c, uint16_t lport);
void fw_listeners_fini(struct fw_listeners *l);

/* Calls @fn for each. */
void fw_listeners_each(const struct fw_listeners *l, void (*fn)(void *arg, const struct fw_conn *c),
		       void *arg);

/* Whether a socket listens on this address and port. That does not tell which connections are its. */
bool fw_listeners_serve(const struct fw_listeners *l, uint32_t netns, const uint8_t laddr[16],
			uint16_t lport);

/* A listener there, if a process is known to hold one and no other process another; else NULL. */
const struct fw_conn *fw_listeners_holder(const struct fw_listeners *l, uint32_t netns,
					  const uint8_t laddr[16], uint16_t lport);

/* The listener whose socket is at @skaddr; NULL: it is not tracked. */
struct fw_listener *fw_listeners_at(const struct fw_listeners *l, uint64_t skaddr);

/* All listeners, in no order. @previous: NULL for the first. NULL: no more. */
struct fw_listener *fw_listeners_next(const struct fw_listeners *l, const struct fw_listener *previous);

#endif
