// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's settings, and its counters beside what was counted here. Where the two differ by nature,
 * the row says why. Any other difference means that events were missed.
 *
 * The counters are per network namespace, and so is the count beside them. Both are of the same span:
 * from the moment at which the counters were read first to the one at which they were read last.
 *
 *	hooks attached   counters read              counters read   hooks detached
 *	      |  not counted  |      counted             |   later       |
 */
#include "analysis/counter_rows.h"
#include "analysis/kernel_settings.h"
#include "analysis/words.h"

#include <errno.h>

struct kernel_counters {
	struct fw_groups netns;
	unsigned int nr_readings;
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	(void)opt;
	return fw_groups_init(&((struct kernel_counters *)self)->netns, sizeof(struct fw_own_netns), FW_GROUPS_MAX);
}

static void fini(void *self)
{
	fw_groups_fini(&((struct kernel_counters *)self)->netns);
}

static void add(struct fw_own_counts *to, const struct fw_own_counts *more)
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

static void counters_read(void *self, const struct fw_netns_values *values, size_t nr)
{
	struct kernel_counters *t = self;

	for (size_t i = 0; i < nr; i++) {
		const struct fw_group_key key = { .netns = values[i].netns };
		struct fw_own_netns *own = fw_groups_get(&t->netns, &key);

		/* A namespace that is born later has counted from nothing. */
		if (!t->nr_readings) {
			own->from_ns = values[i].read_ns;
			own->to_begun_ns = values[i].read_from_ns;
			continue;
		}
		add(&own->upto, &own->later);
		own->later = (struct fw_own_counts){ 0 };
		own->to_begun_ns = values[i].read_from_ns;
		own->to_ns = values[i].read_ns;
	}
	t->nr_readings++;
}

static struct fw_own_counts *counts_of(struct fw_own_netns *own, uint64_t ts_ns)
{
	return own->to_ns && ts_ns > own->to_ns ? &own->later : &own->upto;
}

/* @more happened at @ts_ns. What happened before the kernel's first reading is in that. */
static void count_at(struct kernel_counters *t, const struct fw_conn *c, uint64_t ts_ns,
		     const struct fw_own_counts *more)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS);
	struct fw_own_netns *own = fw_groups_get(&t->netns, &key);
	uint64_t done_ns = own->to_ns ? own->to_ns : own->from_ns;

	own->seen = true;
	if (ts_ns >= own->to_begun_ns && ts_ns <= done_ns)
		add(&own->edge, more);
	if (ts_ns > own->from_ns)
		add(counts_of(own, ts_ns), more);
}

/* An end that was concluded after lost events. The kernel may have counted it in another state. */
static bool is_end_unseen(const struct fw_conn *c)
{
	return c->step_flags[c->nr_steps - 1] & FW_STEP_AT_MOST;
}

/*
 * AttemptFails counts calls of tcp_done() in SYN_SENT and SYN_RECV, whose callers set sk_err first, and
 * RSTs and SYNs for a request socket (tcp_check_req()). close() and connect(AF_UNSPEC) do not call
 * tcp_done(), nor does a connect() that fails before its SYN. A child of Fast Open still has a request
 * socket in SYN_RECV: an RST is counted in both places.
 */
static int attempt_fails(const struct fw_conn *c, unsigned int from)
{
	bool child = c->role == FW_ROLE_PASSIVE && !fw_conn_has(c, FW_CONN_REQUEST);

	if (fw_conn_has(c, FW_CONN_HANDSHAKE_RESET))
		return 1;
	if ((from != FW_SYN_SENT && from != FW_SYN_RECV) || !c->err)
		return 0;
	return child && c->err == ECONNRESET ? 2 : 1;
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
static void take_back_active_open(struct kernel_counters *t, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS);
	struct fw_own_netns *own = fw_groups_get(&t->netns, &key);

	if (!fw_conn_has(c, FW_CONN_SINCE_BEFORE) && c->enter_ns[0] > own->from_ns)
		counts_of(own, c->enter_ns[0])->active_opens--;
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct fw_own_counts more = { .active_opens = tr->from == FW_CLOSE && tr->to == FW_SYN_SENT };

	if (tr->from == tr->to || fw_conn_has(c, FW_CONN_LISTENER))
		return;
	if (tr->to == FW_CLOSE && fw_conn_has(c, FW_CONN_SYN_UNSENT))
		take_back_active_open(self, c);
	if (tr->to == FW_CLOSE && is_end_unseen(c))
		return;
	more.passive_opens = is_passive_open(c, tr);
	if (tr->to == FW_CLOSE) {
		more.estab_resets = tr->from == FW_ESTABLISHED || tr->from == FW_CLOSE_WAIT;
		more.attempt_fails = attempt_fails(c, tr->from);
	}
	count_at(self, c, tr->ts_ns, &more);
}

/* The kernel counts births, of orphans in FIN_WAIT_2 too. */
static void on_minisock(void *self, const struct fw_conn *c, uint64_t ts_ns)
{
	count_at(self, c, ts_ns, &(struct fw_own_counts){ .minisocks = 1 });
}

static void on_connection(void *self, const struct fw_conn *c)
{
	const struct fw_own_counts more = {
		.ended = c->end != FW_END_OPEN && fw_conn_has(c, FW_CONN_MINI),
		.reused = c->end == FW_END_TIME_WAIT_REUSED,
		.overflow = c->end == FW_END_TIME_WAIT_OVERFLOW,
	};

	count_at(self, c, c->end_ns, &more);
}

static const struct fw_own_netns *own_in(const struct kernel_counters *t, uint32_t netns)
{
	static const struct fw_own_netns nothing;
	const struct fw_own_netns *own;

	own = fw_groups_find(&t->netns, &(struct fw_group_key){ .netns = netns });
	return own ? own : &nothing;
}

static int64_t opens(const struct fw_own_netns *own)
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
static const struct fw_netns_values *busiest_of(const struct kernel_counters *t,
					 const struct fw_analysis_context *ctx)
{
	const struct fw_netns_values *busiest = NULL;

	for (size_t i = 0; i < ctx->nr_values; i++) {
		const struct fw_netns_values *values = &ctx->values[i];

		if (!is_watched(ctx, values->netns))
			continue;
		if (!busiest || opens(own_in(t, values->netns)) > opens(own_in(t, busiest->netns)))
			busiest = values;
	}
	return busiest;
}

static void netns_row(const struct fw_analysis_context *ctx, const struct fw_netns_values *values,
		      const struct fw_own_netns *own, struct fw_report *r, struct fw_table *t)
{
	const struct fw_kernel_counters *k = &values->counters;

	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_netns(ctx, values->netns),
		fw_counter_cell(k->active_opens), fw_counter_cell(own->upto.active_opens),
		fw_counter_cell(k->passive_opens), fw_counter_cell(own->upto.passive_opens),
		fw_counter_cell(fw_counter_minisocks(k)), fw_counter_cell(own->upto.minisocks) });
}

/* Of all namespaces in which anything was seen, or that the kernel has counted anything in. */
static void all_netns(const struct kernel_counters *t, const struct fw_analysis_context *ctx,
		      struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"netns", "netns", "active_kernel", "ActiveOpens", "active_finwait", "finwait",
		"passive_kernel", "PassiveOpens", "passive_finwait", "finwait", "minisocks_kernel",
		"TW + TWKilled", "minisocks_finwait", "finwait", NULL,
	};
	struct fw_table *table =
		fw_section_table(r, s, "by_netns", "The kernel's counters beside finwait's", columns);

	for (size_t i = 0; i < ctx->nr_values; i++) {
		const struct fw_netns_values *values = &ctx->values[i];
		const struct fw_own_netns *own = own_in(t, values->netns);

		if (!is_watched(ctx, values->netns) ||
		    (!own->seen && values->counters.active_opens <= 0 &&
		     values->counters.passive_opens <= 0))
			continue;
		if (table->nr_rows < ctx->opt.top)
			netns_row(ctx, values, own, r, table);
		else
			table->nr_more++;
	}
}

static bool is_seen(void *arg, uint32_t netns)
{
	return own_in(arg, netns)->seen;
}

static size_t seen_in(const struct kernel_counters *t, const struct fw_analysis_context *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < ctx->nr_values; i++)
		n += own_in(t, ctx->values[i].netns)->seen;
	return n;
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "kernel", "What the kernel says");
	struct kernel_counters *t = self;
	const struct fw_netns_values *busiest;

	busiest = busiest_of(t, ctx);
	if (!busiest) {
		fw_section_note(r, s, "The kernel's settings and counters could not be read.");
		return;
	}
	fw_section_fact(r, s, "netns", "Network namespace", fw_cell_netns(ctx, busiest->netns));
	fw_counter_rows(ctx, busiest, own_in(t, busiest->netns), r, s);
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

const struct fw_analysis fw_analysis_kernel_counters = {
	.name = "kernel_counters",
	.size = sizeof(struct kernel_counters),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .minisock = on_minisock, .connection = on_connection },
	.counters_read = counters_read,
	.report = report,
};
