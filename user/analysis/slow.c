// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that wait for one segment of the peer, and that last a round trip if all is well: SYN_SENT
 * (its SYN-ACK), FIN_WAIT_1 and LAST_ACK (its ACK of our FIN). When they last longer, segments were
 * lost, filtered or not answered. By peer.
 */
#include "analysis/words.h"

#include <stdio.h>

static const struct kind {
	uint8_t state;
	const char *key, *title;
	const char *finding;
	enum fw_rank rank;
	uint64_t limit_ns;
} kinds[] = {
	{ FW_SYN_SENT, "syn_sent", "SYN_SENT", "syn-stall", FW_RANK_SYN, FW_SLOW_SYN_NS },
	{ FW_LAST_ACK, "last_ack", "LAST_ACK", "last-ack-stall", FW_RANK_LAST_ACK, FW_SLOW_FIN_NS },
	{ FW_FIN_WAIT_1, "fin_wait_1", "FIN_WAIT_1", "fin-wait-1-stall", FW_RANK_FIN_WAIT_1,
	  FW_SLOW_FIN_NS },
};
#define NR_KINDS FW_ARRAY_SIZE(kinds)

struct waits {
	uint64_t answered, failed; /* slow ones that left the state: onwards, or to CLOSE */
	uint64_t open;		   /* as of the report that is being made */
	uint64_t longest_ns;
	struct fw_owner owner;
};

struct slow {
	struct fw_groups peers[NR_KINDS];
	uint64_t seen[NR_KINDS]; /* left the state at all */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct slow *s = self;
	int ret = 0;

	(void)opt;
	for (size_t i = 0; i < NR_KINDS && !ret; i++)
		ret = fw_groups_init(&s->peers[i], sizeof(struct waits), FW_GROUPS_MAX);
	return ret;
}

static void fini(void *self)
{
	for (size_t i = 0; i < NR_KINDS; i++)
		fw_groups_fini(&((struct slow *)self)->peers[i]);
}

static struct waits *waits_of(struct slow *s, size_t kind, const struct fw_conn *c, uint64_t ns)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_RADDR | FW_BY_SERVICE);
	struct waits *w;

	key.extra = c->role;
	w = fw_groups_get(&s->peers[kind], &key);
	if (ns > w->longest_ns)
		w->longest_ns = ns;
	fw_owner_see(&w->owner, c);
	return w;
}

static size_t kind_of(unsigned int state)
{
	size_t i = 0;

	while (i < NR_KINDS && kinds[i].state != state)
		i++;
	return i;
}

/* LAST_ACK always goes to CLOSE; it failed if its FIN was never acknowledged. */
static bool is_answered(const struct fw_conn *c, const struct fw_transition *tr)
{
	if (tr->from == FW_LAST_ACK)
		return c->end == FW_END_LAST_ACK;
	return tr->to != FW_CLOSE || c->end == FW_END_REFUSED;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	size_t kind = kind_of(tr->from);
	struct slow *s = self;
	struct waits *w;

	if (kind == NR_KINDS || tr->from == tr->to)
		return;
	s->seen[kind]++;
	if (tr->dwell_ns < kinds[kind].limit_ns || tr->flags & FW_TR_DWELL_UNKNOWN)
		return;
	w = waits_of(s, kind, c, tr->dwell_ns);
	if (is_answered(c, tr))
		w->answered++;
	else
		w->failed++;
}

static void forget_now(void *arg, struct fw_group *group)
{
	(void)arg;
	((struct waits *)(void *)group->value)->open = 0;
}

static void count_now(struct slow *s, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	for (size_t i = 0; i < NR_KINDS; i++)
		fw_groups_each(&s->peers[i], forget_now, NULL);
	while ((c = fw_open_next(ctx, c))) {
		size_t kind = kind_of(fw_conn_state(c));
		uint64_t age = fw_open_age_ns(ctx, c);

		if (kind < NR_KINDS && age >= kinds[kind].limit_ns)
			waits_of(s, kind, c, age)->open++;
	}
}

static uint64_t total_of(const void *value)
{
	const struct waits *w = value;

	return w->answered + w->failed + w->open;
}

static void add_one(void *arg, struct fw_group *group)
{
	const struct waits *w = (const void *)group->value;
	struct waits *sum = arg;

	sum->answered += w->answered;
	sum->failed += w->failed;
	sum->open += w->open;
	sum->longest_ns = w->longest_ns > sum->longest_ns ? w->longest_ns : sum->longest_ns;
}

static struct fw_words peer_name(const struct fw_group_key *key)
{
	return fw_words_endpoint(key->family, key->raddr,
				 key->extra == FW_ROLE_ACTIVE ? key->lport : 0);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct waits *w = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_cell_text(peer_name(&group->key).text, SIZE_MAX),
		fw_cell_process(w->owner.comm, w->owner.pid), fw_cell_count(w->answered),
		fw_cell_count(w->failed), fw_cell_count(w->open), fw_cell_duration(w->longest_ns),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"peer", "peer", "process", "process", "answered", "answered late", "failed", "never",
	"open", "waiting", "longest", "longest", NULL,
};

static void find_stall(struct slow *s, size_t kind, const struct fw_analysis_context *ctx,
		       struct fw_report *r, const struct waits *sum)
{
	const struct fw_group *worst;
	struct fw_finding *f;

	if (!fw_groups_top(&s->peers[kind], total_of, &worst, 1, NULL) ||
	    total_of(worst->value) < FW_LIMIT_SLOW)
		return;
	f = fw_finding_begin(r, kinds[kind].finding, FW_SEVERITY_WARNING, kinds[kind].rank,
			     total_of(sum));
	fw_finding_say(r, &f->title, "%s does not answer: %s in %s for %s or more",
		       peer_name(&worst->key).text,
		       fw_words_plural(total_of(worst->value), "connection").text,
		       kinds[kind].title, fw_words_duration(kinds[kind].limit_ns).text);
	fw_finding_evidence(r, f, "answered", "Answered late", fw_cell_count(sum->answered));
	fw_finding_evidence(r, f, "failed", "Never answered", fw_cell_count(sum->failed));
	fw_finding_evidence(r, f, "open", "Still waiting", fw_cell_count(sum->open));
	fw_finding_evidence(r, f, "longest", "Longest", fw_cell_duration(sum->longest_ns));
	fw_finding_evidence(r, f, "of", "Of all that left the state", fw_cell_count(s->seen[kind]));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &s->peers[kind], total_of,
			row);
	fw_finding_say(r, &f->confidence,
		       "Segments are not seen: whether they were lost, filtered or not answered is "
		       "not known.");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct slow *s = self;
	struct fw_section *section = fw_report_section(r, "slow", "Waiting for an answer");

	count_now(s, ctx);
	for (size_t i = 0; i < NR_KINDS; i++) {
		struct waits sum = { 0 };
		char label[96];

		fw_groups_each(&s->peers[i], add_one, &sum);
		snprintf(label, sizeof(label), "%s over %s", kinds[i].title,
			 fw_words_duration(kinds[i].limit_ns).text);
		fw_section_fact(r, section, kinds[i].key, label, fw_cell_count(total_of(&sum)));
		if (!total_of(&sum))
			continue;
		fw_table_groups(ctx, r, fw_section_table(r, section, kinds[i].key, kinds[i].title,
							 columns), &s->peers[i], total_of, row);
		find_stall(s, i, ctx, r, &sum);
	}
}

const struct fw_analysis fw_analysis_slow = {
	.name = "slow",
	.size = sizeof(struct slow),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition },
	.report = report,
};
