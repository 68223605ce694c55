/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When numbers become a finding, and which finding comes first. All in one place, so that one can
 * see that nothing cries wolf: a host with ordinary traffic has none of these.
 */
#ifndef FW_ANALYSIS_LIMITS_H
#define FW_ANALYSIS_LIMITS_H

#include <stdint.h>

#define FW_NS(s) ((uint64_t)((s) * 1e9))

/* Sockets of one process and service that are old, or become more. One or two may be slow. How severe it is
 * depends on when descriptors run out (leaks_growth.c).
 */
#define FW_LIMIT_LEAK 3

/* FIN_WAIT_2 longer than --stall, because of one peer. */
#define FW_LIMIT_FIN_WAIT_2 5

/* Ports towards one destination, in percent of those there are, when new connections come at the
 * rate seen until TIME_WAIT has filled up.
 */
#define FW_LIMIT_PORTS_PCT 80
#define FW_LIMIT_PORTS_USED_PCT 10 /* and so many are taken already: not just a burst */
#define FW_LIMIT_PORTS_SOON_S 3600 /* exhausted within this: critical */
#define FW_LIMIT_NO_PORT 1	   /* connect() that failed with EADDRNOTAVAIL */

#define FW_LIMIT_OVERFLOW 1	/* TIME_WAIT that could not be entered: the kernel logs it too */
#define FW_LIMIT_BIND 1		/* bind() that failed with EADDRINUSE because of TIME_WAIT */
#define FW_LIMIT_TW_RESET 10	/* TIME_WAIT ended by RST, not explained by a new SYN */

/* Of one remote address: SYNs that met a TIME_WAIT, looked old, and came again. */
#define FW_LIMIT_NAT 5
#define FW_NAT_SYN_AGAIN_NS FW_NS(4) /* the SYN is sent again after 1 s, then 2 s, */
#define FW_NAT_SYN_AGAIN_MIN_NS FW_NS(0.5) /* less the round trip that led to the RST */

/*
 * A connection that carried at most so many exchanges has paid for its handshake with them: a request,
 * TLS or a login before it, and the goodbye. Above that it is not short, however soon it ended.
 */
#define FW_FEW_EXCHANGES 8

/* Connections of one program to one destination that live shorter than this, and so many. */
#define FW_SHORT_LIFE_NS FW_NS(1)
#define FW_LIMIT_SHORT 100
#define FW_LIMIT_SHORT_PER_S 10
#define FW_LIMIT_SHORT_BRIEF_PCT 90 /* of those that ended */

/* Connections to one local service; of them closed by the server first, in percent, and of these with
 * few exchanges. */
#define FW_LIMIT_SERVER_CLOSES 50
#define FW_LIMIT_SERVER_CLOSES_PER_S 2
#define FW_LIMIT_SERVER_CLOSES_PCT 80
/* TIME_WAITs, in percent of tcp_max_tw_buckets, that such a service comes to. */
#define FW_LIMIT_SERVER_CLOSES_TABLE_PCT 50

#define FW_TIME_WAIT_S 60

#define FW_LIMIT_CLOSING 1 /* simultaneous close: rare enough to be told of each */

/* States that wait for one segment of the peer. Its first retransmission is after 1 s (SYN) or
 * after 200 ms and more (FIN): by then at least one was lost or not answered.
 */
#define FW_SLOW_SYN_NS FW_NS(0.9)
#define FW_SLOW_FIN_NS FW_NS(1)
#define FW_LIMIT_SLOW 3
/* FINs of a peer that has gone away, or of one far away, are acknowledged late now and then. */
#define FW_LIMIT_SLOW_MANY 10
#define FW_SLOW_LONG_NS FW_NS(5)

/* Half-open connections that expired, of those that began. */
#define FW_LIMIT_HALF_OPEN 100
#define FW_LIMIT_HALF_OPEN_PCT 20

/* An accept queue that overflowed, and has room again: dropped so often in the span. */
#define FW_LIMIT_QUEUE_DROPS 10
#define FW_QUEUE_IDLE_NS FW_NS(3) /* connections wait so long, and nothing was accepted for so long */

/* Orphans whose peer does not read hold so much memory; or so many of tcp_max_orphans. */
#define FW_LIMIT_ORPHANS_BYTES (8ULL << 20)
#define FW_LIMIT_ORPHANS_PCT 50

/* connect() of one program to one destination that failed, and in percent of all. */
#define FW_LIMIT_CONNECT_FAILED 3
#define FW_LIMIT_CONNECT_FAILED_PCT 5
#define FW_CONNECT_FAILED_LASTING_NS FW_NS(5) /* shorter and over: a restart */

/* Connections that a server closed when they were idle, and that were used after that. */
#define FW_LIMIT_STALE 3
#define FW_STALE_IDLE_NS FW_NS(0.5) /* idle for less is a part of an exchange */
#define FW_STALE_RACE_NS FW_NS(0.2) /* data and FIN crossed: sent so shortly before the FIN came */

/* Events lost, in percent, from which the whole report is in doubt. */
#define FW_LIMIT_LOST_PCT 1

/*
 * Findings of one severity: what makes calls fail comes first, then what will, then what makes
 * people wait, then waste, then curiosities. Within one kind the larger number.
 */
enum fw_rank {
	FW_RANK_EVENTS_LOST,
	FW_RANK_SIMULTANEOUS,
	FW_RANK_SERVER_CLOSES,
	FW_RANK_SHORT,
	FW_RANK_TW_RESET,
	FW_RANK_LAST_ACK,
	FW_RANK_FIN_WAIT_1,
	FW_RANK_SYN,
	FW_RANK_FIN_WAIT_2,
	FW_RANK_NAT,
	FW_RANK_TABLE_FULL,
	FW_RANK_HALF_OPEN,
	FW_RANK_ORPHANS,
	FW_RANK_STALE,
	FW_RANK_CONNECT_FAILED,
	FW_RANK_NOT_LOCAL,
	FW_RANK_LEAK,
	FW_RANK_BIND,
	FW_RANK_ACCEPT_QUEUE,
	FW_RANK_PORTS,
};

static inline uint64_t fw_harm(enum fw_rank rank, uint64_t n)
{
	const uint64_t most = (1ULL << 48) - 1;

	return ((uint64_t)rank << 48) + (n < most ? n : most);
}

#endif
