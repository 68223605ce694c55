/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With which privileges a session of the running kernel can go on.
 */
#ifndef FW_CMD_RIGHTS_H
#define FW_CMD_RIGHTS_H

#include "io/privileges.h"
#include "io/sandbox.h"
#include "io/source.h"

/* The user to become (@user NULL: see fw_privileges_user()), and what that user must keep for @src.
 * @all_namespaces: to look into other network namespaces too. 0, or a negative errno with @err filled.
 */
int fw_rights_find(struct fw_privileges *p, struct fw_source *src, const char *user,
		   bool all_namespaces, struct fw_err *err);

/* Becomes that, enters the sandbox, and says so. 0, or a negative errno with @err filled. */
int fw_rights_give_up(const struct fw_privileges *p, struct fw_sandbox *sandbox, struct fw_err *err);

#endif
