/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service manager is told: readiness and life signs (sd_notify(3)), and how important a line of
 * the log is (sd-daemon(3)). Both are small public protocols; without a service manager nothing is sent.
 */
#ifndef FW_IO_JOURNAL_H
#define FW_IO_JOURNAL_H

#include <stdint.h>

enum fw_level { FW_LEVEL_ERROR, FW_LEVEL_WARNING, FW_LEVEL_INFO, FW_LEVEL_MAX };

/* What begins a line on stderr: "<4>" if the journal reads it, else "". */
const char *fw_level_prefix(enum fw_level level);

/* "finwait: ..." on stderr, for people or the journal. Not escaped. */
void fw_say(enum fw_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A socket connected to $NOTIFY_SOCKET, or -1 without a service manager. The sandbox allows no new one. */
int fw_notify_open(void);
/* Sends "READY=1", "STOPPING=1\nSTATUS=..."; @fd may be -1. */
void fw_notify(int fd, const char *message);

/* How often the service manager wants to hear WATCHDOG=1; 0: it does not. */
uint64_t fw_watchdog_ns(void);

#endif
