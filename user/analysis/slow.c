// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that wait for one segment of the peer, and that last a round trip if all is well: SYN_SENT (its
 * SYN-ACK), FIN_WAIT_1 and LAST_ACK (its ACK of our FIN). When they last longer, segments were lost, filtered
 * or not answered, or the peer does not read. By destination. What a connection that is given up ends with
 * is connect_failures.c's.
 *
 * Why, as far as the kernel knows it:
 *
 *	a SYN or FIN was sent again	it was lost, or not answered
 *	the peer's window is shut	the FIN waits behind data that the peer does not read
 *	the listener is on this host	its accept queue is full, or has room (accept_queue.c)
 */
#include <stdio.h>

#include "analysis/accept_queue.h"
#include "analysis/words.h"

static const struct kind {
	uint8_t state;
	const char *key, *title, *segment;
	const char *finding;
	enum fw_rank rank;
	uint64_t limit_ns;
} kinds[] = {
	{ FW_SYN_SENT, "syn_sent", "SYN_SENT", "SYN", "syn-stall", FW_RANK_SYN, FW_SLOW_SYN_NS },
	{ FW_LAST_ACK, "last_ack", "LAST_ACK", "FIN", "last-ack-stall", FW_RANK_LAST_ACK,
	  FW_SLOW_FIN_NS },
	{ FW_FIN_WAIT_1, "fin_wait_1", "FIN_WAIT_1", "FIN", "fin-wait-1-stall", FW_RANK_FIN_WAIT_1,
	  FW_SLOW_FIN_NS },
};
#define NR_KINDS FW_ARRAY_SIZE(kinds)
#define SYN_SENT_KIND 0

struct waits {
	uint64_t answered, failed; /* slow ones that left the state: onwards, or to CLOSE */
	uint64_t resent;	   /* SYNs or FINs that were sent again */
	uint64_t longest_ns;
	uint32_t srtt_us, rto_jiffies; /* as of the last that was sent again, or that failed */
	uint64_t open; /* as of the report that is being made */
	/* as of the latest snapshot */
	uint64_t looked, shut, queued_bytes;
	struct fw_owner owner;
};

/* Groups are of what was slow, so that on a busy host there is room for all of it. */
struct slow {
	struct fw_groups peers[NR_KINDS];
	uint64_t left[NR_KINDS]; /* left the state at all */
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

/* ---- What is seen ------------------------------------------------------------------------ */

static struct waits *waits_of(struct slow *s, size_t kind, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_RADDR | FW_BY_SERVICE);

	key.extra = fw_group_role(c);
	return fw_groups_get(&s->peers[kind], &key);
}

static void add_wait(struct waits *w, const struct fw_conn *c, uint64_t ns)
{
	if (ns > w->longest_ns)
		w->longest_ns = ns;
	fw_owner_see(&w->owner, c);
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
	s->left[kind]++;
	if (tr->dwell_ns < kinds[kind].limit_ns || tr->flags & FW_TR_DWELL_UNKNOWN)
		return;
	w = waits_of(s, kind, c);
	add_wait(w, c, tr->dwell_ns);
	if (is_answered(c, tr))
		w->answered++;
	else
		w->failed++;
}

static void note_timing(struct waits *w, const struct fw_rec_state *rec)
{
	w->srtt_us = rec->srtt_us;
	w->rto_jiffies = rec->rto_jiffies;
}

static void on_retransmit(void *self, const struct fw_conn *c, const struct fw_rec_state *rec)
{
	size_t kind = kind_of(fw_conn_state(c));
	struct waits *w;

	if (kind == NR_KINDS)
		return;
	w = waits_of(self, kind, c);
	w->resent++;
	note_timing(w, rec);
}

/* A FIN that was never acknowledged ends with the timeout that it had come to. */
static void on_full(void *self, const struct fw_conn *c, const struct fw_rec_state *rec,
		    unsigned int hz)
{
	size_t kind = kind_of(rec->head.oldstate);

	(void)hz;
	if (rec->head.newstate == FW_CLOSE && kind < NR_KINDS && kind != SYN_SENT_KIND &&
	    !(rec->head.flags & FW_REC_FIN_ACKED))
		note_timing(waits_of(self, kind, c), rec);
}

static void forget_look(void *arg, struct fw_group *group)
{
	struct waits *w = (void *)group->value;

	(void)arg;
	w->looked = w->shut = w->queued_bytes = 0;
}

static void on_snapshot_begin(void *self, uint64_t ts_ns)
{
	(void)ts_ns;
	for (size_t i = 0; i < NR_KINDS; i++)
		fw_groups_each(&((struct slow *)self)->peers[i], forget_look, NULL);
}

static void on_socket(void *self, const struct fw_conn *c, const struct fw_rec_sock *sock)
{
	size_t kind = kind_of(sock->head.newstate);
	struct waits *w;

	if (!c || sock->object != FW_OBJECT_FULL || kind == NR_KINDS || kind == SYN_SENT_KIND)
		return;
	w = waits_of(self, kind, c);
	w->looked++;
	w->shut += !!(sock->head.flags & FW_REC_WINDOW_SHUT);
	w->queued_bytes += sock->queued_bytes;
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
		struct waits *w;

		if (kind == NR_KINDS || age < kinds[kind].limit_ns)
			continue;
		w = waits_of(s, kind, c);
		w->open++;
		add_wait(w, c, age);
	}
}

/* ---- What is said ------------------------------------------------------------------------- */

static uint64_t total_of(const void *value)
{
	const struct waits *w = value;

	return w->answered + w->failed + w->open;
}

/* What failed before it was answered is a failed connect() (connect_failures.c). */
static uint64_t stalled_of(const void *value)
{
	const struct waits *w = value;

	return w->answered + w->open;
}

static void add_one(void *arg, struct fw_group *group)
{
	const struct waits *w = (const void *)group->value;
	struct waits *sum = arg;

	sum->answered += w->answered;
	sum->failed += w->failed;
	sum->open += w->open;
	sum->resent += total_of(w) ? w->resent : 0;
	sum->queued_bytes += w->queued_bytes;
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
		fw_cell_text(peer_name(&group->key).text, SIZE_MAX), fw_owner_cell(&w->owner),
		fw_cell_count(w->answered), fw_cell_count(w->failed), fw_cell_count(w->open),
		fw_cell_duration(w->longest_ns), fw_cell_count(w->resent),
		w->looked ? fw_cell_count(w->shut) : fw_cell_unknown(),
		w->looked ? fw_cell_bytes(w->queued_bytes) : fw_cell_unknown(),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"peer", "peer", "process", "process", "answered", "answered late", "failed", "never",
	"open", "waiting", "longest", "longest", "resent", "sent again",
	"window_shut", "window shut", "queued", "memory", NULL,
};

static bool is_shut(const struct waits *w)
{
	return w->shut && w->shut * 2 >= w->looked;
}

static void say_fin_stall(struct fw_report *r, struct fw_finding *f, const struct kind *kind,
			  const struct fw_group *worst)
{
	const struct waits *w = (const void *)worst->value;
	struct fw_words peer = peer_name(&worst->key);
	struct fw_words n = fw_words_plural(total_of(w), "connection");
	struct fw_words limit = fw_words_duration(kind->limit_ns);

	if (is_shut(w))
		fw_finding_say(r, &f->title,
			       "%s does not read: its window is shut on %s in %s for %s or more",
			       peer.text, n.text, kind->title, limit.text);
	else
		fw_finding_say(r, &f->title,
			       "%s does not acknowledge our FIN: %s in %s for %s or more, %s sent again",
			       peer.text, n.text, kind->title, limit.text,
			       fw_words_plural(w->resent, "FIN").text);
	if (is_shut(w))
		fw_finding_say(r, &f->advice,
			       "See why the application at the peer does not read; here a timeout on "
			       "sending (TCP_USER_TIMEOUT) bounds how long data and FIN wait.");
}

static void say_syn_stall(const struct fw_analysis_context *ctx, struct fw_report *r,
			  struct fw_finding *f, const struct fw_group *worst,
			  const struct fw_queue_look *queue)
{
	const struct waits *w = (const void *)worst->value;
	struct fw_words to = peer_name(&worst->key), who = fw_owner_words(&w->owner);
	struct fw_words n = fw_words_plural(stalled_of(w), "connect() call");
	struct fw_words limit = fw_words_duration(FW_SLOW_SYN_NS);

	(void)ctx;
	if (queue->verdict == FW_QUEUE_FULL)
		fw_finding_say(r, &f->title, "%s of %s to %s waited %s or more: its accept queue is full",
			       n.text, who.text, to.text, limit.text);
	else if (w->answered)
		fw_finding_say(r, &f->title, "%s of %s to %s waited %s or more for an answer, %s sent again",
			       n.text, who.text, to.text, limit.text,
			       fw_words_plural(w->resent, "SYN").text);
	else
		fw_finding_say(r, &f->title, "%s does not answer: %s of %s waited %s or more", to.text,
			       n.text, who.text, limit.text);
}

static enum fw_severity severity_of(size_t kind, const struct waits *w,
				    const struct fw_queue_look *queue)
{
	if (kind == SYN_SENT_KIND)
		return queue->verdict == FW_QUEUE_FULL ? FW_SEVERITY_INFO : FW_SEVERITY_WARNING;
	return total_of(w) < FW_LIMIT_SLOW_MANY && w->longest_ns < FW_SLOW_LONG_NS ?
		       FW_SEVERITY_INFO : FW_SEVERITY_WARNING;
}

static void evidence(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_finding *f,
		     const struct waits *sum, const struct waits *worst)
{
	unsigned int hz = ctx->tracker->hz;

	fw_finding_evidence(r, f, "answered", "Answered late", fw_cell_count(sum->answered));
	fw_finding_evidence(r, f, "failed", "Never answered", fw_cell_count(sum->failed));
	fw_finding_evidence(r, f, "open", "Still waiting", fw_cell_count(sum->open));
	fw_finding_evidence(r, f, "longest", "Longest", fw_cell_duration(sum->longest_ns));
	fw_finding_evidence(r, f, "resent", "Sent again", fw_cell_count(sum->resent));
	if (worst->looked) {
		fw_finding_evidence(r, f, "window_shut", "Peer's window shut now",
				    fw_cell_count(worst->shut));
		fw_finding_evidence(r, f, "queued", "Memory that they hold",
				    fw_cell_bytes(sum->queued_bytes));
	}
	if (worst->srtt_us)
		fw_finding_evidence(r, f, "srtt", "Round-trip time",
				    fw_cell_duration(worst->srtt_us * 1000ULL));
	if (worst->rto_jiffies && hz)
		fw_finding_evidence(r, f, "rto", "Retransmission timeout, last",
				    fw_cell_duration((uint64_t)worst->rto_jiffies * 1000000000 / hz));
}

static void find_stall(struct slow *s, size_t kind, const struct fw_analysis_context *ctx,
		       struct fw_report *r, const struct waits *sum)
{
	uint64_t (*measure)(const void *) = kind == SYN_SENT_KIND ? stalled_of : total_of;
	struct fw_queue_look queue = { 0 };
	const struct fw_group *worst;
	const struct waits *w;
	struct fw_finding *f;

	if (!fw_groups_top(&s->peers[kind], measure, &worst, 1, NULL) ||
	    measure(worst->value) < FW_LIMIT_SLOW)
		return;
	w = (const void *)worst->value;
	if (kind == SYN_SENT_KIND)
		queue = fw_queue_look(ctx, worst->key.netns, worst->key.family, worst->key.raddr,
				      worst->key.lport);
	f = fw_finding_begin(r, kinds[kind].finding, severity_of(kind, w, &queue), kinds[kind].rank,
			     total_of(sum));
	evidence(ctx, r, f, sum, w);
	fw_finding_evidence(r, f, "of", "Of all that left the state", fw_cell_count(s->left[kind]));
	if (kind == SYN_SENT_KIND) {
		say_syn_stall(ctx, r, f, worst, &queue);
		fw_queue_say(r, f, &queue);
	} else {
		say_fin_stall(r, f, &kinds[kind], worst);
	}
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &s->peers[kind], total_of,
			row);
	if (queue.verdict != FW_QUEUE_FULL && !is_shut(w))
		fw_finding_say(r, &f->confidence,
			       "Whether the %s or its answer was lost, filtered or not answered is not "
			       "known: segments are not seen.", kinds[kind].segment);
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
	.on = { .transition = on_transition, .full = on_full, .retransmit = on_retransmit,
		.snapshot_begin = on_snapshot_begin, .socket = on_socket },
	.report = report,
};
