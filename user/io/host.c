// SPDX-License-Identifier: GPL-2.0-only
#include "io/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

#define CAP_SYS_PTRACE_BIT (1ULL << 19)
#define CAP_SYS_ADMIN_BIT (1ULL << 21)
#define CAP_PERFMON_BIT (1ULL << 38)
#define CAP_BPF_BIT (1ULL << 39)

static unsigned long long effective_caps(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return geteuid() ? 0 : ~0ULL;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	}
	fclose(f);
	return caps;
}

bool fw_host_sees_all_processes(void)
{
	return effective_caps() & CAP_SYS_PTRACE_BIT;
}

static bool may_trace(void)
{
	unsigned long long caps = effective_caps();

	return caps & CAP_SYS_ADMIN_BIT || ((caps & CAP_BPF_BIT) && (caps & CAP_PERFMON_BIT));
}

int fw_host_check(struct fw_err *err)
{
	if (!may_trace()) {
		fw_err_set(err, -EPERM, "tracing the kernel needs privileges that this process "
					"(uid %u) does not have", (unsigned int)geteuid());
		fw_err_hint(err, "run it as root (sudo finwait ...), or with CAP_BPF, CAP_PERFMON "
				 "and CAP_SYSLOG, before Linux 5.11 CAP_SYS_RESOURCE too");
		return -EPERM;
	}
	if (access(VMLINUX_BTF, R_OK)) {
		fw_err_set(err, -ENOENT, "this kernel shows no BTF type information (%s: %s)",
			   VMLINUX_BTF, strerror(errno));
		fw_err_hint(err, "finwait needs Linux 5.10 or newer built with "
				 "CONFIG_DEBUG_INFO_BTF=y, and /sys mounted");
		return -ENOENT;
	}
	return 0;
}

void fw_host_describe(struct fw_header *h, bool with_name)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct utsname u;

	snprintf(h->finwait, sizeof(h->finwait), "%s", FW_VERSION);
	if (!uname(&u)) {
		snprintf(h->kernel, sizeof(h->kernel), "%s", u.release);
		snprintf(h->arch, sizeof(h->arch), "%s", u.machine);
		snprintf(h->host, sizeof(h->host), "%s", with_name ? u.nodename : "");
	}
	if (f && fgets(h->boot_id, sizeof(h->boot_id), f))
		h->boot_id[strcspn(h->boot_id, "\n")] = '\0';
	if (f)
		fclose(f);
	if (getrandom(&h->session, sizeof(h->session), 0) != (ssize_t)sizeof(h->session))
		h->session = h->start_ns;
}
