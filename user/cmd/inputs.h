/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one way into a session: everything that its tracker, its observers and its names are told comes
 * through these two, in the order in which it counts.
 */
#ifndef FW_CMD_INPUTS_H
#define FW_CMD_INPUTS_H

#include "cmd/session.h"

/* A record of bpf/event.h. @arg: the session; for struct fw_source.poll. */
void fw_inputs_record(void *arg, const void *record, size_t len);

/* Anything else. @arg: the session; for struct fw_source.mark. */
void fw_inputs_mark(void *arg, const struct fw_mark *mark);

#endif
