/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the tracker share: tracker.c (the whole), fullsock.c, minisock.c, request.c
 * (one kernel object each) and verdict.c (how it ended).
 */
#ifndef FW_CORE_TRACKER_INTERNAL_H
#define FW_CORE_TRACKER_INTERNAL_H

#include "core/tracker.h"

/* How long an end may wait for the record that explains it. Both come from one CPU within
 * microseconds; the margin is for a virtual CPU that loses its host in between (seen: one in 33,000
 * SYN-ACK timers set again more than 20 ms after it fired, on a host that was busy five times over).
 */
#define FW_UNDECIDED_NS 100000000ULL

/* Longer than anything that one segment causes, shorter than any timer. */
#define FW_AT_ONCE_NS 10000000ULL

/* The kernel counts the peer's FIN as one byte received. */
static inline uint64_t payload_received(const struct fw_rec_head *head, uint64_t bytes)
{
	return bytes - (head->flags & FW_REC_FIN_RECEIVED && bytes ? 1 : 0);
}

/* A moment in the past that the kernel remembers, or, where it does not, the record's. */
static inline uint64_t since_or_now(const struct fw_rec_head *head, uint64_t since_ns)
{
	return since_ns && since_ns < head->ts_ns ? since_ns : head->ts_ns;
}

/* tracker.c */
struct fw_conn *conn_new(struct fw_tracker *t, const struct fw_event *ev);
void conn_drop(struct fw_tracker *t, struct fw_conn *c);
void conn_set_endpoints(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_head *head);
void conn_push(struct fw_conn *c, unsigned int state, uint64_t ts_ns, unsigned int step_flags);
/* Events of it were lost: counted, once for each that is missed. */
void conn_gap(struct fw_tracker *t, struct fw_conn *c);
/* Events were lost: it has been in @state since @ts_ns at least, and nobody knows how it got there. */
void conn_push_after_gap(struct fw_tracker *t, struct fw_conn *c, unsigned int state,
			 uint64_t ts_ns);
/* The first step of a connection of which nothing was known, and which is in @state at @ts_ns. */
void conn_push_unknown(struct fw_tracker *t, struct fw_conn *c, unsigned int state, uint64_t ts_ns);
/* The memory of the CPU that made a record. */
static inline struct fw_cpu_memory *tracker_cpu(struct fw_tracker *t, const struct fw_rec_head *head)
{
	return &t->cpu[head->cpu % FW_CPU_MEMORIES];
}
/* It is open, in the state of its last step: so it counts there. */
void conn_count(struct fw_tracker *t, struct fw_conn *c);
/* The observer's view of the last step of @c: from the one before it. */
void conn_announce(struct fw_tracker *t, struct fw_conn *c, uint16_t flags);
void conn_announce_self(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, uint16_t flags);
void conn_end(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, enum fw_end end);
/* Events were lost: it has ended at some time until @ts_ns. */
void conn_end_unseen(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns);
/* As conn_end(), but give a record of the next milliseconds the chance to change it. */
void conn_end_undecided(struct fw_tracker *t, struct fw_conn *c, uint64_t ts_ns, enum fw_end end);
void conn_decide(struct fw_tracker *t, struct fw_conn *c);
void conn_unsettled(struct fw_tracker *t, struct fw_conn *c);

/* owner.c */
void conn_set_owner(struct fw_tracker *t, struct fw_conn *c, uint32_t pid, const char comm[FW_COMM_LEN]);
/* It waits for the listener at this address to accept it. 0: unknown. */
void conn_set_listener(struct fw_tracker *t, struct fw_conn *c, uint64_t listener);
/* Of what was not accepted: a process that holds its listener, if both are known. */
void conn_inherit_owner(struct fw_tracker *t, struct fw_conn *c);
void conn_inherit_by_port(struct fw_tracker *t, struct fw_conn *c);
/* All holders of listeners are reported between these two. */
void owner_look_begin(struct fw_tracker *t, uint64_t ts_ns);
void owner_look_end(struct fw_tracker *t);
void owner_process_ended(struct fw_tracker *t, const struct fw_event *ev);
/* @holder has a descriptor of the listener, or of the MPTCP socket around it. */
void listener_held(struct fw_tracker *t, struct fw_listener *listener,
		   const struct fw_rec_holder *holder);
void owner_accepted(struct fw_tracker *t, const struct fw_event *ev);
void owner_holds(struct fw_tracker *t, const struct fw_event *ev);
void owner_bind_failed(struct fw_tracker *t, const struct fw_event *ev);

/* subflows.c: subflows of MPTCP connections */
/* @token of the connection that @c is a subflow of; 0: none is known. */
void subflow_join(struct fw_tracker *t, struct fw_conn *c, const struct fw_rec_head *head, uint32_t token);
/* It waits in an accept queue, and its MPTCP socket with it. */
void subflow_waits(struct fw_tracker *t, struct fw_conn *c);
void subflow_leave(struct fw_tracker *t, struct fw_conn *c);
void subflow_inherit_owner(struct fw_tracker *t, struct fw_conn *c);
/* A process has connected or accepted the subflow of @ev->state. */
void subflow_owner_acted(struct fw_tracker *t, const struct fw_event *ev);
/* FW_REC_STATE with FW_REC_MPTCP, and FW_OBJECT_MPTCP of a snapshot. */
void mptcp_transition(struct fw_tracker *t, const struct fw_event *ev);
void mptcp_socket(struct fw_tracker *t, const struct fw_event *ev);
/* The MPTCP socket of a descriptor; NULL: it is not one. */
struct fw_conn *mptcp_held(struct fw_tracker *t, const struct fw_rec_holder *holder);
void mptcp_snapshot_begin(struct fw_tracker *t);
void mptcp_snapshot_end(struct fw_tracker *t);

/* snapshot.c */
void snapshot_begin(struct fw_tracker *t, const struct fw_event *ev);
void snapshot_socket(struct fw_tracker *t, const struct fw_event *ev);
void snapshot_netns_done(struct fw_tracker *t, const struct fw_event *ev);
void snapshot_end(struct fw_tracker *t, const struct fw_event *ev);

/* By when the socket of a snapshot was in its state. */
uint64_t snapshot_since_ns(const struct fw_event *ev);

/* fullsock.c */
void fullsock_transition(struct fw_tracker *t, const struct fw_event *ev);
void fullsock_reset_sent(struct fw_tracker *t, const struct fw_event *ev);
void fullsock_retransmit(struct fw_tracker *t, const struct fw_event *ev);

/* minisock.c */
void minisock_scheduled(struct fw_tracker *t, const struct fw_event *ev);
void minisock_ended(struct fw_tracker *t, const struct fw_event *ev);
/* Ends, as unknown, the minisocks that are overdue at @now_ns. */
void minisock_end_overdue(struct fw_tracker *t, uint64_t now_ns);
void minisock_seen(struct fw_tracker *t, const struct fw_event *ev);
/* A snapshot shows a minisock (@ev->sock): never heard of, or known as @c. */
struct fw_conn *minisock_found(struct fw_tracker *t, const struct fw_event *ev);
void minisock_met(struct fw_tracker *t, struct fw_conn *c, const struct fw_event *ev);
/* Since when such a minisock is in its state; @flags: FW_STEP_AT_LEAST if that is a lower bound, else 0. */
uint64_t minisock_entry_ns(const struct fw_tracker *t, const struct fw_event *ev, unsigned int *flags);
/* A full socket of no known connection went to CLOSE: the minisock that it left, if it did. */
struct fw_conn *minisock_of_unknown(struct fw_tracker *t, const struct fw_event *ev);
/* The full socket of @c, which is FW_CONN_HALF_KNOWN, was in @state until its minisock was born. */
void minisock_complete(struct fw_tracker *t, struct fw_conn *c, unsigned int state);

/* request.c */
void request_scheduled(struct fw_tracker *t, const struct fw_event *ev);
void request_ended(struct fw_tracker *t, const struct fw_event *ev);
/* LISTEN -> SYN_RECV: a child is born. */
void request_child_born(struct fw_tracker *t, const struct fw_event *ev);
/* SYN_RECV -> *: the connection of a child whose cookie is final now; NULL if never seen. */
struct fw_conn *request_child_known(struct fw_tracker *t, const struct fw_event *ev);

/* verdict.c: how a full socket that goes to CLOSE without a minisock ended. */
struct fw_verdict {
	enum fw_end end; /* FW_END_OPEN: a minisock should have taken over, but was not seen */
	bool wait;	 /* an RST sent within FW_UNDECIDED_NS changes it: verdict_with_reset() */
	bool is_short;	 /* and then proves FW_END_ORPHAN_LIMIT */
};
/* @subflow: of an MPTCP connection. */
struct fw_verdict verdict_of_close(const struct fw_rec_state *rec, bool subflow);
/* An RST was sent for @c, which has left its full socket. */
enum fw_end verdict_with_reset(const struct fw_conn *c, bool answers_data);
/* @answers_data: an RST was just sent that answers a segment with data. */
enum fw_end verdict_of_minisock(unsigned int substate, enum fw_cause cause, bool answers_data);

#endif
