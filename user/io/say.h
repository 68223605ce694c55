/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that finwait writes to people: stderr, or the journal that reads it. Messages contain what came from
 * elsewhere (recordings, servers, names of processes), so control characters and bytes beyond ASCII are escaped,
 * here and in no other place. The importance of a line is told to a journal as sd-daemon(3) has it.
 */
#ifndef FW_IO_SAY_H
#define FW_IO_SAY_H

#include "util/err.h"

enum fw_level { FW_LEVEL_ERROR, FW_LEVEL_WARNING, FW_LEVEL_INFO, FW_LEVEL_MAX };

/* One line: "finwait: ...". */
void fw_say(enum fw_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The message, and the hint in a line of its own. */
void fw_complain(const struct fw_err *err);

/* For a terminal: replaces the line that the cursor is in. NULL: only clears it. */
void fw_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
