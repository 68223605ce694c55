// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIN_WAIT_2 stalls: our FIN is acknowledged, and the peer's does not come. The peer is the culprit:
 * its application has not closed. Two kinds, with different remedies:
 *
 *	orphaned	our application called close(): the kernel gives up after tcp_fin_timeout
 *	half-closed	shutdown(SHUT_WR), the descriptor is open: nothing ever gives up
 */
#include "analysis/words.h"

enum ending { BY_FIN, BY_TIMEOUT, BY_RESET, BY_DATA, BY_OTHER, NR_ENDINGS };

struct stalls {
	uint64_t ended[NR_ENDINGS], orphaned, half_closed, open;
	uint64_t longest_ns; /* of all of them */
	bool at_least;
	struct fw_owner owner; /* ours, that waits */
};

struct fin_wait_2 {
	uint64_t stall_ns;
	struct stalls all;
	struct fw_groups peers;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct fin_wait_2 *f = self;

	f->stall_ns = opt->stall_ns;
	return fw_groups_init(&f->peers, sizeof(struct stalls), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct fin_wait_2 *)self)->peers);
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

static struct stalls *peer_of(struct fin_wait_2 *f, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_RADDR | FW_BY_SERVICE);

	key.extra = c->role;
	return fw_groups_get(&f->peers, &key);
}

static void add_length(struct stalls *s, const struct fw_conn *c, uint64_t ns, bool at_least,
		       bool orphaned)
{
	s->orphaned += orphaned;
	s->half_closed += !orphaned;
	if (ns > s->longest_ns) {
		s->longest_ns = ns;
		s->at_least = at_least;
	}
	fw_owner_see(&s->owner, c);
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

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct fin_wait_2 *f = self;
	struct stalls *sums[2] = { &f->all };
	bool orphaned = c->flags & FW_CONN_ORPHANED;

	if (tr->from != FW_FIN_WAIT_2 || tr->to == FW_FIN_WAIT_2 || tr->dwell_ns < f->stall_ns ||
	    tr->flags & (FW_TR_SAME_SEGMENT | FW_TR_DWELL_UNKNOWN) || c->flags & FW_CONN_TRANSIT)
		return;
	sums[1] = peer_of(f, c);
	for (int i = 0; i < 2; i++) {
		sums[i]->ended[ending_of(c, tr)]++;
		add_length(sums[i], c, tr->dwell_ns, tr->flags & FW_TR_DWELL_AT_LEAST, orphaned);
	}
}

/* Adds what still waits (@sign 1), or takes it away again: a report is of its moment. */
static void add_open(struct fin_wait_2 *f, const struct fw_analysis_context *ctx, int sign)
{
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c))) {
		struct stalls *sums[2] = { &f->all };
		bool orphaned = c->flags & FW_CONN_ORPHANED;
		uint64_t age = fw_open_age_ns(ctx, c);

		if (!fw_conn_is_in(c, FW_FIN_WAIT_2) || age < f->stall_ns)
			continue;
		sums[1] = peer_of(f, c);
		for (int i = 0; i < 2; i++) {
			sums[i]->open += (uint64_t)(int64_t)sign;
			if (sign > 0) {
				add_length(sums[i], c, age, c->step_flags[c->nr_steps - 1] &
					   FW_STEP_AT_LEAST, orphaned);
			} else {
				sums[i]->orphaned -= orphaned;
				sums[i]->half_closed -= !orphaned;
			}
		}
	}
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
		fw_cell_process(s->owner.comm, s->owner.pid),
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

static void find_stall(struct fin_wait_2 *f, const struct fw_analysis_context *ctx,
		       struct fw_report *r)
{
	const struct fw_group *worst;
	const struct stalls *s;
	const struct fw_netns_values *truth;
	struct fw_finding *finding;
	struct fw_words peer;

	if (!fw_groups_top(&f->peers, total_of, &worst, 1, NULL) ||
	    total_of(worst->value) < FW_LIMIT_FIN_WAIT_2)
		return;
	s = (const void *)worst->value;
	truth = fw_truth_of(ctx, worst->key.netns);
	peer = fw_words_endpoint(worst->key.family, worst->key.raddr,
				 worst->key.extra == FW_ROLE_ACTIVE ? worst->key.lport : 0);
	finding = fw_finding_begin(r, "fin-wait-2-peer-stall", FW_SEVERITY_WARNING,
				   FW_RANK_FIN_WAIT_2, total_of(&f->all));
	fw_finding_say(r, &finding->title, "%s does not close: %s waited %s or more for its FIN",
		       peer.text, fw_words_plural(total_of(s), "connection").text,
		       fw_words_duration(f->stall_ns).text);
	fw_finding_evidence(r, finding, "stalls", "Stalls", fw_cell_count(total_of(&f->all)));
	fw_finding_evidence(r, finding, "open", "Still waiting", fw_cell_count(f->all.open));
	fw_finding_evidence(r, finding, "orphaned", "Orphaned", fw_cell_count(f->all.orphaned));
	fw_finding_evidence(r, finding, "half_closed", "Half-closed",
			    fw_cell_count(f->all.half_closed));
	fw_finding_evidence(r, finding, "longest", "Longest", longest(&f->all));
	if (truth && truth->sysctls.tcp_fin_timeout >= 0)
		fw_finding_evidence(r, finding, "tcp_fin_timeout", "tcp_fin_timeout",
				    fw_cell_duration(FW_NS(truth->sysctls.tcp_fin_timeout)));
	peers(f, ctx, r, fw_finding_offenders(r, finding, peer_columns));
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

	add_open(f, ctx, 1);
	fw_section_fact(r, s, "stall", "Counted from", fw_cell_duration(f->stall_ns));
	if (total_of(&f->all)) {
		facts(&f->all, r, s);
		peers(f, ctx, r, fw_section_table(r, s, "by_peer", "By peer", peer_columns));
		fw_note_unlisted(r, s, &f->peers);
		find_stall(f, ctx, r);
	} else {
		fw_section_fact(r, s, "stalls", "Stalls", fw_cell_count(0));
	}
	add_open(f, ctx, -1);
}

const struct fw_analysis fw_analysis_fin_wait_2 = {
	.name = "fin_wait_2",
	.size = sizeof(struct fin_wait_2),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition },
	.report = report,
};
