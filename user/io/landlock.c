// SPDX-License-Identifier: GPL-2.0-only
/*
 * Landlock. The C library of some supported systems has none of its definitions, so those that are used
 * stand here. They are the kernel's ABI: include/uapi/linux/landlock.h.
 *
 *	ABI 1  Linux 5.13  files
 *	ABI 3  Linux 6.2   truncation
 *	ABI 4  Linux 6.7   TCP ports
 *	ABI 6  Linux 6.12  abstract UNIX sockets and signals
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/sandbox.h"

#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE	   445
#define SYS_RESTRICT_SELF  446

#define GET_VERSION	 (1U << 0)
#define RULE_PATH	 1
#define RULE_PORT	 2
#define FS_WRITE_FILE	 (1ULL << 1)
#define FS_READ_FILE	 (1ULL << 2)
#define FS_READ_DIR	 (1ULL << 3)
#define FS_REMOVE_FILE	 (1ULL << 5)
#define FS_MAKE_REG	 (1ULL << 8)
#define FS_ALL_ABI_1	 ((1ULL << 13) - 1)
#define FS_REFER	 (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE	 (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV	 (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP	 (1ULL << 0)
#define NET_CONNECT_TCP	 (1ULL << 1)
#define SCOPE_ALL	 ((1ULL << 2) - 1)

#define DNS_PORT 53

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

static unsigned int abi_of_kernel(void)
{
	long abi = syscall(SYS_CREATE_RULESET, NULL, 0, GET_VERSION);

	return abi > 0 ? (unsigned int)abi : 0;
}

/* Everything that this ABI can deny is denied, unless a rule allows it. */
static int new_ruleset(unsigned int abi)
{
	struct ruleset r = { .fs = FS_ALL_ABI_1 };
	size_t size = sizeof(r.fs);

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 4) {
		r.net = NET_BIND_TCP | NET_CONNECT_TCP;
		size = 2 * sizeof(uint64_t);
	}
	if (abi >= 6) {
		r.scoped = SCOPE_ALL;
		size = sizeof(r);
	}
	return (int)syscall(SYS_CREATE_RULESET, &r, size, 0);
}

/*
 * A rule holds for an inode. procfs makes new inodes when the cache has dropped the old ones, so the
 * directory stays open (@keep): then it stays in the cache. What does not exist needs no rule.
 */
static int allow_below(int ruleset, const char *path, uint64_t allowed, bool keep)
{
	struct path_rule rule = { .allowed = allowed };
	int ret;

	rule.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	ret = syscall(SYS_ADD_RULE, ruleset, RULE_PATH, &rule, 0) ? -errno : 0;
	if (!keep || ret)
		close(rule.parent_fd);
	return ret;
}

static int allow_port(int ruleset, uint16_t port)
{
	const struct port_rule rule = { NET_CONNECT_TCP, port };

	return syscall(SYS_ADD_RULE, ruleset, RULE_PORT, &rule, 0) ? -errno : 0;
}

/* Its own state and the kernel's counters; the names of namespaces and control groups. */
static int allow_observing(int ruleset)
{
	char self[32];
	int ret;

	snprintf(self, sizeof(self), "/proc/%d", (int)getpid());
	ret = allow_below(ruleset, self, FS_READ_FILE | FS_READ_DIR, true);
	if (!ret)
		ret = allow_below(ruleset, "/proc/sys/net", FS_READ_FILE | FS_READ_DIR, true);
	if (!ret)
		ret = allow_below(ruleset, "/proc", FS_READ_DIR, false);
	if (!ret)
		ret = allow_below(ruleset, "/run", FS_READ_DIR, false);
	if (!ret)
		ret = allow_below(ruleset, "/sys/fs/cgroup", FS_READ_DIR, false);
	return ret;
}

/* /etc/resolv.conf is often a link, to a file that is replaced now and then. */
static int allow_below_target(int ruleset, const char *link)
{
	char target[PATH_MAX], *slash;

	if (!realpath(link, target))
		return 0;
	slash = strrchr(target, '/');
	if (slash == target)
		return 0;
	*slash = '\0';
	return allow_below(ruleset, target, FS_READ_FILE, false);
}

/* What resolving names and verifying certificates reads. */
static int allow_configuration(int ruleset)
{
	int ret = allow_below(ruleset, "/etc", FS_READ_FILE | FS_READ_DIR, false);

	if (!ret)
		ret = allow_below_target(ruleset, "/etc/resolv.conf");
	if (!ret)
		ret = allow_below(ruleset, "/usr", FS_READ_FILE | FS_READ_DIR, false);
	return ret;
}

static int allow_connecting(int ruleset, const struct fw_sandbox *s)
{
	int ret = s->reads_files ? allow_configuration(ruleset) : 0;

	if (!ret && s->landlock_abi >= 4)
		ret = allow_port(ruleset, s->port);
	if (!ret && s->landlock_abi >= 4 && s->reads_files)
		ret = allow_port(ruleset, DNS_PORT);
	return ret;
}

static int allow_given(int ruleset, const struct fw_sandbox *s)
{
	uint64_t write = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_REMOVE_FILE;
	int ret = 0;

	if (s->landlock_abi >= 3)
		write |= FS_TRUNCATE;
	if (s->write_dir)
		ret = allow_below(ruleset, s->write_dir, write, false);
	for (size_t i = 0; i < s->nr_read_dirs && !ret; i++)
		ret = allow_below(ruleset, s->read_dirs[i], FS_READ_FILE, false);
	for (size_t i = 0; i < s->nr_remove_dirs && !ret; i++)
		ret = allow_below(ruleset, s->remove_dirs[i], FS_REMOVE_FILE, false);
	return ret;
}

int fw_landlock_enter(struct fw_sandbox *s, struct fw_err *err)
{
	int ruleset, ret;

	s->landlock_abi = abi_of_kernel();
	if (!s->landlock_abi)
		return 0;
	ruleset = new_ruleset(s->landlock_abi);
	if (ruleset < 0)
		return fw_err_set(err, -errno, "cannot make Landlock rules: %s", strerror(errno));
	ret = allow_observing(ruleset);
	if (!ret && s->connects)
		ret = allow_connecting(ruleset, s);
	if (!ret)
		ret = allow_given(ruleset, s);
	if (!ret && syscall(SYS_RESTRICT_SELF, ruleset, 0))
		ret = -errno;
	close(ruleset);
	return ret ? fw_err_set(err, ret, "cannot restrict files (Landlock): %s", strerror(-ret)) :
		     0;
}
