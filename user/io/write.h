/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing to a descriptor that blocks.
 */
#ifndef FW_IO_WRITE_H
#define FW_IO_WRITE_H

#include <stddef.h>

/* Writes @len bytes; @done is how many were written, on failure as well. 0, or a negative errno: -EINTR if the
 * process was asked to stop and the reader has taken nothing for half a second.
 */
int fw_write_all(int fd, const char *data, size_t len, size_t *done);

#endif
