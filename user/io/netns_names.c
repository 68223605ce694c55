// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces come and go while finwait watches, and the kernel gives their numbers to new ones at once. So
 * the list is read again when a name has been added or removed, when the process that a namespace is known
 * by has left it (both are checked a hundred times a second at most), and when a number is asked for that is
 * not in it: ip-netns(8) makes the name first, and the namespace of that name a moment later. Since that
 * looks at every process, a number that stays unknown is looked for ever less often, down to once a second.
 */
#include "io/netns_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "io/netns.h"

#define NS_PER_S 1000000000ULL
#define UNKNOWN_FIRST_NS (NS_PER_S / 100)
#define UNKNOWN_LAST_NS NS_PER_S
#define CHECK_NS (NS_PER_S / 100)
#define NAMED "/run/netns"

struct fw_netns_names {
	struct fw_netns_list now, gone;
	uint64_t read_ns; /* 0: never */
	uint64_t checked_ns;
	uint64_t unknown_ns; /* how long a number that is not in the list has to wait */
	struct timespec changed; /* the directory of names, when it was read */
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

static struct timespec names_changed(void)
{
	struct stat st;

	return stat(NAMED, &st) ? (struct timespec){ 0 } : st.st_mtim;
}

static void read_again(struct fw_netns_names *names, uint64_t ns)
{
	struct fw_netns_list list;

	names->read_ns = ns;
	names->changed = names_changed();
	if (fw_netns_list(&list))
		return;
	/* What is gone by now; of one number the name that was read last. */
	for (size_t i = 0; i < names->now.nr; i++) {
		if (fw_netns_find(&list, names->now.ns[i].inum))
			continue;
		fw_netns_remove(&names->gone, names->now.ns[i].inum);
		fw_netns_add(&names->gone, &names->now.ns[i]);
	}
	fw_netns_list_free(&names->now);
	names->now = list;
}

/* A name was added or removed, or @ns is known by a process that is not in it any more. */
static bool is_outdated(struct fw_netns_names *names, struct fw_netns *ns, uint64_t ns_now)
{
	struct timespec changed;

	if (ns && !ns->name[0] && ns_now - ns->checked_ns > CHECK_NS) {
		ns->checked_ns = ns_now;
		if (!fw_netns_has(ns, ns->pid))
			return true;
	}
	if (ns_now - names->checked_ns <= CHECK_NS)
		return false;
	names->checked_ns = ns_now;
	changed = names_changed();
	return changed.tv_sec != names->changed.tv_sec || changed.tv_nsec != names->changed.tv_nsec;
}

const char *fw_netns_names_find(struct fw_netns_names *names, uint32_t inum)
{
	struct fw_netns *ns = fw_netns_find(&names->now, inum);
	uint64_t ns_now = now_ns();

	if (!names->read_ns || is_outdated(names, ns, ns_now)) {
		names->unknown_ns = UNKNOWN_FIRST_NS;
		read_again(names, ns_now);
		ns = fw_netns_find(&names->now, inum);
	}
	if (!ns && ns_now - names->read_ns > names->unknown_ns) {
		if (names->unknown_ns < UNKNOWN_LAST_NS)
			names->unknown_ns *= 2;
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
