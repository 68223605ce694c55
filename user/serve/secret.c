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

int fw_secret_read(const char *path, struct fw_buf *out, struct fw_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[SECRET_MAX];
	struct stat st;
	ssize_t n;
	int ret;

	if (fd < 0)
		return fw_err_set(err, -errno, "cannot read the secret in %s: %s", path,
				  strerror(errno));
	n = fstat(fd, &st) ? -1 : read(fd, text, sizeof(text));
	ret = n < 0 ? -errno : 0;
	close(fd);
	if (ret)
		return fw_err_set(err, ret, "cannot read the secret in %s: %s", path,
				  strerror(-ret));
	if (S_ISREG(st.st_mode) && st.st_mode & 0007) {
		fw_err_set(err, -EPERM, "everybody may read the secret in %s", path);
		fw_err_hint(err, "chmod o= %s", path);
		return err->code;
	}
	ret = take_line(path, text, (size_t)n, out, err);
	explicit_bzero(text, sizeof(text));
	return ret;
}

void fw_secret_free(struct fw_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	fw_buf_free(b);
}
