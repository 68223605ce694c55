/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tracker reports. One list of events generates the observer, its fan-outs and its
 * forwarders, so that no event can be forgotten in one of them.
 *
 * A new event is a line here, a call in the tracker (FW_OBSERVE), and a receiver.
 */
#ifndef FW_CORE_OBSERVER_H
#define FW_CORE_OBSERVER_H

#include "core/conn.h"

enum fw_transition_flags {
	FW_TR_DWELL_UNKNOWN = 1 << 0, /* nothing is known of the state left */
	FW_TR_DWELL_AT_LEAST = 1 << 1, /* the dwell is a lower bound */
	FW_TR_SAME_SEGMENT = 1 << 2,   /* caused by the segment that caused the one before */
	FW_TR_MINISOCK = 1 << 3,       /* moved into a minisock, or happened there */
	FW_TR_RESTART = 1 << 4,	       /* TIME_WAIT -> TIME_WAIT: its timer was restarted */
	FW_TR_ORPHANED = 1 << 5,       /* self-transition: the application closed */
	FW_TR_END = 1 << 6,	       /* the connection's last; its .end says how */
	FW_TR_ILLEGAL = 1 << 7,	       /* not in the state machine */
	FW_TR_DWELL_AT_MOST = 1 << 8,  /* with FW_TR_DWELL_UNKNOWN: the dwell is an upper bound */
};

struct fw_transition {
	uint64_t ts_ns;
	uint64_t dwell_ns; /* in @from */
	uint8_t from, to;
	uint16_t flags;
};

/* A bind() that failed, and what held the address then, as far as known. */
struct fw_bind_failure {
	uint64_t ts_ns;
	const struct fw_rec_state *rec; /* who wanted which address; .err is the errno */
	uint32_t time_waits;	/* in TIME_WAIT on this address and port */
	uint64_t time_wait_ns;	/* until the last of them ends, by the nominal 60 s */
	uint32_t live;		/* in any other state */
	const struct fw_conn *listener; /* one of these that listens; NULL: none */
	bool searched; /* false: failures come too fast to search for the holders each time */
};

/*
 * The list: E(event, subject, (parameters), (arguments)).
 *
 * The subject is what a filter decides on: "conn" is the connection in the first argument, "bind" the
 * struct fw_bind_failure, "record" the struct fw_rec_state; events of "any" are not filtered. Arguments
 * are valid during the call only. Listeners are reported to .transition and .socket, but not to
 * .connection.
 */
#define FW_CONNECTION_EVENTS(E)                                                                      \
	/* a state was left and another entered */                                                   \
	E(transition, conn, (const struct fw_conn *c, const struct fw_transition *tr), (c, tr))      \
	/* its full socket made a transition: what only the record has. After .transition; at -> CLOSE \
	 * before it, since how it ended is decided later. @hz: of its jiffies, 0: unknown           \
	 */                                                                                          \
	E(full, conn, (const struct fw_conn *c, const struct fw_rec_state *rec, unsigned int hz),    \
	  (c, rec, hz))                                                                              \
	/* it has moved into a minisock; not reported for minisocks older than the trace */          \
	E(minisock, conn, (const struct fw_conn *c, uint64_t ts_ns), (c, ts_ns))                     \
	/* it has ended; or finwait ends, and it is still open (.end == FW_END_OPEN) */              \
	E(connection, conn, (const struct fw_conn *c), (c))                                          \
	/* accept() returned it; .state has the process */                                           \
	E(accepted, conn, (const struct fw_conn *c, const struct fw_rec_state *rec), (c, rec))       \
	/* an RST was sent for it */                                                                 \
	E(reset_sent, conn, (const struct fw_conn *c, uint64_t ts_ns), (c, ts_ns))                   \
	/* a SYN or FIN of it was retransmitted */                                                   \
	E(retransmit, conn, (const struct fw_conn *c, const struct fw_rec_state *rec), (c, rec))     \
	E(bind_failed, bind, (const struct fw_bind_failure *failure), (failure))                     \
	/* connect() failed before any transition */                                                 \
	E(connect_failed, record, (const struct fw_rec_state *rec), (rec))                           \
	/* records were lost, the last at @ts_ns */                                                  \
	E(lost, any, (uint64_t count, uint64_t ts_ns), (count, ts_ns))

#define FW_SNAPSHOT_EVENTS(E)                                                                        \
	E(snapshot_begin, any, (uint64_t ts_ns), (ts_ns))                                            \
	/* a socket that exists; @c: as tracked, NULL if it could not be */                          \
	E(socket, any, (const struct fw_conn *c, const struct fw_rec_sock *sock), (c, sock))         \
	/* a process that holds it */                                                                \
	E(holder, any, (const struct fw_conn *c, const struct fw_rec_holder *holder), (c, holder))   \
	/* that process, after all that it holds */                                                  \
	E(process, any, (const struct fw_rec_process *process), (process))                           \
	E(snapshot_end, any, (uint64_t ts_ns), (ts_ns))

#define FW_OBSERVER_EVENTS(E) FW_CONNECTION_EVENTS(E) FW_SNAPSHOT_EVENTS(E)

/* The contents of a parenthesised list. */
#define FW_LIST(...) __VA_ARGS__

#define FW_OBSERVER_SLOT(event, subject, parameters, arguments) \
	void (*event)(void *arg, FW_LIST parameters);

/* A slot that is NULL receives nothing. */
struct fw_observer {
	FW_OBSERVER_EVENTS(FW_OBSERVER_SLOT)
	void *arg;
};
#undef FW_OBSERVER_SLOT

/* Reports @event to @observer (a struct fw_observer lvalue). */
#define FW_OBSERVE(observer, event, ...)                                     \
	do {                                                                 \
		if ((observer).event)                                        \
			(observer).event((observer).arg, __VA_ARGS__);       \
	} while (0)

#endif
