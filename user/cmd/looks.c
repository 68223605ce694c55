// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/looks.h"

#include <time.h>

#define CPU_SHARE 50
#define NS_PER_S 1000000000ULL
#define FRESH_NS NS_PER_S

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

static void end(struct fw_looks *l, uint64_t now_ns)
{
	if (!l->looking)
		return;
	l->used_ns = cpu_ns() - l->cpu_ns;
	l->ended_ns = now_ns;
	l->looking = false;
}

static void begin(struct fw_looks *l)
{
	l->looking = true;
	l->cpu_ns = cpu_ns();
}

bool fw_looks_are_due(struct fw_looks *l, uint64_t now_ns, bool in_snapshot)
{
	if (in_snapshot)
		return false;
	end(l, now_ns);
	if (now_ns < l->next_ns || l->used_ns * CPU_SHARE > now_ns - l->start_ns)
		return false;
	l->next_ns = now_ns + pause_ns(l, now_ns);
	begin(l);
	return true;
}

bool fw_looks_are_wanted(struct fw_looks *l, uint64_t now_ns, bool in_snapshot)
{
	uint64_t least = l->used_ns * CPU_SHARE;

	if (in_snapshot)
		return false;
	end(l, now_ns);
	if (now_ns - l->ended_ns < (least > FRESH_NS ? least : FRESH_NS))
		return false;
	begin(l);
	return true;
}
