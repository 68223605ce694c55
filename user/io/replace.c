// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are written as a whole: to a temporary name beside it, then renamed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output.h"

static int cannot(const char *path, int error, struct fw_err *err)
{
	return fw_err_set(err, -error, "cannot write to %s: %s", path, strerror(error));
}

/* Renaming onto a device would replace it. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

/* Where the file is, so that a link to it stays a link. */
static void target_of(const char *path, char out[PATH_MAX])
{
	if (!realpath(path, out))
		snprintf(out, PATH_MAX, "%s", path);
}

static int write_all(int fd, const struct fw_buf *buf)
{
	size_t done = 0;

	while (done < buf->len) {
		ssize_t n = write(fd, buf->data + done, buf->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A file beside @target, with the rights that open() would give it. */
static int open_beside(const char *target, char name[PATH_MAX])
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (snprintf(name, PATH_MAX, "%s.XXXXXX", target) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		fchmod(fd, 0644 & ~mask);
	return fd < 0 ? -errno : fd;
}

int fw_output_check(const char *path, struct fw_err *err)
{
	char target[PATH_MAX], name[PATH_MAX];
	int fd;

	if (is_special(path))
		return access(path, W_OK) ? cannot(path, errno, err) : 0;
	target_of(path, target);
	fd = open_beside(target, name);
	if (fd < 0)
		return cannot(path, -fd, err);
	close(fd);
	unlink(name);
	return 0;
}

static int write_to(const char *path, const struct fw_buf *buf, struct fw_err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return cannot(path, errno, err);
	ret = write_all(fd, buf);
	close(fd);
	return ret ? cannot(path, -ret, err) : 0;
}

int fw_output_replace(const char *path, const struct fw_buf *buf, struct fw_err *err)
{
	char target[PATH_MAX], name[PATH_MAX];
	int fd, ret;

	if (buf->failed)
		return cannot(path, ENOMEM, err);
	if (is_special(path))
		return write_to(path, buf, err);
	target_of(path, target);
	fd = open_beside(target, name);
	if (fd < 0)
		return cannot(path, -fd, err);
	ret = write_all(fd, buf);
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(name, target))
		ret = -errno;
	if (ret)
		unlink(name);
	return ret ? cannot(path, -ret, err) : 0;
}
