/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter of the configuration. User space applies the same rule to the finished connection, so a
 * record that passes because its endpoints were not known is not shown in the end.
 */
#ifndef FW_BPF_FILTER_BPF_H
#define FW_BPF_FILTER_BPF_H

#include "sock.bpf.h"
#include "filter_rule.h"

/* Whether anything is to be left out. The configuration is constant: where not, no code remains. */
static __always_inline bool fw_is_filtered(void)
{
	return fw_rule_is_set(&fw_cfg.rule);
}

static __always_inline bool fw_wanted(const struct fw_rec_head *head)
{
	return fw_rule_head(&fw_cfg.rule, head);
}

/* For a full socket that may not have a peer yet. */
static __always_inline bool fw_wanted_early(const struct fw_rec_head *head)
{
	return fw_rule_full(&fw_cfg.rule, head);
}

#endif
