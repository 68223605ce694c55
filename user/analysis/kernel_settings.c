// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/kernel_settings.h"

#include "analysis/words.h"

static bool is_shown(const struct fw_value *which, const struct fw_netns_values *v)
{
	return which->kind == FW_VALUE_SETTING && which->label && fw_value_get(v, which) >= 0;
}

static struct fw_cell value_cell(const struct fw_netns_values *v, const struct fw_value *which)
{
	return fw_cell_count((uint64_t)fw_value_get(v, which));
}

void fw_settings(const struct fw_netns_values *v, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = { "name", "Setting", "value", "Value", NULL };
	struct fw_table *t = fw_section_table(r, s, "sysctls", "Settings", columns);

	for (size_t i = 0; i < fw_nr_values; i++) {
		const struct fw_value *which = &fw_values[i];

		if (is_shown(which, v))
			fw_table_row(r, t, (struct fw_cell[]){
				fw_cell_text(which->label, SIZE_MAX), value_cell(v, which) });
	}
}

static bool is_different(const struct fw_value *which, const struct fw_netns_values *v,
			 const struct fw_netns_values *shown)
{
	return is_shown(which, v) && which->scope == FW_SCOPE_NETNS &&
	       fw_value_get(v, which) != fw_value_get(shown, which);
}

void fw_other_settings(const struct fw_analysis_context *ctx, const struct fw_netns_values *shown,
		       bool (*is_wanted)(void *arg, uint32_t netns), void *arg, struct fw_report *r,
		       struct fw_section *s)
{
	static const char *const columns[] = { "netns", "netns", "name", "Setting", "value",
					       "Value", NULL };
	struct fw_table *table = NULL;

	for (size_t i = 0; i < ctx->nr_values * fw_nr_values; i++) {
		const struct fw_netns_values *v = &ctx->values[i / fw_nr_values];
		const struct fw_value *which = &fw_values[i % fw_nr_values];

		if (!is_wanted(arg, v->netns) || !is_different(which, v, shown))
			continue;
		if (!table)
			table = fw_section_table(r, s, "other_sysctls", "Different settings elsewhere",
						 columns);
		fw_table_row(r, table, (struct fw_cell[]){
			fw_cell_netns(ctx, v->netns), fw_cell_text(which->label, SIZE_MAX),
			value_cell(v, which) });
	}
}
