/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics of finwait serve: what is counted, surveyed and read from the host, and the document that
 * is made of it. Belongs to the event loop.
 */
#ifndef FW_SERVE_EXPORTER_H
#define FW_SERVE_EXPORTER_H

#include "analysis/metrics.h"
#include "cmd/session.h"
#include "cmd/readings.h"

#define FW_EXPORTER_LABELS 8

struct fw_exporter_options {
	uint64_t stall_ns, leak_age_ns;
	bool all_namespaces; /* other network namespaces can be entered later too */
	struct fw_om_label labels[FW_EXPORTER_LABELS]; /* of every sample */
	size_t nr_labels;
};

struct fw_exporter {
	const struct fw_exporter_options *opt;
	struct fw_metrics metrics;
	struct fw_survey survey;
	struct fw_metrics_findings findings; /* as of the last report */
	struct fw_readings readings; /* settings of the namespaces */
	uint64_t next_readings_ns;
	double start_s; /* of the process, since the epoch */
};

/* 0 or -ENOMEM; fw_exporter_fini() in either case. @opt has to outlive it. */
int fw_exporter_init(struct fw_exporter *e, const struct fw_exporter_options *opt);
void fw_exporter_fini(struct fw_exporter *e);

struct fw_observer fw_exporter_observer(struct fw_exporter *e);

/* Settings of all namespaces that can be entered: before privileges are dropped. */
void fw_exporter_read_settings(struct fw_exporter *e);

/* Between events. */
void fw_exporter_step(struct fw_exporter *e, struct fw_session *s);

/* The document, appended to @out. @push: what is known of a store. */
void fw_exporter_render(struct fw_exporter *e, struct fw_session *s,
			const struct fw_metrics_push *push, const struct fw_metrics_http *http,
			bool openmetrics, struct fw_buf *out);

#endif
