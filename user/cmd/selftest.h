/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attached is not the same as firing: compilers inline what a probe stands on. This makes
 * connections over loopback and sees which hooks fire.
 */
#ifndef FW_CMD_SELFTEST_H
#define FW_CMD_SELFTEST_H

#include <stdbool.h>

#include "io/source.h"

/* Prints a line per hook. Returns whether all of them fired; false with @err when the connections
 * could not be made.
 */
bool fw_selftest(struct fw_source *src, struct fw_err *err);

#endif
