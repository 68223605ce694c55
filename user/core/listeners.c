// SPDX-License-Identifier: GPL-2.0-only
#include "core/listeners.h"

#include <stdlib.h>
#include <string.h>

/* Sockets are at multiples of 64 bytes at least. */
#define SOCK_ALIGN_BITS 6

static unsigned int bucket_of(uint32_t netns, uint16_t lport)
{
	return (lport ^ lport >> 8 ^ netns) % FW_LISTENER_BUCKETS;
}

static unsigned int bucket_at(uint64_t skaddr)
{
	return (unsigned int)(skaddr >> SOCK_ALIGN_BITS ^ skaddr >> 14 ^ skaddr >> 22) %
	       FW_LISTENER_BUCKETS;
}

static void link_by_port(struct fw_listeners *l, struct fw_listener *one)
{
	struct fw_listener **first = &l->buckets[bucket_of(one->conn->netns, one->conn->lport)];

	one->next = *first;
	*first = one;
}

/* Takes @c's entry out of its bucket; NULL: it is not there. */
static struct fw_listener *unlink_by_port(struct fw_listeners *l, const struct fw_conn *c,
					  uint16_t lport)
{
	struct fw_listener **at = &l->buckets[bucket_of(c->netns, lport)], *one;

	while (*at && (*at)->conn != c)
		at = &(*at)->next;
	one = *at;
	if (one)
		*at = one->next;
	return one;
}

void fw_listeners_add(struct fw_listeners *l, struct fw_conn *c)
{
	struct fw_listener **first = &l->at[bucket_at(c->skaddr)];
	struct fw_listener *one = calloc(1, sizeof(*one));

	if (!one)
		return;
	one->conn = c;
	one->next_at = *first;
	*first = one;
	link_by_port(l, one);
}

void fw_listeners_move(struct fw_listeners *l, const struct fw_conn *c, uint16_t lport)
{
	struct fw_listener *one = unlink_by_port(l, c, lport);

	if (one)
		link_by_port(l, one);
}

void fw_listeners_remove(struct fw_listeners *l, const struct fw_conn *c)
{
	struct fw_listener **at = &l->at[bucket_at(c->skaddr)];
	struct fw_listener *one = unlink_by_port(l, c, c->lport);

	if (!one)
		return;
	while (*at && *at != one)
		at = &(*at)->next_at;
	if (*at)
		*at = one->next_at;
	free(one);
}

void fw_listeners_fini(struct fw_listeners *l)
{
	for (unsigned int i = 0; i < FW_LISTENER_BUCKETS; i++) {
		while (l->buckets[i]) {
			struct fw_listener *one = l->buckets[i];

			l->buckets[i] = one->next;
			free(one);
		}
		l->at[i] = NULL;
	}
}

void fw_listeners_each(const struct fw_listeners *l, void (*fn)(void *arg, const struct fw_conn *c),
		       void *arg)
{
	for (unsigned int i = 0; i < FW_LISTENER_BUCKETS; i++) {
		for (const struct fw_listener *one = l->buckets[i]; one; one = one->next)
			fn(arg, one->conn);
	}
}

bool fw_listeners_serve(const struct fw_listeners *l, uint32_t netns, const uint8_t laddr[16],
			uint16_t lport)
{
	for (const struct fw_listener *one = l->buckets[bucket_of(netns, lport)]; one;
	     one = one->next) {
		const struct fw_conn *c = one->conn;

		if (c->netns == netns && c->lport == lport &&
		    (fw_addr_is_zero(c->laddr) || !memcmp(c->laddr, laddr, sizeof(c->laddr))))
			return true;
	}
	return false;
}

const struct fw_conn *fw_listeners_holder(const struct fw_listeners *l, uint32_t netns,
					  const uint8_t laddr[16], uint16_t lport)
{
	const struct fw_conn *found = NULL;

	for (const struct fw_listener *one = l->buckets[bucket_of(netns, lport)]; one;
	     one = one->next) {
		const struct fw_conn *c = one->conn;

		if (!one->held_ns || c->netns != netns || c->lport != lport ||
		    (!fw_addr_is_zero(c->laddr) && memcmp(c->laddr, laddr, sizeof(c->laddr))))
			continue;
		if (found && found->pid != c->pid)
			return NULL;
		found = c;
	}
	return found;
}

struct fw_listener *fw_listeners_at(const struct fw_listeners *l, uint64_t skaddr)
{
	struct fw_listener *one = skaddr ? l->at[bucket_at(skaddr)] : NULL;

	while (one && one->conn->skaddr != skaddr)
		one = one->next_at;
	return one;
}

struct fw_listener *fw_listeners_next(const struct fw_listeners *l, const struct fw_listener *previous)
{
	unsigned int i = 0;

	if (previous && previous->next)
		return previous->next;
	if (previous)
		i = bucket_of(previous->conn->netns, previous->conn->lport) + 1;
	while (i < FW_LISTENER_BUCKETS && !l->buckets[i])
		i++;
	return i < FW_LISTENER_BUCKETS ? l->buckets[i] : NULL;
}
