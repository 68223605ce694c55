/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set of tracked connections: a hash table over a pool, bounded, with an order of idleness.
 *
 * A connection is found by one of three keys, whichever identifies it at its stage of life:
 * cookie (full sockets and minisocks), socket address (a child before its cookie is final), or
 * netns and 4-tuple (request sockets and listeners, which have no cookie).
 */
#ifndef FW_CORE_CONN_TABLE_H
#define FW_CORE_CONN_TABLE_H

#include <stddef.h>

#include "core/conn.h"

enum fw_key { FW_KEY_NONE, FW_KEY_COOKIE, FW_KEY_SKADDR, FW_KEY_TUPLE };

struct fw_tuple {
	uint32_t netns, ifindex;
	uint16_t lport, rport;
	const uint8_t *laddr, *raddr; /* 16 bytes each */
};

static inline struct fw_tuple fw_tuple_of_head(const struct fw_rec_head *head)
{
	return (struct fw_tuple){ .netns = head->netns, .ifindex = head->ifindex, .lport = head->lport,
				  .rport = head->rport, .laddr = head->laddr, .raddr = head->raddr };
}

/*
 * Connections point to each other by their place in the pool, at half the memory of a pointer: with
 * its share of the buckets a connection takes at most 256 bytes. Place 0 is nobody's.
 */
struct fw_conn_table {
	uint32_t *buckets;
	uint32_t free;
	uint32_t idle_first, idle_last; /* longest idle first */
	struct fw_conn **chunks;
	size_t nr_chunks;
	size_t nr_buckets; /* power of two */
	size_t nr, max;
	size_t nr_extras; /* connections with a struct fw_conn_extra; at most .max / FW_EXTRA_SHARE */
	uint64_t next_id;
};

/* Of so many connections one may have extra facts. */
#define FW_EXTRA_SHARE 4

/* 0 or -ENOMEM. @max: most connections held at a time. */
int fw_conn_table_init(struct fw_conn_table *t, size_t max);
void fw_conn_table_fini(struct fw_conn_table *t);

/* A new connection, zeroed but for its id, in no index yet. NULL: out of memory (errno ENOMEM), or
 * full (errno ENOSPC): make room first.
 */
struct fw_conn *fw_conn_table_new(struct fw_conn_table *t);
void fw_conn_table_remove(struct fw_conn_table *t, struct fw_conn *c);

/* The extra facts of @c, zeroed the first time. NULL: no memory, or too many connections have them. */
struct fw_conn_extra *fw_conn_table_extra(struct fw_conn_table *t, struct fw_conn *c);

/* Frees the extra facts of @c if all are 0. */
void fw_conn_table_extra_trim(struct fw_conn_table *t, struct fw_conn *c);

/* Make @c findable by @key. The fields that make up the key must not change while it is indexed:
 * unindex first.
 */
void fw_conn_table_index(struct fw_conn_table *t, struct fw_conn *c, enum fw_key key);
void fw_conn_table_unindex(struct fw_conn_table *t, struct fw_conn *c);

struct fw_conn *fw_conn_table_by_cookie(const struct fw_conn_table *t, uint64_t cookie);
struct fw_conn *fw_conn_table_by_skaddr(const struct fw_conn_table *t, uint64_t skaddr);
struct fw_conn *fw_conn_table_by_tuple(const struct fw_conn_table *t, const struct fw_tuple *tuple);

/* Those that are held, the longest idle first; NULL: no more. @c itself may be removed once the next
 * one is known.
 */
struct fw_conn *fw_conn_table_first(const struct fw_conn_table *t);
struct fw_conn *fw_conn_table_next(const struct fw_conn_table *t, const struct fw_conn *c);

/* The pool by place, from 1 to below fw_conn_table_places(): for who looks at a few at a time, while
 * connections come and go. NULL: nobody's place now.
 */
size_t fw_conn_table_places(const struct fw_conn_table *t);
const struct fw_conn *fw_conn_table_at(const struct fw_conn_table *t, size_t place);

/* Bytes that the table takes in all. */
size_t fw_conn_table_bytes(const struct fw_conn_table *t);

/*
 * Memory is slow and a large table is not in the cache: these fetch what a look-up by this cookie or
 * address will need, if called early enough before it. First its bucket, which returns what, somewhat
 * later, the connection there is fetched by.
 */
uint64_t fw_conn_table_fetch_bucket(const struct fw_conn_table *t, uint64_t key);
void fw_conn_table_fetch_conn(const struct fw_conn_table *t, uint64_t hash);

/* @c was active: the last to be evicted. */
void fw_conn_table_touch(struct fw_conn_table *t, struct fw_conn *c);

#endif
