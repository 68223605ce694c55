// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this report does not know: records lost, connections forgotten, transitions that do not follow
 * from the one before. All zero means that every count is exact.
 */
#include "analysis/words.h"

/* Nothing to remember: the tracker counts. */
struct losses {
	char unused;
};

static void find_lost(const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_tracker_counters *c = &ctx->counters;
	uint64_t missing = c->lost + c->evicted + c->no_memory;
	uint64_t all = c->events + c->lost;
	bool doubtful = missing * 100 > all * FW_LIMIT_LOST_PCT;
	struct fw_finding *f;

	if (!missing)
		return;
	f = fw_finding_begin(r, "events-lost", doubtful ? FW_SEVERITY_WARNING : FW_SEVERITY_INFO,
			     FW_RANK_EVENTS_LOST, missing);
	if (c->lost)
		fw_finding_say(r, &f->title,
			       "%s of %s events were lost: counts are too low, and some "
			       "ends are not known",
			       fw_words_count(c->lost).text, fw_words_count(all).text);
	else
		fw_finding_say(r, &f->title, "%s forgotten for lack of room: counts are too low",
			       fw_words_plural(missing, "connection").text);
	fw_finding_say(r, &f->confidence,
		       "How many were lost is exact; which ones is not known, only that they came "
		       "when it was busiest.");
	fw_finding_evidence(r, f, "lost", "Events lost", fw_cell_count(c->lost));
	fw_finding_evidence(r, f, "lost_share", "Of all", fw_cell_ratio(c->lost, all));
	fw_finding_evidence(r, f, "evicted", "Connections forgotten (--max-connections)",
			    fw_cell_count(c->evicted));
	fw_finding_evidence(r, f, "no_memory", "Connections not tracked: no memory",
			    fw_cell_count(c->no_memory));
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_tracker_counters *c = &ctx->counters;
	struct fw_section *s = fw_report_section(r, "completeness", "What is not known");

	(void)self;
	fw_section_fact(r, s, "events", "Events", fw_cell_count(c->events));
	fw_section_fact(r, s, "lost", "Events lost", fw_cell_count(c->lost));
	fw_section_fact(r, s, "gaps", "Transitions that do not follow from the one before",
			fw_cell_count(c->gaps));
	fw_section_fact(r, s, "illegal", "Transitions not in the state machine",
			fw_cell_count(c->illegal));
	fw_section_fact(r, s, "evicted", "Connections forgotten (--max-connections)",
			fw_cell_count(c->evicted));
	fw_section_fact(r, s, "no_memory", "Connections not tracked: no memory",
			fw_cell_count(c->no_memory));
	fw_section_fact(r, s, "unmatched", "First seen in FIN_WAIT_2 or TIME_WAIT",
			fw_cell_count(c->unmatched));
	fw_section_fact(r, s, "suppressed", "Half-open connections only counted",
			fw_cell_count(ctx->suppressed));
	if (ctx->tracker->rearms_unseen)
		fw_section_note(r, s,
				"With the %s hooks a TIME_WAIT restart within the same step of the "
				"timer wheel is seen only when the TIME_WAIT ends.",
				ctx->hooks);
	if (ctx->accepts_unseen)
		fw_section_note(r, s,
				"No hook that tells who accepts a connection works here: a server's "
				"connections are put down to whoever listens.");
	if (ctx->older_unseen)
		fw_section_note(r, s,
				"What existed before finwait was not looked at: it is known from its "
				"next transition on.");
	if (ctx->netns_refused)
		fw_section_note(r, s,
				"%zu network namespaces could not be entered, among them %s: what "
				"existed there before is known from its next transition on, and "
				"their settings and counters are not known at all.",
				ctx->netns_refused, fw_words_netns(ctx, ctx->refused_netns).text);
	find_lost(ctx, r);
}

const struct fw_analysis fw_analysis_losses = {
	.name = "losses",
	.size = sizeof(struct losses),
	.report = report,
};
