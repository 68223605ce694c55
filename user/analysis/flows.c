// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows: what a program here opens to one destination. Many connections that live a moment and carry a
 * few exchanges each are a connection per request: every request pays a handshake, and leaves a TIME_WAIT on
 * one of the sides. A connection that carried many exchanges is none of them, however short it was.
 */
#include "analysis/exchanges.h"
#include "analysis/local_ports.h"
#include "analysis/words.h"

struct flow {
	uint64_t opened, closed;
	uint64_t ended, exchanges; /* of those whose whole life was seen */
	uint64_t brief; /* of these: less than FW_SHORT_LIFE_NS, and at most FW_FEW_EXCHANGES */
	uint64_t local_first, time_waits;
	uint64_t first_ns; /* of those opened */
	double life_ns;
	uint32_t pid;
	bool many_pids;
};

struct flows {
	struct fw_groups groups;
	struct fw_hist life;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct flows *)self)->groups, sizeof(struct flow), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct flows *)self)->groups);
}

/* Programs fork: by name, not by process. */
static struct flow *flow_of(struct flows *f, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_COMM | FW_BY_CGROUP | FW_BY_NETNS |
							     FW_BY_RADDR | FW_BY_RPORT);
	struct flow *flow = fw_groups_get(&f->groups, &key);

	flow->many_pids |= flow->pid && c->pid && flow->pid != c->pid;
	flow->pid = c->pid ? c->pid : flow->pid;
	return flow;
}

static void closed(struct flows *f, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct flow *flow = flow_of(f, c);

	if (!(tr->flags & (FW_TR_DWELL_AT_LEAST | FW_TR_DWELL_UNKNOWN)))
		fw_hist_record(&f->life, tr->dwell_ns);
	flow->closed++;
	flow->local_first += tr->to == FW_FIN_WAIT_1;
	flow->life_ns += (double)tr->dwell_ns;
}

static void opened(struct flow *flow, uint64_t ts_ns)
{
	flow->first_ns = flow->opened++ ? flow->first_ns : ts_ns;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct flows *f = self;

	if (c->role != FW_ROLE_ACTIVE || tr->from == tr->to)
		return;
	if (tr->to == FW_ESTABLISHED)
		opened(flow_of(f, c), tr->ts_ns);
	if (tr->from == FW_ESTABLISHED)
		closed(f, c, tr);
	if (tr->to == FW_TIME_WAIT)
		flow_of(f, c)->time_waits++;
}

static void on_full(void *self, const struct fw_conn *c, const struct fw_rec_state *rec,
		    unsigned int hz)
{
	struct flow *flow;
	uint64_t life_ns;

	(void)hz;
	if (c->role != FW_ROLE_ACTIVE || rec->head.newstate != FW_CLOSE ||
	    !fw_established_ns(c, rec->head.ts_ns, &life_ns))
		return;
	flow = flow_of(self, c);
	flow->ended++;
	flow->exchanges += fw_exchanges_of(rec);
	flow->brief += life_ns < FW_SHORT_LIFE_NS && fw_exchanges_of(rec) <= FW_FEW_EXCHANGES;
}

static uint64_t opened_of(const void *value)
{
	return ((const struct flow *)value)->opened;
}

static uint64_t brief_of(const void *value)
{
	return ((const struct flow *)value)->brief;
}

/* Since it began, as in ports.c: a burst is no rate. */
static double rate_of(const struct fw_analysis_context *ctx, const struct flow *flow)
{
	return fw_rate_while(ctx, flow->opened, flow->first_ns, ctx->now_ns);
}

static struct fw_words name_of(const struct fw_group *group)
{
	const struct flow *flow = (const void *)group->value;

	return fw_words_process(group->key.comm, flow->many_pids ? 0 : flow->pid);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct flow *flow = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_cell_text(name_of(group).text, SIZE_MAX),
		fw_cell_endpoint(key->family, key->raddr, key->rport),
		fw_cell_count(flow->opened), fw_cell_rate(rate_of(ctx, flow)),
		flow->closed ? fw_cell_duration((uint64_t)(flow->life_ns / (double)flow->closed)) :
			       fw_cell_unknown(),
		fw_cell_ratio(flow->brief, flow->ended),
		fw_cell_mean(flow->exchanges, flow->ended),
		fw_cell_ratio(flow->local_first, flow->closed),
		fw_cell_count(flow->time_waits),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "remote", "to", "opened", "opened", "opened", "rate",
	"life_mean", "mean life", "brief", "brief", "exchanges", "exchanges", "closed_here_first", "closed here first",
	"time_waits", "TIME_WAITs here", NULL,
};

/* More than the ports of one source allow for ever: only reuse of TIME_WAIT lets it go on. */
static enum fw_severity severity_of(const struct fw_analysis_context *ctx,
				    const struct fw_group *group)
{
	const struct fw_netns_values *values = fw_values_of(ctx, group->key.netns);
	uint64_t ports = values ? fw_ports_available(&values->sysctls) : 0;
	double needed = rate_of(ctx, (const void *)group->value) * FW_TIME_WAIT_S;

	return ports && needed >= (double)ports ? FW_SEVERITY_WARNING : FW_SEVERITY_INFO;
}

static void find_short(struct flows *f, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	const struct fw_group *worst;
	const struct flow *flow;
	struct fw_finding *finding;

	if (!fw_groups_top(&f->groups, brief_of, &worst, 1, NULL))
		return;
	flow = (const void *)worst->value;
	if (flow->brief < FW_LIMIT_SHORT ||
	    flow->brief * 100 < flow->ended * FW_LIMIT_SHORT_BRIEF_PCT ||
	    rate_of(ctx, flow) < FW_LIMIT_SHORT_PER_S)
		return;
	finding = fw_finding_begin(r, "short-connections", severity_of(ctx, worst), FW_RANK_SHORT,
				   flow->brief);
	fw_finding_say(
		r, &finding->title,
		"%s opens %.0f connections a second to %s, and each lives "
		"%s",
		name_of(worst).text, rate_of(ctx, flow),
		fw_words_endpoint(worst->key.family, worst->key.raddr, worst->key.rport).text,
		fw_words_duration((uint64_t)(flow->life_ns / (double)flow->closed)).text);
	fw_finding_evidence(r, finding, "connections", "Connections", fw_cell_count(flow->closed));
	fw_finding_evidence(r, finding, "connections", "Rate", fw_cell_rate(rate_of(ctx, flow)));
	fw_finding_evidence(r, finding, "brief", "Shorter than 1 s, few exchanges",
			    fw_cell_ratio(flow->brief, flow->ended));
	fw_finding_evidence(r, finding, "exchanges", "Exchanges of each, mean, at most",
			    fw_cell_mean(flow->exchanges, flow->ended));
	fw_finding_evidence(r, finding, "closed_here_first", "Closed by this side first",
			    fw_cell_ratio(flow->local_first, flow->closed));
	fw_finding_evidence(r, finding, "time_waits", "TIME_WAITs on this side",
			    fw_cell_count(flow->time_waits));
	fw_table_groups(ctx, r, fw_finding_offenders(r, finding, columns), &f->groups, brief_of,
			row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct flows *f = self;
	struct fw_section *s = fw_report_section(r, "flows", "Connections opened here");

	fw_section_fact(r, s, "closed", "Closed", fw_cell_count(f->life.count));
	if (f->life.count) {
		fw_section_fact(r, s, "life_p50", "Established for, median",
				fw_cell_hist(&f->life, 50));
		fw_section_fact(r, s, "life_p99", "Established for, p99",
				fw_cell_hist(&f->life, 99));
	}
	if (!f->groups.nr)
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_destination", "By destination", columns),
			&f->groups, opened_of, row);
	fw_note_unlisted(r, s, &f->groups);
	find_short(f, ctx, r);
}

const struct fw_analysis fw_analysis_flows = {
	.name = "flows",
	.size = sizeof(struct flows),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .full = on_full },
	.report = report,
};
