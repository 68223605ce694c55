/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of the kernel's records: the host's CLOCK_MONOTONIC. A process in a time namespace reads another
 * one, which differs by a constant.
 */
#ifndef FW_IO_HOST_CLOCK_H
#define FW_IO_HOST_CLOCK_H

#include <stdint.h>

struct fw_host_clock {
	int64_t ahead_ns; /* of this process's CLOCK_MONOTONIC against the host's */
};

struct fw_host_clock fw_host_clock(void);

uint64_t fw_host_clock_ns(const struct fw_host_clock *c);

/* CLOCK_REALTIME - the host's CLOCK_MONOTONIC, with an error of well below a millisecond. */
int64_t fw_host_clock_wall_offset_ns(const struct fw_host_clock *c);

#endif
