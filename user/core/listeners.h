/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the tracked sockets listen where: a connection that nobody has accepted yet is its
 * listener's.
 */
#ifndef FW_CORE_LISTENERS_H
#define FW_CORE_LISTENERS_H

#include "core/conn_table.h"

#define FW_LISTENER_BUCKETS 256

struct fw_listener {
	struct fw_listener *next;
	struct fw_conn *conn;
};

struct fw_listeners {
	struct fw_listener *buckets[FW_LISTENER_BUCKETS];
};

/* Without memory it is not remembered. @c: netns, lport and laddr do not change while it is in. */
void fw_listeners_add(struct fw_listeners *l, struct fw_conn *c);
void fw_listeners_remove(struct fw_listeners *l, const struct fw_conn *c);
void fw_listeners_fini(struct fw_listeners *l);

/* Calls @fn for each. */
void fw_listeners_each(const struct fw_listeners *l, void (*fn)(void *arg, const struct fw_conn *c),
		       void *arg);

/* Whether anybody listens there: a connection to it was accepted, not made. */
bool fw_listeners_serve(const struct fw_listeners *l, uint32_t netns, const uint8_t laddr[16],
			uint16_t lport);

/* The listener that serves @laddr and @lport; one bound to the address before one bound to all. NULL:
 * none, or several of different processes (SO_REUSEPORT).
 */
const struct fw_conn *fw_listeners_find(const struct fw_listeners *l, uint32_t netns,
					const uint8_t laddr[16], uint16_t lport);

#endif
