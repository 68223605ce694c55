// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind() with port 0 that fails with EADDRINUSE: no port is free for that source address. A client that binds
 * its source address before connect() needs a port that no connection of this address has, whatever their
 * destinations: all of them share one range. IP_BIND_ADDRESS_NO_PORT leaves the choice to connect(), which
 * needs a port of its own for one destination only.
 *
 *	PROCESS    SOURCE      FAILED  PORTS IN USE  OF   DESTINATIONS
 *	python3/7  127.0.0.6      785           200  200             5
 */
#include <errno.h>
#include <string.h>

#include "analysis/local_ports.h"
#include "analysis/words.h"

struct source {
	uint64_t count, last_ns;
	struct fw_owner owner;
	/* as of the report that is being made */
	uint64_t available, used, in_time_wait, destinations;
};

struct sources {
	uint64_t count;
	struct fw_groups groups;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct sources *)self)->groups, sizeof(struct source), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct sources *)self)->groups);
}

static void on_bind_failed(void *self, const struct fw_bind_failure *failure)
{
	const struct fw_rec_state *rec = failure->rec;
	struct fw_group_key key = { .netns = rec->head.netns, .family = rec->head.family };
	struct sources *s = self;
	struct source *source;

	if (rec->err != EADDRINUSE || rec->head.lport)
		return;
	memcpy(key.laddr, rec->head.laddr, sizeof(key.laddr));
	source = fw_groups_get(&s->groups, &key);
	fw_owner_see_process(&source->owner, rec->comm, rec->pid);
	source->count++;
	source->last_ns = failure->ts_ns;
	s->count++;
}

#define NR_WORDS 1024 /* of 64 ports */

/* Ports, a bit each, of sockets that are in the way of bind() to a source. */
struct usage {
	const struct fw_group_key *source;
	const struct fw_sysctls *sysctls;
	uint64_t ports[NR_WORDS], time_waits[NR_WORDS];
	struct fw_groups destinations;
};

static bool is_of(const struct usage *u, const struct fw_conn *c)
{
	return c->netns == u->source->netns && fw_port_in_range(u->sysctls, c->lport) &&
	       (fw_addr_is_zero(u->source->laddr) || fw_addr_is_zero(c->laddr) ||
		!memcmp(c->laddr, u->source->laddr, sizeof(c->laddr)));
}

static void add_port(struct usage *u, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_RADDR | FW_BY_RPORT);

	u->ports[c->lport / 64] |= 1ULL << c->lport % 64;
	if (fw_conn_is_in(c, FW_TIME_WAIT))
		u->time_waits[c->lport / 64] |= 1ULL << c->lport % 64;
	if (c->rport)
		fw_groups_get(&u->destinations, &key);
}

static void count_ports(const struct fw_analysis_context *ctx, struct source *source, struct usage *u)
{
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c))) {
		if (is_of(u, c))
			add_port(u, c);
	}
	source->used = source->in_time_wait = 0;
	for (size_t i = 0; i < NR_WORDS; i++) {
		source->used += (uint64_t)__builtin_popcountll(u->ports[i]);
		source->in_time_wait += (uint64_t)__builtin_popcountll(u->time_waits[i]);
	}
	source->destinations = u->destinations.nr;
}

static void look(void *arg, struct fw_group *group)
{
	const struct fw_analysis_context *ctx = arg;
	const struct fw_netns_values *values = fw_values_of(ctx, group->key.netns);
	struct source *source = (void *)group->value;
	struct usage u = { .source = &group->key };

	if (group->other || !values || fw_groups_init(&u.destinations, 1, FW_GROUPS_MAX))
		return;
	u.sysctls = &values->sysctls;
	source->available = fw_ports_available(u.sysctls);
	count_ports(ctx, source, &u);
	fw_groups_fini(&u.destinations);
}

static uint64_t count_of(const void *value)
{
	return ((const struct source *)value)->count;
}

static struct fw_cell known(const struct source *source, uint64_t n)
{
	return source->available ? fw_cell_count(n) : fw_cell_unknown();
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct source *source = (const void *)group->value;
	const struct fw_cell cells[] = {
		fw_owner_cell(&source->owner),
		fw_cell_endpoint(group->key.family, group->key.laddr, 0),
		fw_cell_count(source->count), known(source, source->used),
		known(source, source->available), known(source, source->in_time_wait),
		known(source, source->destinations),
		fw_cell_duration(ctx->now_ns > source->last_ns ? ctx->now_ns - source->last_ns : 0),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "source", "source", "count", "failed", "used", "ports in use",
	"available", "of", "time_wait", "TIME_WAIT", "destinations", "destinations",
	"ago", "last ago", NULL,
};

static void find_exhaustion(struct sources *s, const struct fw_analysis_context *ctx,
			    struct fw_report *r, const struct fw_group *worst)
{
	const struct source *source = (const void *)worst->value;
	struct fw_finding *f = fw_finding_begin(r, "bind-port-exhaustion", FW_SEVERITY_CRITICAL,
						FW_RANK_PORTS, s->count);

	fw_finding_say(r, &f->title,
		       "%s has no port left for source %s: bind() with port 0 failed %s (EADDRINUSE)",
		       fw_owner_words(&source->owner).text,
		       fw_words_endpoint(worst->key.family, worst->key.laddr, 0).text,
		       fw_words_plural(source->count, "time").text);
	fw_finding_evidence(r, f, "count", "bind() failed, port 0", fw_cell_count(s->count));
	fw_finding_evidence(r, f, "used", "Ports in use by that source", known(source, source->used));
	fw_finding_evidence(r, f, "available", "Ports there are", known(source, source->available));
	fw_finding_evidence(r, f, "time_wait", "Of these in TIME_WAIT",
			    known(source, source->in_time_wait));
	fw_finding_evidence(r, f, "destinations", "Destinations that share them",
			    known(source, source->destinations));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &s->groups, count_of, row);
	if (source->available && source->used < source->available)
		fw_finding_say(r, &f->confidence,
			       "Ports of sockets that are bound and neither listen nor are connected are "
			       "in no list; some may have been given back since.");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_analysis_context mine = *ctx;
	const struct fw_group *worst;
	struct sources *s = self;
	struct fw_section *section;

	if (!s->count)
		return;
	fw_groups_each(&s->groups, look, &mine);
	section = fw_report_section(r, "bind_ports", "Ports for bound sources");
	fw_section_fact(r, section, "count", "bind() with port 0 failed with EADDRINUSE",
			fw_cell_count(s->count));
	fw_table_groups(ctx, r, fw_section_table(r, section, "by_source", "By source", columns),
			&s->groups, count_of, row);
	fw_note_unlisted(r, section, &s->groups);
	if (fw_groups_top(&s->groups, count_of, &worst, 1, NULL))
		find_exhaustion(s, ctx, r, worst);
}

const struct fw_analysis fw_analysis_bind_ports = {
	.name = "bind_ports",
	.size = sizeof(struct sources),
	.init = init,
	.fini = fini,
	.on = { .bind_failed = on_bind_failed },
	.report = report,
};
