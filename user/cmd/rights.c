// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/rights.h"

#include "io/say.h"

static bool works(void *arg)
{
	struct fw_source *src = arg;

	return src->ops->works(src);
}

int fw_rights_find(struct fw_privileges *p, struct fw_source *src, const char *user,
		   bool all_namespaces, struct fw_err *err)
{
	*p = (struct fw_privileges){ .caps = all_namespaces ? FW_CAPS_NAMESPACES : 0 };
	if (fw_privileges_user(p, user, err))
		return err->code;
	return fw_privileges_measure(p, works, src, err);
}

int fw_rights_give_up(const struct fw_privileges *p, struct fw_sandbox *sandbox, struct fw_err *err)
{
	struct fw_buf kept = { 0 };

	if (fw_privileges_drop(p, err) || fw_sandbox_enter(sandbox, err))
		return err->code;
	fw_privileges_print(p->caps, &kept);
	fw_say(FW_LEVEL_INFO, "going on as user %s with %s", p->user, fw_buf_str(&kept));
	if (!sandbox->namespaces && !sandbox->landlock_abi)
		fw_say(FW_LEVEL_WARNING, "this kernel has no Landlock: files are protected by their "
					 "modes and by the filter of system calls only");
	fw_buf_free(&kept);
	return 0;
}
