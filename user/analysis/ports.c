// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port pressure. A client needs a local port of its own for each connection to the same (remote
 * address, remote port), and a port in TIME_WAIT is taken: with N ports to choose from, at most
 * N / 61 s new connections a second can go on for ever. When there is none, connect() fails with
 * EADDRNOTAVAIL.
 *
 *	needed = rate of new connections x (how long one lives + TIME_WAIT)	(Little's law)
 *
 * tcp_tw_reuse lets connect() take a port whose TIME_WAIT is older than a second; by default (2) on
 * loopback only. What is open towards the destination counts, older than finwait or not, if its port is one
 * that connect() chooses from. A socket that is bound to a port of its own fails with EADDRNOTAVAIL too, when
 * that port is taken towards the destination: then others are free. Ports that bind() takes for a source are
 * bind_ports.c's.
 */
#include "analysis/local_ports.h"
#include "analysis/words.h"

struct ports {
	uint64_t opened, no_port, time_waits; /* over the whole span */
	uint64_t fixed;			      /* of those without a port: bound to one that is taken */
	uint16_t fixed_port;
	uint64_t first_ns;		      /* of those opened */
	/* as of the report that is being made */
	uint64_t live, in_time_wait, reusable;
	struct fw_owner owner;
	/* derived; see assess() */
	uint64_t available; /* 0: not known */
	double rate, needed, exhausted_s; /* exhausted_s < 0: not at this rate */
};

struct pressure {
	uint64_t no_port;
	struct fw_groups to;
	struct fw_hist time_wait; /* of the side that connected */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct pressure *)self)->to, sizeof(struct ports), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct pressure *)self)->to);
}

static struct ports *ports_of(struct pressure *p, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS | FW_BY_LADDR | FW_BY_RADDR |
							     FW_BY_RPORT);

	return fw_groups_get(&p->to, &key);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct pressure *p = self;
	struct ports *ports;

	if (c->role != FW_ROLE_ACTIVE)
		return;
	if (tr->from == FW_SYN_SENT && tr->to != FW_SYN_SENT) {
		ports = ports_of(p, c);
		fw_owner_see(&ports->owner, c);
		if (tr->flags & FW_TR_END && c->end == FW_END_NO_PORT) {
			ports->no_port++;
			p->no_port++;
			ports->fixed += !!c->lport;
			ports->fixed_port = c->lport;
			return;
		}
		ports->first_ns = ports->opened++ ? ports->first_ns : tr->ts_ns;
	}
	if (tr->to == FW_TIME_WAIT && tr->from != FW_TIME_WAIT)
		ports_of(p, c)->time_waits++;
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct pressure *p = self;
	unsigned int last = c->nr_steps - 1U;

	if (c->role == FW_ROLE_ACTIVE && c->end == FW_END_TIME_WAIT_EXPIRED &&
	    fw_conn_state(c) == FW_TIME_WAIT && !(c->step_flags[last] & FW_STEP_AT_LEAST))
		fw_hist_record(&p->time_wait, fw_conn_dwell_ns(c, last));
}

static void forget_now(void *arg, struct fw_group *group)
{
	struct ports *ports = (void *)group->value;

	(void)arg;
	ports->live = ports->in_time_wait = ports->reusable = 0;
}

/* It has a port that connect() would choose from. One that is older than finwait, and whose port has no
 * listener, has connected.
 */
static bool takes_port(const struct fw_analysis_context *ctx, const struct fw_conn *c)
{
	const struct fw_netns_values *values;

	if (!c->lport || !c->rport || c->role == FW_ROLE_PASSIVE)
		return false;
	values = fw_values_of(ctx, c->netns);
	return values ? fw_port_in_range(&values->sysctls, c->lport) : c->role == FW_ROLE_ACTIVE;
}

static void count_now(struct pressure *p, const struct fw_analysis_context *ctx)
{
	const struct fw_conn *c = NULL;

	fw_groups_each(&p->to, forget_now, NULL);
	while ((c = fw_open_next(ctx, c))) {
		struct ports *ports;

		if (!takes_port(ctx, c))
			continue;
		ports = ports_of(p, c);
		fw_owner_see(&ports->owner, c);
		if (!fw_conn_is_in(c, FW_TIME_WAIT)) {
			ports->live++;
			continue;
		}
		ports->in_time_wait++;
		ports->reusable += fw_open_age_ns(ctx, c) >= FW_PORT_REUSE_NS;
	}
}

struct assessment {
	const struct fw_analysis_context *ctx;
	const struct pressure *p;
};

static uint64_t used_of(const struct ports *ports)
{
	return ports->live + ports->in_time_wait - ports->reusable;
}

/* What @ports comes to if it goes on like this. */
static void assess(void *arg, struct fw_group *group)
{
	const struct assessment *a = arg;
	struct ports *ports = (void *)group->value;
	const struct fw_netns_values *values = fw_values_of(a->ctx, group->key.netns);
	double tw_s = a->p->time_wait.count ? (double)fw_hist_mean(&a->p->time_wait) / 1e9 : 60;
	bool reused = values && fw_ports_reused(&values->sysctls, &group->key);
	double tw_rate, used, needed;

	/* Since it began, not while it went on: a burst is no rate. */
	ports->rate = fw_rate_while(a->ctx, ports->opened, ports->first_ns, a->ctx->now_ns);
	tw_rate = fw_rate_while(a->ctx, ports->time_waits, ports->first_ns, a->ctx->now_ns);
	if (!reused)
		ports->reusable = 0;
	used = (double)used_of(ports);
	needed = (double)ports->live + tw_rate * (reused ? 1 : tw_s);
	ports->needed = used > needed ? used : needed;
	ports->available = values ? fw_ports_available(&values->sysctls) : 0;
	ports->exhausted_s = -1;
	/* What has happened is not foretold. */
	if (!ports->available || ports->needed < (double)ports->available || tw_rate <= 0 ||
	    ports->no_port)
		return;
	ports->exhausted_s = used < (double)ports->available ?
				     ((double)ports->available - used) / tw_rate : 0;
}

/* Failures above all, then how full it will be. */
static uint64_t pressure_of(const void *value)
{
	const struct ports *ports = value;

	if (ports->no_port)
		return (1ULL << 40) + ports->no_port;
	return (uint64_t)(ports->needed * 16) + ports->opened;
}

static struct fw_cell used_pct(const struct ports *ports)
{
	return fw_cell_ratio(used_of(ports), ports->available);
}

static struct fw_cell needed_pct(const struct ports *ports)
{
	return ports->available ? fw_cell_percent(100 * ports->needed / (double)ports->available) :
				  fw_cell_unknown();
}

static struct fw_cell exhausted(const struct ports *ports)
{
	return ports->exhausted_s < 0 ? fw_cell_unknown() :
					fw_cell_duration(FW_NS(ports->exhausted_s));
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct ports *ports = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_owner_cell(&ports->owner),
		fw_cell_endpoint(key->family, key->laddr, 0),
		fw_cell_endpoint(key->family, key->raddr, key->rport),
		fw_cell_count(ports->in_time_wait),
		used_pct(ports),
		fw_cell_rate(ports->rate),
		needed_pct(ports),
		exhausted(ports),
		fw_cell_count(ports->no_port),
	};

	(void)ctx;
	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "local", "from", "remote", "to", "time_wait", "TIME_WAIT",
	"used", "used", "opened", "new", "needed", "will use", "exhausted_in", "full in",
	"no_port", "failed", NULL,
};

static void say_title(struct fw_report *r, struct fw_finding *f, const struct fw_group *worst)
{
	const struct ports *ports = (const void *)worst->value;
	const struct fw_group_key *key = &worst->key;
	struct fw_words who = fw_owner_words(&ports->owner);
	struct fw_words to = fw_words_endpoint(key->family, key->raddr, key->rport);

	if (ports->no_port && ports->fixed == ports->no_port)
		fw_finding_say(r, &f->title,
			       "%s is bound to local port %u, which is taken towards %s: %s failed with "
			       "EADDRNOTAVAIL", who.text, ports->fixed_port, to.text,
			       fw_words_plural(ports->no_port, "connect() call").text);
	else if (ports->no_port)
		fw_finding_say(r, &f->title,
			       "%s has no ports left to %s: %s failed with EADDRNOTAVAIL", who.text,
			       to.text, fw_words_plural(ports->no_port, "connect() call").text);
	else if (ports->exhausted_s >= 0)
		fw_finding_say(r, &f->title, "%s runs out of ports to %s in %s", who.text, to.text,
			       fw_words_duration(FW_NS(ports->exhausted_s)).text);
	else
		fw_finding_say(r, &f->title, "%s will hold %.0f %% of all ports to %s", who.text,
			       100 * ports->needed / (double)ports->available, to.text);
}

/* Of a client that is bound to a port of its own. */
static void say_fixed(struct fw_report *r, struct fw_finding *f)
{
	fw_finding_say(r, &f->meaning,
		       "The client binds its own local port before connect(), and a connection between the "
		       "same addresses and ports is still open or in TIME_WAIT; other ports are free.");
	fw_finding_say(r, &f->advice,
		       "Let the kernel choose the port (no bind(), or port 0), or wait until the former "
		       "connection is over.");
}

static void evidence(struct fw_report *r, struct fw_finding *f, const struct ports *ports)
{
	fw_finding_evidence(r, f, "no_port", "connect() failed with EADDRNOTAVAIL",
			    fw_cell_count(ports->no_port));
	fw_finding_evidence(r, f, "live", "Ports in use", fw_cell_count(ports->live));
	fw_finding_evidence(r, f, "time_wait", "Ports in TIME_WAIT",
			    fw_cell_count(ports->in_time_wait));
	if (ports->available)
		fw_finding_evidence(r, f, "available", "Ports there are",
				    fw_cell_count(ports->available));
	fw_finding_evidence(r, f, "opened", "New connections", fw_cell_rate(ports->rate));
	fw_finding_evidence(r, f, "needed", "Ports needed at this rate", needed_pct(ports));
	if (ports->exhausted_s >= 0)
		fw_finding_evidence(r, f, "exhausted_in", "Exhausted in", exhausted(ports));
}

static void find_exhaustion(struct pressure *p, const struct fw_analysis_context *ctx,
			    struct fw_report *r, const struct fw_group *worst)
{
	const struct ports *ports = (const void *)worst->value;
	bool critical = ports->no_port >= FW_LIMIT_NO_PORT ||
			(ports->exhausted_s >= 0 && ports->exhausted_s < FW_LIMIT_PORTS_SOON_S);
	struct fw_finding *f;

	if (!ports->no_port &&
	    (used_of(ports) * 100 < ports->available * FW_LIMIT_PORTS_USED_PCT ||
	     100 * ports->needed < FW_LIMIT_PORTS_PCT * (double)ports->available ||
	     !ports->available))
		return;
	f = fw_finding_begin(r, "time-wait-port-exhaustion",
			     critical ? FW_SEVERITY_CRITICAL : FW_SEVERITY_WARNING, FW_RANK_PORTS,
			     p->no_port + (uint64_t)ports->needed);
	say_title(r, f, worst);
	if (ports->no_port && ports->fixed == ports->no_port)
		say_fixed(r, f);
	evidence(r, f, ports);
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &p->to, pressure_of, row);
	if (!ports->available)
		fw_finding_say(r, &f->confidence,
			       "The settings of network namespace %u could not be "
			       "read: how many ports there are is not known.",
			       worst->key.netns);
	else if (!ports->no_port)
		fw_finding_say(r, &f->confidence,
			       "No connect() has failed yet; this is what the rate "
			       "comes to if it goes on.");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct pressure *p = self;
	struct fw_section *s = fw_report_section(r, "ports", "Local ports");
	struct assessment a = { ctx, p };
	const struct fw_netns_values *own = ctx->nr_values ? ctx->values : NULL;
	const struct fw_group *worst;

	count_now(p, ctx);
	fw_groups_each(&p->to, assess, &a);
	if (own && fw_ports_available(&own->sysctls))
		fw_section_fact(r, s, "available", "Ports per destination",
				fw_cell_count(fw_ports_available(&own->sysctls)));
	fw_section_fact(r, s, "no_port", "connect() failed with EADDRNOTAVAIL",
			fw_cell_count(p->no_port));
	if (!fw_groups_top(&p->to, pressure_of, &worst, 1, NULL))
		return;
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_destination", "By destination", columns),
			&p->to, pressure_of, row);
	fw_note_unlisted(r, s, &p->to);
	find_exhaustion(p, ctx, r, worst);
}

const struct fw_analysis fw_analysis_ports = {
	.name = "ports",
	.size = sizeof(struct pressure),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .connection = on_connection },
	.report = report,
};
