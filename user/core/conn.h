/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection: one life of a 4-tuple, from SYN (or from the moment it was first seen) to the end
 * of its last kernel object. This is what analyses and renderers get to see.
 */
#ifndef FW_CORE_CONN_H
#define FW_CORE_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/event.h"
#include "core/end.h"
#include "core/state.h"

enum fw_role { FW_ROLE_UNKNOWN, FW_ROLE_ACTIVE, FW_ROLE_PASSIVE, FW_ROLE_MAX };
const char *fw_role_name(enum fw_role role); /* NULL when unknown */

enum fw_closed_by {
	FW_CLOSED_BY_UNKNOWN, /* or by no FIN at all */
	FW_CLOSED_BY_LOCAL,
	FW_CLOSED_BY_REMOTE,
	FW_CLOSED_BY_BOTH, /* FINs crossed */
	FW_CLOSED_BY_MAX,
};
const char *fw_closed_by_name(enum fw_closed_by by); /* NULL when unknown */

enum fw_step_flags {
	FW_STEP_AT_LEAST = 1 << 0, /* entered before it was first seen: the dwell is a lower bound */
	FW_STEP_ORPHANED = 1 << 1, /* FIN_WAIT_2 without a process */
	FW_STEP_AT_MOST = 1 << 2,  /* events were lost: it ended at some time until the next step */
};

/* A connection visits each state at most once (restarts of TIME_WAIT make no step of their own). */
#define FW_STEPS_MAX 8

enum fw_conn_flags {
	FW_CONN_LISTENER = 1U << 0,
	FW_CONN_MINI = 1U << 1,		/* lives in a TIME_WAIT minisock now */
	FW_CONN_REQUEST = 1U << 2,	/* lives in a request socket now */
	FW_CONN_COMPLETED = 1U << 3,	/* request socket: its handshake completed */
	FW_CONN_ORPHANED = 1U << 4,	/* no process holds it */
	FW_CONN_THREE_SEGMENT = 1U << 5, /* the FIN came with the ACK of ours */
	FW_CONN_GAP = 1U << 6,		/* events were lost during its life */
	FW_CONN_SINCE_BEFORE = 1U << 7, /* finwait did not see it begin */
	FW_CONN_CLOSED_LATE = 1U << 8,	/* close() came when it was in FIN_WAIT_2 already */
	FW_CONN_UNDECIDED = 1U << 9,	/* ended; a late record may still explain how */
	FW_CONN_UNANNOUNCED = 1U << 10, /* its last transition has not been reported to the observer */
	FW_CONN_SOCKET_SEEN = 1U << 11, /* its full socket was seen: bytes, uid and the like are known */
	FW_CONN_TRANSIT = 1U << 12,	/* its last step, FIN_WAIT_2, was not really visited */
	FW_CONN_OWNER_LISTENS = 1U << 13, /* pid and comm are its listener's: no accept() was seen */
	FW_CONN_SEEN = 1U << 14,	/* by the latest snapshot */
	FW_CONN_UNACCEPTED = 1U << 15,	/* in the accept queue at the latest snapshot */
	FW_CONN_LIMBO = 1U << 16,	/* its full socket is gone, and neither a minisock nor another end
					 * has been seen
					 */
	FW_CONN_HALF_KNOWN = 1U << 17,	/* the birth of its minisock is the first that was seen of it */
	FW_CONN_SHORT = 1U << 18,	/* undecided orphan: an RST proves that resources were short */
	FW_CONN_SYN_UNSENT = 1U << 19,	/* it ended in SYN_SENT, before its SYN was sent */
	FW_CONN_ACKED = 1U << 20,	/* request socket: the client has answered the SYN-ACK */
	FW_CONN_HANDSHAKE_RESET = 1U << 21, /* half-open, and an RST ended it: as health checks do */
	FW_CONN_MPTCP = 1U << 25,	/* an MPTCP socket, not a TCP connection (core/mptcp.h) */
};

/* Facts that few connections have, allocated apart so that the others do not pay for them. */
struct fw_conn_extra {
	uint32_t ifindex;     /* the device it is bound to, or its scope; 0: none */
	uint32_t mptcp_token; /* of the MPTCP connection that it is a subflow of; 0: none */
	uint64_t listener;    /* request socket, child: address of its listener; 0: unknown */
	/* listener, as of the latest snapshot: connections to accept, the most that there may be, and what
	 * its socket has dropped since it listens
	 */
	uint32_t queue, queue_max, drops;
	uint32_t listener_holders; /* with FW_CONN_OWNER_LISTENS: processes that hold the listener; 0: unknown */
};

struct fw_conn {
	/* the table's own, places in its pool; do not touch */
	uint32_t self, hash_next, idle_prev, idle_next;
	uint64_t cookie;
	uint64_t skaddr; /* of the object it lives in now */
	uint64_t id;	 /* 1, 2, 3, ... in order of appearance */
	struct fw_conn_extra *extra; /* NULL: none; owned by the table */

	uint64_t enter_ns[FW_STEPS_MAX]; /* when each step began, CLOCK_MONOTONIC */
	uint64_t end_ns;		 /* when it ended, or, if open, until when it was seen */
	uint8_t steps[FW_STEPS_MAX];	 /* enum fw_state */
	uint8_t step_flags[FW_STEPS_MAX];

	uint64_t bytes_sent, bytes_received; /* payload; without retransmissions */
	uint64_t cgroup_id;
	uint8_t laddr[16], raddr[16]; /* network order */
	char comm[FW_COMM_LEN];
	uint16_t lport, rport;
	uint32_t netns;
	uint32_t pid; /* 0: unknown */
	uint32_t uid;
	uint32_t retransmits;
	uint32_t segs_in; /* at the last transition */
	uint32_t armed_jiffies; /* minisock: what its timer was last set to, low 32 bits */
	uint32_t flags;	  /* enum fw_conn_flags */
	uint16_t restarts; /* of TIME_WAIT */
	uint8_t err;	   /* errno the kernel left on the socket */
	uint8_t family;
	uint8_t nr_steps : 4;
	uint8_t role : 2;      /* enum fw_role */
	uint8_t closed_by : 2; /* enum fw_closed_by */
	uint8_t end;	       /* enum fw_end */
	uint8_t key;	       /* the table's own: enum fw_key */
	uint8_t counted; /* enum fw_state: where struct fw_tracker.in_state has it; 0: nowhere */
};
_Static_assert(sizeof(struct fw_conn) + 2 * sizeof(uint32_t) <= 256, "with its share of the buckets");

static inline uint32_t fw_conn_ifindex(const struct fw_conn *c)
{
	return c->extra ? c->extra->ifindex : 0;
}

static inline uint32_t fw_conn_mptcp_token(const struct fw_conn *c)
{
	return c->extra ? c->extra->mptcp_token : 0;
}

static inline uint64_t fw_conn_listener(const struct fw_conn *c)
{
	return c->extra ? c->extra->listener : 0;
}

static inline uint32_t fw_conn_listener_holders(const struct fw_conn *c)
{
	return c->extra && c->flags & FW_CONN_OWNER_LISTENS ? c->extra->listener_holders : 0;
}

static inline bool fw_conn_has(const struct fw_conn *c, uint32_t flag)
{
	return c->flags & flag;
}

static inline void fw_conn_set(struct fw_conn *c, uint32_t flags)
{
	c->flags |= flags;
}

static inline void fw_conn_clear(struct fw_conn *c, uint32_t flags)
{
	c->flags &= ~flags;
}

/* The state it is in (or was in when it ended). */
static inline unsigned int fw_conn_state(const struct fw_conn *c)
{
	return c->nr_steps ? c->steps[c->nr_steps - 1] : 0;
}

/* Time spent in step @i. A lower bound if the step has FW_STEP_AT_LEAST, an upper one if it has
 * FW_STEP_AT_MOST, and unknown if it has both.
 */
static inline uint64_t fw_conn_dwell_ns(const struct fw_conn *c, unsigned int i)
{
	uint64_t until = i + 1U < c->nr_steps ? c->enter_ns[i + 1] : c->end_ns;

	return until > c->enter_ns[i] ? until - c->enter_ns[i] : 0;
}

/* 127.0.0.0/8 and ::1. */
bool fw_addr_is_loopback(unsigned int family, const uint8_t addr[16]);

static inline bool fw_addr_is_zero(const uint8_t addr[16])
{
	for (int i = 0; i < 16; i++) {
		if (addr[i])
			return false;
	}
	return true;
}

#endif
