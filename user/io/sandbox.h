/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sandbox of finwait serve: seccomp for the system calls (sandbox.c) and Landlock for files, TCP ports,
 * signals and abstract sockets (landlock.c). It is entered once, after everything is open and before the
 * first thread is created, and cannot be left. docs/service.md describes what remains possible inside.
 */
#ifndef FW_IO_SANDBOX_H
#define FW_IO_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define FW_SANDBOX_PATHS 8

struct fw_sandbox {
	/* Other network namespaces are entered later: setns(), file handles, and no Landlock, because a
	 * process with a Landlock domain may not read /proc/PID/ns of processes outside of it.
	 */
	bool namespaces;
	bool settles;	  /* timer front end: asks the program of settle.bpf.c */
	bool connects;	  /* outgoing connections, to TCP @port and to name servers */
	uint16_t port;
	bool reads_files; /* names are resolved, or certificates verified: /etc and /usr */
	const char *write_dir;	/* files are created, read and removed there; NULL: nowhere */
	/* Files below these directories may be read; files directly in the others may be removed. */
	const char *read_dirs[FW_SANDBOX_PATHS], *remove_dirs[FW_SANDBOX_PATHS];
	size_t nr_read_dirs, nr_remove_dirs;
	/* set by fw_sandbox_enter() */
	unsigned int landlock_abi; /* 0: not in use */
};

/* Needs no_new_privs. 0, or a negative errno with @err filled; then the process must not go on. A kernel
 * without Landlock is not an error.
 */
int fw_sandbox_enter(struct fw_sandbox *s, struct fw_err *err);

/* The Landlock half, called by fw_sandbox_enter(). */
int fw_landlock_enter(struct fw_sandbox *s, struct fw_err *err);

#endif
