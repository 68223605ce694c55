/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls: what finwait serve makes once it runs is allowed, all else fails with EPERM.
 */
#ifndef FW_IO_SANDBOX_H
#define FW_IO_SANDBOX_H

#include "util/err.h"

/* For this process and its threads to come, for good. Needs no_new_privs. 0, or a negative errno with
 * @err filled.
 */
int fw_sandbox_enter(struct fw_err *err);

#endif
