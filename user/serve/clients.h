/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections of an HTTP listener, so that none of them can keep others out:
 *
 *	accepted --10 s--> request complete --60 s--> answered --45 s--> next request complete ...
 *
 * What takes longer is disconnected, however busy it looks. If there are too many, of one address or in all, the
 * one that has been in its phase for longest makes room, so a new client that just asks is always answered.
 *
 * HTTP threads and the event loop call this.
 */
#ifndef FW_SERVE_CLIENTS_H
#define FW_SERVE_CLIENTS_H

#include <stdint.h>
#include <sys/socket.h>

#include "util/buf.h"

#define FW_CLIENTS_MAX		 512
/* Of one address that is not loopback. */
#define FW_CLIENTS_OF_ADDRESS	 64
#define FW_CLIENTS_ACCEPTED_S	 10
#define FW_CLIENTS_ANSWERING_S	 60
#define FW_CLIENTS_KEPT_S	 45

struct fw_clients_stats {
	uint64_t slow, limit, address; /* disconnected, and why */
};

struct fw_clients;
struct fw_client;

/* NULL: no memory. */
struct fw_clients *fw_clients_new(void);
void fw_clients_free(struct fw_clients *c);

/* @fd stays valid until fw_clients_remove(). @addr NULL: a unix socket. NULL without memory: it is not watched. */
struct fw_client *fw_clients_add(struct fw_clients *c, int fd, const struct sockaddr *addr);
void fw_clients_asked(struct fw_clients *c, struct fw_client *client);
void fw_clients_answered(struct fw_clients *c, struct fw_client *client);
void fw_clients_remove(struct fw_clients *c, struct fw_client *client);

/* Disconnects those that take too long. */
void fw_clients_expire(struct fw_clients *c);

/* Adds to @out. */
void fw_clients_stats(struct fw_clients *c, struct fw_clients_stats *out);

/* The address of the client that was disconnected last, as text: appended to @out; nothing if there is none. */
void fw_clients_print_last(struct fw_clients *c, struct fw_buf *out);

#endif
