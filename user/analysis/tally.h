/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections by state, now: what "ss -tan | awk" counts, listeners and half-open connections
 * included, also by who owns them or whom they go to.
 */
#ifndef FW_ANALYSIS_TALLY_H
#define FW_ANALYSIS_TALLY_H

#include "core/filter.h"
#include "core/tracker.h"
#include "report/report.h"

enum fw_tally_by {
	FW_TALLY_BY_NONE,
	FW_TALLY_BY_PROCESS,
	FW_TALLY_BY_PEER,   /* remote address */
	FW_TALLY_BY_CGROUP,
	FW_TALLY_BY_NETNS,
	FW_TALLY_BY_PORT, /* the service's: ours if somebody listens there, else the lower one */
	FW_TALLY_BY_MAX,
};

/* "process", ...; and back, FW_TALLY_BY_MAX if there is none of that name. */
const char *fw_tally_by_name(enum fw_tally_by by);
enum fw_tally_by fw_tally_by_from_name(const char *name);

struct fw_tally_options {
	enum fw_tally_by by;
	bool of_events; /* what is open by all that is known; else what the last snapshot saw */
	const struct fw_filter *filter;
	const char *(*cgroup_path)(void *arg, uint64_t id);
	const char *(*netns_name)(void *arg, uint32_t inum);
	void *arg;
};

/* What there is, as a section of @r. 0 or -ENOMEM. */
int fw_tally_report(const struct fw_tally_options *opt, const struct fw_tracker *t,
		    struct fw_report *r);

#endif
