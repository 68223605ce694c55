// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open addressing with linear probing; the table is at most half full.
 */
#include "analysis/stories.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CAP_MIN 256
#define CAP_MAX (1U << 20) /* half a million connections of findings */

struct fw_story_claim {
	uint64_t key; /* 0: free */
	uint32_t story;
};

void fw_stories_init(struct fw_stories *st)
{
	*st = (struct fw_stories){ 0 };
}

void fw_stories_fini(struct fw_stories *st)
{
	free(st->claims);
	*st = (struct fw_stories){ 0 };
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static uint64_t hash_endpoint(uint64_t h, const uint8_t addr[16], uint16_t port)
{
	uint64_t words[2];

	memcpy(words, addr, sizeof(words));
	return mix(mix(mix(h, words[0]), words[1]), port);
}

static bool is_loopback(uint8_t family, const uint8_t addr[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return family == AF_INET ? addr[0] == 127 : !memcmp(addr, one, sizeof(one));
}

uint64_t fw_story_key(uint32_t netns, uint8_t family, const uint8_t laddr[16], uint16_t lport,
		      const uint8_t raddr[16], uint16_t rport)
{
	uint64_t h = is_loopback(family, laddr) || is_loopback(family, raddr) ? netns : 0;
	uint64_t local = hash_endpoint(h, laddr, lport), remote = hash_endpoint(h, raddr, rport);
	uint64_t key = local < remote ? mix(local, remote) : mix(remote, local);

	return key ? key : 1;
}

uint64_t fw_story_key_of(const struct fw_conn *c)
{
	return fw_story_key(c->netns, c->family, c->laddr, c->lport, c->raddr, c->rport);
}

uint64_t fw_story_listener_key(uint32_t netns, uint16_t lport)
{
	const uint8_t none[16] = { 0 };

	return fw_story_key(netns, AF_INET, none, lport, none, 0) ^ netns;
}

uint32_t fw_stories_new(struct fw_stories *st)
{
	return ++st->last;
}

uint32_t fw_stories_new_of_peer(struct fw_stories *st)
{
	return ++st->last | FW_STORY_OF_PEER;
}

/* Where @key is, or may go. */
static struct fw_story_claim *place_of(const struct fw_stories *st, uint64_t key)
{
	size_t i = key & (st->cap - 1);

	while (st->claims[i].key && st->claims[i].key != key)
		i = (i + 1) & (st->cap - 1);
	return &st->claims[i];
}

static bool grow(struct fw_stories *st)
{
	struct fw_stories more = { .cap = st->cap ? st->cap * 2 : CAP_MIN };

	if (more.cap <= CAP_MAX)
		more.claims = calloc(more.cap, sizeof(*more.claims));
	if (!more.claims) {
		st->failed = true;
		return false;
	}
	for (size_t i = 0; i < st->cap; i++) {
		if (st->claims[i].key)
			*place_of(&more, st->claims[i].key) = st->claims[i];
	}
	free(st->claims);
	st->claims = more.claims;
	st->cap = more.cap;
	return true;
}

void fw_stories_claim(struct fw_stories *st, uint64_t key, uint32_t story)
{
	struct fw_story_claim *claim;

	if (2 * st->nr >= st->cap && !grow(st))
		return;
	claim = place_of(st, key);
	if (claim->key)
		return;
	*claim = (struct fw_story_claim){ key, story };
	st->nr++;
}

uint32_t fw_stories_find(const struct fw_stories *st, uint64_t key)
{
	return st && st->cap ? place_of(st, key)->story : 0;
}
