/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MPTCP sockets. The descriptor of an MPTCP connection is an MPTCP socket; its subflows are TCP
 * connections that no process holds. The MPTCP socket has a state of its own: after the peer's DATA_FIN
 * it is in CLOSE_WAIT while its subflows still are ESTABLISHED.
 *
 * The token names the MPTCP connection. It is unique in the host while the connection exists, and 0
 * for a socket that listens or has not been connected.
 */
#ifndef FW_CORE_MPTCP_H
#define FW_CORE_MPTCP_H

#include <stddef.h>

#include "core/conn.h"

#define FW_MPTCP_BUCKETS 1024
#define FW_MPTCP_MAX 65536

struct fw_mptcp {
	struct fw_mptcp *next_at, *next_of; /* in the buckets by address, and by token */
	uint64_t first; /* address of its first subflow; 0: unknown */
	uint32_t nr_subflows; /* tracked connections with its token */
	bool closed;
	struct fw_conn_extra extra; /* .conn's */
	struct fw_conn conn; /* owner, state, endpoints; not in the connection table */
};

struct fw_mptcps {
	struct fw_mptcp *at[FW_MPTCP_BUCKETS], *of[FW_MPTCP_BUCKETS];
	size_t nr;
};

/* Finds the one with @token, or, if that is 0 or unknown, at @skaddr. NULL: neither is known. */
struct fw_mptcp *fw_mptcps_find(const struct fw_mptcps *m, uint64_t skaddr, uint32_t token);
/* A new one. NULL: no memory, or FW_MPTCP_MAX are held. */
struct fw_mptcp *fw_mptcps_add(struct fw_mptcps *m, uint64_t skaddr, uint32_t token);
/* The one at @skaddr; NULL: none is known. */
struct fw_mptcp *fw_mptcps_at(const struct fw_mptcps *m, uint64_t skaddr);
/* Its address or token has become known. 0 leaves what is known. */
void fw_mptcps_rename(struct fw_mptcps *m, struct fw_mptcp *one, uint64_t skaddr, uint32_t token);
/* Another socket has taken its address. */
void fw_mptcps_forget_address(struct fw_mptcps *m, struct fw_mptcp *one);
void fw_mptcps_remove(struct fw_mptcps *m, struct fw_mptcp *one);
void fw_mptcps_fini(struct fw_mptcps *m);

/* All, in no order. @previous: NULL for the first. NULL: no more. */
struct fw_mptcp *fw_mptcps_next(const struct fw_mptcps *m, const struct fw_mptcp *previous);

#endif
