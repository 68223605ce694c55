/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A secret in a file: one line, without blanks around it.
 */
#ifndef FW_SERVE_SECRET_H
#define FW_SERVE_SECRET_H

#include "util/buf.h"
#include "util/err.h"

/* Appends it to @out. A file that is empty, or that others may read, is refused: 0, or a negative errno
 * with @err filled.
 */
int fw_secret_read(const char *path, struct fw_buf *out, struct fw_err *err);

/* Overwrites it. */
void fw_secret_free(struct fw_buf *b);

#endif
