// SPDX-License-Identifier: GPL-2.0-only
#include "util/wall_clock.h"

#include <string.h>

void fw_wall_clock_init(struct fw_wall_clock *c, int64_t offset_ns)
{
	*c = (struct fw_wall_clock){ .steps = { { 0, offset_ns } }, .nr = 1 };
}

void fw_wall_clock_step(struct fw_wall_clock *c, uint64_t since_ns, int64_t offset_ns)
{
	if (c->nr && c->steps[c->nr - 1].offset_ns == offset_ns)
		return;
	if (c->nr == FW_CLOCK_STEPS_MAX)
		memmove(c->steps, c->steps + 1, --c->nr * sizeof(c->steps[0]));
	c->steps[c->nr++] = (struct fw_clock_step){ since_ns, offset_ns };
}

int64_t fw_wall_clock_offset_ns(const struct fw_wall_clock *c)
{
	return c->nr ? c->steps[c->nr - 1].offset_ns : 0;
}

uint64_t fw_wall_clock_ns(const struct fw_wall_clock *c, uint64_t mono_ns)
{
	unsigned int i = c->nr;

	while (i > 1 && c->steps[i - 1].since_ns > mono_ns)
		i--;
	return mono_ns + (i ? (uint64_t)c->steps[i - 1].offset_ns : 0);
}
