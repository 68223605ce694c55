/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can only be known by looking at what is open: ages grow without any event. A survey goes
 * through the tracker's connections a few at a time, between events, so that a million of them delay
 * none; what it says is as of the last round that is complete.
 *
 * Pure: time is an argument.
 */
#ifndef FW_ANALYSIS_SURVEY_H
#define FW_ANALYSIS_SURVEY_H

#include "analysis/groups.h"
#include "core/tracker.h"
#include "util/netns_values.h"

/* How many groups are named; what is left is "other". With them cardinality is bounded. */
#define FW_SURVEY_TOP	10
#define FW_SURVEY_OTHER "other"

struct fw_survey_leak {
	uint64_t count, oldest_ns;
};

struct fw_survey_port {
	struct fw_group_key key; /* netns, laddr, raddr, rport */
	double ratio;		 /* of the local ports that there are for it; may exceed 1 */
};

struct fw_survey_result {
	uint64_t took_ns;    /* from the first connection to the last; 0: there was no round yet */
	uint64_t stalled[2]; /* in FIN_WAIT_2 for long: half-closed, orphaned */
	uint64_t half_open_old; /* in SYN_RECV for over a second */
	/* in CLOSE_WAIT for long, by the name of the process, most first */
	char comm[FW_SURVEY_TOP][FW_COMM_LEN];
	struct fw_survey_leak leak[FW_SURVEY_TOP], leak_other;
	size_t nr_leaks;
	/* the destinations that take most of the local ports there are for them, worst first */
	struct fw_survey_port port[FW_SURVEY_TOP];
	size_t nr_ports;
};

struct fw_survey_options {
	uint64_t leak_age_ns, stall_ns;
};

struct fw_survey {
	struct fw_survey_options opt;
	struct fw_survey_result last;
	/* the round under way */
	struct fw_survey_result now;
	struct fw_groups leaks, ports;
	size_t place; /* where it goes on; 0: none is under way */
	uint64_t began_ns, next_ns, last_step_ns;
};

/* 0 or -ENOMEM; fw_survey_fini() in either case. */
int fw_survey_init(struct fw_survey *s, const struct fw_survey_options *opt);
void fw_survey_fini(struct fw_survey *s);

/* Goes on, if it is time: call it often. @values: @nr of them, as of now. */
void fw_survey_step(struct fw_survey *s, const struct fw_tracker *t, uint64_t now_ns,
		    const struct fw_netns_values *values, size_t nr);

#endif
