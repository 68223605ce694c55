/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What states and leaks have in common: snapshots without hooks, and one report at the end.
 */
#ifndef FW_CMD_LOOK_H
#define FW_CMD_LOOK_H

#include "cmd/session.h"
#include "report/report.h"

/* A moment of a recording. */
struct fw_at {
	const char *text; /* NULL: its end */
	bool since_start; /* .ns is since its beginning; else the time of day, since the epoch */
	uint64_t ns;
};

/* "90s", "5m" from the beginning on, or "2026-11-22T19:08:14Z", as finwait prints time in JSON. 0 or
 * -EINVAL with @err filled.
 */
int fw_at_parse(const char *text, struct fw_at *at, struct fw_err *err);
#define FW_AT_OPTION(key) \
	{ "at", key, "TIME", 0, \
	  "With -i: as of then, 90s from the beginning or 2026-11-22T19:08:14Z (default: its end)", 0 }

/* 0; -EINVAL with @err filled: these do not go together. */
int fw_look_check(const struct fw_options *opt, const struct fw_at *at, struct fw_err *err);

/* Takes a snapshot to its end. Of a recording: reads it up to @at, with the snapshots that it has. 0 or
 * negative errno; -EINTR when told to stop before.
 */
int fw_look_once(struct fw_session *s, const struct fw_at *at, struct fw_err *err);

/* Waits for @ns, or until told to stop. */
void fw_look_wait(struct fw_session *s, uint64_t ns);

/* Says what it is, and as of when, if it is of a recording. @title: static. */
void fw_look_about(const struct fw_session *s, const char *title, struct fw_report *r);

/* Renders @r where the options want it. 0 or negative errno. */
int fw_look_print(const struct fw_options *opt, struct fw_report *r, struct fw_err *err);

#endif
