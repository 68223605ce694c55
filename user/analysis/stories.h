/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stories: which finding a connection belongs to. What one process does not close is CLOSE_WAIT at its
 * end and FIN_WAIT_2 at the other, and between the two there can be a proxy. An analysis that knows the
 * cause claims the connections; an analysis that meets their other ends finds the story, and its finding
 * is folded into that of the cause (fw_report_sort()).
 *
 * A connection is known by its pair of endpoints, so both ends on one host have the same key.
 */
#ifndef FW_ANALYSIS_STORIES_H
#define FW_ANALYSIS_STORIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conn.h"

struct fw_story_claim;

struct fw_stories {
	struct fw_story_claim *claims; /* a hash table */
	size_t nr, cap;
	uint32_t last; /* number of a story */
	bool failed;   /* no memory: some connections have no story */
};

void fw_stories_init(struct fw_stories *st);
void fw_stories_fini(struct fw_stories *st);

/* The same for both ends. Never 0. Loopback addresses are of @netns; others are thought to be one
 * host's in all its network namespaces.
 */
uint64_t fw_story_key(uint32_t netns, uint8_t family, const uint8_t laddr[16], uint16_t lport,
		      const uint8_t raddr[16], uint16_t rport);
uint64_t fw_story_key_of(const struct fw_conn *c);
/* Of the connections that wait for accept() on a port. */
uint64_t fw_story_listener_key(uint32_t netns, uint16_t lport);

/* A new number, from 1 up. */
uint32_t fw_stories_new(struct fw_stories *st);
/* The same, of which the cause is a peer elsewhere: what waits for that peer is the finding. */
#define FW_STORY_OF_PEER (1U << 31)
uint32_t fw_stories_new_of_peer(struct fw_stories *st);
/* The first claim of a connection stands. */
void fw_stories_claim(struct fw_stories *st, uint64_t key, uint32_t story);
/* 0: none. @st may be NULL. */
uint32_t fw_stories_find(const struct fw_stories *st, uint64_t key);

#endif
