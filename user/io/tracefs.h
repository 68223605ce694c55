/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identifiers of kernel tracepoints, also where tracefs is not mounted: it is then mounted for this
 * process alone, attached to no directory.
 */
#ifndef FW_IO_TRACEFS_H
#define FW_IO_TRACEFS_H

/* The id of e.g. "syscalls/sys_exit_bind" for perf_event_open(), or a negative errno. */
int fw_tracefs_event_id(const char *event);

#endif
