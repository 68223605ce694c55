// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ground truth: the kernel's settings, and its own counters beside what was counted here. Where the
 * two can differ by nature, the row says why; any other difference means that events were missed.
 *
 * The counters are per network namespace, and so is the count beside them. Both are of the same span:
 * from the moment at which the counters were read first to the one at which they were read last.
 *
 *	hooks attached   counters read              counters read   hooks detached
 *	      |  not counted  |      counted             |   later       |
 */
#include "analysis/truth_settings.h"
#include "analysis/words.h"

#include <stdio.h>
#include <string.h>

struct counts {
	int64_t active_opens, passive_opens, attempt_fails, estab_resets;
	int64_t minisocks, reused, overflow;
	int64_t ended; /* minisocks */
};

struct own {
	struct counts upto, later; /* the last reading */
	uint64_t from_ns, to_ns;   /* of the readings; to_ns 0: there was none but the first */
	uint64_t to_begun_ns;	   /* to_ns is when it was done */
	int64_t edge; /* that came while the counters were being read: on which side is not known */
	bool seen;    /* anything at all */
};

struct truth {
	struct fw_groups netns;
	unsigned int nr_readings;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct truth *)self)->netns, sizeof(struct own), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct truth *)self)->netns);
}

static void add(struct counts *to, const struct counts *more)
{
	to->active_opens += more->active_opens;
	to->passive_opens += more->passive_opens;
	to->attempt_fails += more->attempt_fails;
	to->estab_resets += more->estab_resets;
	to->minisocks += more->minisocks;
	to->reused += more->reused;
	to->overflow += more->overflow;
	to->ended += more->ended;
}

static void counters_read(void *self, const struct fw_truth *truth, size_t nr)
{
	struct truth *t = self;

	for (size_t i = 0; i < nr; i++) {
		const struct fw_group_key key = { .netns = truth[i].netns };
		struct own *own = fw_groups_get(&t->netns, &key);

		/* A namespace that is born later has counted from nothing. */
		if (!t->nr_readings) {
			own->from_ns = truth[i].read_ns;
			own->to_begun_ns = truth[i].read_from_ns;
			continue;
		}
		add(&own->upto, &own->later);
		own->later = (struct counts){ 0 };
		own->to_begun_ns = truth[i].read_from_ns;
		own->to_ns = truth[i].read_ns;
	}
	t->nr_readings++;
}

static struct counts *counts_of(struct own *own, uint64_t ts_ns)
{
	return own->to_ns && ts_ns > own->to_ns ? &own->later : &own->upto;
}

/* Where what happened at @ts_ns is to be counted; NULL: the kernel's first reading has it. */
static struct counts *counts_at(struct truth *t, const struct fw_conn *c, uint64_t ts_ns)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS);
	struct own *own = fw_groups_get(&t->netns, &key);
	uint64_t done_ns = own->to_ns ? own->to_ns : own->from_ns;

	own->seen = true;
	own->edge += ts_ns >= own->to_begun_ns && ts_ns <= done_ns;
	if (ts_ns <= own->from_ns)
		return NULL;
	return counts_of(own, ts_ns);
}

/* An end that was concluded after lost events. The kernel may have counted it in another state. */
static bool is_end_unseen(const struct fw_conn *c)
{
	return c->step_flags[c->nr_steps - 1] & FW_STEP_AT_MOST;
}

/*
 * AttemptFails counts calls of tcp_done() in SYN_SENT and SYN_RECV, whose callers set sk_err first, and
 * RSTs and SYNs for a request socket (tcp_check_req()). close() and connect(AF_UNSPEC) do not call
 * tcp_done(), nor does a connect() that fails before its SYN.
 */
static bool is_attempt_fail(const struct fw_conn *c, unsigned int from)
{
	return (from == FW_SYN_SENT || from == FW_SYN_RECV) && c->err;
}

/*
 * PassiveOpens counts the sockets that handshakes made, also those that Fast Open made before the
 * handshake was over.
 */
static bool is_passive_open(const struct fw_conn *c, const struct fw_transition *tr)
{
	return tr->from == FW_SYN_RECV && c->role == FW_ROLE_PASSIVE &&
	       !(tr->to == FW_CLOSE && fw_conn_has(c, FW_CONN_REQUEST));
}

/* ActiveOpens counts SYNs. The transition to SYN_SENT comes before; so @c has been counted if it began
 * while the counters were watched.
 */
static void take_back_active_open(struct truth *t, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS);
	struct own *own = fw_groups_get(&t->netns, &key);

	if (fw_conn_has(c, FW_CONN_SINCE_BEFORE) || c->enter_ns[0] <= own->from_ns)
		return;
	counts_of(own, c->enter_ns[0])->active_opens--;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct counts *n;

	if (tr->from == tr->to || fw_conn_has(c, FW_CONN_LISTENER))
		return;
	if (tr->to == FW_CLOSE && fw_conn_has(c, FW_CONN_SYN_UNSENT))
		take_back_active_open(self, c);
	n = counts_at(self, c, tr->ts_ns);
	if (!n)
		return;
	n->active_opens += tr->from == FW_CLOSE && tr->to == FW_SYN_SENT;
	if (tr->to == FW_CLOSE && is_end_unseen(c))
		return;
	n->passive_opens += is_passive_open(c, tr);
	if (tr->to != FW_CLOSE)
		return;
	n->estab_resets += tr->from == FW_ESTABLISHED || tr->from == FW_CLOSE_WAIT;
	n->attempt_fails += is_attempt_fail(c, tr->from);
}

/* The kernel counts births, of orphans in FIN_WAIT_2 too. */
static void on_minisock(void *self, const struct fw_conn *c, uint64_t ts_ns)
{
	struct counts *n = counts_at(self, c, ts_ns);

	if (n)
		n->minisocks++;
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct counts *n = counts_at(self, c, c->end_ns);

	if (!n)
		return;
	n->ended += c->end != FW_END_OPEN && c->flags & FW_CONN_MINI;
	n->reused += c->end == FW_END_TIME_WAIT_REUSED;
	n->overflow += c->end == FW_END_TIME_WAIT_OVERFLOW;
}

static struct fw_cell signed_count(int64_t n)
{
	return n < 0 ? fw_cell_unknown() : fw_cell_count((uint64_t)n);
}

/* A cause of differences, and how far it can take finwait's count below and above the kernel's. */
struct reason {
	const char *text; /* NULL: none */
	int64_t below, above;
};

#define ANY_NUMBER INT64_MAX
#define REASONS_MAX 5

/* A row of the kernel's counters beside our own. */
struct comparison {
	const struct fw_analysis_context *ctx;
	const struct own *own;
	struct fw_report *r;
	struct fw_table *t;
	struct reason reasons[REASONS_MAX]; /* of all rows */
};

#define UNEXPLAINED "not explained"
#define WHY_LEN 160

static int64_t reach(const struct reason *reason, bool above)
{
	return reason->text ? above ? reason->above : reason->below : 0;
}

/* The first reason that explains @difference alone; else so many of them as do together. */
static void explain(const struct reason *reasons, size_t nr, int64_t difference, char why[WHY_LEN])
{
	bool above = difference > 0;
	int64_t left = above ? difference : -difference;
	size_t len = 0;

	for (size_t i = 0; i < nr; i++) {
		if (reach(&reasons[i], above) >= left) {
			snprintf(why, WHY_LEN, "%s", reasons[i].text);
			return;
		}
	}
	for (size_t i = 0; i < nr && left > 0 && len < WHY_LEN; i++) {
		int64_t part = reach(&reasons[i], above);

		if (!part)
			continue;
		len += (size_t)snprintf(why + len, WHY_LEN - len, "%s%s", len ? " and " : "",
					reasons[i].text);
		left -= part;
	}
	if (left > 0)
		snprintf(why, WHY_LEN, "%s", UNEXPLAINED);
}

static struct fw_cell why(const struct comparison *k, int64_t difference, struct reason special)
{
	struct reason all[REASONS_MAX + 1] = { special };
	char text[WHY_LEN];

	if (!difference)
		return fw_cell_unknown();
	memcpy(all + 1, k->reasons, sizeof(k->reasons));
	explain(all, REASONS_MAX + 1, difference, text);
	return fw_cell_printf("%s", text);
}

/* @special: what holds for this counter only. */
static void counter_row(const struct comparison *k, const char *name, int64_t kernel, int64_t own,
			struct reason special)
{
	bool comparable = kernel >= 0 && own >= 0;
	int64_t difference = comparable ? own - kernel : 0;

	if (kernel < 0)
		return;
	fw_table_row(k->r, k->t, (struct fw_cell[]){
		fw_cell_text(name, SIZE_MAX), signed_count(kernel), signed_count(own),
		comparable ? fw_cell_printf("%+lld", (long long)difference) : fw_cell_unknown(),
		why(k, difference, special) });
}

static void kernel_row(const struct comparison *k, const char *name, int64_t kernel)
{
	counter_row(k, name, kernel, FW_TRUTH_UNKNOWN, (struct reason){ 0 });
}

/* What is missing here and counted there, or the other way round, whatever the counter. */
static void set_reasons(struct comparison *k)
{
	const struct fw_tracker_counters *c = &k->ctx->tracker->counters;
	struct reason *r = k->reasons;

	if (k->ctx->filtered_within_netns)
		*r++ = (struct reason){ "the filter", ANY_NUMBER, 0 };
	*r++ = (struct reason){ "events were lost", (int64_t)c->lost, 0 };
	*r++ = (struct reason){ "connections were forgotten", (int64_t)(c->evicted + c->no_memory), 0 };
	*r++ = (struct reason){ "happened during a reading", k->own->edge, k->own->edge };
}

static void note_unexplained(const struct comparison *k, struct fw_section *s)
{
	size_t why_column = k->t->nr_columns - 1;

	for (size_t i = 0; i < k->t->nr_rows; i++) {
		const struct fw_cell *cell = &k->t->cells[i * k->t->nr_columns + why_column];

		if (cell->kind != FW_CELL_TEXT || strcmp(cell->text, UNEXPLAINED))
			continue;
		fw_section_note(k->r, s,
				"A difference that is not explained may be events that no hook "
				"reported: finwait doctor --self-test checks the hooks.");
		return;
	}
}

static int64_t open_in(const struct fw_analysis_context *ctx, uint32_t netns, unsigned int state)
{
	const struct fw_conn *c = NULL;
	int64_t n = 0;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && fw_conn_is_in(c, state);
	return n;
}

/*
 * A request socket that was only counted may have been reset. With tcp_abort_on_overflow finwait takes a
 * full accept queue for such a reset; the kernel counts ListenOverflows then.
 */
static struct reason attempts_unlike(const struct fw_analysis_context *ctx,
				     const struct fw_kernel_counters *k)
{
	return (struct reason){ "half-open connections", (int64_t)ctx->suppressed,
				k->listen_overflows > 0 ? k->listen_overflows : 0 };
}

/* At the moment of the reading. */
static int64_t minisocks_now(const struct fw_analysis_context *ctx, const struct own *own,
			     uint32_t netns)
{
	int64_t n = own->later.ended - own->later.minisocks;
	const struct fw_conn *c = NULL;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && c->flags & FW_CONN_MINI;
	return n;
}

static int64_t minisocks_of(const struct fw_kernel_counters *k)
{
	return k->tw < 0 || k->tw_killed < 0 ? FW_TRUTH_UNKNOWN : k->tw + k->tw_killed;
}

static void counters(const struct fw_analysis_context *ctx, const struct fw_truth *truth,
		     const struct own *own, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"counter", "Counter", "kernel", "Kernel", "finwait", "finwait", "difference",
		"Difference", "why", "Why they differ", NULL,
	};
	const struct fw_kernel_counters *k = &truth->counters;
	const struct counts *mine = &own->upto;
	const struct reason none = { 0 };
	struct comparison row = {
		ctx, own, r, fw_section_table(r, s, "counters", "The kernel's own counters", columns), {},
	};

	set_reasons(&row);

	counter_row(&row, "ActiveOpens", k->active_opens, mine->active_opens,
		    (struct reason){ "SYNs not sent yet (Fast Open)", 0,
				     open_in(ctx, truth->netns, FW_SYN_SENT) });
	counter_row(&row, "PassiveOpens", k->passive_opens, mine->passive_opens, none);
	counter_row(&row, "AttemptFails", k->attempt_fails, mine->attempt_fails,
		    attempts_unlike(ctx, k));
	counter_row(&row, "EstabResets", k->estab_resets, mine->estab_resets, none);
	counter_row(&row, "TW + TWKilled", minisocks_of(k), mine->minisocks, none);
	counter_row(&row, "TWRecycled", k->tw_recycled, mine->reused, none);
	counter_row(&row, "TCPTimeWaitOverflow", k->time_wait_overflow, mine->overflow, none);
	counter_row(&row, "minisocks now (sockstat tw)", k->tw_now,
		    minisocks_now(ctx, own, truth->netns), none);
	kernel_row(&row, "orphans now, host (sockstat)", k->orphans_now);
	kernel_row(&row, "ListenOverflows", k->listen_overflows);
	kernel_row(&row, "ListenDrops", k->listen_drops);
	kernel_row(&row, "SyncookiesSent", k->syncookies_sent);
	kernel_row(&row, "TCPReqQFullDrop", k->req_q_full_drop);
	kernel_row(&row, "TCPAbortOnData", k->abort_on_data);
	kernel_row(&row, "TCPAbortOnTimeout", k->abort_on_timeout);
	kernel_row(&row, "TCPAbortOnMemory", k->abort_on_memory);
	note_unexplained(&row, s);
}

static const struct own *own_in(const struct truth *t, uint32_t netns)
{
	static const struct own nothing;
	const struct own *own;

	own = fw_groups_find(&t->netns, &(struct fw_group_key){ .netns = netns });
	return own ? own : &nothing;
}

static int64_t opens(const struct own *own)
{
	return own->upto.active_opens + own->upto.passive_opens + own->upto.minisocks;
}

static bool is_watched(const struct fw_analysis_context *ctx, uint32_t netns)
{
	return !ctx->opt.filter || fw_filter_netns(ctx->opt.filter, netns);
}

/* Of the namespaces that are watched: finwait's own, unless more happened elsewhere. NULL: the counters
 * of none of them are known.
 */
static const struct fw_truth *busiest_of(const struct truth *t,
					 const struct fw_analysis_context *ctx)
{
	const struct fw_truth *busiest = NULL;

	for (size_t i = 0; i < ctx->nr_truth; i++) {
		const struct fw_truth *truth = &ctx->truth[i];

		if (!is_watched(ctx, truth->netns))
			continue;
		if (!busiest || opens(own_in(t, truth->netns)) > opens(own_in(t, busiest->netns)))
			busiest = truth;
	}
	return busiest;
}

static void netns_row(const struct fw_analysis_context *ctx, const struct fw_truth *truth,
		      const struct own *own, struct fw_report *r, struct fw_table *t)
{
	const struct fw_kernel_counters *k = &truth->counters;

	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_netns(ctx, truth->netns),
		signed_count(k->active_opens), signed_count(own->upto.active_opens),
		signed_count(k->passive_opens), signed_count(own->upto.passive_opens),
		signed_count(minisocks_of(k)), signed_count(own->upto.minisocks) });
}

/* Of all namespaces in which anything was seen, or that the kernel has counted anything in. */
static void all_netns(const struct truth *t, const struct fw_analysis_context *ctx,
		      struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"netns", "netns", "active_kernel", "ActiveOpens", "active_finwait", "finwait",
		"passive_kernel", "PassiveOpens", "passive_finwait", "finwait", "minisocks_kernel",
		"TW + TWKilled", "minisocks_finwait", "finwait", NULL,
	};
	struct fw_table *table =
		fw_section_table(r, s, "by_netns", "The kernel's counters beside finwait's", columns);

	for (size_t i = 0; i < ctx->nr_truth; i++) {
		const struct fw_truth *truth = &ctx->truth[i];
		const struct own *own = own_in(t, truth->netns);

		if (!is_watched(ctx, truth->netns) ||
		    (!own->seen && truth->counters.active_opens <= 0 &&
		     truth->counters.passive_opens <= 0))
			continue;
		if (table->nr_rows < ctx->opt.top)
			netns_row(ctx, truth, own, r, table);
		else
			table->nr_more++;
	}
}

static bool is_seen(void *arg, uint32_t netns)
{
	return own_in(arg, netns)->seen;
}

static size_t seen_in(const struct truth *t, const struct fw_analysis_context *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < ctx->nr_truth; i++)
		n += own_in(t, ctx->truth[i].netns)->seen;
	return n;
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "kernel", "What the kernel says");
	struct truth *t = self;
	const struct fw_truth *busiest;

	busiest = busiest_of(t, ctx);
	if (!busiest) {
		fw_section_note(r, s, "The kernel's settings and counters could not be read.");
		return;
	}
	fw_section_fact(r, s, "netns", "Network namespace", fw_cell_netns(ctx, busiest->netns));
	counters(ctx, busiest, own_in(t, busiest->netns), r, s);
	fw_settings(busiest, r, s);
	if (ctx->filtered_within_netns)
		fw_section_note(r, s,
				"A filter is in force: the kernel counts all connections, finwait "
				"those that it lets through.");
	if (seen_in(t, ctx) < 2)
		return;
	all_netns(t, ctx, r, s);
	fw_other_settings(ctx, busiest, is_seen, t, r, s);
	fw_section_note(r, s,
			"Connections were seen in %s; the counters and settings above are those of "
			"the busiest.",
			fw_words_plural(seen_in(t, ctx), "network namespace").text);
}

const struct fw_analysis fw_analysis_truth = {
	.name = "truth",
	.size = sizeof(struct truth),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .minisock = on_minisock, .connection = on_connection },
	.counters_read = counters_read,
	.report = report,
};
