/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths of control groups by the ids that the kernel side reports, while they exist. Who asks keeps
 * the answer: by the time a connection has left TIME_WAIT its container may be gone.
 */
#ifndef FW_IO_CGROUP_H
#define FW_IO_CGROUP_H

#include <stdint.h>

struct fw_cgroups;

/* NULL: no memory. Without a cgroup2 hierarchy every path is unknown. */
struct fw_cgroups *fw_cgroups_new(void);
void fw_cgroups_free(struct fw_cgroups *cg);

/* The path within the hierarchy ("/system.slice/nginx.service"), or NULL if it is not known. Owned
 * by @cg; valid until the next call. @cg may be NULL.
 */
const char *fw_cgroups_path(struct fw_cgroups *cg, uint64_t id);

#endif
