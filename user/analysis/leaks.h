/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaks of connections, from snapshots: sockets that a process holds and does not use. In CLOSE_WAIT: the
 * peer has closed, the owner has not. Established ones that only become more. Dead ones, of which only the
 * descriptor is left. By process and service, with what it forgot and how fast they accumulate.
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

/* Sets the snapshot events of @observer, with @l as their argument. */
void fw_leaks_observe(struct fw_leaks *l, struct fw_observer *observer);

/* As of the last snapshot: a finding for each group, and a section of totals. Returns how many groups are
 * leaks (idle pools and leftovers are not).
 */
size_t fw_leaks_report(struct fw_leaks *l, struct fw_report *r);

struct fw_analysis_context;

/* Whether the last look is of the moment @now_ns (CLOCK_MONOTONIC), and not an old one. */
bool fw_leaks_have_looked(const struct fw_leaks *l, uint64_t now_ns);
/*
 * The same for a report on everything: first claims the connections (ctx->stories), then adds a table to
 * @s and the findings. fw_leaks_forget() afterwards frees what fw_leaks_prepare() has found.
 */
void fw_leaks_prepare(struct fw_leaks *l, const struct fw_analysis_context *ctx);
void fw_leaks_find(struct fw_leaks *l, const struct fw_analysis_context *ctx, struct fw_report *r,
		   struct fw_section *s);
void fw_leaks_forget(struct fw_leaks *l);
/* Connections in CLOSE_WAIT at the last look; of them as old as the leak age. */
struct fw_leaks_totals {
	size_t nr, nr_old;
	uint64_t oldest_ns;
	double growth_per_s;
	bool growth_known, oldest_at_least;
};
struct fw_leaks_totals fw_leaks_totals(const struct fw_leaks *l);

#endif
