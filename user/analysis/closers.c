// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who closed: whose FIN or RST came first. The side that closes first gets the TIME_WAIT; a server that
 * does so collects those of all its clients.
 *
 * Each connection is counted once: by its first FIN, and if there was none when it has ended. Those that an
 * RST ended after their first FIN are also counted apart: they did not close in order.
 */
#include "analysis/exchanges.h"
#include "analysis/words.h"

enum closer {
	LOCAL_FIRST,
	REMOTE_FIRST,
	SIMULTANEOUS,
	RESET_SENT,
	RESET_RECEIVED,
	TIMED_OUT,
	NEVER_ESTABLISHED,
	OTHERWISE,
	NR_CLOSERS,
};

struct service {
	uint64_t closed, local_first, time_waits;
	uint64_t ended, exchanges, few; /* few: at most FW_FEW_EXCHANGES */
	uint64_t first_ns;
	struct fw_owner owner;
};

struct closers {
	uint64_t count[NR_CLOSERS], three_segment, reset_after_fin;
	struct fw_groups services; /* what is accepted here, by port */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct closers *)self)->services, sizeof(struct service),
			      FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct closers *)self)->services);
}

static struct service *service_of(struct closers *k, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LPORT);

	return fw_groups_get(&k->services, &key);
}

static void closed(struct closers *k, const struct fw_conn *c, const struct fw_transition *tr)
{
	bool local = tr->to == FW_FIN_WAIT_1;
	struct service *service;

	if (!local && tr->to != FW_CLOSE_WAIT)
		return;
	k->count[local ? LOCAL_FIRST : REMOTE_FIRST]++;
	if (c->role != FW_ROLE_PASSIVE)
		return;
	service = service_of(k, c);
	service->first_ns = service->closed++ ? service->first_ns : tr->ts_ns;
	service->local_first += local;
	fw_owner_see(&service->owner, c);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct closers *k = self;

	if (tr->from == tr->to)
		return;
	if (tr->from == FW_ESTABLISHED || tr->from == FW_SYN_RECV)
		closed(k, c, tr);
	if (tr->from == FW_FIN_WAIT_1 && tr->to == FW_CLOSING && k->count[LOCAL_FIRST]) {
		k->count[LOCAL_FIRST]--;
		k->count[SIMULTANEOUS]++;
	}
	k->three_segment += tr->flags & FW_TR_SAME_SEGMENT && tr->to == FW_TIME_WAIT;
	if (tr->to == FW_TIME_WAIT && c->role == FW_ROLE_PASSIVE)
		service_of(k, c)->time_waits++;
}

static enum closer closer_of(const struct fw_conn *c)
{
	const struct fw_end_info *end = fw_end_info(c->end);
	unsigned int state = fw_conn_state(c);

	if (state == FW_SYN_SENT || state == FW_SYN_RECV)
		return NEVER_ESTABLISHED;
	if (end->class == FW_END_CLASS_TIMED_OUT)
		return TIMED_OUT;
	if (end->class != FW_END_CLASS_RESET)
		return OTHERWISE;
	return end->reset == FW_END_RESET_OUT ? RESET_SENT : RESET_RECEIVED;
}

/* Its FIN was counted, or came before finwait did. */
static bool had_fin(const struct fw_conn *c)
{
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		if (c->steps[i] != FW_SYN_SENT && c->steps[i] != FW_SYN_RECV &&
		    c->steps[i] != FW_ESTABLISHED)
			return true;
	}
	return false;
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct closers *k = self;

	if (c->end == FW_END_OPEN)
		return;
	if (!had_fin(c))
		k->count[closer_of(c)]++;
	else if (fw_end_info(c->end)->class == FW_END_CLASS_RESET)
		k->reset_after_fin++;
}

static void on_full(void *self, const struct fw_conn *c, const struct fw_rec_state *rec,
		    unsigned int hz)
{
	struct service *service;

	(void)hz;
	if (c->role != FW_ROLE_PASSIVE || rec->head.newstate != FW_CLOSE || !had_fin(c))
		return;
	service = service_of(self, c);
	service->ended++;
	service->exchanges += fw_exchanges_of(rec);
	service->few += fw_exchanges_of(rec) <= FW_FEW_EXCHANGES;
}

static uint64_t time_waits_of(const void *value)
{
	const struct service *s = value;

	return s->local_first ? s->time_waits : 0;
}

static uint64_t closed_of(const void *value)
{
	return ((const struct service *)value)->closed;
}

static double rate_of(const struct fw_analysis_context *ctx, const struct service *service)
{
	return fw_rate_while(ctx, service->closed, service->first_ns, ctx->now_ns);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct service *s = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_cell_id(group->key.lport),
		fw_cell_server(ctx, &group->key, &s->owner),
		fw_cell_count(s->closed),
		fw_cell_rate(rate_of(ctx, s)), fw_cell_ratio(s->local_first, s->closed),
		fw_cell_count(s->time_waits), fw_cell_mean(s->exchanges, s->ended),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"port", "port", "process", "server", "closed", "closed",
	"closed", "rate", "server_first", "server first", "time_waits", "TIME_WAITs",
	"exchanges", "exchanges", NULL,
};

/* What it comes to, of the TIME_WAITs that the kernel allows. */
static enum fw_severity severity_of(const struct fw_analysis_context *ctx,
				    const struct fw_group *group)
{
	const struct fw_netns_values *values = fw_values_of(ctx, group->key.netns);
	double most = values ? (double)values->sysctls.tcp_max_tw_buckets : 0;
	double coming = rate_of(ctx, (const void *)group->value) * FW_TIME_WAIT_S;

	return most > 0 && coming * 100 >= most * FW_LIMIT_SERVER_CLOSES_TABLE_PCT ?
		       FW_SEVERITY_WARNING : FW_SEVERITY_INFO;
}

static void find_server_closes(struct closers *k, const struct fw_analysis_context *ctx,
			       struct fw_report *r)
{
	const struct fw_group *worst;
	const struct service *s;
	struct fw_finding *f;

	if (!fw_groups_top(&k->services, time_waits_of, &worst, 1, NULL))
		return;
	s = (const void *)worst->value;
	if (s->time_waits < FW_LIMIT_SERVER_CLOSES ||
	    rate_of(ctx, s) < FW_LIMIT_SERVER_CLOSES_PER_S ||
	    s->local_first * 100 < s->closed * FW_LIMIT_SERVER_CLOSES_PCT ||
	    s->few * 100 < s->ended * FW_LIMIT_SERVER_CLOSES_PCT)
		return;
	f = fw_finding_begin(r, "server-closes-first", severity_of(ctx, worst),
			     FW_RANK_SERVER_CLOSES, s->time_waits);
	fw_finding_say(r, &f->title, "%s on port %u closes first: it got the TIME_WAIT of %s",
		       fw_words_server(ctx, &worst->key, &s->owner).text, worst->key.lport,
		       fw_words_plural(s->time_waits, "connection").text);
	fw_finding_evidence(r, f, "closed", "Connections closed", fw_cell_count(s->closed));
	fw_finding_evidence(r, f, "closed", "Rate", fw_cell_rate(rate_of(ctx, s)));
	fw_finding_evidence(r, f, "server_first", "By the server first",
			    fw_cell_ratio(s->local_first, s->closed));
	fw_finding_evidence(r, f, "time_waits", "TIME_WAITs on the server's side",
			    fw_cell_count(s->time_waits));
	fw_finding_evidence(r, f, "exchanges", "Exchanges of each, mean, at most",
			    fw_cell_mean(s->exchanges, s->ended));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &k->services, time_waits_of,
			row);
}

static void facts(const struct closers *k, struct fw_report *r, struct fw_section *s)
{
	static const struct {
		const char *key, *label;
	} names[NR_CLOSERS] = {
		[LOCAL_FIRST] = { "local_first", "This side first" },
		[REMOTE_FIRST] = { "remote_first", "The other side first" },
		[SIMULTANEOUS] = { "simultaneous", "Both at the same time" },
		[RESET_SENT] = { "reset_sent", "RST sent" },
		[RESET_RECEIVED] = { "reset_received", "RST received" },
		[TIMED_OUT] = { "timed_out", "Timed out" },
		[NEVER_ESTABLISHED] = { "never_established", "Never established" },
		[OTHERWISE] = { "otherwise", "Otherwise" },
	};

	for (int i = 0; i < NR_CLOSERS; i++)
		fw_section_fact(r, s, names[i].key, names[i].label, fw_cell_count(k->count[i]));
	fw_section_fact(r, s, "three_segment", "FIN came with the ACK of ours (three segments)",
			fw_cell_count(k->three_segment));
	fw_section_fact(r, s, "reset_after_fin", "Ended by an RST after the first FIN",
			fw_cell_count(k->reset_after_fin));
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct closers *k = self;
	struct fw_section *s = fw_report_section(r, "closers", "Who closed");

	facts(k, r, s);
	if (!k->services.nr)
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_service", "Services here", columns),
			&k->services, closed_of, row);
	fw_note_unlisted(r, s, &k->services);
	find_server_closes(k, ctx, r);
}

const struct fw_analysis fw_analysis_closers = {
	.name = "closers",
	.size = sizeof(struct closers),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .full = on_full, .connection = on_connection },
	.report = report,
};
