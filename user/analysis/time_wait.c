// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT: how long 2MSL really is, and what ends it early.
 *
 * TIME_WAIT is set to 60 s (TCP_TIMEWAIT_LEN), but the kernel's timer wheel is coarse: a timer is put
 * into a bucket of its level, and fires when the whole bucket does.
 *
 *	level n holds what is 63 * 8^(n-1) to 63 * 8^n jiffies away, in buckets of 8^n jiffies
 *	60 s at HZ=250:  15000 jiffies, level 3, buckets of 512 jiffies  = 2.05 s: 60 to 62.05 s
 *	60 s at HZ=1000: 60000 jiffies, level 4, buckets of 4096 jiffies = 4.10 s: 60 to 64.10 s
 */
#include "analysis/words.h"

#include "util/fmt.h"

#define NOMINAL_S 60
#define WHEEL_LEVELS 9
#define BARS_MAX 16

enum { BY_PROCESS, BY_PEER, NR_BY };

struct who {
	uint64_t entered, ended, early;
	double sum_ns; /* of those that ended */
	uint64_t max_ns;
};

struct time_wait {
	uint64_t entered, restarts, since_before;
	uint32_t full_netns; /* where the table was full last */
	uint64_t ends[FW_END_MAX];
	struct fw_hist all, expired, role[FW_ROLE_MAX];
	struct fw_groups by[NR_BY];
};

static const unsigned int group_by[NR_BY] = {
	[BY_PROCESS] = FW_BY_COMM | FW_BY_PID | FW_BY_CGROUP | FW_BY_NETNS,
	[BY_PEER] = FW_BY_RADDR | FW_BY_SERVICE | FW_BY_NETNS,
};

static int init(void *self, const struct fw_analysis_options *opt)
{
	struct time_wait *tw = self;
	int ret = 0;

	(void)opt;
	for (int i = 0; i < NR_BY && !ret; i++)
		ret = fw_groups_init(&tw->by[i], sizeof(struct who), FW_GROUPS_MAX);
	return ret;
}

static void fini(void *self)
{
	struct time_wait *tw = self;

	for (int i = 0; i < NR_BY; i++)
		fw_groups_fini(&tw->by[i]);
}

static struct who *who_of(struct time_wait *tw, int by, const struct fw_conn *c)
{
	struct fw_group_key key = fw_group_key_of(c, group_by[by]);

	key.extra = by == BY_PEER ? c->role : 0;
	return fw_groups_get(&tw->by[by], &key);
}

static void on_transition(void *self, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct time_wait *tw = self;

	if (tr->flags & FW_TR_RESTART)
		tw->restarts++;
	if (tr->to != FW_TIME_WAIT || tr->from == FW_TIME_WAIT)
		return;
	tw->entered++;
	for (int i = 0; i < NR_BY; i++)
		who_of(tw, i, c)->entered++;
}

static void on_connection(void *self, const struct fw_conn *c)
{
	struct time_wait *tw = self;
	unsigned int last = c->nr_steps - 1U;
	uint64_t ns;

	if (c->end == FW_END_OPEN || c->end >= FW_END_MAX)
		return;
	if (fw_conn_state(c) != FW_TIME_WAIT) {
		if (c->end != FW_END_TIME_WAIT_OVERFLOW)
			return;
		tw->ends[c->end]++;
		tw->full_netns = c->netns;
		return;
	}
	tw->ends[c->end]++;
	if (c->step_flags[last] & FW_STEP_AT_LEAST)
		tw->since_before++;
	if (c->step_flags[last] & (FW_STEP_AT_LEAST | FW_STEP_AT_MOST))
		return;
	ns = fw_conn_dwell_ns(c, last);
	fw_hist_record(&tw->all, ns);
	fw_hist_record(&tw->role[c->role], ns);
	if (c->end == FW_END_TIME_WAIT_EXPIRED && !c->restarts)
		fw_hist_record(&tw->expired, ns);
	for (int i = 0; i < NR_BY; i++) {
		struct who *who = who_of(tw, i, c);

		who->ended++;
		who->early += c->end != FW_END_TIME_WAIT_EXPIRED;
		who->sum_ns += (double)ns;
		who->max_ns = ns > who->max_ns ? ns : who->max_ns;
	}
}

/* Width of the wheel's buckets at that distance. */
static uint64_t bucket_ns(unsigned int hz)
{
	uint64_t jiffies = (uint64_t)NOMINAL_S * hz;
	unsigned int level = 0;

	while (level + 1 < WHEEL_LEVELS && jiffies >= 63ULL << (3 * level))
		level++;
	return (1ULL << (3 * level)) * FW_NS_PER_S / hz;
}

static void duration_row(struct fw_report *r, struct fw_table *t, const char *which,
			 const struct fw_hist *h)
{
	if (h->count)
		fw_table_row(r, t, (struct fw_cell[]){
			fw_cell_text(which, SIZE_MAX), fw_cell_count(h->count),
			fw_cell_hist(h, 0), fw_cell_hist(h, 50), fw_cell_hist(h, 90),
			fw_cell_hist(h, 99), fw_cell_hist(h, 100) });
}

static void durations(const struct time_wait *tw, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = {
		"which", "duration of", "ended", "ended", "min", "min", "p50", "p50", "p90", "p90",
		"p99", "p99", "max", "max", NULL,
	};
	struct fw_table *t = fw_section_table(r, s, "durations", "How long it lasted", columns);

	duration_row(r, t, "all", &tw->all);
	duration_row(r, t, "2MSL timer, no restart", &tw->expired);
	duration_row(r, t, "side that connected", &tw->role[FW_ROLE_ACTIVE]);
	duration_row(r, t, "side that accepted", &tw->role[FW_ROLE_PASSIVE]);
	duration_row(r, t, "side not known", &tw->role[FW_ROLE_UNKNOWN]);
}

static void bars(const struct time_wait *tw, struct fw_report *r, struct fw_section *s)
{
	if (tw->expired.count)
		fw_bars_hist(r,
			     fw_section_bars(r, s, "expired",
					     "How long, when the timer ended it "
					     "and nothing restarted it"),
			     &tw->expired, BARS_MAX);
	if (tw->all.count > tw->expired.count)
		fw_bars_hist(r, fw_section_bars(r, s, "all", "How long, whatever ended it"),
			     &tw->all, BARS_MAX);
}

static uint64_t ended_of(const struct time_wait *tw)
{
	uint64_t n = 0;

	for (unsigned int end = 0; end < FW_END_MAX; end++)
		n += tw->ends[end];
	return n;
}

static void cause_row(struct fw_report *r, struct fw_table *t, enum fw_end end, uint64_t n)
{
	const struct fw_cell cells[] = {
		fw_cell_text(fw_end_name(end), SIZE_MAX), fw_cell_text(fw_end_words(end), SIZE_MAX),
		fw_cell_count(n),
	};

	fw_table_row(r, t, cells);
}

static void causes(const struct time_wait *tw, struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[] = { "end",	"end",	 "words", "because of",
					       "count", "count", NULL };
	struct fw_table *t = fw_section_table(r, s, "ends", "What ended it", columns);

	for (unsigned int end = 0; end < FW_END_MAX; end++) {
		if (tw->ends[end])
			cause_row(r, t, end, tw->ends[end]);
	}
}

static uint64_t entered_of(const void *value)
{
	return ((const struct who *)value)->entered + ((const struct who *)value)->ended;
}

static struct fw_cell mean(const struct who *who)
{
	return who->ended ? fw_cell_duration((uint64_t)(who->sum_ns / (double)who->ended)) :
			    fw_cell_unknown();
}

static void who_row(struct fw_report *r, struct fw_table *t, struct fw_cell name,
		    const struct who *who)
{
	const struct fw_cell cells[] = {
		name, fw_cell_count(who->entered), fw_cell_count(who->ended),
		fw_cell_count(who->early), mean(who),
		who->ended ? fw_cell_duration(who->max_ns) : fw_cell_unknown(),
	};

	fw_table_row(r, t, cells);
}

static void process_row(const struct fw_analysis_context *ctx, struct fw_report *r,
			struct fw_table *t, const struct fw_group *group)
{
	(void)ctx;
	who_row(r, t, fw_cell_process(group->key.comm, group->key.pid),
		(const void *)group->value);
}

static void peer_row(const struct fw_analysis_context *ctx, struct fw_report *r,
		     struct fw_table *t, const struct fw_group *group)
{
	const struct fw_group_key *key = &group->key;

	(void)ctx;
	/* The service's port, whichever side it is on. */
	who_row(r, t,
		fw_cell_printf("%s %s :%u", fw_words_endpoint(key->family, key->raddr, 0).text,
			       key->extra == FW_ROLE_PASSIVE ? "to" : "at", key->lport),
		(const void *)group->value);
}

static void by_whom(struct time_wait *tw, const struct fw_analysis_context *ctx,
		    struct fw_report *r, struct fw_section *s)
{
	static const char *const columns[NR_BY][13] = {
		{ "process", "process", "entered", "entered", "ended", "ended", "early", "early",
		  "mean", "mean", "max", "max", NULL },
		{ "peer", "peer", "entered", "entered", "ended", "ended", "early", "early",
		  "mean", "mean", "max", "max", NULL },
	};
	struct fw_table *t;

	if (!tw->entered && !tw->all.count)
		return;
	t = fw_section_table(r, s, "by_process", "By process", columns[BY_PROCESS]);
	fw_table_groups(ctx, r, t, &tw->by[BY_PROCESS], entered_of, process_row);
	t = fw_section_table(r, s, "by_peer", "By peer", columns[BY_PEER]);
	fw_table_groups(ctx, r, t, &tw->by[BY_PEER], entered_of, peer_row);
	fw_note_unlisted(r, s, &tw->by[BY_PEER]);
}

/* What the wheel makes of 60 s, and what was measured beyond it. */
static void wheel(const struct time_wait *tw, const struct fw_analysis_context *ctx,
		  struct fw_report *r, struct fw_section *s)
{
	unsigned int hz = ctx->tracker->hz;
	uint64_t nominal = NOMINAL_S * FW_NS_PER_S, bucket;
	const struct fw_hist *h = &tw->expired;

	fw_section_fact(r, s, "nominal", "TCP_TIMEWAIT_LEN", fw_cell_duration(nominal));
	if (hz) {
		bucket = bucket_ns(hz);
		fw_section_fact(r, s, "hz", "HZ", fw_cell_count(hz));
		fw_section_fact(r, s, "wheel_bucket", "Timer wheel bucket",
				fw_cell_duration(bucket));
		fw_section_fact(r, s, "expected_max", "So it lasts up to",
				fw_cell_duration(nominal + bucket));
		fw_section_note(r, s,
				"At HZ=%u the timer wheel fires a timer of 60 s in steps of %s: "
				"a TIME_WAIT that nothing cuts short lasts 60 s to %s, and the "
				"timer softirq adds its own delay.",
				hz, fw_words_duration(bucket).text,
				fw_words_duration(nominal + bucket).text);
	}
	if (!h->count)
		return;
	fw_section_fact(r, s, "excess_p50", "Beyond 60 s, median",
			fw_cell_duration(fw_hist_percentile(h, 50) > nominal ?
					 fw_hist_percentile(h, 50) - nominal : 0));
	fw_section_fact(r, s, "excess_max", "Beyond 60 s, longest",
			fw_cell_duration(h->max_ns > nominal ? h->max_ns - nominal : 0));
}

static void find_table_full(const struct time_wait *tw, const struct fw_analysis_context *ctx,
			    struct fw_report *r)
{
	uint64_t n = tw->ends[FW_END_TIME_WAIT_OVERFLOW];
	const struct fw_netns_values *values = fw_values_of(ctx, tw->full_netns);
	struct fw_finding *f;

	if (n < FW_LIMIT_OVERFLOW)
		return;
	f = fw_finding_begin(r, "time-wait-table-full", FW_SEVERITY_WARNING, FW_RANK_TABLE_FULL, n);
	fw_finding_say(r, &f->title, "The TIME_WAIT table was full: %s ended without TIME_WAIT",
		       fw_words_plural(n, "connection").text);
	fw_finding_evidence(r, f, "overflows", "Without TIME_WAIT", fw_cell_count(n));
	fw_finding_evidence(r, f, "netns", "Network namespace", fw_cell_netns(ctx, tw->full_netns));
	fw_finding_evidence(r, f, "entered", "Entered TIME_WAIT meanwhile",
			    fw_cell_count(tw->entered));
	if (values && values->sysctls.tcp_max_tw_buckets >= 0)
		fw_finding_evidence(r, f, "tcp_max_tw_buckets", "tcp_max_tw_buckets",
				    fw_cell_count((uint64_t)values->sysctls.tcp_max_tw_buckets));
}

static void report(void *self, const struct fw_analysis_context *ctx, struct fw_report *r)
{
	struct time_wait *tw = self;
	struct fw_section *s = fw_report_section(r, "time_wait", "TIME_WAIT");
	const struct fw_conn *c = NULL;
	uint64_t open = 0;

	while ((c = fw_open_next(ctx, c)))
		open += fw_conn_is_in(c, FW_TIME_WAIT);
	fw_section_fact(r, s, "now", "Now", fw_cell_count(open));
	fw_section_fact(r, s, "entered", "Entered", fw_cell_count(tw->entered));
	fw_section_fact(r, s, "entered", "Entered, rate",
			fw_cell_rate(fw_rate_per_s(ctx, tw->entered)));
	fw_section_fact(r, s, "restarts", "Restarts", fw_cell_count(tw->restarts));
	wheel(tw, ctx, r, s);
	if (tw->all.count)
		durations(tw, r, s);
	if (ended_of(tw))
		causes(tw, r, s);
	bars(tw, r, s);
	by_whom(tw, ctx, r, s);
	if (tw->since_before)
		fw_section_note(r, s, "%s had begun before finwait: no duration is known of them.",
				fw_words_count(tw->since_before).text);
	find_table_full(tw, ctx, r);
}

const struct fw_analysis fw_analysis_time_wait = {
	.name = "time_wait",
	.size = sizeof(struct time_wait),
	.init = init,
	.fini = fini,
	.on = { .transition = on_transition, .connection = on_connection },
	.report = report,
};
