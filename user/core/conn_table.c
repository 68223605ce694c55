// SPDX-License-Identifier: GPL-2.0-only
#include "core/conn_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 1024
#define FIRST_BUCKETS 1024

/* The finaliser of splitmix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t hash_addr(uint64_t h, const uint8_t addr[16])
{
	uint64_t half[2];

	memcpy(half, addr, sizeof(half));
	return mix(mix(h ^ half[0]) ^ half[1]);
}

static uint64_t hash_tuple(const struct fw_tuple *t)
{
	uint64_t h = (uint64_t)t->netns << 32 | (uint32_t)t->lport << 16 | t->rport;

	return hash_addr(hash_addr(mix(h), t->laddr), t->raddr);
}

static struct fw_tuple tuple_of(const struct fw_conn *c)
{
	return (struct fw_tuple){ c->netns, c->lport, c->rport, c->laddr, c->raddr };
}

static uint64_t hash_conn(const struct fw_conn *c)
{
	struct fw_tuple tuple = tuple_of(c);

	switch (c->key) {
	case FW_KEY_COOKIE:
		return mix(c->cookie);
	case FW_KEY_SKADDR:
		return mix(c->skaddr);
	default:
		return hash_tuple(&tuple);
	}
}

static struct fw_conn **bucket(const struct fw_conn_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->nr_buckets - 1)];
}

int fw_conn_table_init(struct fw_conn_table *t, size_t max)
{
	*t = (struct fw_conn_table){ .nr_buckets = FIRST_BUCKETS, .max = max, .next_id = 1 };
	t->buckets = calloc(t->nr_buckets, sizeof(*t->buckets));
	return t->buckets ? 0 : -ENOMEM;
}

void fw_conn_table_fini(struct fw_conn_table *t)
{
	for (size_t i = 0; i < t->nr_chunks; i++)
		free(t->chunks[i]);
	free(t->chunks);
	free(t->buckets);
	*t = (struct fw_conn_table){ 0 };
}

/* Doubles the buckets; without memory for that, chains just get longer. */
static void grow_buckets(struct fw_conn_table *t)
{
	struct fw_conn **old = t->buckets;
	size_t nr_old = t->nr_buckets;
	struct fw_conn **buckets = calloc(nr_old * 2, sizeof(*buckets));

	if (!buckets)
		return;
	t->buckets = buckets;
	t->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		struct fw_conn *c = old[i], *next;

		for (; c; c = next) {
			struct fw_conn **b = bucket(t, hash_conn(c));

			next = c->hash_next;
			c->hash_next = *b;
			*b = c;
		}
	}
	free(old);
}

static int grow_pool(struct fw_conn_table *t)
{
	struct fw_conn **chunks, *chunk = calloc(CHUNK, sizeof(*chunk));

	chunks = realloc(t->chunks, (t->nr_chunks + 1) * sizeof(struct fw_conn *));
	if (chunks)
		t->chunks = chunks;
	if (!chunk || !chunks) {
		free(chunk);
		return -ENOMEM;
	}
	t->chunks[t->nr_chunks++] = chunk;
	for (size_t i = 0; i < CHUNK; i++) {
		chunk[i].hash_next = t->free;
		t->free = &chunk[i];
	}
	return 0;
}

static void idle_unlink(struct fw_conn_table *t, struct fw_conn *c)
{
	if (c->idle_prev)
		c->idle_prev->idle_next = c->idle_next;
	else
		t->idle_first = c->idle_next;
	if (c->idle_next)
		c->idle_next->idle_prev = c->idle_prev;
	else
		t->idle_last = c->idle_prev;
}

static void idle_append(struct fw_conn_table *t, struct fw_conn *c)
{
	c->idle_prev = t->idle_last;
	c->idle_next = NULL;
	if (t->idle_last)
		t->idle_last->idle_next = c;
	else
		t->idle_first = c;
	t->idle_last = c;
}

struct fw_conn *fw_conn_table_new(struct fw_conn_table *t)
{
	struct fw_conn *c;

	if (t->nr >= t->max) {
		errno = ENOSPC;
		return NULL;
	}
	if (!t->free && grow_pool(t)) {
		errno = ENOMEM;
		return NULL;
	}
	if (t->nr >= t->nr_buckets)
		grow_buckets(t);
	c = t->free;
	t->free = c->hash_next;
	*c = (struct fw_conn){ .id = t->next_id++ };
	t->nr++;
	idle_append(t, c);
	return c;
}

void fw_conn_table_unindex(struct fw_conn_table *t, struct fw_conn *c)
{
	struct fw_conn **at;

	if (c->key == FW_KEY_NONE)
		return;
	for (at = bucket(t, hash_conn(c)); *at; at = &(*at)->hash_next) {
		if (*at == c) {
			*at = c->hash_next;
			break;
		}
	}
	c->key = FW_KEY_NONE;
}

void fw_conn_table_index(struct fw_conn_table *t, struct fw_conn *c, enum fw_key key)
{
	struct fw_conn **b;

	c->key = (uint8_t)key;
	b = bucket(t, hash_conn(c));
	c->hash_next = *b;
	*b = c;
}

void fw_conn_table_remove(struct fw_conn_table *t, struct fw_conn *c)
{
	fw_conn_table_unindex(t, c);
	idle_unlink(t, c);
	t->nr--;
	c->id = 0;
	c->hash_next = t->free;
	t->free = c;
}

struct fw_conn *fw_conn_table_by_cookie(const struct fw_conn_table *t, uint64_t cookie)
{
	struct fw_conn *c = *bucket(t, mix(cookie));

	while (c && (c->key != FW_KEY_COOKIE || c->cookie != cookie))
		c = c->hash_next;
	return c;
}

struct fw_conn *fw_conn_table_by_skaddr(const struct fw_conn_table *t, uint64_t skaddr)
{
	struct fw_conn *c = *bucket(t, mix(skaddr));

	while (c && (c->key != FW_KEY_SKADDR || c->skaddr != skaddr))
		c = c->hash_next;
	return c;
}

static bool same_tuple(const struct fw_conn *c, const struct fw_tuple *t)
{
	return c->netns == t->netns && c->lport == t->lport && c->rport == t->rport &&
	       !memcmp(c->laddr, t->laddr, 16) && !memcmp(c->raddr, t->raddr, 16);
}

struct fw_conn *fw_conn_table_by_tuple(const struct fw_conn_table *t, const struct fw_tuple *tuple)
{
	struct fw_conn *c = *bucket(t, hash_tuple(tuple));

	while (c && (c->key != FW_KEY_TUPLE || !same_tuple(c, tuple)))
		c = c->hash_next;
	return c;
}

void fw_conn_table_touch(struct fw_conn_table *t, struct fw_conn *c)
{
	if (t->idle_last == c)
		return;
	idle_unlink(t, c);
	idle_append(t, c);
}
