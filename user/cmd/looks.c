// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/looks.h"

#include <time.h>

#define CPU_SHARE 50
#define NS_PER_S 1000000000ULL

/* All threads: snapshots of other network namespaces have some of their own. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void fw_looks_begin(struct fw_looks *l, const struct fw_looks_options *opt, uint64_t start_ns)
{
	*l = (struct fw_looks){
		.start_ns = start_ns,
		.next_ns = opt->first_ns ? start_ns + opt->first_ns : UINT64_MAX,
		.max_ns = opt->max_ns,
		.cpu_ns = cpu_ns(),
		.looking = true,
	};
}

/* Until the next one: as long as the session has gone on, but so that they stay cheap. */
static uint64_t pause_ns(const struct fw_looks *l, uint64_t now_ns)
{
	uint64_t pause = now_ns - l->start_ns, least = l->used_ns * CPU_SHARE;

	if (!l->max_ns)
		return UINT64_MAX - now_ns;
	if (pause > l->max_ns)
		pause = l->max_ns;
	return pause > least ? pause : least;
}

bool fw_looks_are_due(struct fw_looks *l, uint64_t now_ns, bool in_snapshot)
{
	if (in_snapshot)
		return false;
	if (l->looking)
		l->used_ns = cpu_ns() - l->cpu_ns;
	l->looking = false;
	if (now_ns < l->next_ns || l->used_ns * CPU_SHARE > now_ns - l->start_ns)
		return false;
	l->next_ns = now_ns + pause_ns(l, now_ns);
	l->looking = true;
	l->cpu_ns = cpu_ns();
	return true;
}
