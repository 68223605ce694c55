/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this process uses, as every exporter of metrics says it.
 */
#ifndef FW_SERVE_USAGE_H
#define FW_SERVE_USAGE_H

#include <stdint.h>

/* Negative: not known. */
struct fw_usage {
	double cpu_s;
	double start_s; /* since the epoch */
	int64_t resident_bytes, virtual_bytes, open_fds, max_fds;
};

void fw_usage_read(struct fw_usage *u);

#endif
