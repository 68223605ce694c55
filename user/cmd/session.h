/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command that watches has in common: a source, and the tracker that it feeds. The
 * command is the tracker's observer. Whether the source is the running kernel or a recording is known
 * to nobody else.
 */
#ifndef FW_CMD_SESSION_H
#define FW_CMD_SESSION_H

#include "cmd/options.h"
#include "cmd/readings.h"
#include "io/source.h"
#include "util/names.h"
#include "util/wall_clock.h"

struct fw_session {
	const struct fw_options *opt;
	struct fw_filter filter; /* that of the options, able to name control groups */
	struct fw_source *src;
	struct fw_symbols symbols;
	struct fw_tracker tracker;
	uint64_t now_ns; /* everything until then has been seen */
	struct fw_wall_clock clock;
	struct fw_names cgroups, netns;	 /* as of when each was first seen */
	struct fw_readings first, last;	 /* settings and counters: as first read, as last read */
	struct fw_source_cost cost;	 /* as last asked for */
	struct fw_source_stats seen;	 /* as of the last batch */
	uint64_t next_holders_ns, next_settle_ns, next_overdue_ns;
	/* losses that no snapshot has mended yet: since when (0: none), and the latest */
	uint64_t unmended_since_ns, loss_seen_ns;
	uint64_t resyncs;
	uint64_t malformed;
	bool admit_all; /* the kernel side has applied the filter's rule */
	bool stopped;
	bool cut_off; /* a recording is not whole */
	uint64_t until_ns; /* what is later is not looked at; 0: nothing is */
	uint64_t until_wall_ns; /* the same as time of day, if it was given so; else 0 */
	struct fw_recorder *recorder; /* NULL: nothing is recorded */
	struct fw_recorder_stats recorded; /* when it is closed */
	uint64_t next_snapshot_ns; /* for it */
	struct fw_looks looks;
	/* Set before fw_session_open(), or NULL: the kernel's counters have been read, of all
	 * namespaces.
	 */
	void (*on_counters)(void *arg, const struct fw_readings *readings);
	void *on_counters_arg;
};

/* Opens the source that @opt asks for. 0, or a negative errno with @err filled; in either case
 * fw_session_close() releases what there is.
 */
int fw_session_open(struct fw_session *s, const struct fw_options *opt,
		    const struct fw_observer *observer, struct fw_err *err);

/* One batch: what there is, after waiting up to a twentieth of a second for some. */
int fw_session_step(struct fw_session *s, struct fw_err *err);

/* Something was lost, or is missing. */
bool fw_session_has_gaps(const struct fw_session *s);

/* Nothing will come any more. */
bool fw_session_ended(const struct fw_session *s);

/* The time of what has been seen, CLOCK_MONOTONIC: of the running kernel now, as of the last batch. */
uint64_t fw_session_now_ns(const struct fw_session *s);

/* A report of now is wanted: true while a look at all sockets is under way, or has just been begun, that it
 * should wait for.
 */
bool fw_session_looks(struct fw_session *s);

/* Looks at settings, counters and costs again, if that is possible. fw_session_stop() does too. */
void fw_session_refresh(struct fw_session *s);

/* Settings and counters as of the last refresh; of counters what they grew by since the session began. */
const struct fw_readings *fw_session_readings(struct fw_session *s);

/* Detaches, and takes what is on its way: the tracker is as of the end, and knows what is open. */
int fw_session_stop(struct fw_session *s, struct fw_err *err);

/* The same, and tells the observer what is open. */
int fw_session_finish(struct fw_session *s, struct fw_err *err);

/* On stderr: how much was seen, and all that may be missing. */
void fw_session_summarise(const struct fw_session *s);

/* A network namespace that was asked for and that the last snapshot has not found; 0: none. */
uint32_t fw_session_netns_unfound(const struct fw_session *s);

/* Says on stderr what the snapshots lacked. */
void fw_session_close(struct fw_session *s);

/* For struct fw_stream.cgroup_path and .netns_name. @arg: the session. */
const char *fw_session_cgroup_path(void *arg, uint64_t id);
const char *fw_session_netns_name(void *arg, uint32_t inum);
/* For reports: all names that the number had while the session was open. */
const char *fw_session_netns_names(void *arg, uint32_t inum);

#endif
