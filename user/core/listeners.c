// SPDX-License-Identifier: GPL-2.0-only
#include "core/listeners.h"

#include <stdlib.h>
#include <string.h>

static unsigned int bucket_of(uint32_t netns, uint16_t lport)
{
	return (lport ^ lport >> 8 ^ netns) % FW_LISTENER_BUCKETS;
}

void fw_listeners_add(struct fw_listeners *l, struct fw_conn *c)
{
	struct fw_listener **first = &l->buckets[bucket_of(c->netns, c->lport)];
	struct fw_listener *one = malloc(sizeof(*one));

	if (!one)
		return;
	*one = (struct fw_listener){ .next = *first, .conn = c };
	*first = one;
}

void fw_listeners_remove(struct fw_listeners *l, const struct fw_conn *c)
{
	struct fw_listener **at = &l->buckets[bucket_of(c->netns, c->lport)], *one;

	while (*at && (*at)->conn != c)
		at = &(*at)->next;
	one = *at;
	if (one)
		*at = one->next;
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

/* 2: bound to the address, 1: to all, 0: neither. */
static int match(const struct fw_conn *c, uint32_t netns, const uint8_t laddr[16], uint16_t lport)
{
	if (c->netns != netns || c->lport != lport)
		return 0;
	if (fw_addr_is_zero(c->laddr))
		return 1;
	return memcmp(c->laddr, laddr, sizeof(c->laddr)) ? 0 : 2;
}

const struct fw_conn *fw_listeners_find(const struct fw_listeners *l, uint32_t netns,
					const uint8_t laddr[16], uint16_t lport)
{
	const struct fw_conn *best = NULL;
	bool ambiguous = false;
	int best_match = 0;

	for (const struct fw_listener *one = l->buckets[bucket_of(netns, lport)]; one;
	     one = one->next) {
		int m = match(one->conn, netns, laddr, lport);

		if (m > best_match) {
			best = one->conn;
			best_match = m;
			ambiguous = false;
		} else if (m && m == best_match && best->pid != one->conn->pid) {
			ambiguous = true;
		}
	}
	return ambiguous ? NULL : best;
}

bool fw_listeners_serve(const struct fw_listeners *l, uint32_t netns, const uint8_t laddr[16],
			uint16_t lport)
{
	for (const struct fw_listener *one = l->buckets[bucket_of(netns, lport)]; one;
	     one = one->next) {
		if (match(one->conn, netns, laddr, lport))
			return true;
	}
	return false;
}
