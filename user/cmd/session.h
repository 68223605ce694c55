/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command that watches has in common: a source, and the tracker that it feeds. The
 * command is the tracker's observer.
 */
#ifndef FW_CMD_SESSION_H
#define FW_CMD_SESSION_H

#include "cmd/options.h"
#include "io/cgroup.h"
#include "io/source.h"

struct fw_session {
	const struct fw_options *opt;
	struct fw_filter filter; /* that of the options, able to name control groups */
	struct fw_source *src;
	struct fw_symbols symbols;
	struct fw_tracker tracker;
	struct fw_cgroups *cgroups;	 /* NULL: no paths are known */
	struct fw_source_stats seen;	 /* as of the last batch */
	uint64_t next_settle_ns;
	uint32_t named_netns; /* whose name was looked up last */
	/* losses that no snapshot has mended yet: since when (0: none), and the latest */
	uint64_t unmended_since_ns, loss_seen_ns;
	uint64_t resyncs;
	uint64_t malformed;
};

/* Opens the source that @opt asks for. 0, or a negative errno with @err filled; in either case
 * fw_session_close() releases what there is.
 */
int fw_session_open(struct fw_session *s, const struct fw_options *opt,
		    const struct fw_observer *observer, struct fw_err *err);

/* One batch: what there is, after waiting up to a twentieth of a second for some. */
int fw_session_step(struct fw_session *s, struct fw_err *err);

/* Detaches, and takes what is on its way: the tracker is as of the end, and knows what is open. */
int fw_session_stop(struct fw_session *s, struct fw_err *err);

/* The same, and tells the observer what is open. */
int fw_session_finish(struct fw_session *s, struct fw_err *err);

/* On stderr: what there was, and all that could make it less than the truth. */
void fw_session_summarise(struct fw_session *s);

/* On stderr: the namespaces that could not be entered, if there are any. */
void fw_session_say_refused(struct fw_session *s);

void fw_session_close(struct fw_session *s);

/* For struct fw_stream.cgroup_path and .netns_name. @arg: the session. */
const char *fw_session_cgroup_path(void *arg, uint64_t id);
const char *fw_session_netns_name(void *arg, uint32_t inum);

#endif
