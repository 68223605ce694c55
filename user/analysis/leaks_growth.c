// SPDX-License-Identifier: GPL-2.0-only
/*
 * What three looks tell of a group.
 *
 *	first            middle            last
 *	|-- came early --|-- came late ----|
 *
 * A leak grows in both halves, and what was there in the middle is still there at the end. A burst comes in
 * one half. Where sockets come and go, those of the middle have gone by the end: a busy server whose
 * connections are in CLOSE_WAIT for a moment has some at every look, and never the same.
 */
#include <string.h>

#include "analysis/leaks_internal.h"

#define NS_PER_S 1000000000ULL
/* Longer forecasts, a century, are none. */
#define FORESEEN_S (100 * 365 * 86400.0)
/* More connections than this are not what a pool keeps by mistake. */
#define POOL_MAX 64
/* Younger than this at the middle look, it may be one that leaves at once. */
#define ELDER_NS (2 * NS_PER_S)
/* In CLOSE_WAIT and growing for at least so long. */
#define GROWN_NS (10 * NS_PER_S)
/* So many that were there at the middle look and stay are a leak, before they are as old as the leak age. */
#define LASTING_MIN 10
/* A pool, or a connection that waits for accept(), in CLOSE_WAIT for at least so long. */
#define LASTING_NS (5 * NS_PER_S)
#define URGENT_NS (3600 * NS_PER_S)
/* Descriptors of a process that opens some for a moment only, and fails, are below its limit. */
#define NEAR_FULL 2
/* Established connections: so many, with data to read on most of them, or so many without. */
#define OPEN_UNREAD_MIN 10
#define OPEN_IDLE_MIN 30

/* What the looks say of the members of a group. */
struct changes {
	size_t nr_first, nr_middle;
	size_t early, late;	/* came in the first half, in the second */
	size_t elders, stayed;	/* of the middle look: old enough; of them still there */
	size_t met, idle;	/* in the middle look too; of them nothing sent or received since */
	size_t lasting;		/* in the first look too */
};

static bool came_early(const struct fw_leaks *l, const struct leak_sock *s)
{
	if (l->middle.ts_ns)
		return leak_sock_in(&l->middle, s);
	return !s->since_before &&
	       s->since_ns < l->first.ts_ns + (l->last.ts_ns - l->first.ts_ns) / 2;
}

static void see_member(const struct fw_leaks *l, const struct leak_sock *s, struct changes *c)
{
	const struct leak_look *before = l->middle.ts_ns ? &l->middle : &l->first;
	const struct leak_sock *then = leak_sock_in(before, s);

	if (then) {
		c->met++;
		c->idle += then->bytes == s->bytes;
	}
	if (leak_sock_in(&l->first, s))
		c->lasting++;
	else if (came_early(l, s))
		c->early++;
	else
		c->late++;
}

/* Whether the members of the look before are still there. */
static void see_before(const struct fw_leaks *l, const struct leak_keyed *members, size_t nr,
		       struct changes *c)
{
	const struct leak_look *before = l->middle.ts_ns ? &l->middle : &l->first;

	for (size_t i = 0; i < nr; i++) {
		const struct leak_sock *s = members[i].sock;

		/* Of a dead socket it is not known since when it is. */
		if (s->state != FW_CLOSE && before->ts_ns - s->since_ns < ELDER_NS)
			continue;
		c->elders++;
		c->stayed += leak_sock_stays(&l->last, s);
	}
}

static struct changes changes_of(const struct fw_leaks *l, const struct leak_groups *groups,
				 const struct leak_group *g)
{
	const struct leak_keyed *then, *between;
	struct changes c = { 0 };

	then = leak_range(groups->then, l->first.nr_socks, &g->key, &c.nr_first);
	between = leak_range(groups->between, l->middle.nr_socks, &g->key, &c.nr_middle);
	for (size_t i = 0; i < g->nr; i++)
		see_member(l, g->members[i].sock, &c);
	if (l->middle.ts_ns)
		see_before(l, between, c.nr_middle, &c);
	else
		see_before(l, then, c.nr_first, &c);
	return c;
}

static bool most(size_t part, size_t whole)
{
	return part * 10 >= whole * 9;
}

static double per_s(double n, uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? n * NS_PER_S / (double)(to_ns - from_ns) : 0;
}

/* Established connections may be many and of use: only idle ones that keep coming are a leak. */
static bool open_grows(const struct leak_group *g, const struct changes *c)
{
	bool unread = g->nr_unread * 2 >= g->nr;

	return c->early >= 3 && c->late >= 3 && c->met && most(c->idle, c->met) &&
	       g->nr >= (unread ? OPEN_UNREAD_MIN : OPEN_IDLE_MIN);
}

static void judge_growth(const struct fw_leaks *l, struct leak_group *g, const struct changes *c)
{
	const struct leak_look *from = &l->first;
	size_t then = c->nr_first;

	if (!l->first.ts_ns)
		return;
	g->grows = g->nr >= then + FW_LIMIT_LEAK && c->early >= 2 && c->late >= 1 &&
		   most(c->stayed, c->elders) &&
		   (g->verdict != NEVER_REUSED || open_grows(g, c));
	/* What does not grow steadily is told as it is of late: after a burst, nothing. */
	if (!g->grows && l->middle.ts_ns) {
		from = &l->middle;
		then = c->nr_middle;
	}
	g->growth_known = true;
	g->growth_per_s = per_s((double)g->nr - (double)then, from->ts_ns, l->last.ts_ns);
}

static bool is_near_limit(const struct leak_process *p)
{
	return p && p->rec.nofile != LEAK_UNLIMITED && p->rec.fds + NEAR_FULL >= p->rec.nofile;
}

/* The process has no descriptor left, and these are a good part of them, or wait for one. */
static bool is_full(const struct leak_group *g)
{
	if (!is_near_limit(g->process))
		return false;
	return g->verdict == NEVER_ACCEPTED || g->nr * 10 >= g->process->rec.nofile;
}

/* Until the descriptors run out, at the rate seen; 0: not foreseeable, or they do not become more. */
static uint64_t forecast_ns(const struct fw_leaks *l, const struct leak_group *g)
{
	const struct leak_process *then = leak_process_of(&l->first, g->pid), *now = g->process,
				  *between = leak_process_of(&l->middle, g->pid);
	double left_s;

	if (!then || !now || g->is_full || g->fds_per_s <= 0 || now->rec.nofile == LEAK_UNLIMITED ||
	    now->rec.nofile <= now->rec.fds)
		return 0;
	if (between && (between->rec.fds > now->rec.fds || between->rec.fds < then->rec.fds))
		return 0;
	left_s = (double)(now->rec.nofile - now->rec.fds) / g->fds_per_s;
	return left_s < FORESEEN_S ? (uint64_t)(left_s * NS_PER_S) : 0;
}

static void judge_descriptors(const struct fw_leaks *l, struct leak_group *g)
{
	const struct leak_process *then = leak_process_of(&l->first, g->pid), *now = g->process;

	g->is_full = is_full(g);
	if (!then || !now)
		return;
	g->fds_known = true;
	g->fds_per_s = per_s((double)now->rec.fds - (double)then->rec.fds, then->rec.head.ts_ns,
			     now->rec.head.ts_ns);
	if (g->grows)
		g->limit_ns = forecast_ns(l, g);
}

/* Whether the process used its other connections between two looks. */
static bool works(const struct leak_look *from, const struct leak_look *to, uint32_t pid)
{
	const struct leak_process *then = leak_process_of(from, pid), *now = leak_process_of(to, pid);

	return then && now && then->activity != now->activity;
}

/* The same, while the group did not become more: connections that come to CLOSE_WAIT are no work. */
static bool works_besides(const struct fw_leaks *l, const struct leak_group *g)
{
	if (!l->middle.ts_ns)
		return g->nr <= g->nr_first && works(&l->first, &l->last, g->pid);
	return (g->nr_middle <= g->nr_first && works(&l->first, &l->middle, g->pid)) ||
	       (g->nr <= g->nr_middle && works(&l->middle, &l->last, g->pid));
}

/*
 * A pool of connections to a server notices only at their next use that the server has closed some: few,
 * nothing to read but the end, not becoming more, in a process that does other things meanwhile.
 */
static bool is_pool(const struct fw_leaks *l, const struct leak_group *g)
{
	if (g->passive || g->nr > POOL_MAX || !g->growth_known || g->growth_per_s > 0 || g->is_full ||
	    !works_besides(l, g))
		return false;
	return g->verdict == NEVER_CLOSED || g->verdict == DEAD ||
	       (g->verdict == NEVER_READ && !g->unread);
}

static bool is_finding(const struct fw_leaks *l, const struct leak_group *g, const struct changes *c)
{
	uint64_t watched_ns = l->first.ts_ns ? l->last.ts_ns - l->first.ts_ns : 0;

	if (g->verdict == HALF_CLOSED || g->nr < l->least)
		return false;
	if (g->is_full || (g->grows && !leak_is_close_wait(g->verdict)))
		return true;
	if (g->verdict == NEVER_REUSED)
		return false;
	if (g->verdict == DEAD)
		return c->lasting >= FW_LIMIT_LEAK;
	/* The application still sends, in the direction that the peer has left open. */
	if (c->met && !most(c->idle, c->met))
		return false;
	if (g->is_pool && g->oldest_ns >= LASTING_NS && g->nr >= FW_LIMIT_LEAK)
		return true;
	if (g->verdict == NEVER_ACCEPTED && g->oldest_ns >= LASTING_NS && c->lasting >= l->least)
		return true;
	if (c->met >= LASTING_MIN && most(c->stayed, c->elders) && g->oldest_ns >= GROWN_NS &&
	    l->middle.ts_ns && l->last.ts_ns - l->middle.ts_ns >= LASTING_NS)
		return true;
	return g->nr_old >= l->least ||
	       (g->grows && (g->oldest_ns >= GROWN_NS || watched_ns >= GROWN_NS));
}

static enum fw_severity severity_of(const struct leak_group *g)
{
	if (g->is_pool)
		return FW_SEVERITY_INFO;
	if (g->is_full || (g->limit_ns && g->limit_ns < URGENT_NS))
		return FW_SEVERITY_CRITICAL;
	/* Dead ones are the leftovers of something that is over. */
	return g->verdict == DEAD && !g->grows ? FW_SEVERITY_INFO : FW_SEVERITY_WARNING;
}

void leak_judge(const struct fw_leaks *l, const struct leak_groups *groups, struct leak_group *g)
{
	struct changes c = changes_of(l, groups, g);

	g->nr_idle = c.idle;
	g->nr_first = c.nr_first;
	g->nr_middle = c.nr_middle;
	judge_growth(l, g, &c);
	judge_descriptors(l, g);
	g->is_pool = is_pool(l, g);
	g->is_finding = is_finding(l, g, &c);
	g->severity = severity_of(g);
}

/* As many may die in CLOSE_WAIT as come: then neither grows as the whole does. */
void leak_judge_whole(const struct fw_leaks *l, struct leak_group *g, const size_t nr[3])
{
	if (g->is_pool || g->limit_ns || !l->middle.ts_ns || nr[1] <= nr[0] || nr[2] <= nr[1] ||
	    nr[2] - nr[0] < FW_LIMIT_LEAK)
		return;
	g->limit_ns = forecast_ns(l, g);
	g->severity = severity_of(g);
	if (g->severity == FW_SEVERITY_INFO)
		g->severity = FW_SEVERITY_WARNING;
}
