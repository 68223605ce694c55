/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts by who: a table of groups in bounded memory. A group is named by a key (process, peer,
 * port, ...) and holds what an analysis counts of it. When the table is full the rest is counted
 * under one group "other", so sums stay true and memory stays bounded.
 */
#ifndef FW_ANALYSIS_GROUPS_H
#define FW_ANALYSIS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/conn.h"

#define FW_GROUPS_MAX 4096

/* What is not part of the key is zero. All bytes are written: keys are compared as memory. */
struct fw_group_key {
	uint8_t laddr[16], raddr[16];
	char comm[FW_COMM_LEN];
	uint64_t cgroup_id;
	uint32_t netns, pid;
	uint16_t lport, rport;
	uint8_t family;
	uint8_t extra; /* the analysis's own: a kind, an end */
	uint8_t pad[2];
};
_Static_assert(sizeof(struct fw_group_key) == 72, "no hidden padding");

enum fw_group_by {
	FW_BY_COMM = 1 << 0,
	FW_BY_PID = 1 << 1,
	FW_BY_NETNS = 1 << 2,
	FW_BY_LADDR = 1 << 3,
	FW_BY_LPORT = 1 << 4,
	FW_BY_RADDR = 1 << 5,
	FW_BY_RPORT = 1 << 6,
	/* The port that names the service: the remote one of who connected, the local one of who
	 * accepted. Of a connection whose role is unknown: the smaller one.
	 */
	FW_BY_SERVICE = 1 << 7,
	FW_BY_CGROUP = 1 << 8,
};

/* Who connected; where that is not known, by its ports: the smaller one names the service. */
enum fw_role fw_group_role(const struct fw_conn *c);

/* The parts of @c that @by names. */
struct fw_group_key fw_group_key_of(const struct fw_conn *c, unsigned int by);

struct fw_group {
	struct fw_group_key key;
	struct fw_group *next;
	bool other; /* not one group, but all that had no room */
	_Alignas(8) unsigned char value[];
};

struct fw_groups {
	struct fw_group **buckets;
	struct fw_group *other;
	size_t value_size, nr, max;
	uint64_t unlisted; /* times that "other" was asked for instead of a group */
};

/* @value_size: of what is counted for each, zeroed at first. 0 or -ENOMEM. */
int fw_groups_init(struct fw_groups *g, size_t value_size, size_t max);
void fw_groups_fini(struct fw_groups *g);

/* The value of that group, made if need be; that of "other" if it cannot be. Never NULL. */
void *fw_groups_get(struct fw_groups *g, const struct fw_group_key *key);
/* The value of that group, NULL if there is none. */
void *fw_groups_find(const struct fw_groups *g, const struct fw_group_key *key);

/* Calls @fn for each group, "other" last and only if it was used. */
void fw_groups_each(const struct fw_groups *g, void (*fn)(void *arg, struct fw_group *group),
		    void *arg);

/* Sets every value to zero, and keeps the groups. */
void fw_groups_clear(struct fw_groups *g);

/*
 * The groups with the largest measure, largest first, those with none (0) left out; equal ones in
 * the order of their keys, so that reports of the same events are the same. "other" is no candidate.
 * @top has room for @max. Returns how many; *@nr_more (may be NULL): how many more there are.
 */
size_t fw_groups_top(const struct fw_groups *g, uint64_t (*measure)(const void *value),
		     const struct fw_group **top, size_t max, size_t *nr_more);

#endif
