/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host allows, asked before anything is tried, so that the answer is one clear sentence.
 */
#ifndef FW_IO_HOST_H
#define FW_IO_HOST_H

#include <stdbool.h>

#include "record/header.h"
#include "util/err.h"

/* Can this process, on this kernel, load tracing programs at all? 0, or negative errno with @err. */
int fw_host_check(struct fw_err *err);

/* CAP_SYS_PTRACE: without it other users' processes do not show their namespaces. */
bool fw_host_sees_all_processes(void);
/* Which host, kernel and boot this is, for the header of a recording. */
void fw_host_describe(struct fw_header *h, bool with_name);

#endif
