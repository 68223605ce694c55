// SPDX-License-Identifier: GPL-2.0-only
#include "io/host_clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define NS_PER_S 1000000000LL
/* The two clocks are read so often for one pair without an interruption in between. */
#define TRIES 5

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The kernel shows the offsets of the namespace that children get, which need not be this process's. */
static bool is_own_namespace_shown(void)
{
	struct stat own, children;

	return !stat("/proc/self/ns/time", &own) &&
	       !stat("/proc/self/ns/time_for_children", &children) && own.st_ino == children.st_ino;
}

/* Before Linux 5.6 there are no time namespaces, and no such files. */
struct fw_host_clock fw_host_clock(void)
{
	FILE *f = is_own_namespace_shown() ? fopen("/proc/self/timens_offsets", "re") : NULL;
	struct fw_host_clock c = { 0 };
	long long s, ns;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "monotonic %lld %lld", &s, &ns) == 2)
			c.ahead_ns = s * NS_PER_S + ns;
	}
	if (f)
		fclose(f);
	return c;
}

uint64_t fw_host_clock_ns(const struct fw_host_clock *c)
{
	return (uint64_t)(clock_ns(CLOCK_MONOTONIC) - c->ahead_ns);
}

int64_t fw_host_clock_wall_offset_ns(const struct fw_host_clock *c)
{
	int64_t best_ns = INT64_MAX, offset_ns = 0;

	for (int i = 0; i < TRIES; i++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME);
		int64_t took = clock_ns(CLOCK_MONOTONIC) - before;

		if (took >= best_ns)
			continue;
		best_ns = took;
		offset_ns = wall - (before + took / 2) + c->ahead_ns;
	}
	return offset_ns;
}
