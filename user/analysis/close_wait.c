// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOSE_WAIT leaks: the peer has closed, the application here has not.
 *
 * What the application forgot, who holds the descriptors and what else it leaks is told by the sockets
 * themselves, so a report looks at all of them, at least at its start and at its end (leaks.c). Without
 * these looks there is what the events tell: who, how many and how old, but no verdict.
 */
#include "analysis/leaks.h"
#include "analysis/words.h"

#include <errno.h>

struct leak {
	uint64_t count;
	uint64_t fresh; /* of them: began while finwait watched */
	uint64_t oldest_ns;
	bool at_least;
};

struct close_wait {
	struct fw_groups groups;
	uint64_t entered;
	struct fw_leaks *leaks;
	struct fw_observer look; /* what .leaks takes of a snapshot */
	/* as of the report that is being made */
	bool looked;
	/* of connections that the look did not reach */
	uint64_t young;
	struct leak all;
	uint32_t story;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct close_wait *w = self;
	const struct fw_leaks_options leaks = {
		.leak_age_ns = opt->leak_age_ns, .filter = opt->filter,
	};

	w->leaks = fw_leaks_new(&leaks);
	if (!w->leaks)
		return -ENOMEM;
	fw_leaks_observe(w->leaks, &w->look);
	return fw_groups_init(&w->groups, sizeof(struct leak), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	struct close_wait *w = self;

	fw_leaks_free(w->leaks);
	fw_groups_fini(&w->groups);
}

#define FORWARD(event, subject, parameters, arguments)                                        \
	static void on_##event(void *self, FW_LIST parameters)                                \
	{                                                                                     \
		FW_OBSERVE(((struct close_wait *)self)->look, event, FW_LIST arguments);      \
	}

/* Snapshots are for the search for leaks. */
FW_SNAPSHOT_EVENTS(FORWARD)

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	(void)c;
	((struct close_wait *)self)->entered +=
		tr->to == FW_CLOSE_WAIT && tr->from != FW_CLOSE_WAIT;
}

static void add(struct leak *leak, const struct fw_conn *c, uint64_t age)
{
	bool at_least = c->step_flags[c->nr_steps - 1] & FW_STEP_AT_LEAST;

	leak->count++;
	leak->fresh += !at_least;
	if (age > leak->oldest_ns) {
		leak->oldest_ns = age;
		leak->at_least = at_least;
	}
}

/* What the sockets themselves have told is leaks.c's. A namespace that could not be entered is not. */
static bool is_unseen(const struct close_wait *w, const struct fw_analysis_context *ctx,
		      const struct fw_conn *c)
{
	return fw_conn_is_in(c, FW_CLOSE_WAIT) &&
	       !(w->looked && fw_tracker_visited(ctx->tracker, c->netns));
}

static void look(struct close_wait *w, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	fw_groups_clear(&w->groups);
	w->all = (struct leak){ 0 };
	w->young = 0;
	while ((c = fw_open_next(ctx, c))) {
		uint64_t age = fw_open_age_ns(ctx, c);
		struct fw_group_key key;

		if (!is_unseen(w, ctx, c))
			continue;
		if (age < ctx->opt.leak_age_ns) {
			w->young++;
			continue;
		}
		key = fw_group_key_of(c, FW_BY_COMM | FW_BY_PID | FW_BY_CGROUP | FW_BY_NETNS |
						FW_BY_SERVICE |
						(c->role == FW_ROLE_ACTIVE ? FW_BY_RADDR : 0));
		key.extra = c->role;
		add(&w->all, c, age);
		add(fw_groups_get(&w->groups, &key), c, age);
	}
}

/* Leaks that began in the span, by the part of the span in which one could have become old enough. */
static bool growth_per_min(const struct fw_analysis_context *ctx, const struct leak *leak,
			   double *per_min)
{
	double s = fw_span_s(ctx) - (double)ctx->opt.leak_age_ns / 1e9;

	*per_min = s > 0.5 ? (double)leak->fresh / s * 60 : 0;
	return s > 0.5;
}

static uint64_t count_of(const void *value)
{
	return ((const struct leak *)value)->count;
}

static struct fw_cell oldest(const struct leak *leak)
{
	struct fw_cell cell = fw_cell_duration(leak->oldest_ns);

	return leak->at_least ? fw_cell_at_least(cell) : cell;
}

static struct fw_cell growth(const struct fw_analysis_context *ctx, const struct leak *leak)
{
	double per_min;

	return growth_per_min(ctx, leak, &per_min) ? fw_cell_rate(per_min / 60) : fw_cell_unknown();
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct leak *leak = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	struct fw_words owner = fw_words_owner(ctx, key);
	const struct fw_cell cells[] = {
		fw_cell_text(owner.text, SIZE_MAX),
		fw_cell_endpoint(key->family, key->raddr,
				 key->extra == FW_ROLE_ACTIVE ? key->lport : 0),
		key->extra == FW_ROLE_ACTIVE ? fw_cell_unknown() : fw_cell_id(key->lport),
		fw_cell_count(leak->count),
		oldest(leak),
		growth(ctx, leak),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "peer", "peer", "listen_port", "listen port", "count", "count",
	"oldest", "oldest", "growth", "growth", NULL,
};

static void find_leak(struct close_wait *w, const struct fw_analysis_context *ctx,
		      struct fw_report *r)
{
	const struct fw_group *worst;
	const struct leak *leak;
	struct fw_finding *f;

	if (!fw_groups_top(&w->groups, count_of, &worst, 1, NULL) ||
	    count_of(worst->value) < FW_LIMIT_LEAK)
		return;
	leak = (const void *)worst->value;
	/* When its descriptors run out is not known without a look. */
	f = fw_finding_begin(r, "close-wait-leak", FW_SEVERITY_WARNING, FW_RANK_LEAK, w->all.count);
	f->story = w->story;
	f->part = FW_PART_CAUSE;
	fw_finding_say(r, &f->title,
		       "%s does not close: %s in CLOSE_WAIT for %s or more, the oldest "
		       "for %s%s",
		       fw_words_owner(ctx, &worst->key).text,
		       fw_words_plural(leak->count, "connection").text,
		       fw_words_duration(ctx->opt.leak_age_ns).text, leak->at_least ? ">= " : "",
		       fw_words_duration(leak->oldest_ns).text);
	fw_finding_evidence(r, f, "count", "In CLOSE_WAIT for long", fw_cell_count(w->all.count));
	fw_finding_evidence(r, f, "oldest", "Oldest", oldest(&w->all));
	fw_finding_evidence(r, f, "growth", "Growth", growth(ctx, &w->all));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &w->groups, count_of, row);
	fw_finding_say(r, &f->confidence,
		       "The sockets were not looked at, so what the application forgot is not "
		       "known.%s",
		       leak->at_least ? " Some are older than finwait: of their age only a lower "
					"bound is known." : "");
}

static void prepare(void *self, struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;
	struct close_wait *w = self;

	w->looked = fw_leaks_have_looked(w->leaks, ctx->now_ns);
	if (w->looked)
		fw_leaks_prepare(w->leaks, ctx);
	w->story = fw_stories_new(ctx->stories);
	while ((c = fw_open_next(ctx, c))) {
		if (is_unseen(w, ctx, c) && fw_open_age_ns(ctx, c) >= ctx->opt.leak_age_ns)
			fw_stories_claim(ctx->stories, fw_story_key_of(c), w->story);
	}
}

static void report_unseen(struct close_wait *w, const struct fw_analysis_context *ctx,
			  struct fw_report *r, struct fw_section *s)
{
	const char *key = w->looked ? "unseen" : "by_process";
	const char *title = w->looked ? "In network namespaces that were not looked at" :
					"By process and peer";

	if (!w->all.count)
		return;
	fw_section_fact(r, s, "oldest", "Oldest", oldest(&w->all));
	fw_section_fact(r, s, "growth", "Growth", growth(ctx, &w->all));
	fw_table_groups(ctx, r, fw_section_table(r, s, key, title, columns), &w->groups, count_of, row);
	fw_note_unlisted(r, s, &w->groups);
	find_leak(w, ctx, r);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "close_wait", "CLOSE_WAIT");
	struct fw_leaks_totals sum = { 0 };
	struct close_wait *w = self;

	look(w, ctx);
	if (w->looked)
		sum = fw_leaks_totals(w->leaks);
	fw_section_fact(r, s, "leak_age", "Counted from", fw_cell_duration(ctx->opt.leak_age_ns));
	fw_section_fact(r, s, "entered", "Entered", fw_cell_count(w->entered));
	fw_section_fact(r, s, "now", "Now", fw_cell_count(sum.nr + w->all.count + w->young));
	fw_section_fact(r, s, "old", "Of them for long", fw_cell_count(sum.nr_old + w->all.count));
	if (sum.nr_old)
		fw_section_fact(r, s, "oldest", "Oldest", sum.oldest_at_least ?
				fw_cell_at_least(fw_cell_duration(sum.oldest_ns)) :
				fw_cell_duration(sum.oldest_ns));
	if (sum.nr && sum.growth_known)
		fw_section_fact(r, s, "growth", "Growth", fw_cell_rate(sum.growth_per_s));
	if (w->looked)
		fw_leaks_find(w->leaks, ctx, r, s);
	report_unseen(w, ctx, r, s);
	fw_leaks_forget(w->leaks);
}

#define SLOT(event, subject, parameters, arguments) .event = on_##event,

const struct fw_analysis fw_analysis_close_wait = {
	.name = "close_wait",
	.size = sizeof(struct close_wait),
	.init = init,
	.fini = fini,
	.on = { FW_SNAPSHOT_EVENTS(SLOT).transition = on_transition },
	.prepare = prepare,
	.report = report,
};
