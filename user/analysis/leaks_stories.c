// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups that are one fact:
 *
 *	stages	One process leaks connections to one service: they are established, then in CLOSE_WAIT when
 *		the peer closes, then dead when keepalive finds that the peer has gone. One finding.
 *	relays	A proxy has as many half-closed connections to its upstream as clients that have closed. It
 *		has passed the clients' FIN on and waits for the upstream's: the upstream is the cause.
 *
 * All connections of a finding are claimed, so that what waits at their other ends is found to be the
 * same.
 */
#include <string.h>

#include "analysis/leaks_internal.h"

/* Clients and upstream connections are counted one after the other: these differences are none. */
#define RELAY_SLACK 2
#define RELAY_SLACK_PCT 10

static bool same_leak(const struct leak_key *a, const struct leak_key *b)
{
	return a->pid && a->pid == b->pid && a->netns == b->netns && a->port == b->port &&
	       a->passive == b->passive;
}

/* Groups are sorted: the first of them is the worst, and of equal severity the later stage. */
static bool leads(const struct leak_group *a, const struct leak_group *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	if ((a->verdict == DEAD) != (b->verdict == DEAD))
		return a->verdict == DEAD;
	return leak_is_close_wait(a->verdict) && !leak_is_close_wait(b->verdict);
}

static void join_stages(const struct fw_leaks *l, struct leak_groups *groups, struct leak_group *g)
{
	size_t nr[3] = { g->nr_first, g->nr_middle, g->nr };

	for (size_t i = 0; i < groups->nr; i++) {
		struct leak_group *other = &groups->group[i];

		if (other == g || !other->is_finding || !same_leak(&g->key, &other->key))
			continue;
		if (other->verdict != NEVER_REUSED) {
			nr[0] += other->nr_first;
			nr[1] += other->nr_middle;
			nr[2] += other->nr;
		}
		if (other->story)
			g->story = other->story;
		if (leads(other, g) || (!leads(g, other) && other < g))
			g->part = FW_PART_EFFECT;
	}
	if (g->part == FW_PART_CAUSE && g->verdict != NEVER_REUSED)
		leak_judge_whole(l, g, nr);
}

static uint64_t key_of(const struct leak_sock *s)
{
	return fw_story_key(s->netns, s->family, s->laddr, s->lport, s->raddr, s->rport);
}

static void claim(const struct leak_group *g, struct fw_stories *stories, uint32_t story)
{
	/* The accept queue, if it is full, is why nothing is accepted. */
	if (g->verdict == NEVER_ACCEPTED)
		fw_stories_claim(stories, fw_story_listener_key(g->key.netns, g->key.port), story);
	for (size_t i = 0; i < g->nr; i++)
		fw_stories_claim(stories, key_of(g->members[i].sock), story);
}

/* The story of most of its connections; 0: none. */
static uint32_t story_of(const struct leak_group *g, const struct fw_stories *stories)
{
	uint32_t story = 0;
	size_t nr = 0;

	for (size_t i = 0; i < g->nr && !story; i++)
		story = fw_stories_find(stories, key_of(g->members[i].sock));
	for (size_t i = 0; i < g->nr && story; i++)
		nr += fw_stories_find(stories, key_of(g->members[i].sock)) == story;
	return nr * 2 > g->nr ? story : 0;
}

static size_t slack(size_t nr)
{
	return nr * RELAY_SLACK_PCT / 100 + RELAY_SLACK;
}

/* NULL: none. */
static const struct leak_group *relayed_by(const struct leak_groups *groups,
					   const struct leak_group *g)
{
	for (size_t i = 0; i < groups->nr; i++) {
		const struct leak_group *h = &groups->group[i];
		size_t differ = h->nr > g->nr ? h->nr - g->nr : g->nr - h->nr;

		if (h->verdict == HALF_CLOSED && h->pid == g->pid && !h->passive &&
		    h->key.netns == g->key.netns && h->nr >= FW_LIMIT_LEAK &&
		    differ <= slack(g->nr))
			return h;
	}
	return NULL;
}

static bool may_relay(const struct leak_group *g)
{
	return g->is_finding && g->passive && g->pid && leak_is_close_wait(g->verdict);
}

/* Of a chain of proxies the last is resolved first: a group whose upstream has a story gets it. */
static bool join_relays(struct leak_groups *groups, struct fw_stories *stories, bool last)
{
	bool any = false;

	for (size_t i = 0; i < groups->nr; i++) {
		struct leak_group *g = &groups->group[i];
		uint32_t story;

		if (!g->relayed || g->story)
			continue;
		story = story_of(g->relayed, stories);
		if (!story && !last)
			continue;
		/* The upstream is elsewhere: the stall that waits for it is the cause. */
		if (!story)
			story = fw_stories_new_of_peer(stories);
		claim(g->relayed, stories, story);
		claim(g, stories, story);
		g->story = story;
		g->part = FW_PART_EFFECT;
		any = true;
	}
	return any;
}

void leak_stories(const struct fw_leaks *l, struct leak_groups *groups, struct fw_stories *stories)
{
	for (size_t i = 0; i < groups->nr; i++) {
		struct leak_group *g = &groups->group[i];

		g->part = FW_PART_CAUSE;
		g->relayed = may_relay(g) ? relayed_by(groups, g) : NULL;
		if (!g->is_finding || g->relayed)
			continue;
		join_stages(l, groups, g);
		if (!g->story)
			g->story = fw_stories_new(stories);
		claim(g, stories, g->story);
	}
	while (join_relays(groups, stories, false))
		;
	join_relays(groups, stories, true);
}
