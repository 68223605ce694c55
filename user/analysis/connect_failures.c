// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() that fails: by program, destination and error. With a SYN (refused, timed out, an ICMP error,
 * given up by the application) it is a connection that never was established; without one (no route,
 * forbidden) the kernel says so to the caller alone, and a record of its own tells (FW_REC_CONNECT_FAILED).
 *
 *	PROCESS   TO              ERROR     FAILED  OF   WAITED  LONGEST  SINCE
 *	curl      192.0.2.7:5432  refused       31  31   0.1 ms   0.2 ms  120 ms
 *
 * Want of a local port is ports.c's, want of an address not_local.c's. Some failures belong to a healthy host
 * and make no finding: a program that tries one address after the other and gets through at the next, and a
 * server that is away for the moment of its restart.
 */
#include <errno.h>
#include <string.h>

#include "analysis/accept_queue.h"
#include "analysis/recent.h"
#include "analysis/words.h"

enum failure {
	REFUSED,
	TIMED_OUT,
	UNREACHABLE,
	GIVEN_UP,
	NO_ROUTE,
	FORBIDDEN,
	OTHERWISE,
	NR_FAILURES,
	NONE = NR_FAILURES,
};

static const struct failure_words {
	const char *name; /* of JSON */
	const char *words, *advice;
} failures[NR_FAILURES] = {
	[REFUSED] = { "refused", "refused",
		"Nothing listens there, or a firewall rejects: see whether the server runs, and on which "
		"address and port it listens (ss -ltn there)." },
	[TIMED_OUT] = { "timed_out", "timed out",
		"No SYN was answered: the host is down, or a firewall drops; a full accept queue there "
		"looks the same (nstat TcpExtListenDrops)." },
	[UNREACHABLE] = { "unreachable", "unreachable (ICMP)",
		"A router, or a firewall, answered that there is no way: see the route to that address, "
		"and its own." },
	[GIVEN_UP] = { "given_up", "given up by the application",
		"The application closed the socket before an answer came, by its own timeout or because "
		"it was ended: the destination does not answer in that time. Look for a firewall that "
		"drops, a host that is down, or a full accept queue there." },
	[NO_ROUTE] = { "no_route", "no route",
		"This network namespace has no route there: see ip route get ADDRESS." },
	[FORBIDDEN] = { "forbidden", "forbidden",
		"A rule of this host forbids it: a prohibit route, a cgroup's BPF program, or a security "
		"module." },
	[OTHERWISE] = { "other", "failed", "See the error that the application logs." },
};

struct attempts {
	uint64_t opened, last_opened_ns;
	uint64_t failed[NR_FAILURES], waited_ns[NR_FAILURES], longest_ns[NR_FAILURES];
	uint64_t first_ns, last_ns; /* of the failures */
	uint64_t last_second, seconds; /* in how many of them there were failures */
	struct fw_owner owner;
	bool excused; /* as of the report that is being made */
};

struct connects {
	struct fw_groups groups;
	uint64_t failed[NR_FAILURES];
	struct fw_recent ended; /* after a SYN */
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct connects *)self)->groups, sizeof(struct attempts),
			      FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct connects *)self)->groups);
}

/* ---- What is seen ------------------------------------------------------------------------ */

/* Programs fork: by name, not by process. */
#define BY (FW_BY_COMM | FW_BY_NETNS | FW_BY_RADDR | FW_BY_RPORT)

static void fail(struct connects *k, struct attempts *a, enum failure why, uint64_t ts_ns,
		 uint64_t waited_ns)
{
	uint64_t second = ts_ns / FW_NS(1);

	k->failed[why]++;
	a->failed[why]++;
	a->waited_ns[why] += waited_ns;
	if (waited_ns > a->longest_ns[why])
		a->longest_ns[why] = waited_ns;
	a->first_ns = a->first_ns ? a->first_ns : ts_ns;
	a->last_ns = ts_ns;
	a->seconds += second != a->last_second;
	a->last_second = second;
}

static enum failure failure_of(const struct fw_conn *c)
{
	switch (c->end) {
	case FW_END_REFUSED:
		return REFUSED;
	case FW_END_TIMED_OUT:
		return TIMED_OUT;
	case FW_END_UNREACHABLE:
		return UNREACHABLE;
	case FW_END_ABORTED:
		return GIVEN_UP;
	case FW_END_NO_PORT:
	case FW_END_KILLED:
	case FW_END_REPAIRED:
	case FW_END_DISCONNECTED:
	case FW_END_UNKNOWN:
		return NONE;
	default:
		return OTHERWISE;
	}
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct connects *k = self;
	struct fw_group_key key;
	struct attempts *a;
	bool ended = tr->flags & FW_TR_END;

	if (tr->from != FW_SYN_SENT || tr->to == FW_SYN_SENT)
		return;
	if (ended)
		fw_recent_note(&k->ended, c->cookie, tr->ts_ns);
	if (ended && failure_of(c) == NONE)
		return;
	key = fw_group_key_of(c, BY);
	a = fw_groups_get(&k->groups, &key);
	fw_owner_see(&a->owner, c);
	if (ended) {
		fail(k, a, failure_of(c), tr->ts_ns, tr->dwell_ns);
		return;
	}
	a->opened++;
	a->last_opened_ns = tr->ts_ns;
}

static enum failure failure_of_errno(unsigned int err)
{
	switch (err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		return NO_ROUTE;
	case EACCES:
	case EPERM:
		return FORBIDDEN;
	case EADDRNOTAVAIL:
		return NONE;
	default:
		return OTHERWISE;
	}
}

static void on_connect_failed(void *self, const struct fw_rec_state *rec)
{
	enum failure why = failure_of_errno(rec->err);
	struct fw_group_key key = {
		.netns = rec->head.netns, .rport = rec->head.rport, .family = rec->head.family,
	};
	struct connects *k = self;
	struct attempts *a;

	if (why == NONE || fw_recent_has(&k->ended, rec->head.cookie, rec->head.ts_ns))
		return;
	memcpy(key.comm, rec->comm, strnlen(rec->comm, sizeof(key.comm)));
	memcpy(key.raddr, rec->head.raddr, sizeof(key.raddr));
	a = fw_groups_get(&k->groups, &key);
	fw_owner_see_process(&a->owner, rec->comm, rec->pid);
	fail(k, a, why, rec->head.ts_ns, 0);
}

/* ---- What it means ------------------------------------------------------------------------- */

static uint64_t failed_of(const void *value)
{
	const struct attempts *a = value;
	uint64_t n = 0;

	for (int i = 0; i < NR_FAILURES; i++)
		n += a->failed[i];
	return n;
}

static uint64_t inexcusable_of(const void *value)
{
	return ((const struct attempts *)value)->excused ? 0 : failed_of(value);
}

static enum failure main_failure(const struct attempts *a)
{
	enum failure worst = REFUSED;

	for (int i = 0; i < NR_FAILURES; i++)
		worst = a->failed[i] > a->failed[worst] ? (enum failure)i : worst;
	return worst;
}

struct excuse {
	const struct connects *k;
	const struct fw_group *of;
	uint64_t opened_elsewhere; /* by the same program, to the same port of other addresses */
};

static void look_elsewhere(void *arg, struct fw_group *group)
{
	const struct attempts *a = (const void *)group->value;
	struct excuse *e = arg;

	if (group != e->of && !group->other && group->key.netns == e->of->key.netns &&
	    group->key.rport == e->of->key.rport &&
	    !memcmp(group->key.comm, e->of->key.comm, sizeof(group->key.comm)))
		e->opened_elsewhere += a->opened;
}

/*
 * It was away for moments only, and answered after the last failure, or just before it: the report may come
 * in the middle of a restart.
 */
static bool is_restart(const struct attempts *a, uint64_t now_ns, double span_s)
{
	bool refused = a->failed[REFUSED] == failed_of(a);

	if (refused && (double)a->seconds * 4 < span_s && a->opened &&
	    now_ns - a->last_opened_ns < FW_CONNECT_FAILED_LASTING_NS)
		return true;
	return a->last_opened_ns >= a->last_ns &&
	       a->last_ns - a->first_ns < FW_CONNECT_FAILED_LASTING_NS;
}

/* Four of five that failed got through at another address. */
static bool is_fallback(struct excuse *e, const struct attempts *a)
{
	fw_groups_each(&e->k->groups, look_elsewhere, e);
	return !a->opened && e->opened_elsewhere * 5 >= failed_of(a) * 4;
}

static bool is_rare(const struct attempts *a)
{
	uint64_t failed = failed_of(a);

	return failed * 100 < (failed + a->opened) * FW_LIMIT_CONNECT_FAILED_PCT;
}

/* A span has room for a few only of those that wait for seconds, or for minutes. */
static uint64_t weight_of(const void *value)
{
	const struct attempts *a = value;
	uint64_t slow = a->waited_ns[GIVEN_UP] >= a->failed[GIVEN_UP] * FW_NS(1) ? 2 : 1;

	if (a->excused)
		return 0;
	return failed_of(a) + a->failed[GIVEN_UP] * (slow - 1) +
	       a->failed[TIMED_OUT] * (FW_LIMIT_CONNECT_FAILED - 1);
}

struct judging {
	const struct connects *k;
	uint64_t now_ns;
	double span_s;
};

static void judge(void *arg, struct fw_group *group)
{
	const struct judging *j = arg;
	struct attempts *a = (void *)group->value;
	struct excuse excuse = { .k = j->k, .of = group };

	if (failed_of(a))
		a->excused = is_rare(a) || is_restart(a, j->now_ns, j->span_s) || is_fallback(&excuse, a);
}

/* ---- What is said ------------------------------------------------------------------------- */

static void failure_row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
			const struct fw_group *group, enum failure why)
{
	const struct attempts *a = (const void *)group->value;
	const struct fw_group_key *key = &group->key;
	const struct fw_cell cells[] = {
		fw_owner_cell(&a->owner), fw_cell_endpoint(key->family, key->raddr, key->rport),
		fw_cell_text(failures[why].words, SIZE_MAX), fw_cell_count(a->failed[why]),
		fw_cell_count(failed_of(a) + a->opened),
		fw_cell_duration(a->waited_ns[why] / a->failed[why]),
		fw_cell_duration(a->longest_ns[why]),
		fw_cell_duration(ctx->now_ns > a->last_ns ? ctx->now_ns - a->last_ns : 0),
	};

	fw_table_row(r, t, cells);
}

static void row(const struct fw_analysis_context *ctx, struct fw_report *r, struct fw_table *t,
		const struct fw_group *group)
{
	const struct attempts *a = (const void *)group->value;

	for (int i = 0; i < NR_FAILURES; i++) {
		if (a->failed[i])
			failure_row(ctx, r, t, group, (enum failure)i);
	}
}

static const char *const columns[] = {
	"process", "process", "remote", "to", "error", "error", "failed", "failed",
	"attempts", "of", "wait_mean", "waited", "wait_longest", "longest", "ago", "last ago", NULL,
};

static void say_title(struct fw_report *r, struct fw_finding *f, const struct fw_group *worst)
{
	const struct attempts *a = (const void *)worst->value;
	enum failure why = main_failure(a);
	uint64_t failed = failed_of(a), n = a->failed[why];
	struct fw_words who = fw_owner_words(&a->owner);
	struct fw_words to = fw_words_endpoint(worst->key.family, worst->key.raddr, worst->key.rport);

	if (why == GIVEN_UP)
		fw_finding_say(r, &f->title, "%s gets no answer from %s: %s of %s failed, %s given up after %s",
			       who.text, to.text, fw_words_count(failed).text,
			       fw_words_plural(failed + a->opened, "connect() call").text,
			       fw_words_count(n).text, fw_words_duration(a->waited_ns[why] / n).text);
	else
		fw_finding_say(r, &f->title, "%s cannot connect to %s: %s of %s failed, %s %s", who.text,
			       to.text, fw_words_count(failed).text,
			       fw_words_plural(failed + a->opened, "connect() call").text,
			       fw_words_count(n).text, failures[why].words);
	fw_finding_say(r, &f->advice, "%s", failures[why].advice);
}

static void find_failures(const struct connects *k, const struct fw_analysis_context *ctx,
			  struct fw_report *r)
{
	struct fw_queue_look queue = { 0 };
	const struct fw_group *worst;
	struct fw_finding *f;
	enum failure why;

	if (!fw_groups_top(&k->groups, weight_of, &worst, 1, NULL) ||
	    weight_of(worst->value) < FW_LIMIT_CONNECT_FAILED)
		return;
	why = main_failure((const void *)worst->value);
	if (why == GIVEN_UP || why == TIMED_OUT)
		queue = fw_queue_look(ctx, worst->key.netns, worst->key.family, worst->key.raddr,
				      worst->key.rport);
	/* Of a full queue there is a finding already, which says why. */
	f = fw_finding_begin(r, "connect-failures",
			     queue.verdict == FW_QUEUE_FULL ? FW_SEVERITY_INFO : FW_SEVERITY_WARNING,
			     FW_RANK_CONNECT_FAILED, failed_of(worst->value));
	say_title(r, f, worst);
	fw_queue_say(r, f, &queue);
	for (int i = 0; i < NR_FAILURES; i++) {
		if (k->failed[i])
			fw_finding_evidence(r, f, failures[i].name, failures[i].words,
					    fw_cell_count(k->failed[i]));
	}
	fw_table_groups(ctx, r, fw_finding_offenders(r, f, columns), &k->groups, inexcusable_of, row);
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct connects *k = self;
	struct judging judging = { k, ctx->now_ns, fw_span_s(ctx) };
	struct fw_section *s;
	uint64_t failed = 0;

	for (int i = 0; i < NR_FAILURES; i++)
		failed += k->failed[i];
	s = fw_report_section(r, "connect_failures", "Failed connects");
	fw_section_fact(r, s, "failed", "connect() failed", fw_cell_count(failed));
	if (!failed)
		return;
	fw_groups_each(&k->groups, judge, &judging);
	for (int i = 0; i < NR_FAILURES; i++) {
		if (k->failed[i])
			fw_section_fact(r, s, failures[i].name, failures[i].words,
					fw_cell_count(k->failed[i]));
	}
	fw_table_groups(ctx, r, fw_section_table(r, s, "by_destination",
						 "By program, destination and error", columns),
			&k->groups, failed_of, row);
	fw_note_unlisted(r, s, &k->groups);
	find_failures(k, ctx, r);
}

const struct fw_analysis fw_analysis_connect_failures = {
	.name = "connect_failures",
	.size = sizeof(struct connects),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .connect_failed = on_connect_failed },
	.report = report,
};
