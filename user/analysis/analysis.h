/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Analyses: each listens to the tracker, keeps what it needs in bounded memory, and at the end (or
 * every --interval) writes a section and its findings into a report. Each is a file of its own that
 * ends in its table; analysis.c has the list.
 *
 * Pure: no clock, no kernel, no files. Time and the kernel's own numbers come in as arguments.
 */
#ifndef FW_ANALYSIS_ANALYSIS_H
#define FW_ANALYSIS_ANALYSIS_H

#include "analysis/stories.h"
#include "core/filter.h"
#include "core/tracker.h"
#include "report/report.h"
#include "util/netns_values.h"
#include "util/wall_clock.h"

#define FW_TOP_MAX 100

struct fw_queues;

struct fw_analysis_options {
	size_t top; /* rows of a table, at most FW_TOP_MAX */
	uint64_t stall_ns;
	uint64_t leak_age_ns;
	size_t lives; /* connections to keep one by one, for pictures; 0: none */
	const struct fw_filter *filter; /* whose connections; NULL: all. Must outlive the analyses */
};

/* The moment of a report. */
struct fw_analysis_context {
	uint64_t start_ns, now_ns; /* CLOCK_MONOTONIC */
	const struct fw_wall_clock *clock; /* NULL: the time of day is not known */
	const struct fw_tracker *tracker;
	struct fw_tracker_counters counters; /* the tracker's, what they grew by since start_ns */
	const char *hooks;	   /* the front end: "trampoline", "kprobe", "timer" */
	bool filtered;		   /* only some connections are watched */
	bool filtered_within_netns; /* even of the namespaces that are watched */
	uint64_t suppressed;	   /* half-open connections that were only counted */
	bool suppressed_of_all;	   /* the filter does not apply to them */
	bool older_unseen;	   /* what existed before was not looked at */
	bool accepts_unseen;	   /* no hook tells who accepts a connection */
	size_t netns_refused;	   /* network namespaces that could not be entered, */
	uint32_t refused_netns;	   /* one of them */
	struct fw_analysis_options opt;
	const struct fw_netns_values *values; /* per network namespace; finwait's own first */
	size_t nr_values;
	/* fw_analyses_report() sets these */
	bool many_netns; /* connections of more than one network namespace */
	struct fw_stories *stories; /* which finding a connection belongs to */
	const struct fw_queues *queues; /* accept queues (accept_queue.h) */
	/* Names of what a connection has numbers of; NULL, or returning NULL: none is known. */
	const char *(*cgroup_path)(void *arg, uint64_t id);
	const char *(*netns_name)(void *arg, uint32_t inum);
	void *names_arg;
};

struct fw_analysis {
	const char *name;
	size_t size; /* of its state: zeroed, and handed to all its calls */
	int (*init)(void *self, const struct fw_analysis_options *opt); /* may be NULL */
	void (*fini)(void *self);					/* may be NULL */
	struct fw_observer on; /* what it wants to know; .arg is not used */
	/* The kernel's counters have been read, of each network namespace at its time. May be NULL. */
	void (*counters_read)(void *self, const struct fw_netns_values *values, size_t nr);
	/* Before .report of any analysis: gives others what they need of it, in @ctx, and claims the
	 * connections of its findings in ctx->stories. May be NULL.
	 */
	void (*prepare)(void *self, struct fw_analysis_context *ctx);
	void (*report)(void *self, const struct fw_analysis_context *ctx, struct fw_report *r);
};

#define FW_ANALYSES_MAX 32

struct fw_analyses {
	void *self[FW_ANALYSES_MAX];
	uint32_t first_netns; /* 0: nothing was seen yet */
	bool netns_differ;
	struct fw_analysis_options opt;
};

/* 0 or -ENOMEM; fw_analyses_fini() in either case. */
int fw_analyses_init(struct fw_analyses *a, const struct fw_analysis_options *opt);
void fw_analyses_fini(struct fw_analyses *a);

/* Hands every event that the filter lets through to all of them. Snapshots are handed over whole. */
struct fw_observer fw_analyses_observer(struct fw_analyses *a);

/*
 * The kernel's counters have been read: the first time to begin with, and before each report. Events
 * that came until then are still to be handed over, and so is @values in the report's context.
 */
void fw_analyses_counters_read(struct fw_analyses *a, const struct fw_netns_values *values, size_t nr);

/* Sections and findings, sorted. @ctx->tracker still has what is open. */
void fw_analyses_report(struct fw_analyses *a, const struct fw_analysis_context *ctx,
			struct fw_report *r);

/* What is open and passes the filter, listeners and half-open ones included; what has ended but is
 * still to be explained is not. @c: NULL for the first.
 */
const struct fw_conn *fw_open_next(const struct fw_analysis_context *ctx, const struct fw_conn *c);
/* How long it has been in its state. A lower bound if its last step has FW_STEP_AT_LEAST. */
uint64_t fw_open_age_ns(const struct fw_analysis_context *ctx, const struct fw_conn *c);
/* It is open and in @state. */
static inline bool fw_conn_is_in(const struct fw_conn *c, unsigned int state)
{
	return fw_conn_state(c) == state;
}

/* The time that was watched, at least a millisecond; and a number of events by it. */
double fw_span_s(const struct fw_analysis_context *ctx);
double fw_rate_per_s(const struct fw_analysis_context *ctx, uint64_t n);
/* @n events by the time from the first to the last of them, which counts as a second at least. */
double fw_rate_while(const struct fw_analysis_context *ctx, uint64_t n, uint64_t first_ns,
		     uint64_t last_ns);

/* Of that namespace; NULL if nothing is known of it. */
const struct fw_netns_values *fw_values_of(const struct fw_analysis_context *ctx, uint32_t netns);

/* The listener of a connection that was accepted here; NULL: none that is known. */
const struct fw_conn *fw_listener_of(const struct fw_analysis_context *ctx, uint32_t netns,
				     uint16_t lport);

#endif
