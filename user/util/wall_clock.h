/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of day of moments of CLOCK_MONOTONIC. The offset between the two clocks changes when the time
 * of day is set (chrony, a virtual machine that was suspended). A moment keeps the offset of its time, so
 * that it is found in other logs of that time.
 */
#ifndef FW_UTIL_WALL_CLOCK_H
#define FW_UTIL_WALL_CLOCK_H

#include <stdint.h>

/* Of more changes the oldest are forgotten. */
#define FW_CLOCK_STEPS_MAX 32

struct fw_clock_step {
	uint64_t since_ns; /* CLOCK_MONOTONIC */
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

struct fw_wall_clock {
	struct fw_clock_step steps[FW_CLOCK_STEPS_MAX]; /* the first also holds for what was before it */
	unsigned int nr;
};

void fw_wall_clock_init(struct fw_wall_clock *c, int64_t offset_ns);

/* The offset is @offset_ns since @since_ns, which is not before the change before it. */
void fw_wall_clock_step(struct fw_wall_clock *c, uint64_t since_ns, int64_t offset_ns);

/* The latest offset. */
int64_t fw_wall_clock_offset_ns(const struct fw_wall_clock *c);

/* Nanoseconds since the epoch at @mono_ns. */
uint64_t fw_wall_clock_ns(const struct fw_wall_clock *c, uint64_t mono_ns);

#endif
