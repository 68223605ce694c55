// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOSING: both ends closed at the same moment, and their FINs crossed. Rare, so each is listed: who,
 * with whom, for how long, and what came of it.
 */
#include "analysis/words.h"

#include <string.h>
#include <sys/socket.h>

#define OCCURRENCES_MAX 256

struct occurrence {
	uint64_t id; /* of the connection */
	uint64_t ts_ns, dwell_ns;
	struct fw_group_key key; /* endpoints and owner */
	bool left, to_time_wait, both_here;
	uint8_t end;
};

struct closing {
	uint64_t count, both_here;
	struct fw_hist dwell;
	size_t nr;
	struct occurrence occurrences[OCCURRENCES_MAX];
};

static bool is_loopback(const struct fw_group_key *key)
{
	static const uint8_t mapped[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
	static const uint8_t one[16] = { [15] = 1 };

	if (key->family == AF_INET)
		return key->raddr[0] == 127;
	return !memcmp(key->raddr, one, sizeof(one)) || !memcmp(key->raddr, mapped, sizeof(mapped));
}

/* The same connection from the other side; network namespaces may differ. */
static bool is_other_end(const struct fw_group_key *a, const struct fw_group_key *b)
{
	return a->family == b->family && a->lport == b->rport && a->rport == b->lport &&
	       !memcmp(a->laddr, b->raddr, sizeof(a->laddr)) &&
	       !memcmp(a->raddr, b->laddr, sizeof(a->raddr));
}

static void find_other_end(struct closing *k, struct occurrence *o)
{
	o->both_here = is_loopback(&o->key) || !memcmp(o->key.laddr, o->key.raddr, 16);
	for (size_t i = 0; i < k->nr; i++) {
		struct occurrence *other = &k->occurrences[i];

		if (other == o || !is_other_end(&o->key, &other->key))
			continue;
		k->both_here += !other->both_here;
		other->both_here = true;
		o->both_here = true;
	}
	k->both_here += o->both_here;
}

static void entered(struct closing *k, const struct fw_conn *c, uint64_t ts_ns)
{
	struct occurrence *o;

	k->count++;
	if (k->nr == OCCURRENCES_MAX)
		return;
	o = &k->occurrences[k->nr++];
	*o = (struct occurrence){
		.id = c->id,
		.ts_ns = ts_ns,
		.key = fw_group_key_of(c, FW_BY_COMM | FW_BY_PID | FW_BY_NETNS | FW_BY_LADDR | FW_BY_LPORT |
						FW_BY_RADDR | FW_BY_RPORT),
	};
	find_other_end(k, o);
}

static struct occurrence *find(struct closing *k, uint64_t id)
{
	for (size_t i = k->nr; i; i--) {
		if (k->occurrences[i - 1].id == id)
			return &k->occurrences[i - 1];
	}
	return NULL;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct closing *k = self;
	struct occurrence *o;

	if (tr->to == FW_CLOSING && tr->from != FW_CLOSING)
		entered(k, c, tr->ts_ns);
	if (tr->from != FW_CLOSING || tr->to == FW_CLOSING)
		return;
	if (!(tr->flags & (FW_TR_DWELL_AT_LEAST | FW_TR_DWELL_UNKNOWN)))
		fw_hist_record(&k->dwell, tr->dwell_ns);
	o = find(k, c->id);
	if (!o)
		return;
	o->left = true;
	o->dwell_ns = tr->dwell_ns;
	o->to_time_wait = tr->to == FW_TIME_WAIT;
	o->end = c->end;
}

static struct fw_cell became(const struct occurrence *o)
{
	if (!o->left)
		return fw_cell_text("still in it", SIZE_MAX);
	if (o->to_time_wait)
		return fw_cell_text("TIME_WAIT", SIZE_MAX);
	return fw_cell_text(fw_end_words(o->end), SIZE_MAX);
}

static void rows(const struct closing *k, const struct fw_analysis_context *ctx,
		 struct fw_report *r, struct fw_table *t)
{
	size_t nr = k->nr < ctx->opt.top ? k->nr : ctx->opt.top;
	size_t netns = fw_table_append(r, t, "netns", "netns", !ctx->many_netns);

	for (size_t i = 0; i < nr; i++) {
		const struct occurrence *o = &k->occurrences[i];
		const struct fw_group_key *key = &o->key;
		const struct fw_cell cells[] = {
			fw_cell_duration(o->ts_ns > ctx->start_ns ? o->ts_ns - ctx->start_ns : 0),
			fw_cell_process(key->comm, key->pid),
			fw_cell_endpoint(key->family, key->laddr, key->lport),
			fw_cell_endpoint(key->family, key->raddr, key->rport),
			fw_cell_bool(o->both_here),
			o->left ? fw_cell_duration(o->dwell_ns) : fw_cell_unknown(),
			became(o),
		};

		fw_table_row(r, t, cells);
		fw_table_set(r, t, netns, fw_cell_netns(ctx, key->netns));
	}
	t->nr_more = k->count - nr;
}

static const char *const columns[] = {
	"at", "at", "process", "process", "local", "local", "remote", "remote",
	"both_here", "both here", "dwell", "dwell", "then", "then", NULL,
};

static void find_simultaneous(const struct closing *k, const struct fw_analysis_context *ctx,
			      struct fw_report *r)
{
	const struct fw_group_key *first = &k->occurrences[0].key;
	struct fw_finding *f;

	if (k->count < FW_LIMIT_CLOSING)
		return;
	f = fw_finding_begin(r, "simultaneous-close", FW_SEVERITY_INFO, FW_RANK_SIMULTANEOUS,
			     k->count);
	fw_finding_say(r, &f->title,
		       "Both ends closed at the same time: CLOSING was seen %s, first "
		       "between %s and %s",
		       fw_words_plural(k->count, "time").text,
		       fw_words_endpoint(first->family, first->laddr, first->lport).text,
		       fw_words_endpoint(first->family, first->raddr, first->rport).text);
	fw_finding_evidence(r, f, "occurrences", "Occurrences", fw_cell_count(k->count));
	fw_finding_evidence(r, f, "both_here", "Of them with both ends on this host",
			    fw_cell_count(k->both_here));
	fw_finding_evidence(r, f, "dwell_max", "Longest", fw_cell_hist(&k->dwell, 100));
	rows(k, ctx, r, fw_finding_offenders(r, f, columns));
	if (k->count > k->nr)
		fw_finding_say(r, &f->confidence,
			       "Of these only the first %d were looked at closely.",
			       OCCURRENCES_MAX);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct closing *k = self;
	struct fw_section *s = fw_report_section(r, "closing", "CLOSING");

	fw_section_fact(r, s, "occurrences", "Occurrences", fw_cell_count(k->count));
	if (!k->count)
		return;
	fw_section_fact(r, s, "both_here", "Both ends on this host", fw_cell_count(k->both_here));
	fw_section_fact(r, s, "p50", "Median", fw_cell_hist(&k->dwell, 50));
	fw_section_fact(r, s, "max", "Longest", fw_cell_hist(&k->dwell, 100));
	rows(k, ctx, r, fw_section_table(r, s, "each", "Each", columns));
	find_simultaneous(k, ctx, r);
}

const struct fw_analysis fw_analysis_closing = {
	.name = "closing",
	.size = sizeof(struct closing),
	.on = { .transition = on_transition },
	.report = report,
};
