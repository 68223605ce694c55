// SPDX-License-Identifier: GPL-2.0-only
#include "io/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(cap) (1ULL << (cap))

/* From the least. Linux before 6.0 reads no map without CAP_BPF where kernel.unprivileged_bpf_disabled is
 * set, as it is by default in distributions; some ask for more. Never CAP_SYS_ADMIN.
 */
static const uint64_t sets[] = { 0, BIT(CAP_BPF), BIT(CAP_BPF) | BIT(CAP_PERFMON) };
#define NR_SETS (sizeof(sets) / sizeof(sets[0]))

static bool may(int cap)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, (unsigned int)cap);
}

int fw_privileges_user(struct fw_privileges *p, const char *name, struct fw_err *err)
{
	const struct passwd *pw;

	if (geteuid() || (!name && !(may(CAP_SETUID) && may(CAP_SETGID)))) {
		pw = getpwuid(geteuid());
		snprintf(p->user, sizeof(p->user), "%s", pw ? pw->pw_name : "this user");
		p->uid = geteuid();
		p->gid = getegid();
		return 0;
	}
	pw = getpwnam(name ? name : "finwait");
	if (!pw && !name)
		pw = getpwnam("nobody");
	if (!pw) {
		fw_err_set(err, -ENOENT, "there is no user '%s' to become", name ? name : "nobody");
		fw_err_hint(err, "--user names one that has no other rights on this host");
		return err->code;
	}
	snprintf(p->user, sizeof(p->user), "%s", pw->pw_name);
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	return 0;
}

static void choose_caps(uint64_t caps)
{
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (caps & BIT(cap))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
	}
}

static int become(const struct fw_privileges *p)
{
	bool bounds = may(CAP_SETPCAP), root = !geteuid();

	choose_caps(p->caps);
	if (root && p->uid)
		return capng_change_id((int)p->uid, (int)p->gid,
				       CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING |
					       CAPNG_CLEAR_AMBIENT);
	/* Without CAP_SETPCAP the bounding set is whoever started us's to clear; with no_new_privs it
	 * gives nothing.
	 */
	return capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT |
			   (bounds ? CAPNG_SELECT_BOUNDS : 0));
}

int fw_privileges_drop(const struct fw_privileges *p, struct fw_err *err)
{
	int ret = become(p);

	if (ret)
		return fw_err_set(err, -EPERM,
				  "cannot become user %s without privileges (libcap-ng: %d)",
				  p->user, ret);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fw_err_set(err, -errno, "cannot give up gaining privileges: %s",
				  strerror(errno));
	/* Processes of the same user can neither trace it nor read its memory, and it leaves no core. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fw_err_set(err, -errno, "cannot forbid core dumps: %s", strerror(errno));
	return 0;
}

static bool works_with(const struct fw_privileges *p, bool (*works)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(!fw_privileges_drop(p, NULL) && works(arg) ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

int fw_privileges_measure(struct fw_privileges *p, bool (*works)(void *arg), void *arg,
			  struct fw_err *err)
{
	uint64_t always = p->caps;

	for (size_t i = 0; i < NR_SETS; i++) {
		p->caps = always | sets[i];
		if (works_with(p, works, arg))
			return 0;
	}
	fw_err_set(err, -EPERM, "reading from the kernel does not work as user %s", p->user);
	fw_err_hint(err, "--user root keeps the user, and with it what this kernel wants");
	return -EPERM;
}

void fw_privileges_print(uint64_t caps, struct fw_buf *out)
{
	bool any = false;

	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		const char *name = caps & BIT(cap) ? capng_capability_to_name(cap) : NULL;

		if (!name)
			continue;
		fw_buf_puts(out, any ? " CAP_" : "CAP_");
		for (; *name; name++)
			fw_buf_putc(out, *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') :
									*name);
		any = true;
	}
	if (!any)
		fw_buf_puts(out, "no capabilities");
}
