/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where records come from. The running kernel is one implementation (live.c, and look.c without hooks);
 * a recording is another. Who reads from one does not know which it has.
 *
 * All that is known of the host comes this way too. Of the running kernel it is asked for (names,
 * settings, costs); a recording gives it back as marks, where it stood in the stream.
 */
#ifndef FW_IO_SOURCE_H
#define FW_IO_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/netns_values_read.h"
#include "record/mark.h"
#include "util/err.h"

/* What went through so far; .lost and .suppressed are honest, or the source would not know. */
struct fw_source_stats {
	uint64_t lost;
	uint64_t last_lost_ns;
	uint64_t missed;     /* events that the kernel did not call our programs for */
	uint64_t suppressed; /* request sockets born above the limit: not reported */
	/* what the last snapshot lacks: namespaces that could not be entered, the first of them, and
	 * processes of which it could not be seen in which they are
	 */
	uint32_t netns_refused, refused_netns, netns_hidden;
};

/* What watching has cost since the source was opened. */
struct fw_source_cost {
	uint64_t span_ns; /* since then */
	uint64_t user_ns, system_ns, memory_bytes; /* finwait's own; of the memory the most */
	/* time that others spend in our BPF programs, as far as it was measured */
	uint64_t runs, run_ns;
	uint64_t measured_ns; /* for how long in all */
};

struct fw_source_info {
	const char *hooks;	/* the front end in use: "trampoline", "kprobe", "timer" */
	bool rearms_unseen;	/* see struct fw_tracker */
	bool accepts_unseen;	/* who accepts a connection is not seen */
	unsigned int hz;	/* of the kernel's jiffies; 0: unknown */
	uint64_t start_ns;	/* CLOCK_MONOTONIC, the host's */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC, at the beginning */
	uint32_t own_netns;	/* of whoever watches; 0: not known */
	bool filtered;		/* only some connections were let through */
	char host[65], kernel[65]; /* where it was seen: uname's nodename and release; "": unknown */
	bool recorded;		/* time is that of the recording, and does not wait */
};

typedef void (*fw_record_fn)(void *arg, const void *record, size_t len);
typedef void (*fw_mark_fn)(void *arg, const struct fw_mark *mark);
typedef void (*fw_netns_values_fn)(void *arg, const struct fw_netns_values *values);

struct fw_source;

struct fw_source_ops {
	/* Hands every record there is to @fn, after waiting up to @timeout_ms for some. Returns how
	 * many, 0 when the time has passed or a signal came, or a negative errno with @err filled.
	 */
	int (*poll)(struct fw_source *src, int timeout_ms, fw_record_fn fn, void *arg,
		    struct fw_err *err);
	uint64_t (*now_ns)(struct fw_source *src);
	/* CLOCK_REALTIME - CLOCK_MONOTONIC as it is now. NULL: marks tell its changes. */
	int64_t (*wall_offset_ns)(struct fw_source *src);
	void (*stats)(struct fw_source *src, struct fw_source_stats *out);
	/* Makes the source emit a FW_REC_TW_SEEN record for this minisock, if it has left FIN_WAIT_2. */
	void (*look)(struct fw_source *src, uint64_t skaddr, uint64_t cookie);
	/* Begins a snapshot: its records come through poll, in the order of time with the others. 0, or
	 * a negative errno with @err filled. NULL: it has the snapshots that it has.
	 */
	int (*snapshot)(struct fw_source *src, struct fw_err *err);
	/* Whether one is under way. */
	bool (*in_snapshot)(struct fw_source *src);
	/* Begins a look at who holds listeners, whose records come like those of a snapshot; not while either
	 * is under way, and, if not @now, not so often that it would cost much. A snapshot that is begun
	 * meanwhile takes its place. NULL: as for .snapshot.
	 */
	void (*holders)(struct fw_source *src, bool now);
	/* Whether one is under way. */
	bool (*in_holders)(struct fw_source *src);
	/* Measure what BPF programs cost, or stop to. NULL: nothing to measure. */
	void (*measure)(struct fw_source *src, bool on);
	/* What follows is NULL where marks tell it. */
	void (*cost)(struct fw_source *src, struct fw_source_cost *out);
	/* What a network namespace is called: the name of "ip netns", or "pid N", a process in it; @life:
	 * as in struct fw_rec_head. The path of a control group. NULL: not known. Valid until the next
	 * call.
	 */
	const char *(*netns_name)(struct fw_source *src, uint32_t inum, uint16_t life);
	const char *(*cgroup_path)(struct fw_source *src, uint64_t id);
	/* Settings and counters of every network namespace that can be entered, finwait's own first. */
	void (*values)(struct fw_source *src, fw_netns_values_fn fn, void *arg);
	/* Whether what polling, settling and snapshots of the own network namespace take works with the
	 * privileges that this process has. Only of the running kernel.
	 */
	bool (*works)(struct fw_source *src);
	/* No new events from now on; what is on its way can still be polled. */
	void (*stop)(struct fw_source *src);
	void (*free)(struct fw_source *src);
};

struct fw_source {
	const struct fw_source_ops *ops;
	struct fw_source_info info;
	/* Set by whoever polls, or NULL: called with records that will come soon, as far as the
	 * source can tell, so that what they need can be fetched from memory.
	 */
	fw_record_fn ahead;
	void *ahead_arg;
	/* Set by whoever polls: what a recording has beside records, in its place among them. */
	fw_mark_fn mark;
	void *mark_arg;
	bool ended; /* nothing comes any more */
	char notice[256]; /* something that the user should know; whoever polls clears it */
};

#endif
