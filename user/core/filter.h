/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user wants to see. The kernel side leaves out what it can rule out early (addresses,
 * ports, family); this is the whole of it, applied to what is shown.
 */
#ifndef FW_CORE_FILTER_H
#define FW_CORE_FILTER_H

#include "core/tracker.h"

#define FW_MAX_PIDS 16
#define FW_MAX_COMMS 8

struct fw_filter {
	uint32_t family; /* AF_INET, AF_INET6, or 0 for both */
	uint32_t states; /* 1 << enum fw_state; 0 for all */
	uint64_t min_duration_ns;
	unsigned int nr_lports, nr_rports, nr_local, nr_remote;
	uint16_t lports[FW_MAX_PORTS], rports[FW_MAX_PORTS];
	struct fw_cidr local[FW_MAX_CIDRS], remote[FW_MAX_CIDRS];
	uint32_t netns; /* 0: all */
	/* The owner, as far as it is known by then: whose owner is not known is not shown. */
	unsigned int nr_pids, nr_comms;
	uint32_t pids[FW_MAX_PIDS];
	const char *comms[FW_MAX_COMMS]; /* patterns as in fnmatch(3) */
	const char *cgroup;		 /* this control group and those below it; NULL: all */
	const char *(*cgroup_path)(void *arg, uint64_t id); /* needed with .cgroup */
	void *cgroup_arg;
};

/* Whether it leaves out any connection as such: by its endpoints, its namespace or its owner. */
bool fw_filter_is_set(const struct fw_filter *f);

/* Endpoints and namespace; the owner; both. */
bool fw_filter_endpoints(const struct fw_filter *f, const struct fw_conn *c);
bool fw_filter_owner(const struct fw_filter *f, uint32_t pid, const char comm[FW_COMM_LEN],
		     uint64_t cgroup_id);
bool fw_filter_subject(const struct fw_filter *f, const struct fw_conn *c);

/* As the kernel side (bpf/filter.bpf.h) would: false for a record that is ruled out by what is known at
 * that moment. For records that did not pass it.
 */
bool fw_filter_admits(const struct fw_filter *f, const struct fw_rec_head *head);

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
