// SPDX-License-Identifier: GPL-2.0-only
#include "serve/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/write.h"

#define NAME_LEN 64
#define TMP	 "new"

struct entry {
	uint64_t number, bytes;
	uint32_t rows;
};

struct fw_spool {
	int dir;
	char path[PATH_MAX];
	uint64_t max_bytes, bytes, rows;
	struct entry *entries; /* by number, from [first] on */
	size_t first, nr, cap;
};

static void name_of(char name[NAME_LEN], uint64_t number, uint32_t rows)
{
	snprintf(name, NAME_LEN, "%020" PRIu64 "-%" PRIu32 ".json", number, rows);
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int add(struct fw_spool *s, uint64_t number, uint32_t rows, uint64_t bytes)
{
	if (s->first && s->first + s->nr == s->cap) {
		memmove(s->entries, s->entries + s->first, s->nr * sizeof(*s->entries));
		s->first = 0;
	}
	if (s->first + s->nr == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct entry *more = realloc(s->entries, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->entries = more;
		s->cap = cap;
	}
	s->entries[s->first + s->nr++] = (struct entry){ number, bytes, rows };
	s->bytes += bytes;
	s->rows += rows;
	return 0;
}

static void take_first(struct fw_spool *s)
{
	s->bytes -= s->entries[s->first].bytes;
	s->rows -= s->entries[s->first].rows;
	s->first++;
	s->nr--;
}

static int find_all(struct fw_spool *s, DIR *dir)
{
	const struct dirent *e;
	int ret = 0;

	while (!ret && (e = readdir(dir))) {
		uint64_t number;
		uint32_t rows;
		struct stat st;
		char name[NAME_LEN];

		if (sscanf(e->d_name, "%" SCNu64 "-%" SCNu32 ".json", &number, &rows) != 2)
			continue;
		name_of(name, number, rows);
		if (strcmp(name, e->d_name) || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		ret = add(s, number, rows, (uint64_t)st.st_size);
	}
	if (s->nr)
		qsort(s->entries, s->nr, sizeof(*s->entries), by_number);
	return ret;
}

/* Rows that others could put there would be sent as ours. */
static int check_owner(int dir, const char *path, uid_t uid, struct fw_err *err)
{
	struct stat st;

	if (fstat(dir, &st))
		return fw_err_set(err, -errno, "cannot use %s as a spool: %s", path, strerror(errno));
	if (st.st_uid == uid && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	fw_err_set(err, -EPERM, "%s is no spool of user %u: it is owned by user %u, mode %04o", path,
		   (unsigned int)uid, (unsigned int)st.st_uid, (unsigned int)(st.st_mode & 07777));
	fw_err_hint(err, "name a directory that does not exist yet, or chown and chmod 0700 this one");
	return -EPERM;
}

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int fw_spool_make(const char *directory, uid_t uid, gid_t gid, struct fw_err *err)
{
	bool made = !mkdir(directory, 0700);
	int dir, ret;

	if (!made && errno != EEXIST)
		return fw_err_set(err, -errno, "cannot make %s: %s", directory, strerror(errno));
	dir = open_directory(directory);
	if (dir < 0)
		return fw_err_set(err, dir, "cannot use %s as a spool: %s", directory, strerror(-dir));
	ret = check_owner(dir, directory, made ? geteuid() : uid, err);
	if (!ret && made && fchown(dir, uid, gid))
		ret = fw_err_set(err, -errno, "cannot give %s to user %u: %s", directory,
				 (unsigned int)uid, strerror(errno));
	close(dir);
	return ret;
}

static int read_directory(struct fw_spool *s)
{
	int fd = faccessat(s->dir, ".", W_OK | X_OK, AT_EACCESS) ? -1 : dup(s->dir), ret;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir) {
		ret = find_all(s, dir);
		closedir(dir);
		return ret;
	}
	ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

struct fw_spool *fw_spool_open(const char *directory, uint64_t max_bytes, struct fw_err *err)
{
	struct fw_spool *s = calloc(1, sizeof(*s));
	int ret;

	if (!s) {
		fw_err_set(err, -ENOMEM, "no memory for the spool");
		return NULL;
	}
	s->dir = -1;
	s->max_bytes = max_bytes;
	snprintf(s->path, sizeof(s->path), "%s", directory);
	s->dir = open_directory(directory);
	ret = s->dir < 0 ? s->dir : 0;
	if (!ret && check_owner(s->dir, directory, geteuid(), err))
		goto fail;
	if (!ret)
		ret = read_directory(s);
	if (!ret)
		return s;
	fw_err_set(err, ret, "cannot use %s as a spool: %s", directory, strerror(-ret));
fail:
	fw_spool_free(s);
	return NULL;
}

void fw_spool_free(struct fw_spool *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	free(s->entries);
	free(s);
}

/* Complete under its name, or not there. */
static int write_file(struct fw_spool *s, const struct fw_batch *batch, const char *name)
{
	size_t done;
	int fd, ret;

	/* Left by a crash. The sandbox opens no file for writing that exists. */
	unlinkat(s->dir, TMP, 0);
	fd = openat(s->dir, TMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = fw_write_all(fd, batch->body.data, batch->body.len, &done);
	if (!ret && fsync(fd))
		ret = -errno;
	close(fd);
	if (!ret && renameat(s->dir, TMP, s->dir, name))
		ret = -errno;
	if (!ret)
		ret = fsync(s->dir) ? -errno : 0;
	else
		unlinkat(s->dir, TMP, 0);
	return ret;
}

int fw_spool_put(struct fw_spool *s, const struct fw_batch *batch, struct fw_err *err)
{
	char name[NAME_LEN];
	int ret;

	if (s->bytes + batch->body.len > s->max_bytes)
		return fw_err_set(err, -ENOSPC, "the spool %s is full (--spool-max)", s->path);
	name_of(name, batch->number, batch->rows);
	ret = write_file(s, batch, name);
	if (!ret)
		ret = add(s, batch->number, batch->rows, batch->body.len);
	return ret ? fw_err_set(err, ret, "cannot write %s/%s: %s", s->path, name, strerror(-ret)) :
		     0;
}

static int read_file(struct fw_spool *s, const struct entry *e, struct fw_buf *out)
{
	char name[NAME_LEN], chunk[65536];
	ssize_t n;
	int fd;

	name_of(name, e->number, e->rows);
	fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		fw_buf_mem(out, chunk, (size_t)n);
	n = n < 0 ? -errno : out->failed ? -ENOMEM : 0;
	close(fd);
	return (int)n;
}

struct fw_batch *fw_spool_oldest(struct fw_spool *s, struct fw_err *err)
{
	struct entry *e = &s->entries[s->first];
	struct fw_batch *batch;
	int ret;

	if (!s->nr) {
		errno = 0;
		return NULL;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	*batch = (struct fw_batch){ .number = e->number, .rows = e->rows, .maybe_there = true };
	ret = read_file(s, e, &batch->body);
	if (!ret)
		return batch;
	fw_err_set(err, ret, "cannot read a batch of %u rows in %s: %s", e->rows, s->path,
		   strerror(-ret));
	take_first(s);
	fw_batch_free(batch);
	errno = -ret;
	return NULL;
}

void fw_spool_remove(struct fw_spool *s, const struct fw_batch *batch)
{
	char name[NAME_LEN];

	if (!s->nr || s->entries[s->first].number != batch->number)
		return;
	name_of(name, batch->number, batch->rows);
	unlinkat(s->dir, name, 0);
	take_first(s);
}

uint64_t fw_spool_bytes(const struct fw_spool *s)
{
	return s->bytes;
}

uint64_t fw_spool_rows(const struct fw_spool *s)
{
	return s->rows;
}
