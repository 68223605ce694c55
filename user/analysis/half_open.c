// SPDX-License-Identifier: GPL-2.0-only
/*
 * Half-open connections: request sockets, the server's side of a handshake. How each one left SYN_RECV:
 *
 *	completed	the client's ACK came, and there was room in the accept queue
 *	reset		an RST came instead: what a health check by SYN does, and a client that gave up
 *	expired		nothing came, although the SYN-ACK was sent again and again
 *	dropped		the listener was closed, or ss -K
 *
 * Only what gets no answer is a flood: expired, or waiting with a SYN-ACK that was sent again. What was
 * answered and still waits has a full accept queue (accept_queue.c), or TCP_DEFER_ACCEPT.
 */
#include "analysis/words.h"

#define PENDING_NS FW_NS(1) /* its SYN-ACK was sent again at least once */

struct requests {
	uint64_t begun, completed, expired, reset, dropped;
	uint64_t answered; /* of those that expired or were dropped: the client's ACK had come */
	uint64_t open, pending; /* as of the report that is being made; pending: without an answer */
	struct fw_owner owner; /* of the server */
};

struct half_open {
	struct requests all;
	uint64_t completed_unseen; /* of those that were only counted at their birth */
	struct fw_groups ports, peers;
	struct fw_hist completed;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct half_open *h = self;
	int ret;

	(void)opt;
	ret = fw_groups_init(&h->ports, sizeof(struct requests), FW_GROUPS_MAX);
	return ret ? ret : fw_groups_init(&h->peers, sizeof(struct requests), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	struct half_open *h = self;

	fw_groups_fini(&h->ports);
	fw_groups_fini(&h->peers);
}

static struct requests *port_of(struct half_open *h, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LPORT);

	return fw_groups_get(&h->ports, &key);
}

static struct requests *peer_of(struct half_open *h, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LPORT | FW_BY_RADDR);

	return fw_groups_get(&h->peers, &key);
}

static void count_end(struct requests *sum, const struct fw_conn *c)
{
	if (fw_conn_has(c, FW_CONN_HANDSHAKE_RESET))
		sum->reset++;
	else if (c->end == FW_END_HALF_OPEN_EXPIRED)
		sum->expired++;
	else
		sum->dropped++;
	sum->answered += c->end == FW_END_HALF_OPEN_EXPIRED && fw_conn_has(c, FW_CONN_ACKED);
}

static void count(struct requests *sum, const struct fw_conn *c, const struct fw_transition *tr)
{
	sum->begun += tr->to == FW_SYN_RECV;
	fw_owner_see(&sum->owner, c);
	if (tr->from != FW_SYN_RECV)
		return;
	if (tr->to == FW_CLOSE)
		count_end(sum, c);
	else
		sum->completed++;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct half_open *h = self;

	if (tr->from == tr->to || (tr->from != FW_SYN_RECV && tr->to != FW_SYN_RECV))
		return;
	count(&h->all, c, tr);
	count(port_of(h, c), c, tr);
	count(peer_of(h, c), c, tr);
	if (tr->from != FW_SYN_RECV || tr->to == FW_CLOSE)
		return;
	if (!(tr->flags & (FW_TR_DWELL_AT_LEAST | FW_TR_DWELL_UNKNOWN)))
		fw_hist_record(&h->completed, tr->dwell_ns);
	else if (!(c->flags & FW_CONN_SINCE_BEFORE))
		h->completed_unseen++;
}

static void forget_now(void *arg, struct fw_group *group)
{
	struct requests *sum = (void *)group->value;

	(void)arg;
	sum->open = sum->pending = 0;
}

static void count_now(struct half_open *h, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	h->all.open = h->all.pending = 0;
	fw_groups_each(&h->ports, forget_now, NULL);
	fw_groups_each(&h->peers, forget_now, NULL);
	while ((c = fw_open_next(ctx, c))) {
		bool pending = fw_open_age_ns(ctx, c) >= PENDING_NS && !fw_conn_has(c, FW_CONN_ACKED);
		struct requests *sums[3];

		if (!fw_conn_is_in(c, FW_SYN_RECV))
			continue;
		sums[0] = &h->all;
		sums[1] = port_of(h, c);
		sums[2] = peer_of(h, c);
		for (size_t i = 0; i < FW_ARRAY_SIZE(sums); i++) {
			sums[i]->open++;
			sums[i]->pending += pending;
			fw_owner_see(&sums[i]->owner, c);
		}
	}
}

static uint64_t begun_of(const void *value)
{
	const struct requests *sum = value;

	return sum->begun + sum->open;
}

/* No answer to the SYN-ACK. */
static uint64_t unanswered_of(const void *value)
{
	const struct requests *sum = value;

	return sum->expired - sum->answered + sum->pending;
}

static uint64_t not_completed_of(const void *value)
{
	const struct requests *sum = value;

	return sum->expired + sum->reset + sum->dropped + sum->pending;
}

static void port_row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		     const struct fw_group *group)
{
	const struct requests *port = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_cell_id(group->key.lport),
		fw_cell_server(ctx, &group->key, &port->owner),
		fw_cell_count(port->begun), fw_cell_count(port->completed),
		fw_cell_count(port->reset), fw_cell_count(port->expired),
		fw_cell_count(port->dropped), fw_cell_count(port->open),
		fw_cell_count(port->pending),
	};

	fw_table_row(r, t, cells);
}

static const char *const port_columns[] = {
	"port", "port", "process", "server", "begun", "begun", "completed", "completed",
	"reset", "reset", "expired", "expired", "dropped", "dropped", "open", "open",
	"pending", "no answer, 1 s", NULL,
};

static void peer_row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		     const struct fw_group *group)
{
	const struct requests *peer = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(key->family, key->raddr, 0), fw_cell_id(key->lport),
		fw_cell_server(ctx, key, &peer->owner),
		fw_cell_count(peer->begun), fw_cell_count(peer->completed),
		fw_cell_count(peer->reset), fw_cell_count(peer->expired),
		fw_cell_count(peer->pending),
	};

	fw_table_row(r, t, cells);
}

static const char *const peer_columns[] = {
	"peer", "peer", "port", "port", "process", "server", "begun", "begun",
	"completed", "completed", "reset", "reset", "expired", "expired",
	"pending", "no answer, 1 s", NULL,
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

static void count_peers(void *arg, struct fw_group *group)
{
	*(uint64_t *)arg += !group->other && unanswered_of(group->value);
}

static void say_flood(struct half_open *h, const struct fw_analysis_context *ctx, struct fw_report *r,
		      struct fw_finding *f, uint64_t failed)
{
	const struct fw_group *worst;
	uint64_t peers = 0;

	fw_groups_each(&h->peers, count_peers, &peers);
	if (!fw_groups_top(&h->ports, unanswered_of, &worst, 1, NULL)) {
		fw_finding_say(r, &f->title, "%s do not complete (%.0f a second)",
			       fw_words_plural(failed, "handshake").text,
			       fw_rate_per_s(ctx, failed));
		return;
	}
	fw_finding_say(r, &f->title, "%s on port %u got no answer to the SYN-ACK (%.0f a second), from %s%s",
		       fw_words_plural(failed, "handshake").text, worst->key.lport,
		       fw_rate_per_s(ctx, failed), h->peers.unlisted ? "more than " : "",
		       fw_words_plural(peers, "peer").text);
}

static void find_flood(struct half_open *h, const struct fw_analysis_context *ctx,
		       struct fw_report *r)
{
	uint64_t unseen = failed_unseen(h, ctx);
	uint64_t begun = h->all.begun + unseen, failed = unanswered_of(&h->all) + unseen;
	struct fw_finding *f;

	if (failed < FW_LIMIT_HALF_OPEN || failed * 100 < begun * FW_LIMIT_HALF_OPEN_PCT)
		return;
	f = fw_finding_begin(r, "half-open-flood",
			     failed * 2 >= begun ? FW_SEVERITY_CRITICAL : FW_SEVERITY_WARNING,
			     FW_RANK_HALF_OPEN, failed);
	say_flood(h, ctx, r, f, failed);
	fw_finding_evidence(r, f, "begun", "Begun", fw_cell_count(begun));
	fw_finding_evidence(r, f, "completed", "Completed", fw_cell_count(h->all.completed));
	fw_finding_evidence(r, f, "expired", "Expired", fw_cell_count(h->all.expired));
	fw_finding_evidence(r, f, "pending", "No answer for over a second",
			    fw_cell_count(h->all.pending));
	fw_finding_evidence(r, f, "reset", "Reset (not in this count)", fw_cell_count(h->all.reset));
	fw_finding_evidence(r, f, "suppressed", "Above the limit, only counted",
			    suppressed_cell(ctx));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, peer_columns), &h->peers, unanswered_of,
			peer_row);
	if (suppressed_of(ctx))
		fw_finding_say(r, &f->confidence,
			       "Of what was only counted (--half-open-limit), how many did not "
			       "complete is known, but not whose they were.");
}

static void facts(const struct half_open *h, const struct fw_analysis_context *ctx,
		  struct fw_report *r, struct fw_section *s)
{
	fw_section_fact(r, s, "begun", "Begun", fw_cell_count(h->all.begun));
	fw_section_fact(r, s, "begun", "Begun, rate",
			fw_cell_rate(fw_rate_per_s(ctx, h->all.begun)));
	fw_section_fact(r, s, "completed", "Completed", fw_cell_count(h->all.completed));
	fw_section_fact(r, s, "completed_p50", "Completed after, median",
			fw_cell_hist(&h->completed, 50));
	fw_section_fact(r, s, "completed_p99", "Completed after, p99",
			fw_cell_hist(&h->completed, 99));
	fw_section_fact(r, s, "reset", "Reset instead (health checks do that)",
			fw_cell_count(h->all.reset));
	fw_section_fact(r, s, "expired", "Expired", fw_cell_count(h->all.expired));
	if (h->all.answered)
		fw_section_fact(r, s, "answered", "Of these answered (full accept queue, TCP_DEFER_ACCEPT)",
				fw_cell_count(h->all.answered));
	fw_section_fact(r, s, "dropped", "Dropped (listener closed)",
			fw_cell_count(h->all.dropped));
	fw_section_fact(r, s, "open", "Open now", fw_cell_count(h->all.open));
	fw_section_fact(r, s, "suppressed", "Above --half-open-limit, only counted",
			suppressed_cell(ctx));
	if (ctx->suppressed && ctx->suppressed_of_all)
		fw_section_note(r, s,
				"%s of all connections were only counted (--half-open-limit). How many of "
				"them the filter would let through is not known.",
				fw_words_plural(ctx->suppressed, "half-open one").text);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct half_open *h = self;
	struct fw_section *s = fw_report_section(r, "half_open", "Half-open connections");

	count_now(h, ctx);
	facts(h, ctx, r, s);
	if (!h->all.begun && !h->all.open && !ctx->suppressed)
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_port", "By port", port_columns),
			&h->ports, begun_of, port_row);
	if (not_completed_of(&h->all))
		fw_table_groups(ctx, r,
				fw_section_table(r, s, "by_peer", "Not completed, by peer",
						 peer_columns),
				&h->peers, not_completed_of, peer_row);
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
