// SPDX-License-Identifier: GPL-2.0-only
#include "io/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, int error, struct fw_err *err)
{
	return fw_err_set(err, -error, "cannot write to %s: %s", path, strerror(error));
}

static int refuse_because(const char *path, const char *why, struct fw_err *err)
{
	fw_err_set(err, -EPERM, "cannot write to %s: %s", path, why);
	fw_err_hint(err, "name a file in a directory of your own");
	return -EPERM;
}

/* "dir/" and "name" of "dir/name". */
static int split(const char *path, char dir[PATH_MAX], char name[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;

	if (len >= PATH_MAX || strlen(path + len) > NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(dir, PATH_MAX, "%.*s", (int)len, path);
	snprintf(name, NAME_MAX + 1, "%s", path + len);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EISDIR;
	return 0;
}

static bool is_ours(uid_t uid)
{
	return !uid || uid == geteuid();
}

bool fw_dir_is_private(const struct stat *dir)
{
	bool group = dir->st_mode & S_IWGRP && dir->st_gid && dir->st_gid != getegid();

	return is_ours(dir->st_uid) && !(dir->st_mode & S_IWOTH) && !group;
}

/* A pipe, a device, a socket: written to as it is. */
static int open_special(struct fw_new_file *f, const char *path, bool private, struct fw_err *err)
{
	struct stat st;

	f->fd = openat(f->dir, f->name, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	close(f->dir);
	f->dir = -1;
	if (f->fd < 0)
		return refuse(path, errno, err);
	if (!fstat(f->fd, &st) && !S_ISREG(st.st_mode) && (private || is_ours(st.st_uid)))
		return 0;
	close(f->fd);
	f->fd = -1;
	return refuse_because(path, "another user has put it there", err);
}

static int open_temporary(struct fw_new_file *f, const char *path, struct fw_err *err)
{
	uint64_t number;
	int error;

	do {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			number = (uint64_t)getpid();
		snprintf(f->temporary, sizeof(f->temporary), ".finwait-%016" PRIx64, number);
		f->fd = openat(f->dir, f->temporary,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (f->fd < 0 && errno == EEXIST);
	if (f->fd >= 0)
		return 0;
	error = errno;
	close(f->dir);
	f->dir = -1;
	return refuse(path, error, err);
}

/* /dev/stdout and the like lead to a descriptor of ours, which is not to be replaced. */
static bool is_descriptor(const char *target)
{
	return !strncmp(target, "/proc/", 6) || !strncmp(target, "/dev/fd/", 8);
}

static int open_at(struct fw_new_file *f, const char *path, bool follow, struct fw_err *err);

static int open_link(struct fw_new_file *f, const char *path, bool private, bool follow,
		     struct fw_err *err)
{
	char target[PATH_MAX], resolved[PATH_MAX];
	ssize_t n = readlinkat(f->dir, f->name, target, sizeof(target) - 1);

	close(f->dir);
	f->dir = -1;
	if (n < 0)
		return refuse(path, errno, err);
	if (!private || !follow)
		return refuse_because(path, "it is a symbolic link that others may have put there", err);
	target[n] = '\0';
	if (is_descriptor(target)) {
		f->fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		return f->fd < 0 ? refuse(path, errno, err) : 0;
	}
	if (!realpath(path, resolved))
		return refuse(path, errno, err);
	return open_at(f, resolved, false, err);
}

/* What stands under the name now: @st, if there is anything. */
static int open_over(struct fw_new_file *f, const char *path, const struct stat *dir, bool follow,
		     struct fw_err *err)
{
	bool private = fw_dir_is_private(dir);
	struct stat st;

	if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW))
		return open_temporary(f, path, err);
	if (S_ISLNK(st.st_mode))
		return open_link(f, path, private, follow, err);
	if (!S_ISREG(st.st_mode))
		return open_special(f, path, private, err);
	/* The kernel would say so, but only when there is something to write. */
	if (dir->st_mode & S_ISVTX && geteuid() && st.st_uid != geteuid() &&
	    dir->st_uid != geteuid()) {
		close(f->dir);
		f->dir = -1;
		return refuse_because(path, "it is another user's", err);
	}
	return open_temporary(f, path, err);
}

static int open_at(struct fw_new_file *f, const char *path, bool follow, struct fw_err *err)
{
	char dir[PATH_MAX];
	struct stat st;
	int ret = split(path, dir, f->name);

	if (ret)
		return refuse(path, -ret, err);
	f->dir = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return refuse(path, errno, err);
	if (!fstat(f->dir, &st) && !(st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX)))
		return open_over(f, path, &st, follow, err);
	close(f->dir);
	f->dir = -1;
	return refuse_because(path, "everybody may replace files in that directory", err);
}

int fw_new_file_open(struct fw_new_file *f, const char *path, struct fw_err *err)
{
	*f = (struct fw_new_file){ .fd = -1, .dir = -1 };
	return open_at(f, path, true, err);
}

int fw_new_file_commit(struct fw_new_file *f)
{
	if (f->dir < 0)
		return 0;
	if (renameat(f->dir, f->temporary, f->dir, f->name))
		return -errno;
	close(f->dir);
	f->dir = -1;
	return 0;
}

int fw_new_file_close(struct fw_new_file *f)
{
	int ret = 0;

	if (f->fd >= 0 && close(f->fd))
		ret = -errno;
	if (f->dir >= 0) {
		unlinkat(f->dir, f->temporary, 0);
		close(f->dir);
	}
	f->fd = f->dir = -1;
	return ret;
}
