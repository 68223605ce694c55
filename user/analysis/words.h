/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cells and sentences that several analyses make: who, which peer, percentiles, and a finding with
 * the explanation of its id.
 */
#ifndef FW_ANALYSIS_WORDS_H
#define FW_ANALYSIS_WORDS_H

#include "analysis/analysis.h"
#include "analysis/groups.h"
#include "analysis/limits.h"
#include "util/hist.h"

#define FW_WORDS_LEN 64
struct fw_words {
	char text[FW_WORDS_LEN];
};

/* "nginx/4711", "nginx", "pid 4711" or "unknown process". Not escaped: that is the renderer's. */
struct fw_words fw_words_process(const char comm[FW_COMM_LEN], uint32_t pid);
/* "192.0.2.1:443", "[2001:db8::1]:443", without a port if it is 0; "any" for no address. */
struct fw_words fw_words_endpoint(unsigned int family, const uint8_t addr[16], uint16_t port);
/* "61.4 s" */
struct fw_words fw_words_duration(uint64_t ns);
struct fw_words fw_words_count(uint64_t n);
/* What a network namespace is called, else its number. */
struct fw_words fw_words_netns(const struct fw_analysis_context *ctx, uint32_t inum);

/* The same as cells; unknown if nothing is. */
struct fw_cell fw_cell_process(const char comm[FW_COMM_LEN], uint32_t pid);
struct fw_cell fw_cell_endpoint(unsigned int family, const uint8_t addr[16], uint16_t port);
/* A network namespace by its number, and what it is called. */
struct fw_cell fw_cell_netns(const struct fw_analysis_context *ctx, uint32_t inum);
/* The container or unit that a control group stands for; unknown if its path is. */
struct fw_cell fw_cell_cgroup(const struct fw_analysis_context *ctx, uint64_t id);
/* A percentile, the longest for 100; unknown if nothing was recorded. */
struct fw_cell fw_cell_hist(const struct fw_hist *h, double pct);
/* @sum / @n, rounded; unknown of nothing. */
struct fw_cell fw_cell_mean(uint64_t sum, uint64_t n);
/* In percent; unknown of nothing. */
struct fw_cell fw_cell_ratio(uint64_t part, uint64_t whole);

/* Whom a group stands for: its process, else that of the listener it came through. */
struct fw_words fw_words_owner(const struct fw_analysis_context *ctx,
			       const struct fw_group_key *key);

/* The process that was last seen to own a connection of a group, and whether there were others. */
struct fw_owner {
	char comm[FW_COMM_LEN];
	uint32_t pid;
	bool many_pids, many_names;
};
void fw_owner_see(struct fw_owner *owner, const struct fw_conn *c);
void fw_owner_see_process(struct fw_owner *owner, const char comm[FW_COMM_LEN], uint32_t pid);
/* "curl/7", "curl" for several processes of one name, "curl and others", "unknown process". */
struct fw_words fw_owner_words(const struct fw_owner *owner);
/* The same as a cell; unknown if nothing is. */
struct fw_cell fw_owner_cell(const struct fw_owner *owner);
/* Who serves that port: its listener, else @seen (may be NULL). */
struct fw_words fw_words_server(const struct fw_analysis_context *ctx,
				const struct fw_group_key *key, const struct fw_owner *seen);
struct fw_cell fw_cell_server(const struct fw_analysis_context *ctx,
			      const struct fw_group_key *key, const struct fw_owner *seen);

/* "3 connections", "1 connection" */
struct fw_words fw_words_plural(uint64_t n, const char *noun);

/* A finding whose meaning and advice are those of its id (report/explain.h). */
struct fw_finding *fw_finding_begin(struct fw_report *r, const char *id,
				    enum fw_severity severity, enum fw_rank rank, uint64_t n);

/* What was not seen, into the confidence of every finding, after what it says itself. */
void fw_words_how_sure(const struct fw_analysis_context *ctx, struct fw_report *r);

/* All groups by that measure into @t, at most --top; each row by @row. Adds whose they are: the
 * network namespace and the control group, where the groups have them. A person sees these columns
 * only if there is something to tell apart.
 */
typedef void (*fw_group_row_fn)(const struct fw_analysis_context *ctx, struct fw_report *r,
				struct fw_table *t, const struct fw_group *group);
void fw_table_groups(const struct fw_analysis_context *ctx, struct fw_report *r,
		     struct fw_table *t, const struct fw_groups *g,
		     uint64_t (*measure)(const void *value), fw_group_row_fn row);

/* Says so if there were more groups than @g has room for. */
void fw_note_unlisted(struct fw_report *r, struct fw_section *s, const struct fw_groups *g);

#define FW_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
