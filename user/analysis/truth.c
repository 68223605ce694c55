// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ground truth: the kernel's settings, and its own counters beside what was counted here. Where the
 * two can differ by nature, the row says why; any other difference means that events were missed.
 *
 * The counters are per network namespace, and so is the count beside them.
 */
#include "analysis/words.h"

struct own {
	int64_t active_opens, passive_opens, attempt_fails, estab_resets;
	int64_t minisocks, reused, overflow;
};

struct truth {
	struct fw_groups netns;
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

static struct own *own_of(struct truth *t, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, FW_BY_NETNS);

	return fw_groups_get(&t->netns, &key);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct own *own = own_of(self, c);

	if (tr->from == tr->to || c->flags & FW_CONN_LISTENER)
		return;
	own->active_opens += tr->from == FW_CLOSE && tr->to == FW_SYN_SENT;
	own->passive_opens += tr->from == FW_SYN_RECV && tr->to != FW_CLOSE &&
			      c->role == FW_ROLE_PASSIVE;
	if (tr->to != FW_CLOSE)
		return;
	own->estab_resets += tr->from == FW_ESTABLISHED || tr->from == FW_CLOSE_WAIT;
	/* The kernel counts neither what found no port nor what was half-open. */
	own->attempt_fails += tr->from == FW_SYN_SENT && c->end != FW_END_NO_PORT;
	own->active_opens -= tr->from == FW_SYN_SENT && c->end == FW_END_NO_PORT;
}

/* A minisock was born in the span: the kernel counts that, for orphans in FIN_WAIT_2 too. */
static bool had_minisock(const struct fw_conn *c)
{
	bool older = c->step_flags[0] & FW_STEP_AT_LEAST &&
		     (c->steps[0] == FW_TIME_WAIT || c->steps[0] == FW_FIN_WAIT_2);

	return c->flags & FW_CONN_MINI && !older;
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct own *own = own_of(self, c);

	own->minisocks += had_minisock(c);
	own->reused += c->end == FW_END_TIME_WAIT_REUSED;
	own->overflow += c->end == FW_END_TIME_WAIT_OVERFLOW;
}

static struct fw_cell signed_count(int64_t n)
{
	return n < 0 ? fw_cell_unknown() : fw_cell_count((uint64_t)n);
}

static void counter_row(struct fw_report *r, struct fw_table *t, const char *name, int64_t kernel,
			int64_t own, const char *why)
{
	bool comparable = kernel >= 0 && own >= 0;

	if (kernel < 0)
		return;
	fw_table_row(r, t, (struct fw_cell[]){
		fw_cell_text(name, SIZE_MAX), signed_count(kernel), signed_count(own),
		comparable ? fw_cell_printf("%+lld", (long long)(own - kernel)) : fw_cell_unknown(),
		fw_cell_text(comparable && kernel != own ? why : NULL, SIZE_MAX) });
}

static void counters(const struct fw_truth *truth, const struct own *own, int64_t open_minisocks,
		     struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"counter", "Counter", "kernel", "Kernel", "finwait", "finwait", "difference",
		"Difference", "why", "Why they differ", NULL,
	};
	const struct fw_kernel_counters *k = &truth->counters;
	struct fw_table *t =
		fw_section_table(r, s, "counters", "The kernel's own counters", columns);
	int64_t minisocks = k->tw < 0 || k->tw_killed < 0 ? FW_TRUTH_UNKNOWN : k->tw + k->tw_killed;

	counter_row(r, t, "ActiveOpens", k->active_opens, own->active_opens,
		    "connect() at the very start or end of the span");
	counter_row(r, t, "PassiveOpens", k->passive_opens, own->passive_opens,
		    "handshakes that completed at the edges of the span");
	counter_row(r, t, "AttemptFails", k->attempt_fails, own->attempt_fails,
		    "the kernel also counts half-open connections that were reset");
	counter_row(r, t, "EstabResets", k->estab_resets, own->estab_resets, "edges of the span");
	counter_row(r, t, "TW + TWKilled", minisocks, own->minisocks + open_minisocks,
		    "minisocks born at the edges of the span");
	counter_row(r, t, "TWRecycled", k->tw_recycled, own->reused, "edges of the span");
	counter_row(r, t, "TCPTimeWaitOverflow", k->time_wait_overflow, own->overflow,
		    "the kernel counts each attempt");
	counter_row(r, t, "ListenOverflows", k->listen_overflows, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "ListenDrops", k->listen_drops, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "SyncookiesSent", k->syncookies_sent, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "TCPReqQFullDrop", k->req_q_full_drop, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "TCPAbortOnData", k->abort_on_data, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "TCPAbortOnTimeout", k->abort_on_timeout, FW_TRUTH_UNKNOWN, NULL);
	counter_row(r, t, "TCPAbortOnMemory", k->abort_on_memory, FW_TRUTH_UNKNOWN, NULL);
}

static void sysctls(const struct fw_sysctls *sysctls, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = { "name", "Setting", "value", "Value", NULL };
	const struct {
		const char *name;
		int64_t value;
	} all[] = {
		{ "tcp_fin_timeout", sysctls->tcp_fin_timeout },
		{ "tcp_tw_reuse", sysctls->tcp_tw_reuse },
		{ "tcp_max_tw_buckets", sysctls->tcp_max_tw_buckets },
		{ "tcp_rfc1337", sysctls->tcp_rfc1337 },
		{ "tcp_timestamps", sysctls->tcp_timestamps },
		{ "tcp_max_orphans", sysctls->tcp_max_orphans },
		{ "tcp_orphan_retries", sysctls->tcp_orphan_retries },
		{ "tcp_max_syn_backlog", sysctls->tcp_max_syn_backlog },
		{ "tcp_syncookies", sysctls->tcp_syncookies },
		{ "tcp_synack_retries", sysctls->tcp_synack_retries },
		{ "tcp_syn_retries", sysctls->tcp_syn_retries },
		{ "somaxconn", sysctls->somaxconn },
		{ "ip_local_port_range, lowest", sysctls->port_low },
		{ "ip_local_port_range, highest", sysctls->port_high },
		{ "ports reserved in it", sysctls->ports_reserved },
	};
	struct fw_table *t = fw_section_table(r, s, "sysctls", "Settings", columns);

	for (size_t i = 0; i < FW_ARRAY_SIZE(all); i++) {
		if (all[i].value >= 0)
			fw_table_row(r, t, (struct fw_cell[]){
				fw_cell_text(all[i].name, SIZE_MAX), signed_count(all[i].value) });
	}
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
	return own->active_opens + own->passive_opens + own->minisocks;
}

/* Finwait's own, unless more happened elsewhere. */
static const struct fw_truth *busiest_of(const struct truth *t,
					 const struct fw_analysis_context *ctx)
{
	const struct fw_truth *busiest = ctx->truth;

	for (size_t i = 1; i < ctx->nr_truth; i++) {
		if (opens(own_in(t, ctx->truth[i].netns)) > opens(own_in(t, busiest->netns)))
			busiest = &ctx->truth[i];
	}
	return busiest;
}

static int64_t open_minisocks(const struct fw_analysis_context *ctx, uint32_t netns)
{
	const struct fw_conn *c = NULL;
	int64_t n = 0;

	while ((c = fw_open_next(ctx, c)))
		n += c->netns == netns && had_minisock(c);
	return n;
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct fw_section *s = fw_report_section(r, "kernel", "What the kernel says");
	struct truth *t = self;
	const struct fw_truth *busiest;

	if (!ctx->nr_truth) {
		fw_section_note(r, s, "The kernel's settings and counters could not be read.");
		return;
	}
	busiest = busiest_of(t, ctx);
	fw_section_fact(r, s, "netns", "Network namespace", fw_cell_id(busiest->netns));
	counters(busiest, own_in(t, busiest->netns), open_minisocks(ctx, busiest->netns), r, s);
	sysctls(&busiest->sysctls, r, s);
	if (ctx->filtered)
		fw_section_note(r, s,
				"A filter is in force: the kernel counts all connections, finwait "
				"those that it lets through.");
	if (t->netns.nr > 1)
		fw_section_note(r, s,
				"Connections of %s were seen; counters and settings are those of "
				"the busiest.",
				fw_words_plural(t->netns.nr, "network namespace").text);
}

const struct fw_analysis fw_analysis_truth = {
	.name = "truth",
	.size = sizeof(struct truth),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .connection = on_connection },
	.report = report,
};
