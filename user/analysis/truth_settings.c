// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/truth_settings.h"

#include <string.h>

#include "analysis/words.h"

#define SETTINGS_MAX 15

struct setting {
	const char *name;
	int64_t value;
};

static void settings_of(const struct fw_sysctls *sysctls, struct setting all[SETTINGS_MAX])
{
	const struct setting known[SETTINGS_MAX] = {
		{ "tcp_fin_timeout", sysctls->tcp_fin_timeout },
		{ "tcp_tw_reuse", sysctls->tcp_tw_reuse },
		{ "tcp_max_tw_buckets", sysctls->tcp_max_tw_buckets },
		{ "tcp_rfc1337", sysctls->tcp_rfc1337 },
		{ "tcp_timestamps", sysctls->tcp_timestamps },
		{ "tcp_max_orphans", sysctls->tcp_max_orphans },
		{ "tcp_orphan_retries", sysctls->tcp_orphan_retries },
		{ "tcp_max_syn_backlog", sysctls->tcp_max_syn_backlog },
		{ "tcp_syncookies", sysctls->tcp_syncookies },
		{ "tcp_synack_retries", sysctls->tcp_synack_retries },
		{ "tcp_syn_retries", sysctls->tcp_syn_retries },
		{ "somaxconn", sysctls->somaxconn },
		{ "ip_local_port_range, lowest", sysctls->port_low },
		{ "ip_local_port_range, highest", sysctls->port_high },
		{ "ports reserved in it", sysctls->ports_reserved },
	};

	memcpy(all, known, sizeof(known));
}

static struct fw_cell value_cell(int64_t value)
{
	return fw_cell_count((uint64_t)value);
}

void fw_settings(const struct fw_truth *truth, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = { "name", "Setting", "value", "Value", NULL };
	struct fw_table *t = fw_section_table(r, s, "sysctls", "Settings", columns);
	struct setting all[SETTINGS_MAX];

	settings_of(&truth->sysctls, all);
	for (size_t i = 0; i < SETTINGS_MAX; i++) {
		if (all[i].value >= 0)
			fw_table_row(r, t, (struct fw_cell[]){
				fw_cell_text(all[i].name, SIZE_MAX), value_cell(all[i].value) });
	}
}

void fw_other_settings(const struct fw_analysis_context *ctx, const struct fw_truth *shown,
		       bool (*is_wanted)(void *arg, uint32_t netns), void *arg, struct fw_report *r,
		       struct fw_section *s)
{
	static const char *const columns[] = { "netns", "netns", "name", "Setting", "value",
					       "Value", NULL };
	struct setting usual[SETTINGS_MAX], here[SETTINGS_MAX];
	struct fw_table *table = NULL;

	settings_of(&shown->sysctls, usual);
	for (size_t i = 0; i < ctx->nr_truth; i++) {
		if (!is_wanted(arg, ctx->truth[i].netns))
			continue;
		settings_of(&ctx->truth[i].sysctls, here);
		for (size_t k = 0; k < SETTINGS_MAX; k++) {
			if (here[k].value < 0 || here[k].value == usual[k].value)
				continue;
			if (!table)
				table = fw_section_table(r, s, "other_sysctls",
							 "Different settings elsewhere", columns);
			fw_table_row(r, table, (struct fw_cell[]){
				fw_cell_netns(ctx, ctx->truth[i].netns),
				fw_cell_text(here[k].name, SIZE_MAX),
				value_cell(here[k].value) });
		}
	}
}
