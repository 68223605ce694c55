/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One observer that forwards each event to several, in order. They may be exchanged between events.
 */
#ifndef FW_CORE_FANOUT_H
#define FW_CORE_FANOUT_H

#include "core/tracker.h"

#define FW_FANOUT_MAX 4

struct fw_fanout {
	struct fw_observer to[FW_FANOUT_MAX]; /* all zero: none */
};

/* @f has to outlive it. */
struct fw_observer fw_fanout_observer(struct fw_fanout *f);

#endif
