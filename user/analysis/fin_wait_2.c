// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIN_WAIT_2 stalls: our FIN is acknowledged, and the peer's does not come: its application has not closed.
 * Two kinds, with different remedies:
 *
 *	orphaned	our application called close(): the kernel gives up after tcp_fin_timeout
 *	half-closed	shutdown(SHUT_WR), the descriptor is open: nothing ever gives up
 *
 * When the peer is a process of this host that leaks the other ends, its leak is the finding and the stall
 * is a part of that story (stories.h). A peer that closes late has done nothing wrong: a client that
 * shuts down its side to say that its request is complete waits here for the answer.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/words.h"

enum ending { BY_FIN, BY_TIMEOUT, BY_RESET, BY_DATA, BY_OTHER, NR_ENDINGS };

/* Ended stalls that are remembered one by one, to find the story of each. More are only counted. */
#define REMEMBERED_MAX 4096
/* One that is still waiting after this is not just late. */
#define LATE_NS FW_NS(5)

struct stalls {
	uint64_t ended[NR_ENDINGS], orphaned, half_closed;
	uint64_t open, open_long; /* still waiting; of them for more than LATE_NS */
	uint64_t longest_ns;	  /* of all of them */
	bool at_least;
	struct fw_owner owner; /* ours, that waits */
	struct fw_owner other; /* the peer's, if it is on this host */
};

/* One that has ended. */
struct stall {
	struct fw_group_key ends; /* both endpoints; .extra is the role */
	uint64_t key;		  /* of the connection, fw_story_key() */
	uint64_t ns;
	struct fw_owner owner;
	enum ending ending;
	bool at_least, orphaned;
};

struct fin_wait_2 {
	uint64_t stall_ns;
	struct stall *ended;
	size_t nr_ended, cap_ended;
	struct fw_groups counted; /* ended, beyond those remembered */
	/* as of the report that is being made */
	struct stalls all;
	struct fw_groups peers;
	struct fw_groups told; /* the same by story, which is .pid of the key */
	struct fw_stories others; /* of connections in CLOSE_WAIT: their places in the table */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct fin_wait_2 *f = self;
	int ret;

	f->stall_ns = opt->stall_ns;
	fw_stories_init(&f->others);
	ret = fw_groups_init(&f->counted, sizeof(struct stalls), FW_GROUPS_MAX);
	if (!ret)
		ret = fw_groups_init(&f->peers, sizeof(struct stalls), FW_GROUPS_MAX);
	return ret ? ret : fw_groups_init(&f->told, sizeof(struct stalls), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	struct fin_wait_2 *f = self;

	fw_groups_fini(&f->counted);
	fw_groups_fini(&f->peers);
	fw_groups_fini(&f->told);
	fw_stories_fini(&f->others);
	free(f->ended);
}

static uint64_t ended_of(const struct stalls *s)
{
	uint64_t n = 0;

	for (int i = 0; i < NR_ENDINGS; i++)
		n += s->ended[i];
	return n;
}

static uint64_t total_of(const void *value)
{
	return ended_of(value) + ((const struct stalls *)value)->open;
}

/* Those whose peer has not closed at all. */
static uint64_t unclosed_of(const struct stalls *s)
{
	return s->open_long + s->ended[BY_TIMEOUT] + s->ended[BY_DATA] + s->ended[BY_OTHER];
}

static struct fw_group_key ends_of(const struct fw_conn *c)
{
	struct fw_group_key ends = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LADDR | FW_BY_LPORT |
						      FW_BY_RADDR | FW_BY_RPORT);

	ends.extra = c->role;
	return ends;
}

/*
 * The peer: its address, and the port of the service. A connection older than finwait may have no role: it
 * is a client's, if its local port is not served here. Then it is in the same group as those with a role.
 */
static struct fw_group_key peer_of(const struct fw_analysis_context *ctx,
				   const struct fw_group_key *ends)
{
	struct fw_group_key key = { .netns = ends->netns, .family = ends->family };
	bool passive = ends->extra == FW_ROLE_PASSIVE ||
		       (ends->extra == FW_ROLE_UNKNOWN &&
			fw_listeners_serve(&ctx->tracker->listeners, ends->netns, ends->laddr,
					   ends->lport));

	memcpy(key.raddr, ends->raddr, sizeof(key.raddr));
	key.lport = passive ? ends->lport : ends->rport;
	key.extra = passive ? FW_ROLE_PASSIVE : FW_ROLE_ACTIVE;
	return key;
}

static void add_length(struct stalls *s, uint64_t ns, bool at_least, bool orphaned)
{
	s->orphaned += orphaned;
	s->half_closed += !orphaned;
	if (ns > s->longest_ns) {
		s->longest_ns = ns;
		s->at_least = at_least;
	}
}

static void add_ended(struct stalls *s, const struct stall *stall)
{
	s->ended[stall->ending]++;
	add_length(s, stall->ns, stall->at_least, stall->orphaned);
	if (stall->owner.pid || stall->owner.comm[0])
		s->owner = stall->owner;
}

static enum ending ending_of(const struct fw_conn *c, const struct fw_transition *tr)
{
	if (tr->to == FW_TIME_WAIT)
		return BY_FIN;
	switch (c->end) {
	case FW_END_FIN_WAIT_2_TIMEOUT:
		return BY_TIMEOUT;
	case FW_END_RESET_RECEIVED:
		return BY_RESET;
	case FW_END_FIN_WAIT_2_DATA:
		return BY_DATA;
	case FW_END_TIME_WAIT_OVERFLOW:
		return BY_FIN;
	default:
		return BY_OTHER;
	}
}

/* NULL: it is counted only. */
static struct stall *remember(struct fin_wait_2 *f)
{
	if (f->nr_ended == f->cap_ended && f->cap_ended < REMEMBERED_MAX) {
		size_t cap = f->cap_ended ? 2 * f->cap_ended : 64;
		struct stall *more = reallocarray(f->ended, cap, sizeof(*more));

		if (more) {
			f->ended = more;
			f->cap_ended = cap;
		}
	}
	return f->nr_ended < f->cap_ended ? &f->ended[f->nr_ended++] : NULL;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct fin_wait_2 *f = self;
	struct stall stall, *kept;

	if (tr->from != FW_FIN_WAIT_2 || tr->to == FW_FIN_WAIT_2 || tr->dwell_ns < f->stall_ns ||
	    tr->flags & (FW_TR_SAME_SEGMENT | FW_TR_DWELL_UNKNOWN) || c->flags & FW_CONN_TRANSIT)
		return;
	stall = (struct stall){
		.ends = ends_of(c), .key = fw_story_key_of(c), .ns = tr->dwell_ns,
		.ending = ending_of(c, tr), .at_least = tr->flags & FW_TR_DWELL_AT_LEAST,
		.orphaned = c->flags & FW_CONN_ORPHANED,
	};
	fw_owner_see(&stall.owner, c);
	kept = remember(f);
	if (kept)
		*kept = stall;
	else
		add_ended(fw_groups_get(&f->counted, &stall.ends), &stall);
}

/* ---- As of a report ---------------------------------------------------------------------- */

/* The group of a connection that has that key: its story is a part of it. */
static struct stalls *group_of(struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
			       const struct fw_group_key *ends, uint64_t key)
{
	struct fw_group_key mine = peer_of(ctx, ends);

	mine.pid = fw_stories_find(ctx->stories, key);
	return fw_groups_get(&f->told, &mine);
}

static void merge(struct stalls *s, const struct stalls *more)
{
	for (int i = 0; i < NR_ENDINGS; i++)
		s->ended[i] += more->ended[i];
	s->orphaned += more->orphaned;
	s->half_closed += more->half_closed;
	s->open += more->open;
	s->open_long += more->open_long;
	if (more->longest_ns > s->longest_ns) {
		s->longest_ns = more->longest_ns;
		s->at_least = more->at_least;
	}
	if (more->owner.pid || more->owner.comm[0])
		s->owner = more->owner;
	if (more->other.pid || more->other.comm[0])
		s->other = more->other;
}

/* A report that is being made. */
struct making {
	struct fin_wait_2 *f;
	const struct fw_analysis_context *ctx;
};

static void add_counted(void *arg, struct fw_group *group)
{
	const struct making *m = arg;

	merge(group_of(m->f, m->ctx, &group->key, 0), (const void *)group->value);
}

static void sum_up(void *arg, struct fw_group *group)
{
	struct fw_group_key peer = group->key;
	struct fin_wait_2 *f = arg;

	if (!total_of(group->value))
		return;
	peer.pid = 0;
	merge(fw_groups_get(&f->peers, &peer), (const void *)group->value);
	merge(&f->all, (const void *)group->value);
}

/* Who has the other end of a connection that waits, if it is on this host. */
static void find_others(struct fin_wait_2 *f, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	fw_stories_fini(&f->others);
	while ((c = fw_open_next(ctx, c))) {
		if (fw_conn_is_in(c, FW_CLOSE_WAIT))
			fw_stories_claim(&f->others, fw_story_key_of(c), c->self);
	}
}

static void add_open(struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
		     const struct fw_conn *c)
{
	uint64_t age = fw_open_age_ns(ctx, c), key = fw_story_key_of(c);
	const struct fw_conn *other = NULL;
	struct fw_group_key ends = ends_of(c);
	struct stalls *s;
	uint32_t place;

	if (!fw_conn_is_in(c, FW_FIN_WAIT_2) || age < f->stall_ns)
		return;
	s = group_of(f, ctx, &ends, key);
	s->open++;
	s->open_long += age >= LATE_NS;
	add_length(s, age, c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST,
		   c->flags & FW_CONN_ORPHANED);
	fw_owner_see(&s->owner, c);
	place = fw_stories_find(&f->others, key);
	if (place)
		other = fw_conn_table_at(&ctx->tracker->table, place);
	if (other)
		fw_owner_see(&s->other, other);
}

static void look(struct fin_wait_2 *f, const struct fw_analysis_context *ctx)
{
	struct making making = { f, ctx };
	const struct fw_conn *c = NULL;

	f->all = (struct stalls){ 0 };
	fw_groups_clear(&f->peers);
	fw_groups_clear(&f->told);
	fw_groups_each(&f->counted, add_counted, &making);
	for (size_t i = 0; i < f->nr_ended; i++)
		add_ended(group_of(f, ctx, &f->ended[i].ends, f->ended[i].key), &f->ended[i]);
	find_others(f, ctx);
	while ((c = fw_open_next(ctx, c)))
		add_open(f, ctx, c);
	fw_groups_each(&f->told, sum_up, f);
}

static struct fw_cell longest(const struct stalls *s)
{
	struct fw_cell cell = fw_cell_duration(s->longest_ns);

	return s->at_least ? fw_cell_at_least(cell) : cell;
}

static void peer_row(const struct fw_analysis_context *ctx, struct fw_report *r,
		     struct fw_table *t, const struct fw_group *group)
{
	const struct stalls *s = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(key->family, key->raddr,
				 key->extra == FW_ROLE_ACTIVE ? key->lport : 0),
		fw_owner_cell(&s->owner),
		fw_cell_count(s->open),
		fw_cell_count(s->ended[BY_FIN]),
		fw_cell_count(s->ended[BY_TIMEOUT]),
		fw_cell_count(s->ended[BY_RESET] + s->ended[BY_DATA] + s->ended[BY_OTHER]),
		longest(s),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static void peers(struct fin_wait_2 *f, const struct fw_analysis_context *ctx, struct fw_report *r,
		  struct fw_table *t)
{
	fw_table_groups(ctx, r, t, &f->peers, total_of, peer_row);
}

static const char *const peer_columns[] = {
	"peer", "peer", "process", "who waits", "open", "open", "peer_fin", "FIN came",
	"timeout", "timeout", "other", "other", "longest", "longest", NULL,
};

/* The stalls of one story, or (0) of none. */
struct chapter {
	uint32_t story;
	struct stalls all, worst;
	struct fw_group_key peer; /* of the worst */
	size_t nr_owners;	  /* groups of other processes than those before */
};

static void add_to_chapter(void *arg, struct fw_group *group)
{
	const struct stalls *s = (const void *)group->value;
	struct chapter *ch = arg;

	if (group->key.pid != ch->story || !total_of(s))
		return;
	ch->nr_owners += !ch->nr_owners || ch->all.owner.pid != s->owner.pid;
	merge(&ch->all, s);
	if (total_of(s) > total_of(&ch->worst)) {
		ch->worst = *s;
		ch->peer = group->key;
	}
}

/* An orphan older than finwait is that of the server whose port it has. */
static struct fw_words waiter(const struct fw_analysis_context *ctx, const struct fw_group_key *peer,
			      const struct fw_owner *owner)
{
	if (peer->extra == FW_ROLE_PASSIVE)
		return fw_words_server(ctx, peer, owner);
	return fw_words_process(owner->comm, owner->pid);
}

static void say_title(const struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
		      const struct chapter *ch, struct fw_report *r, struct fw_finding *finding)
{
	const struct stalls *s = &ch->worst;
	struct fw_words peer = fw_words_endpoint(ch->peer.family, ch->peer.raddr,
						 ch->peer.extra == FW_ROLE_ACTIVE ? ch->peer.lport : 0);
	struct fw_words waited = fw_words_plural(total_of(s), "connection");
	struct fw_words least = fw_words_duration(f->stall_ns);

	if (ch->story && !(ch->story & FW_STORY_OF_PEER))
		fw_finding_say(r, &finding->title,
			       "the other ends of the same connections wait in FIN_WAIT_2: %s%s, "
			       "%s, the longest for %s%s",
			       waiter(ctx, &ch->peer, &s->owner).text,
			       ch->nr_owners > 1 ? " and others" : "",
			       fw_words_plural(total_of(&ch->all), "connection").text,
			       ch->all.at_least ? ">= " : "",
			       fw_words_duration(ch->all.longest_ns).text);
	else if (s->other.pid || s->other.comm[0])
		fw_finding_say(r, &finding->title,
			       "%s waited %s or more for the FIN of %s, which is on this host (%s)",
			       waited.text, least.text, peer.text,
			       fw_words_process(s->other.comm, s->other.pid).text);
	else
		fw_finding_say(r, &finding->title, "%s does not close%s: %s waited %s or more for its "
			       "FIN", peer.text, unclosed_of(s) ? "" : " at once", waited.text,
			       least.text);
}

static void find_stall(struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
		       uint32_t story, struct fw_report *r)
{
	uint64_t least = story ? FW_LIMIT_LEAK : FW_LIMIT_FIN_WAIT_2;
	const struct fw_netns_values *values;
	struct fw_finding *finding;
	struct chapter ch = { .story = story };

	fw_groups_each(&f->told, add_to_chapter, &ch);
	if (total_of(&ch.worst) < least)
		return;
	values = fw_values_of(ctx, ch.peer.netns);
	finding = fw_finding_begin(r, "fin-wait-2-peer-stall",
				   unclosed_of(&ch.worst) < least ? FW_SEVERITY_INFO :
								    FW_SEVERITY_WARNING,
				   FW_RANK_FIN_WAIT_2, total_of(&ch.all));
	finding->story = story;
	finding->part = story ? FW_PART_WAITER : FW_PART_CAUSE;
	say_title(f, ctx, &ch, r, finding);
	fw_finding_evidence(r, finding, "stalls", "Stalls", fw_cell_count(total_of(&ch.all)));
	fw_finding_evidence(r, finding, "open", "Still waiting", fw_cell_count(ch.all.open));
	fw_finding_evidence(r, finding, "orphaned", "Orphaned", fw_cell_count(ch.all.orphaned));
	fw_finding_evidence(r, finding, "half_closed", "Half-closed",
			    fw_cell_count(ch.all.half_closed));
	fw_finding_evidence(r, finding, "longest", "Longest", longest(&ch.all));
	if (values && values->sysctls.tcp_fin_timeout >= 0)
		fw_finding_evidence(r, finding, "tcp_fin_timeout", "tcp_fin_timeout",
				    fw_cell_duration(FW_NS(values->sysctls.tcp_fin_timeout)));
	if (!story || story & FW_STORY_OF_PEER)
		peers(f, ctx, r, fw_finding_offenders(r, finding, peer_columns));
}

/* One for each story, and one for what has none. */
static void find_stalls(struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
		       struct fw_report *r)
{
	uint32_t nr = ctx->stories ? ctx->stories->last : 0;

	find_stall(f, ctx, 0, r);
	for (uint32_t story = 1; story <= nr; story++) {
		find_stall(f, ctx, story, r);
		find_stall(f, ctx, story | FW_STORY_OF_PEER, r);
	}
}

static void facts(const struct stalls *all, struct fw_report *r, struct fw_section *s)
{
	fw_section_fact(r, s, "stalls", "Stalls", fw_cell_count(total_of(all)));
	fw_section_fact(r, s, "open", "Still waiting", fw_cell_count(all->open));
	fw_section_fact(r, s, "orphaned", "Orphaned: close() was called",
			fw_cell_count(all->orphaned));
	fw_section_fact(r, s, "half_closed", "Half-closed: shutdown() was called",
			fw_cell_count(all->half_closed));
	fw_section_fact(r, s, "peer_fin", "Ended by the peer's FIN",
			fw_cell_count(all->ended[BY_FIN]));
	fw_section_fact(r, s, "timeout", "Ended by tcp_fin_timeout",
			fw_cell_count(all->ended[BY_TIMEOUT]));
	fw_section_fact(r, s, "reset", "Ended by an RST", fw_cell_count(all->ended[BY_RESET]));
	fw_section_fact(r, s, "data", "Ended by data after close()",
			fw_cell_count(all->ended[BY_DATA]));
	fw_section_fact(r, s, "other", "Ended otherwise", fw_cell_count(all->ended[BY_OTHER]));
	fw_section_fact(r, s, "longest", "Longest", longest(all));
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fin_wait_2 *f = self;
	struct fw_section *s = fw_report_section(r, "fin_wait_2", "FIN_WAIT_2 stalls");

	look(f, ctx);
	fw_section_fact(r, s, "stall", "Counted from", fw_cell_duration(f->stall_ns));
	if (total_of(&f->all)) {
		facts(&f->all, r, s);
		peers(f, ctx, r, fw_section_table(r, s, "by_peer", "By peer", peer_columns));
		fw_note_unlisted(r, s, &f->peers);
		find_stalls(f, ctx, r);
	} else {
		fw_section_fact(r, s, "stalls", "Stalls", fw_cell_count(0));
	}
}

const struct fw_analysis fw_analysis_fin_wait_2 = {
	.name = "fin_wait_2",
	.size = sizeof(struct fin_wait_2),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition },
	.report = report,
};
