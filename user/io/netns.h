/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces of this host: those of its processes, and those that "ip netns" has named.
 */
#ifndef FW_IO_NETNS_H
#define FW_IO_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define FW_NETNS_NAME_LEN 256
/* Process ids are at most PID_MAX_LIMIT, and inode numbers of namespaces far larger. */
#define FW_NETNS_FIRST_INUM (4U * 1024 * 1024 + 1)

struct fw_netns {
	uint32_t inum;
	uint32_t pid; /* the process (or thread) in it with the lowest number; 0: none */
	/* With via_socket: no process was found in it; .pid has a socket of it as this descriptor. */
	uint32_t fd;
	bool via_socket;
	/* netns_names.c's own */
	uint64_t checked_ns;
	uint16_t life; /* in which it was asked for; 0: it was not, or that is not known */
	char name[FW_NETNS_NAME_LEN]; /* as in "ip netns", or "" */
};

struct fw_netns_list {
	struct fw_netns *ns;
	size_t nr, cap;
	size_t nr_unmounted; /* names that stand for no namespace (yet) */
	size_t nr_hidden; /* processes whose namespace this one may not look at */
};

/* 0 or -ENOMEM. What cannot be looked at (processes that end meanwhile) is left out. */
int fw_netns_list(struct fw_netns_list *list);
/* Only those that "ip netns" has named. */
int fw_netns_list_named(struct fw_netns_list *list);
void fw_netns_list_free(struct fw_netns_list *list);

/* Adds it, or what is not known yet of the one with its number. 0 or -ENOMEM. */
int fw_netns_add(struct fw_netns_list *list, const struct fw_netns *ns);

/* NULL: not in the list. */
struct fw_netns *fw_netns_find(const struct fw_netns_list *list, uint32_t inum);

/* Takes it out, if it is there. */
void fw_netns_remove(struct fw_netns_list *list, uint32_t inum);

/* That process is in it now. */
bool fw_netns_has(const struct fw_netns *ns, uint32_t pid);

/* An open file of it for setns(), or a negative errno. */
int fw_netns_open(const struct fw_netns *ns);

/* The namespace that a user means: the name of "ip netns", a process id, a path, or an inode number
 * as ls -l /proc/PID/ns and finwait itself show it. 0, or a negative errno with @err filled.
 */
int fw_netns_parse(const char *arg, uint32_t *inum, struct fw_err *err);

/* That of this process. */
uint32_t fw_netns_own(void);

#endif
