// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces come and go while finwait watches, and the kernel gives the number of one that is gone to the
 * next. Three things keep a name from being given to another namespace:
 *
 * - the directory of names is watched (inotify). A name is known as soon as it exists, also if the
 *   namespace is gone by the time its records are read. ip-netns(8) makes the file first and mounts the
 *   namespace on it a moment later, so a file that is none yet is looked at again;
 * - the caller says in which of a number's lives it saw the namespace. What was named for another life is
 *   not taken;
 * - a namespace that is known by a process only is named after it while the process is in it.
 *
 * A number that is in no list is looked for among all processes. Since that costs much, a number that stays
 * unknown is looked for ever less often, down to once a second.
 */
#include "io/netns_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/netns.h"

#define NS_PER_S 1000000000ULL
#define UNKNOWN_FIRST_NS (NS_PER_S / 100)
#define UNKNOWN_LAST_NS NS_PER_S
#define CHECK_NS (NS_PER_S / 100)
/* When a file without a namespace is looked at again: after one millisecond, two, four, ... */
#define MOUNT_FIRST_NS (NS_PER_S / 1000)
#define MOUNT_LAST_NS (NS_PER_S / 4)
#define NAMED "/run/netns"

struct fw_netns_names {
	struct fw_netns_list now, gone;
	int watch_fd; /* inotify; -1: none */
	bool watched; /* the directory of names exists, and is watched */
	uint64_t read_ns; /* all namespaces; 0: never */
	uint64_t checked_ns;
	uint64_t unknown_ns; /* how long a number that is not in the list has to wait */
	uint64_t mount_ns; /* when the names are read again for what was not mounted; 0: not */
	uint64_t mount_wait_ns;
	struct timespec changed; /* the directory of names, when it was read */
	char pid_words[16];
};

static void watch(struct fw_netns_names *names)
{
	if (names->watch_fd < 0 || names->watched)
		return;
	names->watched = inotify_add_watch(names->watch_fd, NAMED, IN_CREATE | IN_DELETE | IN_MOVED_TO |
					   IN_MOVED_FROM | IN_ONLYDIR) >= 0;
}

struct fw_netns_names *fw_netns_names_new(void)
{
	struct fw_netns_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch(names);
	return names;
}

void fw_netns_names_free(struct fw_netns_names *names)
{
	if (!names)
		return;
	if (names->watch_fd >= 0)
		close(names->watch_fd);
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

static bool is_same(const struct fw_netns *a, const struct fw_netns *b)
{
	return a->inum == b->inum && !strcmp(a->name, b->name) && (a->name[0] || a->pid == b->pid);
}

/* One of a number: that which went last. */
static void retire(struct fw_netns_names *names, const struct fw_netns *ns)
{
	fw_netns_remove(&names->gone, ns->inum);
	fw_netns_add(&names->gone, ns);
}

/* @list is what there is now. */
static void replace(struct fw_netns_names *names, struct fw_netns_list *list)
{
	for (size_t i = 0; i < names->now.nr; i++) {
		const struct fw_netns *was = &names->now.ns[i];
		struct fw_netns *is = fw_netns_find(list, was->inum);

		if (is && is_same(is, was))
			is->life = was->life;
		else if (was->life || !is)
			retire(names, was);
	}
	fw_netns_list_free(&names->now);
	names->now = *list;
}

static void expect_mounts(struct fw_netns_names *names, const struct fw_netns_list *list, uint64_t ns)
{
	if (!list->nr_unmounted) {
		names->mount_ns = names->mount_wait_ns = 0;
		return;
	}
	names->mount_wait_ns = names->mount_wait_ns ? 2 * names->mount_wait_ns : MOUNT_FIRST_NS;
	names->mount_ns = names->mount_wait_ns < MOUNT_LAST_NS ? ns + names->mount_wait_ns : 0;
}

static void read_all(struct fw_netns_names *names, uint64_t ns)
{
	struct fw_netns_list list;

	watch(names);
	names->read_ns = ns;
	names->changed = names_changed();
	if (!fw_netns_list(&list))
		replace(names, &list);
}

/* Only the directory. What is known by a process stays as it is. */
static void read_names(struct fw_netns_names *names, uint64_t ns)
{
	struct fw_netns_list list;

	watch(names);
	names->changed = names_changed();
	if (fw_netns_list_named(&list))
		return;
	expect_mounts(names, &list, ns);
	for (size_t i = 0; i < names->now.nr; i++) {
		if (!names->now.ns[i].name[0] && !fw_netns_find(&list, names->now.ns[i].inum))
			fw_netns_add(&list, &names->now.ns[i]);
	}
	replace(names, &list);
}

int fw_netns_names_fd(const struct fw_netns_names *names)
{
	return names->watch_fd;
}

int fw_netns_names_timeout_ms(const struct fw_netns_names *names, int timeout_ms)
{
	uint64_t ns = now_ns(), wait_ms;

	if (!names->mount_ns)
		return timeout_ms;
	wait_ms = names->mount_ns > ns ? (names->mount_ns - ns) / 1000000 + 1 : 0;
	return wait_ms < (uint64_t)timeout_ms ? (int)wait_ms : timeout_ms;
}

/* Whether anything has changed. Which name is read from the directory. */
static bool take_changes(struct fw_netns_names *names)
{
	char events[4096] __attribute__((aligned(8)));
	bool any = false;

	while (names->watch_fd >= 0 && read(names->watch_fd, events, sizeof(events)) > 0)
		any = true;
	return any;
}

void fw_netns_names_step(struct fw_netns_names *names)
{
	uint64_t ns = now_ns();

	if (take_changes(names)) {
		names->mount_wait_ns = 0;
		read_names(names, ns);
	} else if (names->mount_ns && ns >= names->mount_ns) {
		read_names(names, ns);
	}
}

/* Without a watch the time of the directory tells. */
static void check_directory(struct fw_netns_names *names, uint64_t ns)
{
	struct timespec changed;

	if (names->watched || ns - names->checked_ns <= CHECK_NS)
		return;
	names->checked_ns = ns;
	changed = names_changed();
	if (changed.tv_sec != names->changed.tv_sec || changed.tv_nsec != names->changed.tv_nsec)
		read_names(names, ns);
}

/* It is known by a process that is not in it any more. */
static bool is_left(struct fw_netns *ns, uint64_t ns_now)
{
	if (ns->name[0] || ns_now - ns->checked_ns <= CHECK_NS)
		return false;
	ns->checked_ns = ns_now;
	return !fw_netns_has(ns, ns->pid);
}

/* 0: the life is not known. */
static bool is_of_life(const struct fw_netns *ns, uint16_t life)
{
	return !life || !ns->life || ns->life == life;
}

static bool is_search_due(struct fw_netns_names *names, bool left, uint64_t ns)
{
	if (!names->read_ns || left) {
		names->unknown_ns = UNKNOWN_FIRST_NS;
		return true;
	}
	if (ns - names->read_ns <= names->unknown_ns)
		return false;
	if (names->unknown_ns < UNKNOWN_LAST_NS)
		names->unknown_ns *= 2;
	return true;
}

static struct fw_netns *find(struct fw_netns_names *names, uint32_t inum, uint16_t life)
{
	uint64_t ns_now = now_ns();
	struct fw_netns *ns;
	bool left;

	check_directory(names, ns_now);
	ns = fw_netns_find(&names->now, inum);
	left = ns && is_left(ns, ns_now);
	if ((!ns || left || !is_of_life(ns, life)) && is_search_due(names, left, ns_now)) {
		read_all(names, ns_now);
		ns = fw_netns_find(&names->now, inum);
		/* It exists now: it is the one that was asked for. */
		if (ns && life)
			ns->life = life;
	}
	if (ns && is_of_life(ns, life))
		return ns;
	ns = fw_netns_find(&names->gone, inum);
	return ns && is_of_life(ns, life) ? ns : NULL;
}

const char *fw_netns_names_find(struct fw_netns_names *names, uint32_t inum, uint16_t life)
{
	struct fw_netns *ns = find(names, inum, life);

	if (!ns)
		return NULL;
	if (life)
		ns->life = life;
	if (ns->name[0])
		return ns->name;
	snprintf(names->pid_words, sizeof(names->pid_words), FW_NETNS_OF_PID "%u", ns->pid);
	return names->pid_words;
}
