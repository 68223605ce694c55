// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NR_BUCKETS 4096U /* power of two; at most FW_GROUPS_MAX groups: short chains */

enum fw_role fw_group_role(const struct fw_conn *c)
{
	if (c->role != FW_ROLE_UNKNOWN)
		return (enum fw_role)c->role;
	return !c->rport || (c->lport && c->lport < c->rport) ? FW_ROLE_PASSIVE : FW_ROLE_ACTIVE;
}

static uint16_t service_port(const struct fw_conn *c)
{
	return fw_group_role(c) == FW_ROLE_ACTIVE ? c->rport : c->lport;
}

struct fw_group_key fw_group_key_of(const struct fw_conn *c, unsigned int by)
{
	struct fw_group_key key = { .family = c->family };

	if (by & FW_BY_COMM)
		memcpy(key.comm, c->comm, strnlen(c->comm, sizeof(key.comm)));
	if (by & FW_BY_PID)
		key.pid = c->pid;
	if (by & FW_BY_CGROUP)
		key.cgroup_id = c->cgroup_id;
	if (by & FW_BY_NETNS)
		key.netns = c->netns;
	if (by & FW_BY_LADDR)
		memcpy(key.laddr, c->laddr, sizeof(key.laddr));
	if (by & FW_BY_RADDR)
		memcpy(key.raddr, c->raddr, sizeof(key.raddr));
	if (by & FW_BY_LPORT)
		key.lport = c->lport;
	if (by & FW_BY_RPORT)
		key.rport = c->rport;
	if (by & FW_BY_SERVICE)
		key.lport = service_port(c);
	if (!(by & (FW_BY_LADDR | FW_BY_RADDR)))
		key.family = 0;
	return key;
}

/*
 * Word by word: byte by byte, each product waiting for the one before, was a third of report. Each round
 * brings the upper half down, where the bucket is taken from. Keys come from the network, but chains are
 * bounded by the number of groups.
 */
static uint32_t bucket_of(const struct fw_group_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], h = 0;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h & (NR_BUCKETS - 1);
}

int fw_groups_init(struct fw_groups *g, size_t value_size, size_t max)
{
	*g = (struct fw_groups){ .value_size = value_size, .max = max };
	g->buckets = calloc(NR_BUCKETS, sizeof(struct fw_group *));
	g->other = calloc(1, sizeof(struct fw_group) + value_size);
	if (!g->buckets || !g->other) {
		fw_groups_fini(g);
		return -ENOMEM;
	}
	g->other->other = true;
	return 0;
}

void fw_groups_fini(struct fw_groups *g)
{
	for (size_t i = 0; g->buckets && i < NR_BUCKETS; i++) {
		struct fw_group *next;

		for (struct fw_group *group = g->buckets[i]; group; group = next) {
			next = group->next;
			free(group);
		}
	}
	free(g->buckets);
	free(g->other);
	*g = (struct fw_groups){ 0 };
}

static struct fw_group *find(const struct fw_groups *g, const struct fw_group_key *key,
			     uint32_t bucket)
{
	struct fw_group *group = g->buckets[bucket];

	while (group && memcmp(&group->key, key, sizeof(*key)))
		group = group->next;
	return group;
}

void *fw_groups_find(const struct fw_groups *g, const struct fw_group_key *key)
{
	struct fw_group *group = find(g, key, bucket_of(key));

	return group ? group->value : NULL;
}

void *fw_groups_get(struct fw_groups *g, const struct fw_group_key *key)
{
	uint32_t bucket = bucket_of(key);
	struct fw_group *group = find(g, key, bucket);

	if (group)
		return group->value;
	if (g->nr < g->max)
		group = calloc(1, sizeof(*group) + g->value_size);
	if (!group) {
		g->unlisted++;
		return g->other->value;
	}
	group->key = *key;
	group->next = g->buckets[bucket];
	g->buckets[bucket] = group;
	g->nr++;
	return group->value;
}

void fw_groups_each(const struct fw_groups *g, void (*fn)(void *arg, struct fw_group *group),
		    void *arg)
{
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		for (struct fw_group *group = g->buckets[i]; group; group = group->next)
			fn(arg, group);
	}
	if (g->unlisted)
		fn(arg, g->other);
}

struct clearing {
	size_t value_size;
};

static void clear_one(void *arg, struct fw_group *group)
{
	const struct clearing *clearing = arg;

	memset(group->value, 0, clearing->value_size);
}

void fw_groups_clear(struct fw_groups *g)
{
	struct clearing clearing = { g->value_size };

	fw_groups_each(g, clear_one, &clearing);
}

struct ranking {
	uint64_t (*measure)(const void *value);
	const struct fw_group **top;
	size_t nr, max, candidates;
};

static bool before(const struct ranking *ranking, const struct fw_group *a,
		   const struct fw_group *b)
{
	uint64_t of_a = ranking->measure(a->value), of_b = ranking->measure(b->value);

	if (of_a != of_b)
		return of_a > of_b;
	return memcmp(&a->key, &b->key, sizeof(a->key)) < 0;
}

/* Insertion into a short sorted list: --top is small, and most groups fall off at its end. */
static void rank_one(void *arg, struct fw_group *group)
{
	struct ranking *ranking = arg;
	size_t i;

	if (group->other || !ranking->measure(group->value))
		return;
	ranking->candidates++;
	if (ranking->nr == ranking->max) {
		if (!ranking->max || !before(ranking, group, ranking->top[ranking->nr - 1]))
			return;
		ranking->nr--;
	}
	for (i = ranking->nr; i && before(ranking, group, ranking->top[i - 1]); i--)
		ranking->top[i] = ranking->top[i - 1];
	ranking->top[i] = group;
	ranking->nr++;
}

size_t fw_groups_top(const struct fw_groups *g, uint64_t (*measure)(const void *value),
		     const struct fw_group **top, size_t max, size_t *nr_more)
{
	struct ranking ranking = { .measure = measure, .top = top, .max = max };

	fw_groups_each(g, rank_one, &ranking);
	if (nr_more)
		*nr_more = ranking.candidates - ranking.nr;
	return ranking.nr;
}
