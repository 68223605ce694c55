/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIGINT and SIGTERM: finish, and report what was seen. From the first one on, calls that block are interrupted ten
 * times a second, so that a run ends within a second although nobody reads its output.
 */
#ifndef FW_IO_STOP_H
#define FW_IO_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* How many interruptions there are in half a second. */
#define FW_STOP_NUDGES 5

/* Set by the first signal. */
extern volatile sig_atomic_t fw_stopping;

/* Catches both, and ignores SIGPIPE and SIGXFSZ: then write() says EPIPE and EFBIG. A second signal half a second
 * later ends the process at once.
 */
void fw_stop_catch(void);

/* For a child that executes another program. */
void fw_stop_release(void);

/* Whether the first signal came more than half a second ago: what is blocked now may be given up. */
bool fw_stop_is_overdue(void);

#endif
