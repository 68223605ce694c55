/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that finwait writes. They contain who talked to whom, and finwait is often root, so:
 *
 *   - a file is always a new one, for its owner only (0600), whatever stood under its name before;
 *   - it gets its name, and what stood there is replaced, when its writer says so: not before there is
 *     content, and not if there never is;
 *   - a symbolic link is followed only where others cannot have put it, and so are pipes and devices, which
 *     are written to as they are;
 *   - a directory in which everybody may replace files is refused.
 *
 * The directory is opened once and held, so no later exchange of a part of its path matters.
 */
#ifndef FW_IO_NEW_FILE_H
#define FW_IO_NEW_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "util/err.h"

struct fw_new_file {
	int fd;	 /* to write to; -1: not open */
	int dir; /* -1: it is a pipe or device, or has its name */
	char name[NAME_MAX + 1], temporary[32];
};

/* Whether only we, and root, decide what stands in a directory. */
bool fw_dir_is_private(const struct stat *dir);

/* 0, or a negative errno with @err filled; then there is nothing to close. */
int fw_new_file_open(struct fw_new_file *f, const char *path, struct fw_err *err);

/* Gives the file its name. May be called again. 0, or a negative errno (no @err: the caller has the path). */
int fw_new_file_commit(struct fw_new_file *f);

/* Closes it; a file without its name is removed. 0, or a negative errno of close(). */
int fw_new_file_close(struct fw_new_file *f);

#endif
