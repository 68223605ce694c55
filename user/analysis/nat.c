// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT cut short. Two things end it before its timer, and both are answers to a segment:
 *
 * - A SYN of the same 4-tuple. A new enough one reopens the connection (RFC 9293, 3.6.1), at once and
 *   without harm: clients pick ports at random, so any of them does that now and then. An old one, by its
 *   sequence number and timestamp, is answered with an ACK; the client answers that with an RST, which
 *   ends TIME_WAIT, and its next SYN, a second later, is accepted. The timestamps of one host only grow;
 *   hosts behind one address translator share its ports, and their clocks differ: that is where old SYNs
 *   come from.
 * - Any other RST: TIME-WAIT assassination (RFC 1337). tcp_rfc1337 = 1 ignores it.
 *
 * An RST counts as the former if a SYN of the same 4-tuple follows after the wait of a retransmission.
 */
#include "analysis/words.h"

#include <string.h>

#define RECENT_MAX 1024 /* power of two */

/* A TIME_WAIT that an RST ended: whether a SYN follows is still to be seen. */
struct recent {
	struct fw_group_key tuple;
	uint64_t ts_ns; /* 0: empty */
};

struct early {
	uint64_t accepted;	/* connections from there */
	uint64_t old_syn;	/* reset, then the same 4-tuple again after FW_NAT_SYN_AGAIN_MIN_NS */
	uint64_t delayed_ns, longest_ns; /* from the RST to that SYN, of all of them */
	uint64_t reopened;	/* by a newer SYN */
	uint64_t reset;		/* all of them, those of old SYNs too */
	uint64_t undecided;	/* as of the report that is being made */
};

struct nat {
	struct early all;
	struct fw_groups peers;
	struct recent recent[RECENT_MAX];
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct nat *)self)->peers, sizeof(struct early), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct nat *)self)->peers);
}

static struct early *peer_of(struct nat *n, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_RADDR);

	return fw_groups_get(&n->peers, &key);
}

static struct fw_group_key tuple_of(const struct fw_conn *c)
{
	return fw_group_key_of(c, FW_BY_NETNS | FW_BY_LADDR | FW_BY_LPORT | FW_BY_RADDR |
					  FW_BY_RPORT);
}

/* One slot a hash: the latest takes it. What that loses counts as assassination. */
static struct recent *slot_of(struct nat *n, const struct fw_group_key *tuple)
{
	const unsigned char *bytes = (const unsigned char *)tuple;
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < sizeof(*tuple); i++)
		h = (h ^ bytes[i]) * 16777619U;
	return &n->recent[(h ^ h >> 15) & (RECENT_MAX - 1)];
}

static void add_old_syn(struct early *e, uint64_t delay_ns)
{
	e->old_syn++;
	e->delayed_ns += delay_ns;
	if (delay_ns > e->longest_ns)
		e->longest_ns = delay_ns;
}

/* A host does not meet itself through a translator. */
static bool is_local(const struct fw_conn *c)
{
	return fw_addr_is_loopback(c->family, c->raddr) ||
	       !memcmp(c->raddr, c->laddr, sizeof(c->raddr));
}

static void syn_came(struct nat *n, const struct fw_conn *c, uint64_t ts_ns)
{
	struct fw_group_key tuple = tuple_of(c);
	struct recent *recent = slot_of(n, &tuple);
	struct early *peer = peer_of(n, c);
	uint64_t delay_ns = ts_ns - recent->ts_ns;

	peer->accepted++;
	n->all.accepted++;
	if (!recent->ts_ns || delay_ns > FW_NAT_SYN_AGAIN_NS || is_local(c) ||
	    memcmp(&recent->tuple, &tuple, sizeof(tuple)))
		return;
	recent->ts_ns = 0;
	/* Sooner it is another connect(), and nothing waited for it. */
	if (delay_ns < FW_NAT_SYN_AGAIN_MIN_NS)
		return;
	add_old_syn(peer, delay_ns);
	add_old_syn(&n->all, delay_ns);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	if (tr->to == FW_SYN_RECV && tr->from != FW_SYN_RECV)
		syn_came(self, c, tr->ts_ns);
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct nat *n = self;
	struct fw_group_key tuple;
	struct recent *recent;

	if (c->end == FW_END_TIME_WAIT_REOPENED) {
		n->all.reopened++;
		peer_of(n, c)->reopened++;
	}
	if (c->end != FW_END_TIME_WAIT_RESET)
		return;
	n->all.reset++;
	peer_of(n, c)->reset++;
	tuple = tuple_of(c);
	recent = slot_of(n, &tuple);
	*recent = (struct recent){ .tuple = tuple, .ts_ns = c->end_ns };
}

/* The last few may yet be followed by a SYN. */
static void count_undecided(struct nat *n, const struct fw_analysis_context *ctx)
{
	n->all.undecided = 0;
	for (size_t i = 0; i < RECENT_MAX; i++)
		n->all.undecided += n->recent[i].ts_ns &&
				    n->recent[i].ts_ns + FW_NAT_SYN_AGAIN_NS > ctx->now_ns;
}

static uint64_t old_syn_of(const void *value)
{
	return ((const struct early *)value)->old_syn;
}

static uint64_t reset_of(const void *value)
{
	const struct early *e = value;

	return e->reset > e->old_syn ? e->reset - e->old_syn : 0;
}

static uint64_t any_of(const void *value)
{
	const struct early *e = value;

	return e->old_syn + e->reopened + reset_of(e);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct early *e = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_cell_endpoint(group->key.family, group->key.raddr, 0),
		fw_cell_count(e->accepted), fw_cell_count(e->old_syn), fw_cell_count(e->reopened),
		fw_cell_count(reset_of(e)),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"peer", "peer", "accepted", "SYNs", "old_syn", "delayed (old SYN)", "reopened", "reopened",
	"reset", "other RST", NULL,
};

static void find_nat(struct nat *n, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_group *worst;
	const struct early *e;
	struct fw_finding *f;

	if (!fw_groups_top(&n->peers, old_syn_of, &worst, 1, NULL) ||
	    old_syn_of(worst->value) < FW_LIMIT_NAT)
		return;
	e = (const void *)worst->value;
	f = fw_finding_begin(r, "time-wait-behind-nat", FW_SEVERITY_WARNING, FW_RANK_NAT,
			     old_syn_of(&n->all));
	fw_finding_say(r, &f->title,
		       "connects from %s were delayed by %s: %s met a TIME_WAIT here and looked old",
		       fw_words_endpoint(worst->key.family, worst->key.raddr, 0).text,
		       fw_words_duration(e->delayed_ns / e->old_syn).text,
		       fw_words_plural(e->old_syn, "SYN").text);
	fw_finding_evidence(r, f, "connections", "Connections from there",
			    fw_cell_count(e->accepted));
	fw_finding_evidence(r, f, "old_syn", "Old SYN in TIME_WAIT (delayed)",
			    fw_cell_count(e->old_syn));
	fw_finding_evidence(r, f, "delay_mean", "Delay, mean",
			    fw_cell_duration(e->delayed_ns / e->old_syn));
	fw_finding_evidence(r, f, "delay_longest", "Delay, longest", fw_cell_duration(e->longest_ns));
	fw_finding_evidence(r, f, "reopened", "Reopened by a newer SYN, at once",
			    fw_cell_count(e->reopened));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &n->peers, old_syn_of, row);
	fw_finding_say(r, &f->confidence,
		       "Several hosts behind one address are the usual reason; a client without "
		       "timestamps, or one that was restarted, looks the same.");
}

static void find_reset(struct nat *n, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	uint64_t resets = reset_of(&n->all);
	const struct fw_netns_values *values;
	const struct fw_group *worst;
	struct fw_finding *f;

	resets = resets > n->all.undecided ? resets - n->all.undecided : 0;
	if (resets < FW_LIMIT_TW_RESET || !fw_groups_top(&n->peers, reset_of, &worst, 1, NULL))
		return;
	values = fw_values_of(ctx, worst->key.netns);
	f = fw_finding_begin(r, "time-wait-reset", FW_SEVERITY_INFO, FW_RANK_TW_RESET, resets);
	fw_finding_say(r, &f->title, "RSTs ended %s early, most of them from %s",
		       fw_words_plural(resets, "TIME_WAIT").text,
		       fw_words_endpoint(worst->key.family, worst->key.raddr, 0).text);
	fw_finding_evidence(r, f, "resets", "TIME_WAITs ended by RST", fw_cell_count(resets));
	if (values && values->sysctls.tcp_rfc1337 >= 0)
		fw_finding_evidence(r, f, "tcp_rfc1337", "tcp_rfc1337",
				    fw_cell_count((uint64_t)values->sysctls.tcp_rfc1337));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &n->peers, reset_of, row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct nat *n = self;
	struct fw_section *s = fw_report_section(r, "time_wait_early", "TIME_WAIT cut short");

	count_undecided(n, ctx);
	fw_section_fact(r, s, "old_syn", "By the RST that answers the ACK of an old SYN",
			fw_cell_count(n->all.old_syn));
	fw_section_fact(r, s, "reopened", "By a newer SYN", fw_cell_count(n->all.reopened));
	fw_section_fact(r, s, "reset", "By another RST", fw_cell_count(reset_of(&n->all)));
	if (!any_of(&n->all))
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_peer", "By peer", columns), &n->peers,
			any_of, row);
	fw_note_unlisted(r, s, &n->peers);
	find_nat(n, ctx, r);
	find_reset(n, ctx, r);
}

const struct fw_analysis fw_analysis_nat = {
	.name = "nat",
	.size = sizeof(struct nat),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .connection = on_connection },
	.report = report,
};
