/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel as a source: loads and attaches the BPF programs with the best front end that
 * this kernel accepts, chosen by trying.
 */
#ifndef FW_IO_LIVE_H
#define FW_IO_LIVE_H

#include "../bpf/filter_rule.h"
#include "io/ksyms.h"
#include "io/source.h"

enum fw_hooks { FW_HOOKS_TRAMPOLINE, FW_HOOKS_KPROBE, FW_HOOKS_TIMER, FW_HOOKS_MAX };

/* "trampoline", "kprobe", "timer"; and back, FW_HOOKS_MAX if there is none of that name. */
const char *fw_hooks_name(enum fw_hooks hooks);
enum fw_hooks fw_hooks_from_name(const char *name);

struct fw_live_options {
	enum fw_hooks hooks;	 /* FW_HOOKS_MAX: the best there is */
	const struct fw_ksyms *ksyms; /* needed while opening only */
	uint64_t ring_bytes;	 /* power of two */
	uint32_t half_open_limit;
	struct fw_filter_rule rule; /* which connections */
};

/* What became of each front end. code: 0 attached, negative errno refused, 1 not tried. */
struct fw_live_report {
	struct fw_err front_end[FW_HOOKS_MAX];
};

/* What exists, without any hook: records come from snapshots only. NULL with @err filled. */
struct fw_source *fw_look_open(const struct fw_live_options *opt, struct fw_err *err);

/* NULL with @err filled. @report may be NULL. */
struct fw_source *fw_live_open(const struct fw_live_options *opt, struct fw_live_report *report,
			       struct fw_err *err);

#endif
