// SPDX-License-Identifier: GPL-2.0-only
/*
 * EADDRNOTAVAIL that has nothing to do with ports: bind() to an address that the network namespace does not
 * have, and connect() for which it has no address to start from, as with IPv6 switched off.
 *
 *	PROCESS  CALL     ADDRESS      FAILED  SINCE
 *	python3  bind()   10.9.8.7:80     198  41 ms
 *
 * A program that goes on to the next address, and gets through there, is none of them: many try ::1 first.
 */
#include <errno.h>
#include <string.h>

#include "analysis/recent.h"
#include "analysis/words.h"

enum call { CALL_BIND, CALL_CONNECT };

struct misses {
	uint64_t count, last_ns;
	struct fw_owner owner;
	bool bind;
	bool excused; /* as of the report that is being made */
};

struct not_local {
	uint64_t count[2];
	struct fw_groups calls;	   /* .extra: enum call; .raddr and .rport: what was asked for */
	struct fw_groups answered; /* programs that got through to a port, since the first failure */
	struct fw_recent no_port;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct not_local *n = self;
	int ret;

	(void)opt;
	ret = fw_groups_init(&n->calls, sizeof(struct misses), FW_GROUPS_MAX);
	return ret ? ret : fw_groups_init(&n->answered, sizeof(uint64_t), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	struct not_local *n = self;

	fw_groups_fini(&n->calls);
	fw_groups_fini(&n->answered);
}

static void see(struct not_local *n, const struct fw_rec_state *rec, enum call call)
{
	bool bind = call == CALL_BIND;
	struct fw_group_key key = {
		.netns = rec->head.netns, .family = rec->head.family, .extra = (uint8_t)call,
		.rport = bind ? rec->head.lport : rec->head.rport,
	};
	struct misses *m;

	memcpy(key.comm, rec->comm, strnlen(rec->comm, sizeof(key.comm)));
	memcpy(key.raddr, bind ? rec->head.laddr : rec->head.raddr, sizeof(key.raddr));
	m = fw_groups_get(&n->calls, &key);
	fw_owner_see_process(&m->owner, rec->comm, rec->pid);
	m->bind = bind;
	m->count++;
	m->last_ns = rec->head.ts_ns;
	n->count[call]++;
}

static void on_bind_failed(void *self, const struct fw_bind_failure *failure)
{
	if (failure->rec->err == EADDRNOTAVAIL)
		see(self, failure->rec, CALL_BIND);
}

/* With a transition there was no local port left (ports.c). */
static void on_connect_failed(void *self, const struct fw_rec_state *rec)
{
	struct not_local *n = self;

	if (rec->err == EADDRNOTAVAIL &&
	    !fw_recent_has(&n->no_port, rec->head.cookie, rec->head.ts_ns))
		see(n, rec, CALL_CONNECT);
}

static struct fw_group_key answered_key(uint32_t netns, const char comm[FW_COMM_LEN], uint16_t port)
{
	struct fw_group_key key = { .netns = netns, .rport = port };

	memcpy(key.comm, comm, strnlen(comm, sizeof(key.comm)));
	return key;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct not_local *n = self;
	struct fw_group_key key;

	if (tr->from != FW_SYN_SENT)
		return;
	if (tr->flags & FW_TR_END && c->end == FW_END_NO_PORT)
		fw_recent_note(&n->no_port, c->cookie, tr->ts_ns);
	if (!n->calls.nr || tr->to != FW_ESTABLISHED)
		return;
	key = answered_key(c->netns, c->comm, c->rport);
	++*(uint64_t *)fw_groups_get(&n->answered, &key);
}

/* Its listener on that port has another address. */
static bool listens_elsewhere(const struct fw_analysis_context *ctx, const struct fw_group_key *key)
{
	const struct fw_conn *l = key->rport ? fw_listener_of(ctx, key->netns, key->rport) : NULL;

	return l && !strncmp(l->comm, key->comm, sizeof(key->comm));
}

struct judging {
	const struct not_local *n;
	const struct fw_analysis_context *ctx;
};

static void judge(void *arg, struct fw_group *group)
{
	const struct judging *j = arg;
	struct misses *m = (void *)group->value;
	struct fw_group_key key = answered_key(group->key.netns, group->key.comm, group->key.rport);
	const uint64_t *answered = fw_groups_find(&j->n->answered, &key);

	if (group->key.extra == CALL_BIND)
		m->excused = listens_elsewhere(j->ctx, &group->key);
	else
		m->excused = m->count < FW_LIMIT_CONNECT_FAILED ||
			     (answered && *answered * 5 >= m->count * 4);
}

static uint64_t count_of(const void *value)
{
	return ((const struct misses *)value)->count;
}

static uint64_t inexcusable_of(const void *value)
{
	const struct misses *m = value;

	return m->excused ? 0 : m->count;
}

/* A wrong address in a bind() is the plainer of the two. */
static uint64_t bound_first(const void *value)
{
	const struct misses *m = value;

	return inexcusable_of(value) * (m->bind ? 2 : 1);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct misses *m = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_owner_cell(&m->owner),
		fw_cell_text(key->extra == CALL_BIND ? "bind()" : "connect()", SIZE_MAX),
		fw_cell_endpoint(key->family, key->raddr, key->rport),
		fw_cell_count(m->count),
		fw_cell_duration(ctx->now_ns > m->last_ns ? ctx->now_ns - m->last_ns : 0),
	};

	fw_table_row(r, t, cells);
}

static const char *const columns[] = {
	"process", "process", "call", "call", "address", "address", "count", "failed",
	"ago", "last ago", NULL,
};

static void say_title(struct fw_report *r, struct fw_finding *f, const struct fw_group *worst)
{
	const struct misses *m = (const void *)worst->value;
	const struct fw_group_key *key = &worst->key;
	struct fw_words who = fw_owner_words(&m->owner);
	struct fw_words what = fw_words_endpoint(key->family, key->raddr, key->rport);

	if (key->extra == CALL_CONNECT)
		fw_finding_say(r, &f->title,
			       "%s cannot connect to %s (EADDRNOTAVAIL, %s): this network namespace has no "
			       "address to connect from", who.text, what.text,
			       fw_words_plural(m->count, "time").text);
	else
		fw_finding_say(r, &f->title,
			       "%s cannot bind to %s (EADDRNOTAVAIL, %s): not an address of this network "
			       "namespace", who.text, what.text, fw_words_plural(m->count, "time").text);
	if (key->extra == CALL_CONNECT)
		fw_finding_say(r, &f->advice,
			       "Give the namespace an address of that family, or let the program use an "
			       "address that it can reach (127.0.0.1 instead of localhost, where IPv6 is "
			       "switched off).");
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct not_local *n = self;
	struct judging judging = { n, ctx };
	const struct fw_group *worst;
	struct fw_section *s;
	struct fw_finding *f;

	if (!n->calls.nr)
		return;
	fw_groups_each(&n->calls, judge, &judging);
	s = fw_report_section(r, "not_local", "Addresses that are not there");
	fw_section_fact(r, s, "bind", "bind() failed with EADDRNOTAVAIL", fw_cell_count(n->count[CALL_BIND]));
	fw_section_fact(r, s, "connect", "connect() failed with EADDRNOTAVAIL, not for want of a port",
			fw_cell_count(n->count[CALL_CONNECT]));
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_address", "By address", columns), &n->calls,
			count_of, row);
	fw_note_unlisted(r, s, &n->calls);
	if (!fw_groups_top(&n->calls, bound_first, &worst, 1, NULL))
		return;
	f = fw_finding_begin(r, "address-not-local", FW_SEVERITY_WARNING, FW_RANK_NOT_LOCAL,
			     count_of(worst->value));
	say_title(r, f, worst);
	fw_finding_evidence(r, f, "bind", "bind() failed", fw_cell_count(n->count[CALL_BIND]));
	fw_finding_evidence(r, f, "connect", "connect() failed", fw_cell_count(n->count[CALL_CONNECT]));
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &n->calls, bound_first, row);
}

const struct fw_analysis fw_analysis_not_local = {
	.name = "not_local",
	.size = sizeof(struct not_local),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .bind_failed = on_bind_failed,
		.connect_failed = on_connect_failed },
	.report = report,
};
