/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What finwait costs the host it runs on: its own CPU time and memory, and the time of its BPF
 * programs, which others pay.
 *
 * The kernel measures programs only when asked to, for all programs of the host and at the price of
 * two readings of the clock each: so a quarter of a second out of ten seconds is measured.
 */
#ifndef FW_CMD_COST_H
#define FW_CMD_COST_H

#include "cmd/session.h"
#include "report/report.h"

/* Now and then, several times a second: measure, or not. */
void fw_cost_sample(struct fw_session *s);

/* The section "cost": what is known, as of the last fw_session_refresh(). */
void fw_cost_report(const struct fw_session *s, struct fw_report *r);

/* As text, lines "name value", and back. Lines that are something else are left out. */
void fw_cost_print(const struct fw_source_cost *cost, struct fw_buf *b);
void fw_cost_parse(struct fw_source_cost *cost, const char *text, size_t len);

#endif
