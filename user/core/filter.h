/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user wants to see. The kernel side applies the rule on endpoints (bpf/filter_rule.h) to
 * records; the whole filter is applied to what is shown.
 */
#ifndef FW_CORE_FILTER_H
#define FW_CORE_FILTER_H

#include "../bpf/filter_rule.h"
#include "core/tracker.h"

#define FW_MAX_PIDS 16
#define FW_MAX_COMMS 8

struct fw_filter {
	struct fw_filter_rule rule; /* what the kernel side decides, too */
	uint32_t states; /* 1 << enum fw_state; 0 for all */
	uint64_t min_duration_ns;
	/* The owner, as far as it is known by then. A connection without a known owner is not shown. */
	unsigned int nr_pids, nr_comms;
	uint32_t pids[FW_MAX_PIDS];
	const char *comms[FW_MAX_COMMS]; /* patterns as in fnmatch(3) */
	const char *cgroup;		 /* this control group and those below it; NULL: all */
	const char *(*cgroup_path)(void *arg, uint64_t id); /* needed with .cgroup */
	void *cgroup_arg;
};

/* Whether it leaves out any connection as such: by its endpoints, its namespace or its owner. */
bool fw_filter_is_set(const struct fw_filter *f);
/* Whether it leaves out connections of a namespace that it admits. */
bool fw_filter_is_set_within_netns(const struct fw_filter *f);
/* By the owner, which only the user side decides. */
bool fw_filter_has_owner(const struct fw_filter *f);
bool fw_filter_netns(const struct fw_filter *f, uint32_t netns);

/* Endpoints and namespace; the owner; both. */
bool fw_filter_endpoints(const struct fw_filter *f, const struct fw_conn *c);
bool fw_filter_owner(const struct fw_filter *f, uint32_t pid, const char comm[FW_COMM_LEN],
		     uint64_t cgroup_id);
bool fw_filter_subject(const struct fw_filter *f, const struct fw_conn *c);

/* The answer of the kernel side, for records that it has not filtered (recordings). */
enum fw_rule_answer fw_filter_admits(const struct fw_filter *f, const struct fw_rec_head *head);

/* Endpoints and owner, of what is no connection: a bind(). */
bool fw_filter_record(const struct fw_filter *f, const struct fw_rec_state *rec);

/* --state and --min-duration: the connection was in one of the states, and at least that long in
 * one of them (of all states, if none is named).
 */
bool fw_filter_connection(const struct fw_filter *f, const struct fw_conn *c);

/* The same of a transition: the state left or entered, and the time in the state left. */
bool fw_filter_transition(const struct fw_filter *f, const struct fw_conn *c,
			  const struct fw_transition *tr);

#endif
