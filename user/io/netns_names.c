// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces come and go while finwait watches, so the list is read again: at once when a number is
 * asked for that is not in it, though not more often than once a second, since that looks at every
 * process; and now and then, because numbers are given to new namespaces.
 */
#include "io/netns_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/netns.h"

#define NS_PER_S 1000000000ULL
#define UNKNOWN_AGAIN_NS NS_PER_S
#define OLD_NS (10 * NS_PER_S)

struct fw_netns_names {
	struct fw_netns_list now, gone;
	uint64_t read_ns; /* 0: never */
	char pid_words[16];
};

struct fw_netns_names *fw_netns_names_new(void)
{
	return calloc(1, sizeof(struct fw_netns_names));
}

void fw_netns_names_free(struct fw_netns_names *names)
{
	if (!names)
		return;
	fw_netns_list_free(&names->now);
	fw_netns_list_free(&names->gone);
	free(names);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void read_again(struct fw_netns_names *names, uint64_t ns)
{
	struct fw_netns_list list;

	names->read_ns = ns;
	if (fw_netns_list(&list))
		return;
	/* What is gone by now; the list before last told of what was gone by then. */
	for (size_t i = 0; i < names->now.nr; i++) {
		if (!fw_netns_find(&list, names->now.ns[i].inum))
			fw_netns_add(&names->gone, &names->now.ns[i]);
	}
	fw_netns_list_free(&names->now);
	names->now = list;
}

const char *fw_netns_names_find(struct fw_netns_names *names, uint32_t inum)
{
	const struct fw_netns *ns = fw_netns_find(&names->now, inum);
	uint64_t ns_now = now_ns(), age = ns_now - names->read_ns;

	if (!names->read_ns || age > OLD_NS || (!ns && age > UNKNOWN_AGAIN_NS)) {
		read_again(names, ns_now);
		ns = fw_netns_find(&names->now, inum);
	}
	if (!ns)
		ns = fw_netns_find(&names->gone, inum);
	if (!ns || ns->name[0])
		return ns ? ns->name : NULL;
	snprintf(names->pid_words, sizeof(names->pid_words), "pid %u", ns->pid);
	return names->pid_words;
}
