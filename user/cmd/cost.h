/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What finwait costs the host it runs on: its own CPU time and memory, and the time of its BPF
 * programs, which others pay.
 *
 * The kernel measures programs only when asked to, for all programs of the host and at the price of
 * two readings of the clock each: so one second out of ten is measured.
 */
#ifndef FW_CMD_COST_H
#define FW_CMD_COST_H

#include <sys/resource.h>

#include "cmd/session.h"
#include "report/report.h"

struct fw_cost {
	struct rusage before;
	uint64_t begin_ns;
};

/* Counts from now on. */
void fw_cost_begin(struct fw_cost *cost, struct fw_session *s);

/* Now and then, several times a second: measure, or not. */
void fw_cost_sample(const struct fw_cost *cost, struct fw_session *s);

/* The section "cost". */
void fw_cost_report(const struct fw_cost *cost, const struct fw_session *s, struct fw_report *r);

#endif
