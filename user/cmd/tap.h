/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a session is told, written down as it is told: a recording. Calls do nothing in a session that
 * is not being recorded.
 */
#ifndef FW_CMD_TAP_H
#define FW_CMD_TAP_H

#include "cmd/session.h"

/* Begins if the options say so. 0 or negative errno with @err filled. */
int fw_tap_open(struct fw_session *s, struct fw_err *err);

/* Before the session itself looks at it. */
void fw_tap_event(struct fw_session *s, const struct fw_event *ev);
void fw_tap_mark(struct fw_session *s, const struct fw_mark *mark);

/* After a batch. 0; 1: a file of its own has begun: everything is to be looked at again; or negative
 * errno with @err filled.
 */
int fw_tap_step(struct fw_session *s, struct fw_err *err);

/* All has been told. 0 or negative errno with @err filled. */
int fw_tap_close(struct fw_session *s, struct fw_err *err);

#endif
