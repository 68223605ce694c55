/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CLOSE_WAIT leaks: sockets whose peer has closed and whose owner does not, by process and peer, with
 * what it forgot. From snapshots alone; with two of them also how fast it grows.
 *
 * What a socket in CLOSE_WAIT tells (rcv_nxt - copied_seq): 0 bytes unread: the application has read
 * to the end of the stream; 1: the FIN only is unread; more: data is. One without a file waits in
 * its listener's accept queue. One that several processes hold stays until the last has closed it.
 */
#ifndef FW_ANALYSIS_LEAKS_H
#define FW_ANALYSIS_LEAKS_H

#include "core/filter.h"
#include "core/tracker.h"
#include "report/report.h"

struct fw_leaks;

struct fw_leaks_options {
	uint64_t leak_age_ns; /* younger ones are no leak */
	const struct fw_tracker *tracker; /* NULL until fw_leaks_find() */
	const char *(*cgroup_path)(void *arg, uint64_t id); /* may be NULL */
	const char *(*netns_name)(void *arg, uint32_t inum); /* may be NULL */
	void *arg;
	const struct fw_filter *filter; /* NULL: all */
};

/* NULL: no memory. */
struct fw_leaks *fw_leaks_new(const struct fw_leaks_options *opt);
void fw_leaks_free(struct fw_leaks *l);

/* What it wants to be told: the snapshot calls of @observer, with @l as their argument. */
void fw_leaks_observe(struct fw_leaks *l, struct fw_observer *observer);

/* Tells the state as of the last snapshot: a finding for each group, worst first, and a section of
 * totals. Returns how many groups are leaks (idle pools are not).
 */
size_t fw_leaks_report(struct fw_leaks *l, struct fw_report *r);

struct fw_analysis_context;

/* When it last looked, CLOCK_MONOTONIC ns; 0: never. */
uint64_t fw_leaks_looked_ns(const struct fw_leaks *l);
/* The same for a report on everything: a table into @s, and a finding for each verdict. */
void fw_leaks_find(struct fw_leaks *l, const struct fw_analysis_context *ctx, struct fw_report *r,
		   struct fw_section *s);

#endif
