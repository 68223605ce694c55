/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving up privileges once everything that needs them is open. What is kept is measured: a child
 * gives up more and more until what is needed from then on does not work any more.
 */
#ifndef FW_IO_PRIVILEGES_H
#define FW_IO_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/err.h"

/* What it takes to look into network namespaces of others: setns(), /proc/PID/ns, names of control
 * groups. See capabilities(7).
 */
#define FW_CAPS_NAMESPACES \
	(1ULL << 21 /* SYS_ADMIN */ | 1ULL << 19 /* SYS_PTRACE */ | 1ULL << 2 /* DAC_READ_SEARCH */)

struct fw_privileges {
	char user[32];
	uid_t uid;
	gid_t gid;
	uint64_t caps; /* 1 << CAP_... */
};

/* The user to become: @name, or, for NULL, "finwait" if there is such a user, else "nobody". Who is not
 * root, or may not become another (in a container without CAP_SETUID), stays who he is. 0, or a negative
 * errno with @err filled.
 */
int fw_privileges_user(struct fw_privileges *p, const char *name, struct fw_err *err);

/* Finds the fewest capabilities with which @works says yes, as that user: sets @p->caps, to which what
 * is there already is added. Forks; call it before there are threads. -EPERM with @err filled if @works
 * needs more than those that read BPF maps.
 */
int fw_privileges_measure(struct fw_privileges *p, bool (*works)(void *arg), void *arg,
			  struct fw_err *err);

/* Becomes that, for good: no further privileges, not even by what is executed. 0, or a negative errno
 * with @err filled; then the process must not go on.
 */
int fw_privileges_drop(const struct fw_privileges *p, struct fw_err *err);

/* "CAP_BPF CAP_SYS_ADMIN", or "no capabilities". */
void fw_privileges_print(uint64_t caps, struct fw_buf *out);

#endif
