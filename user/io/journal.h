/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service manager is sent: readiness and life signs, as sd_notify(3) has them. Without a service manager
 * nothing is sent.
 */
#ifndef FW_IO_JOURNAL_H
#define FW_IO_JOURNAL_H

#include <stdint.h>

/* A socket connected to $NOTIFY_SOCKET, or -1 without a service manager. The sandbox allows no new one. */
int fw_notify_open(void);
/* Sends "READY=1", "STOPPING=1\nSTATUS=..."; @fd may be -1. */
void fw_notify(int fd, const char *message);

/* How often the service manager wants to hear WATCHDOG=1; 0: it does not. */
uint64_t fw_watchdog_ns(void);

#endif
