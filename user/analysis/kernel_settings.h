/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings that matter, as tables of "What the kernel says": those of one network namespace, and
 * what is different in others.
 */
#ifndef FW_ANALYSIS_KERNEL_SETTINGS_H
#define FW_ANALYSIS_KERNEL_SETTINGS_H

#include "analysis/analysis.h"

void fw_settings(const struct fw_netns_values *values, struct fw_report *r, struct fw_section *s);
/* Of the namespaces that @is_wanted: what differs from @shown. No table if nothing does. */
void fw_other_settings(const struct fw_analysis_context *ctx, const struct fw_netns_values *shown,
		       bool (*is_wanted)(void *arg, uint32_t netns), void *arg, struct fw_report *r,
		       struct fw_section *s);

#endif
