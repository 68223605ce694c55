/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a monitoring system is told: counters since finwait began, and gauges of now. Counting is a few
 * instructions an event; showing walks no table, so a scrape costs the same with ten connections and
 * with a million. docs/metrics.md has every family, and the bound of its series.
 *
 * Pure: no clock, no kernel. What is not of the tracker comes in as an argument.
 */
#ifndef FW_ANALYSIS_METRICS_H
#define FW_ANALYSIS_METRICS_H

#include <stdbool.h>

#include "analysis/survey.h"
#include "core/tracker.h"
#include "report/openmetrics.h"
#include "report/report.h"

#define FW_METRICS_LIMITS 20

struct fw_metrics_hist {
	uint64_t counts[FW_METRICS_LIMITS + 1];
	double sum_s;
};

/* The upper ends of its buckets; one more is above the last. */
extern const uint64_t fw_metrics_limits_ms[FW_METRICS_LIMITS];

enum fw_half_open_end {
	FW_HALF_OPEN_COMPLETED, FW_HALF_OPEN_EXPIRED, FW_HALF_OPEN_RESET,
	FW_HALF_OPEN_DROPPED, FW_HALF_OPEN_OTHER,
	FW_HALF_OPEN_MAX,
};

struct fw_metrics {
	uint64_t stall_ns;
	uint64_t transitions[FW_STATE_MAX][FW_STATE_MAX];
	/* FIN_WAIT_2 that was passed through by one segment, and what was shown of FIN_WAIT_1 >
	 * FIN_WAIT_2 without these: a counter never falls
	 */
	uint64_t passed;
	uint64_t shown;
	struct fw_metrics_hist in_state[FW_STATE_MAX];
	uint64_t ends[FW_END_MAX];
	uint64_t tw_ends[FW_END_MAX], tw_restarts;
	uint64_t half_open_ends[FW_HALF_OPEN_MAX];
	uint64_t stalls[2]; /* half-closed, orphaned */
	uint64_t no_port;
};

/* FIN_WAIT_2 longer than @stall_ns is a stall. All zero but for that; nothing to free. */
void fw_metrics_init(struct fw_metrics *m, uint64_t stall_ns);
struct fw_observer fw_metrics_observer(struct fw_metrics *m);

/* What the process costs its host. Negative: not known. */
struct fw_metrics_process {
	double cpu_s, start_s; /* start: since the epoch */
	int64_t resident_bytes, virtual_bytes, open_fds, max_fds;
};

/* Connections that are sent to a store as rows. */
struct fw_metrics_push {
	bool on;
	uint64_t rows_sent, rows_lost, rows_waiting, failures, spool_bytes;
};

/* Clients that were refused: connections that were closed, and requests. */
struct fw_metrics_http {
	uint64_t closed_slow, closed_limit, closed_address;
	uint64_t refused_token, refused_host;
};

/* How severe each finding of the last report is, in the order of fw_explanation_at(). */
#define FW_METRICS_FINDINGS_MAX 64
struct fw_metrics_findings {
	bool known;
	uint8_t level[FW_METRICS_FINDINGS_MAX]; /* 0: it is none; 1 info, 2 warning, 3 critical */
};
void fw_metrics_findings_of(struct fw_metrics_findings *f, const struct fw_report *r);

struct fw_metrics_context {
	const char *version, *hooks;
	const struct fw_tracker *tracker;
	const struct fw_survey_result *survey;
	uint64_t suppressed; /* half-open connections that were only counted */
	uint64_t resyncs, malformed;
	uint64_t bpf_runs, bpf_ns, bpf_measured_ns;
	struct fw_metrics_process process;
	struct fw_metrics_push push;
	struct fw_metrics_http http;
	struct fw_metrics_findings findings;
};

/* All families; the caller ends the document. */
void fw_metrics_show(struct fw_metrics *m, const struct fw_metrics_context *ctx, struct fw_om *om);

/* The names of labels that families have, for fw_om_parse_label(). */
extern const char *const fw_metrics_labels[];

#endif
