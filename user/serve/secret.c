// SPDX-License-Identifier: GPL-2.0-only
#include "serve/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096

static int take_line(const char *path, const char *text, size_t len, struct fw_buf *out,
		     struct fw_err *err)
{
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return fw_err_set(err, -EINVAL,
					  "the secret in %s is not one printable word", path);
	}
	if (!len)
		return fw_err_set(err, -EINVAL, "there is no secret in %s", path);
	fw_buf_mem(out, text, len);
	return out->failed ? fw_err_set(err, -ENOMEM, "no memory for the secret in %s", path) : 0;
}

/* What a pipe has would be gone at the next reload; one without a writer would keep us waiting. */
static int check_file(const char *path, const struct stat *st, struct fw_err *err)
{
	if (!S_ISREG(st->st_mode))
		return fw_err_set(err, -EINVAL, "the secret in %s is not in a regular file", path);
	if (st->st_size > SECRET_MAX)
		return fw_err_set(err, -EFBIG, "the secret in %s is longer than %d bytes", path,
				  SECRET_MAX);
	if (st->st_mode & 0007) {
		fw_err_set(err, -EPERM, "everybody may read the secret in %s", path);
		fw_err_hint(err, "chmod o= %s", path);
		return -EPERM;
	}
	return 0;
}

/* At most SECRET_MAX + 1 bytes: the file may have grown since. */
static ssize_t read_all(int fd, char text[SECRET_MAX + 1])
{
	size_t len = 0;

	while (len < SECRET_MAX + 1) {
		ssize_t n = read(fd, text + len, SECRET_MAX + 1 - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

static int read_open(const char *path, int fd, struct fw_buf *out, struct fw_err *err)
{
	char text[SECRET_MAX + 1];
	struct stat st;
	ssize_t n;
	int ret;

	if (fstat(fd, &st))
		return fw_err_set(err, -errno, "cannot read the secret in %s: %s", path,
				  strerror(errno));
	ret = check_file(path, &st, err);
	if (ret)
		return ret;
	n = read_all(fd, text);
	if (n < 0)
		return fw_err_set(err, (int)n, "cannot read the secret in %s: %s", path,
				  strerror((int)-n));
	if (n > SECRET_MAX)
		ret = fw_err_set(err, -EFBIG, "the secret in %s is longer than %d bytes", path,
				 SECRET_MAX);
	else
		ret = take_line(path, text, (size_t)n, out, err);
	explicit_bzero(text, sizeof(text));
	return ret;
}

int fw_secret_read(const char *path, struct fw_buf *out, struct fw_err *err)
{
	/* Opening a pipe would wait for its writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), ret;

	if (fd < 0)
		return fw_err_set(err, -errno, "cannot read the secret in %s: %s", path,
				  strerror(errno));
	ret = read_open(path, fd, out, err);
	close(fd);
	return ret;
}

void fw_secret_free(struct fw_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	fw_buf_free(b);
}
