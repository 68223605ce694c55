// SPDX-License-Identifier: GPL-2.0-only
/*
 * Half-open connections: request sockets, the server's side of a handshake. A SYN flood is many that
 * never complete; so is a path that loses the SYN-ACK.
 */
#include "analysis/words.h"

#define PENDING_NS FW_NS(1) /* its SYN-ACK was sent again at least once */

struct requests {
	uint64_t begun, completed, expired, dropped;
	uint64_t open, pending; /* as of the report that is being made */
};

struct half_open {
	struct requests all;
	uint64_t completed_unseen; /* of those that were only counted at their birth */
	struct fw_groups ports;
	struct fw_hist completed;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct half_open *)self)->ports, sizeof(struct requests),
			      FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct half_open *)self)->ports);
}

static struct requests *port_of(struct half_open *h, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LPORT);

	return fw_groups_get(&h->ports, &key);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct half_open *h = self;
	struct requests *sums[2] = { &h->all };

	if (tr->from == tr->to || (tr->from != FW_SYN_RECV && tr->to != FW_SYN_RECV))
		return;
	sums[1] = port_of(h, c);
	for (int i = 0; i < 2; i++) {
		sums[i]->begun += tr->to == FW_SYN_RECV;
		if (tr->from != FW_SYN_RECV)
			continue;
		sums[i]->completed += tr->to != FW_CLOSE;
		sums[i]->expired += tr->to == FW_CLOSE && c->end == FW_END_HALF_OPEN_EXPIRED;
		sums[i]->dropped += tr->to == FW_CLOSE && c->end != FW_END_HALF_OPEN_EXPIRED;
	}
	if (tr->from != FW_SYN_RECV || tr->to == FW_CLOSE)
		return;
	if (!(tr->flags & (FW_TR_DWELL_AT_LEAST | FW_TR_DWELL_UNKNOWN)))
		fw_hist_record(&h->completed, tr->dwell_ns);
	else if (!(c->flags & FW_CONN_SINCE_BEFORE))
		h->completed_unseen++;
}

static void forget_now(void *arg, struct fw_group *group)
{
	struct requests *port = (void *)group->value;

	(void)arg;
	port->open = port->pending = 0;
}

static void count_now(struct half_open *h, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	h->all.open = h->all.pending = 0;
	fw_groups_each(&h->ports, forget_now, NULL);
	while ((c = fw_open_next(ctx, c))) {
		bool pending = fw_open_age_ns(ctx, c) >= PENDING_NS;
		struct requests *port;

		if (!fw_conn_is_in(c, FW_SYN_RECV))
			continue;
		port = port_of(h, c);
		h->all.open++;
		h->all.pending += pending;
		port->open++;
		port->pending += pending;
	}
}

static uint64_t begun_of(const void *value)
{
	return ((const struct requests *)value)->begun;
}

static uint64_t failed_of(const void *value)
{
	const struct requests *port = value;

	return port->expired + port->dropped + port->pending;
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct requests *port = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_cell_id(group->key.lport),
		fw_cell_server(ctx, &group->key, NULL),
		fw_cell_count(port->begun), fw_cell_count(port->completed),
		fw_cell_count(port->expired), fw_cell_count(port->dropped),
		fw_cell_count(port->open), fw_cell_count(port->pending),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"port", "port", "process", "server", "begun", "begun", "completed", "completed",
	"expired", "expired", "dropped", "dropped", "open", "open", "pending", "over 1 s", NULL,
};

/* What the filter would let through of those that were only counted; 0: not known. */
static uint64_t suppressed_of(const struct fw_analysis_context *ctx)
{
	return ctx->suppressed_of_all ? 0 : ctx->suppressed;
}

static struct fw_cell suppressed_cell(const struct fw_analysis_context *ctx)
{
	if (ctx->suppressed && ctx->suppressed_of_all)
		return fw_cell_unknown();
	return fw_cell_count(ctx->suppressed);
}

/* Of those that were only counted: how many did not become a connection, which would be seen. */
static uint64_t failed_unseen(const struct half_open *h, const struct fw_analysis_context *ctx)
{
	uint64_t suppressed = suppressed_of(ctx);

	return suppressed > h->completed_unseen ? suppressed - h->completed_unseen : 0;
}

static void find_flood(struct half_open *h, const struct fw_analysis_context *ctx,
		       struct fw_report *r)
{
	uint64_t unseen = failed_unseen(h, ctx);
	uint64_t begun = h->all.begun + unseen, failed = failed_of(&h->all) + unseen;
	const struct fw_group *worst;
	struct fw_finding *f;

	if (failed < FW_LIMIT_HALF_OPEN || failed * 100 < begun * FW_LIMIT_HALF_OPEN_PCT)
		return;
	f = fw_finding_begin(r, "half-open-flood",
			     failed * 2 >= begun ? FW_SEVERITY_CRITICAL : FW_SEVERITY_WARNING,
			     FW_RANK_HALF_OPEN, failed);
	if (fw_groups_top(&h->ports, failed_of, &worst, 1, NULL))
		fw_finding_say(r, &f->title, "%s on port %u do not complete (%.0f a second)",
			       fw_words_plural(failed, "handshake").text, worst->key.lport,
			       fw_rate_per_s(ctx, failed));
	else
		fw_finding_say(r, &f->title, "%s do not complete (%.0f a second)",
			       fw_words_plural(failed, "handshake").text,
			       fw_rate_per_s(ctx, failed));
	fw_finding_evidence(r, f, "begun", "Begun", fw_cell_count(begun));
	fw_finding_evidence(r, f, "completed", "Completed", fw_cell_count(h->all.completed));
	fw_finding_evidence(r, f, "expired", "Expired", fw_cell_count(h->all.expired));
	fw_finding_evidence(r, f, "dropped", "Dropped", fw_cell_count(h->all.dropped));
	fw_finding_evidence(r, f, "pending", "Open for over a second",
			    fw_cell_count(h->all.pending));
	fw_finding_evidence(r, f, "suppressed", "Above the limit, only counted",
			    suppressed_cell(ctx));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &h->ports, failed_of, row);
	if (suppressed_of(ctx))
		fw_finding_say(r, &f->confidence,
			       "Of what was only counted (--half-open-limit), how many did not "
			       "complete is known, but not whose they were.");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct half_open *h = self;
	struct fw_section *s = fw_report_section(r, "half_open", "Half-open connections");

	count_now(h, ctx);
	fw_section_fact(r, s, "begun", "Begun", fw_cell_count(h->all.begun));
	fw_section_fact(r, s, "begun", "Begun, rate",
			fw_cell_rate(fw_rate_per_s(ctx, h->all.begun)));
	fw_section_fact(r, s, "completed", "Completed", fw_cell_count(h->all.completed));
	fw_section_fact(r, s, "completed_p50", "Completed after, median",
			fw_cell_hist(&h->completed, 50));
	fw_section_fact(r, s, "completed_p99", "Completed after, p99",
			fw_cell_hist(&h->completed, 99));
	fw_section_fact(r, s, "expired", "Expired", fw_cell_count(h->all.expired));
	fw_section_fact(r, s, "dropped", "Dropped", fw_cell_count(h->all.dropped));
	fw_section_fact(r, s, "open", "Open now", fw_cell_count(h->all.open));
	fw_section_fact(r, s, "suppressed", "Above --half-open-limit, only counted",
			suppressed_cell(ctx));
	if (ctx->suppressed && ctx->suppressed_of_all)
		fw_section_note(r, s,
				"%s of all connections were only counted (--half-open-limit). How many of "
				"them the filter would let through is not known.",
				fw_words_plural(ctx->suppressed, "half-open one").text);
	if (!h->all.begun && !h->all.open && !ctx->suppressed)
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_port", "By port", columns), &h->ports,
			begun_of, row);
	fw_note_unlisted(r, s, &h->ports);
	find_flood(h, ctx, r);
}

const struct fw_analysis fw_analysis_half_open = {
	.name = "half_open",
	.size = sizeof(struct half_open),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition },
	.report = report,
};
