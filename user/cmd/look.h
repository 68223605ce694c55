/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What states and leaks have in common: snapshots without hooks, and one report at the end.
 */
#ifndef FW_CMD_LOOK_H
#define FW_CMD_LOOK_H

#include "cmd/session.h"
#include "report/report.h"

/* Takes a snapshot to its end. 0 or negative errno; -EINTR when told to stop before. */
int fw_look_once(struct fw_session *s, struct fw_err *err);

/* Waits for @ns, or until told to stop. */
void fw_look_wait(struct fw_session *s, uint64_t ns);

/* Renders @r where the options want it. 0 or negative errno. */
int fw_look_print(const struct fw_options *opt, struct fw_report *r, struct fw_err *err);

#endif
