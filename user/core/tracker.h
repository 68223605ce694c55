/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracker turns events into connections. It joins the three kernel objects that a connection
 * lives in (request socket, full socket, minisock), knows how long each state lasted and how the
 * connection ended, and tells an observer.
 *
 * Pure: no clock, no kernel. Time is an argument, CLOCK_MONOTONIC nanoseconds.
 */
#ifndef FW_CORE_TRACKER_H
#define FW_CORE_TRACKER_H

#include "core/conn_table.h"
#include "core/decode.h"
#include "core/listeners.h"
#include "core/mptcp.h"
#include "core/observer.h"

struct fw_tracker_counters {
	uint64_t events;
	uint64_t connections; /* reported as ended */
	uint64_t illegal;     /* transitions outside the state machine */
	uint64_t gaps;	      /* transitions from another state than the one known */
	uint64_t evicted;     /* forgotten to stay within the limit */
	uint64_t lost;	      /* records the kernel had no room for */
	uint64_t no_memory;   /* connections not tracked for lack of memory */
	uint64_t unmatched;   /* minisock events of connections never seen */
	uint64_t bind_failures;
};

/* What they grew by since @then. */
struct fw_tracker_counters fw_tracker_counters_since(const struct fw_tracker_counters *now,
						     const struct fw_tracker_counters *then);

struct fw_undecided {
	struct fw_conn *conn;
	uint64_t id;
	uint64_t deadline_ns;
};

/* Adjacent records of one CPU belong together. CPUs share these when there are more. */
#define FW_CPU_MEMORIES 256

struct fw_cpu_memory {
	uint64_t rearmed_skaddr; /* the minisock whose timer was cancelled to be re-armed; 0: none */
	uint64_t reset_cookie;	 /* the socket that an RST was sent for */
	uint64_t reset_ns;
	bool reset_answers_data;
};

/* Between the fetch of a bucket and that of the connection in it. */
#define FW_AHEAD 4

struct fw_tracker {
	struct fw_conn_table table;
	/* hashes of the records to come, see fw_tracker_ahead() */
	uint64_t ahead[FW_AHEAD];
	unsigned int next_ahead;
	struct fw_observer observer;
	struct fw_tracker_counters counters;
	/* how many are open in each state, listeners too; [0] is not used */
	uint64_t in_state[FW_STATE_MAX];
	uint64_t start_ns;     /* of the trace */
	uint64_t last_loss_ns; /* until when records were lost */
	unsigned int hz;       /* of the kernel's jiffies; 0: unknown */
	bool rearms_unseen;    /* timer front end: FIN_WAIT_2 -> TIME_WAIT may fire no hook */
	/* ended connections whose end a record of the next milliseconds may still explain; ring */
	struct fw_undecided *undecided;
	size_t undecided_cap, undecided_first, nr_undecided;
	/* orphans in FIN_WAIT_2 whose FIN may re-arm the timer unseen: to be looked at */
	struct fw_undecided *unsettled;
	size_t unsettled_cap, nr_unsettled;
	uint64_t next_expiry_ns; /* when minisocks are looked for that must have ended */
	/* the last minisock that was born without a cookie, for the socket that left it */
	struct fw_undecided anonymous_tw;
	uint16_t anonymous_tw_cpu;
	struct fw_listeners listeners;
	struct fw_mptcps mptcps;
	/* since when the holders of listeners are being reported, or were last */
	uint64_t look_ns;
	bool holders_wanted; /* a connection waits whose listener's holder is not known */
	uint64_t bind_searched_ns;
	/* what the latest records of a CPU said, for the next ones of that CPU */
	struct fw_cpu_memory cpu[FW_CPU_MEMORIES];
	bool snapshot_done; /* a snapshot has completed: what it did not show is not older */
	/* the snapshot that is coming in, or came last: since when, and which namespaces are done */
	uint64_t snapshot_ns;
	uint32_t *snapshot_netns;
	size_t nr_snapshot_netns, snapshot_netns_cap;
};

/* @max_connections: held at a time; the longest idle is forgotten first, and counted.
 * @hz: of the kernel's jiffies. 0 or -ENOMEM.
 */
int fw_tracker_init(struct fw_tracker *t, size_t max_connections, unsigned int hz,
		    uint64_t start_ns, const struct fw_observer *observer);
void fw_tracker_fini(struct fw_tracker *t);

/* Events come in the order in which the kernel made them. */
void fw_tracker_apply(struct fw_tracker *t, const struct fw_event *ev);

/*
 * The number of the network namespace @netns belongs to another one, since some time after @ts_ns: nothing
 * more comes of the former one. What is open there has ended without being seen.
 */
void fw_tracker_netns_reborn(struct fw_tracker *t, uint32_t netns, uint64_t ts_ns);

/* The filter rules out the connection that @ev (FW_REC_STATE) is about, after a record of it has passed
 * (bpf/filter_rule.h). It is dropped, and not reported.
 */
void fw_tracker_forget(struct fw_tracker *t, const struct fw_event *ev);

/* A record that will be applied some records from now. Only for speed; @len is not looked at. */
void fw_tracker_ahead(struct fw_tracker *t, const struct fw_rec_head *head);

/* @count records were lost, the last at @ts_ns. */
void fw_tracker_lost(struct fw_tracker *t, uint64_t count, uint64_t ts_ns);

/* Time has come to @now_ns: decide what waited for it. */
void fw_tracker_advance(struct fw_tracker *t, uint64_t now_ns);

/* The trace is over: report what is open, as of @now_ns. */
void fw_tracker_finish(struct fw_tracker *t, uint64_t now_ns);

/* Whether the last snapshot has been through that network namespace. */
bool fw_tracker_visited(const struct fw_tracker *t, uint32_t netns);

/* Calls @look for each minisock that should be looked at now (see struct fw_tracker.unsettled). */
void fw_tracker_unsettled(struct fw_tracker *t,
			  void (*look)(void *arg, uint64_t skaddr, uint64_t cookie), void *arg);

/* Whether the holders of listeners should be looked at: for a connection that waits to be accepted none is
 * known, or was known too long ago. @at_end: or could have changed since.
 */
bool fw_tracker_wants_holders(const struct fw_tracker *t, bool at_end);

/*
 * Whether there is a minisock whose timer must have run out before @now_ns, although no end was seen: the
 * kernel skips programs now and then, and not all kernels say so. A snapshot tells those that are still there
 * from those that are gone. Walks the whole table.
 */
bool fw_tracker_overdue(const struct fw_tracker *t, uint64_t now_ns);

/* Called as time goes on: minisocks that have been overdue for a minute, and that no snapshot has met, end as
 * unknown. Walks the table twice a minute.
 */
void fw_tracker_expire(struct fw_tracker *t, uint64_t now_ns);

#endif
