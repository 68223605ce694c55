// SPDX-License-Identifier: GPL-2.0-only
#include "core/conn_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 1024
#define FIRST_BUCKETS 1024
#define MAX_PLACES (UINT32_MAX - CHUNK)

/* The finaliser of splitmix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The products do not wait for each other, as one mix() after another for each word would. */
static uint64_t hash_tuple(const struct fw_tuple *t)
{
	uint64_t laddr[2], raddr[2];

	memcpy(laddr, t->laddr, sizeof(laddr));
	memcpy(raddr, t->raddr, sizeof(raddr));
	return mix(((uint64_t)t->netns << 32 | (uint32_t)t->lport << 16 | t->rport) + t->ifindex +
		   laddr[0] * 0x9e3779b97f4a7c15ULL + laddr[1] * 0xbf58476d1ce4e5b9ULL +
		   raddr[0] * 0x94d049bb133111ebULL + raddr[1] * 0xd6e8feb86659fd93ULL);
}

static struct fw_tuple tuple_of(const struct fw_conn *c)
{
	return (struct fw_tuple){ .netns = c->netns, .ifindex = fw_conn_ifindex(c), .lport = c->lport,
				  .rport = c->rport, .laddr = c->laddr, .raddr = c->raddr };
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

static uint32_t *bucket(const struct fw_conn_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->nr_buckets - 1)];
}

static struct fw_conn *at(const struct fw_conn_table *t, uint32_t place)
{
	return place ? &t->chunks[place / CHUNK][place % CHUNK] : NULL;
}

int fw_conn_table_init(struct fw_conn_table *t, size_t max)
{
	*t = (struct fw_conn_table){ .nr_buckets = FIRST_BUCKETS, .next_id = 1 };
	t->max = max < MAX_PLACES ? max : MAX_PLACES;
	t->buckets = calloc(t->nr_buckets, sizeof(*t->buckets));
	return t->buckets ? 0 : -ENOMEM;
}

static void extra_free(struct fw_conn_table *t, struct fw_conn *c)
{
	if (!c->extra)
		return;
	free(c->extra);
	c->extra = NULL;
	t->nr_extras--;
}

void fw_conn_table_fini(struct fw_conn_table *t)
{
	for (size_t i = 0; i < t->nr_chunks; i++) {
		for (size_t k = 0; k < CHUNK && t->nr_extras; k++)
			extra_free(t, &t->chunks[i][k]);
		free(t->chunks[i]);
	}
	free(t->chunks);
	free(t->buckets);
	*t = (struct fw_conn_table){ 0 };
}

/* Doubles the buckets; without memory for that, chains just get longer. */
static void grow_buckets(struct fw_conn_table *t)
{
	uint32_t *old = t->buckets;
	size_t nr_old = t->nr_buckets;
	uint32_t *buckets = calloc(nr_old * 2, sizeof(*buckets));

	if (!buckets)
		return;
	t->buckets = buckets;
	t->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		uint32_t next;

		for (struct fw_conn *c = at(t, old[i]); c; c = at(t, next)) {
			uint32_t *b = bucket(t, hash_conn(c));

			next = c->hash_next;
			c->hash_next = *b;
			*b = c->self;
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
	for (uint32_t i = t->nr_chunks ? 0 : 1; i < CHUNK; i++) {
		chunk[i].self = (uint32_t)t->nr_chunks * CHUNK + i;
		chunk[i].hash_next = t->free;
		t->free = chunk[i].self;
	}
	t->chunks[t->nr_chunks++] = chunk;
	return 0;
}

static void idle_unlink(struct fw_conn_table *t, struct fw_conn *c)
{
	if (c->idle_prev)
		at(t, c->idle_prev)->idle_next = c->idle_next;
	else
		t->idle_first = c->idle_next;
	if (c->idle_next)
		at(t, c->idle_next)->idle_prev = c->idle_prev;
	else
		t->idle_last = c->idle_prev;
}

static void idle_append(struct fw_conn_table *t, struct fw_conn *c)
{
	c->idle_prev = t->idle_last;
	c->idle_next = 0;
	if (t->idle_last)
		at(t, t->idle_last)->idle_next = c->self;
	else
		t->idle_first = c->self;
	t->idle_last = c->self;
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
	c = at(t, t->free);
	t->free = c->hash_next;
	*c = (struct fw_conn){ .self = c->self, .id = t->next_id++ };
	t->nr++;
	idle_append(t, c);
	return c;
}

void fw_conn_table_unindex(struct fw_conn_table *t, struct fw_conn *c)
{
	uint32_t *link;

	if (c->key == FW_KEY_NONE)
		return;
	link = bucket(t, hash_conn(c));
	while (*link && *link != c->self)
		link = &at(t, *link)->hash_next;
	if (*link)
		*link = c->hash_next;
	c->key = FW_KEY_NONE;
}

void fw_conn_table_index(struct fw_conn_table *t, struct fw_conn *c, enum fw_key key)
{
	uint32_t *b;

	c->key = (uint8_t)key;
	b = bucket(t, hash_conn(c));
	c->hash_next = *b;
	*b = c->self;
}

void fw_conn_table_remove(struct fw_conn_table *t, struct fw_conn *c)
{
	fw_conn_table_unindex(t, c);
	idle_unlink(t, c);
	extra_free(t, c);
	t->nr--;
	c->id = 0;
	c->hash_next = t->free;
	t->free = c->self;
}

struct fw_conn_extra *fw_conn_table_extra(struct fw_conn_table *t, struct fw_conn *c)
{
	if (c->extra)
		return c->extra;
	if (t->nr_extras > t->max / FW_EXTRA_SHARE)
		return NULL;
	c->extra = calloc(1, sizeof(*c->extra));
	t->nr_extras += !!c->extra;
	return c->extra;
}

void fw_conn_table_extra_trim(struct fw_conn_table *t, struct fw_conn *c)
{
	static const struct fw_conn_extra none;

	if (c->extra && !memcmp(c->extra, &none, sizeof(none)))
		extra_free(t, c);
}

struct fw_conn *fw_conn_table_by_cookie(const struct fw_conn_table *t, uint64_t cookie)
{
	struct fw_conn *c = at(t, *bucket(t, mix(cookie)));

	while (c && (c->key != FW_KEY_COOKIE || c->cookie != cookie))
		c = at(t, c->hash_next);
	return c;
}

struct fw_conn *fw_conn_table_by_skaddr(const struct fw_conn_table *t, uint64_t skaddr)
{
	struct fw_conn *c = at(t, *bucket(t, mix(skaddr)));

	while (c && (c->key != FW_KEY_SKADDR || c->skaddr != skaddr))
		c = at(t, c->hash_next);
	return c;
}

static bool same_tuple(const struct fw_conn *c, const struct fw_tuple *t)
{
	return c->netns == t->netns && c->lport == t->lport && c->rport == t->rport &&
	       fw_conn_ifindex(c) == t->ifindex &&
	       !memcmp(c->laddr, t->laddr, 16) && !memcmp(c->raddr, t->raddr, 16);
}

struct fw_conn *fw_conn_table_by_tuple(const struct fw_conn_table *t, const struct fw_tuple *tuple)
{
	struct fw_conn *c = at(t, *bucket(t, hash_tuple(tuple)));

	while (c && (c->key != FW_KEY_TUPLE || !same_tuple(c, tuple)))
		c = at(t, c->hash_next);
	return c;
}

uint64_t fw_conn_table_fetch_bucket(const struct fw_conn_table *t, uint64_t key)
{
	uint64_t hash = mix(key);

	__builtin_prefetch(bucket(t, hash));
	return hash;
}

void fw_conn_table_fetch_conn(const struct fw_conn_table *t, uint64_t hash)
{
	const char *c = (const char *)at(t, *bucket(t, hash));

	if (!c)
		return;
	for (size_t i = 0; i < sizeof(struct fw_conn); i += 64)
		__builtin_prefetch(c + i, 1);
}

void fw_conn_table_touch(struct fw_conn_table *t, struct fw_conn *c)
{
	if (t->idle_last == c->self)
		return;
	idle_unlink(t, c);
	idle_append(t, c);
}

struct fw_conn *fw_conn_table_first(const struct fw_conn_table *t)
{
	return at(t, t->idle_first);
}

struct fw_conn *fw_conn_table_next(const struct fw_conn_table *t, const struct fw_conn *c)
{
	return at(t, c->idle_next);
}

size_t fw_conn_table_places(const struct fw_conn_table *t)
{
	return t->nr_chunks * CHUNK;
}

const struct fw_conn *fw_conn_table_at(const struct fw_conn_table *t, size_t place)
{
	const struct fw_conn *c = at(t, (uint32_t)place);

	return c && c->id ? c : NULL;
}

size_t fw_conn_table_bytes(const struct fw_conn_table *t)
{
	return t->nr_chunks * (CHUNK * sizeof(struct fw_conn) + sizeof(struct fw_conn *)) +
	       t->nr_buckets * sizeof(*t->buckets) + t->nr_extras * sizeof(struct fw_conn_extra);
}
