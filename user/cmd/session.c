// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/cost.h"
#include "cmd/inputs.h"
#include "cmd/tap.h"
#include "io/host.h"
#include "io/ksyms.h"
#include "io/recording.h"

/* How long a record may wait below the ring's wake-up level. */
#define POLL_MS 50
#define SETTLE_NS 1000000000ULL
#define OVERDUE_NS 60000000000ULL
/* After a loss the snapshot that mends it waits for the burst to pass, but not for ever. */
#define RESYNC_QUIET_NS 1000000000ULL
#define RESYNC_LATEST_NS 10000000000ULL
/* Whoever ends a recording does not wait for ever. */
#define LAST_SNAPSHOT_NS 5000000000ULL
#define HOLDERS_NS 250000000ULL
/* A look at the holders of listeners delays the end by no more than this. */
#define LAST_HOLDERS_NS 1000000000ULL

const char *fw_session_cgroup_path(void *arg, uint64_t id)
{
	return fw_names_get(&((struct fw_session *)arg)->cgroups, id);
}

const char *fw_session_netns_names(void *arg, uint32_t inum)
{
	return fw_names_all(&((struct fw_session *)arg)->netns, inum);
}

const char *fw_session_netns_name(void *arg, uint32_t inum)
{
	return fw_names_get(&((struct fw_session *)arg)->netns, inum);
}

static void mark(struct fw_session *s, enum fw_mark_kind kind, uint64_t ts_ns, uint64_t number)
{
	const struct fw_mark m = { .kind = kind, .ts_ns = ts_ns, .number = number };

	fw_inputs_mark(s, &m);
}

static void on_ahead(void *arg, const void *record, size_t len)
{
	struct fw_session *s = arg;

	(void)len;
	fw_tracker_ahead(&s->tracker, record);
}

/* Before the records of a batch, so that what ends in it knows of the gap. */
static void check_losses(struct fw_session *s)
{
	struct fw_source_stats now;

	s->src->ops->stats(s->src, &now);
	if (now.lost > s->seen.lost || now.missed > s->seen.missed) {
		s->loss_seen_ns = s->src->ops->now_ns(s->src);
		if (!s->unmended_since_ns)
			s->unmended_since_ns = s->loss_seen_ns;
	}
	if (now.lost > s->seen.lost)
		mark(s, FW_MARK_LOST, now.last_lost_ns, now.lost - s->seen.lost);
	if (now.missed > s->seen.missed)
		mark(s, FW_MARK_LOST, s->loss_seen_ns, now.missed - s->seen.missed);
	if (now.suppressed > s->seen.suppressed)
		mark(s, FW_MARK_SUPPRESSED, s->loss_seen_ns, now.suppressed);
	if (now.netns_refused != s->seen.netns_refused)
		mark(s, FW_MARK_NETNS_REFUSED, s->now_ns,
		     (uint64_t)now.refused_netns << 32 | now.netns_refused);
	if (now.netns_hidden != s->seen.netns_hidden)
		mark(s, FW_MARK_NETNS_HIDDEN, s->now_ns, now.netns_hidden);
	s->seen.lost = now.lost;
	s->seen.missed = now.missed;
}

/* The two clocks are not read at the same moment; steps of the time of day are larger than that. */
#define CLOCK_STEP_NS 1000000

static void check_clock(struct fw_session *s)
{
	int64_t was_ns = fw_wall_clock_offset_ns(&s->clock), is_ns;

	if (!s->src->ops->wall_offset_ns)
		return;
	is_ns = s->src->ops->wall_offset_ns(s->src);
	if (llabs(is_ns - was_ns) >= CLOCK_STEP_NS)
		mark(s, FW_MARK_CLOCK, s->src->ops->now_ns(s->src), (uint64_t)is_ns);
}

static void look(void *arg, uint64_t skaddr, uint64_t cookie)
{
	struct fw_source *src = arg;

	src->ops->look(src, skaddr, cookie);
}

/* Once a second, and at the end: what no hook reports. */
static void settle(struct fw_session *s)
{
	fw_tracker_unsettled(&s->tracker, look, s->src);
}

/* The functions that name causes, where they are in this kernel. */
static void set_symbols(struct fw_symbols *symbols, const struct fw_ksyms *ks)
{
	const char *names[FW_SYMBOLS_MAX];
	struct fw_ksym found[FW_SYMBOLS_MAX];
	unsigned int nr = 0;

	while (fw_symbol_names[nr].name) {
		names[nr] = fw_symbol_names[nr].name;
		nr++;
	}
	symbols->nr = fw_ksyms_find(ks, names, nr, found, FW_SYMBOLS_MAX);
	for (unsigned int i = 0; i < symbols->nr; i++)
		symbols->sym[i] = (struct fw_symbol){ found[i].start, found[i].end,
						      fw_symbol_names[found[i].name].frame };
}

static int open_live(struct fw_session *s, struct fw_err *err)
{
	struct fw_live_options live = s->opt->live;
	struct fw_ksyms *ks = fw_ksyms_open(err);

	if (!ks)
		return err->code;
	set_symbols(&s->symbols, ks);
	live.ksyms = ks;
	s->src = fw_live_open(&live, NULL, err);
	fw_ksyms_free(ks);
	return s->src ? 0 : err->code;
}

static int open_look(struct fw_session *s, struct fw_err *err)
{
	s->src = fw_look_open(&s->opt->live, err);
	return s->src ? 0 : err->code;
}

static int open_recording(struct fw_session *s, struct fw_err *err)
{
	s->src = fw_recording_open(s->opt->inputs, s->opt->nr_inputs, err);
	if (!s->src)
		return err->code;
	fw_symbols_of_frames(&s->symbols);
	/* No namespace is admitted until a mark has named it. */
	if (s->opt->nr_netns_names)
		s->filter.rule.netns[s->filter.rule.nr_netns++] = FW_NO_NETNS;
	s->admit_all = !fw_rule_is_set(&s->filter.rule);
	s->src->info.filtered |= fw_rule_has_endpoints(&s->filter.rule);
	return 0;
}

/* What is older than the trace. Worth a lot, but not the trace itself. */
static void snapshot(struct fw_session *s)
{
	struct fw_err err = { 0 };

	if (!s->src->ops->snapshot || !s->src->ops->snapshot(s->src, &err))
		return;
	fw_complain(&err);
	fw_say(FW_LEVEL_INFO, "connections are seen from their next transition on");
}

/* ---- What the host tells when asked ------------------------------------------------------- */

static void on_values(void *arg, const struct fw_netns_values *v)
{
	struct fw_session *s = arg;
	struct fw_buf b = { 0 };
	struct fw_mark m = { .kind = FW_MARK_VALUES, .number = v->netns };

	fw_netns_values_print(v, &b);
	m.text = b.data;
	m.len = b.len;
	fw_inputs_mark(s, &m);
	fw_buf_free(&b);
}

static void read_values(struct fw_session *s)
{
	if ((!s->opt->readings && !s->recorder) || !s->src->ops->values)
		return;
	mark(s, FW_MARK_VALUES_BEGIN, s->src->ops->now_ns(s->src), 0);
	s->src->ops->values(s->src, on_values, s);
	mark(s, FW_MARK_VALUES_END, s->src->ops->now_ns(s->src), 0);
}

static void read_cost(struct fw_session *s)
{
	struct fw_source_cost cost = { 0 };
	struct fw_buf b = { 0 };
	struct fw_mark m = { .kind = FW_MARK_COST };

	if ((!s->opt->readings && !s->recorder) || !s->src->ops->cost)
		return;
	s->src->ops->cost(s->src, &cost);
	fw_cost_print(&cost, &b);
	m.text = b.data;
	m.len = b.len;
	fw_inputs_mark(s, &m);
	fw_buf_free(&b);
}

void fw_session_refresh(struct fw_session *s)
{
	if (s->stopped)
		return;
	read_values(s);
	read_cost(s);
}

const struct fw_readings *fw_session_readings(struct fw_session *s)
{
	fw_readings_since(&s->last, &s->first);
	return &s->last;
}

/* ---- From the beginning to the end ------------------------------------------------------- */

static int open_source(struct fw_session *s, struct fw_err *err)
{
	int ret;

	if (s->opt->nr_inputs)
		return open_recording(s, err);
	s->admit_all = true;
	ret = fw_host_check(err);
	if (ret)
		return ret;
	return s->opt->look ? open_look(s, err) : open_live(s, err);
}

/* At the beginning of a recording, and of each of its files, everything is told that was there. */
static void look_around(struct fw_session *s)
{
	read_values(s);
	if (!s->opt->no_snapshot)
		snapshot(s);
	s->next_snapshot_ns = s->now_ns + s->opt->snapshot_ns;
}

/* For whoever reads the recording from somewhere in its middle. */
static void look_again(struct fw_session *s, uint64_t now)
{
	if (!s->recorder || !s->opt->snapshot_ns || now < s->next_snapshot_ns ||
	    s->src->ops->in_snapshot(s->src))
		return;
	look_around(s);
	read_cost(s);
}

int fw_session_open(struct fw_session *s, const struct fw_options *opt,
		    const struct fw_observer *observer, struct fw_err *err)
{
	int ret;

	*s = (struct fw_session){
		.opt = opt, .filter = opt->filter,
		.on_counters = s->on_counters, .on_counters_arg = s->on_counters_arg,
	};
	s->filter.cgroup_path = fw_session_cgroup_path;
	s->filter.cgroup_arg = s;
	ret = open_source(s, err);
	if (ret)
		return ret;
	s->now_ns = s->src->info.start_ns;
	fw_wall_clock_init(&s->clock, s->src->info.wall_offset_ns);
	if (fw_tracker_init(&s->tracker, opt->max_connections, s->src->info.hz,
			    s->src->info.start_ns, observer))
		return fw_err_set(err, -ENOMEM, "no memory for the connection table");
	s->src->ahead = on_ahead;
	s->src->mark = fw_inputs_mark;
	s->src->ahead_arg = s->src->mark_arg = s;
	s->tracker.rearms_unseen = s->src->info.rearms_unseen;
	fw_names_init(&s->cgroups);
	fw_names_init(&s->netns);
	ret = fw_tap_open(s, err);
	if (ret)
		return ret;
	look_around(s);
	fw_looks_begin(&s->looks, &opt->looks, s->src->info.start_ns);
	return 0;
}

static void notice(struct fw_session *s)
{
	struct fw_err err = { 0 };

	if (!s->src->notice[0])
		return;
	fw_err_set(&err, -ENODATA, "%s", s->src->notice);
	fw_complain(&err);
	s->src->notice[0] = '\0';
	s->cut_off = true;
}

static int drain(struct fw_session *s, int timeout_ms, struct fw_err *err)
{
	int n;

	check_losses(s);
	check_clock(s);
	n = s->src->ops->poll(s->src, timeout_ms, fw_inputs_record, s, err);
	if (n < 0)
		return n;
	mark(s, FW_MARK_TIME, s->src->ops->now_ns(s->src), 0);
	notice(s);
	return 0;
}

bool fw_session_has_gaps(const struct fw_session *s)
{
	return s->tracker.counters.lost || s->cut_off;
}

bool fw_session_ended(const struct fw_session *s)
{
	return s->src->ended;
}

uint64_t fw_session_now_ns(const struct fw_session *s)
{
	return s->now_ns;
}

/* An end that no hook has reported is a loss as well, however long ago. */
static void check_overdue(struct fw_session *s, uint64_t now)
{
	if (s->opt->nr_inputs || s->unmended_since_ns || !fw_tracker_overdue(&s->tracker, now))
		return;
	s->unmended_since_ns = now;
	s->loss_seen_ns = now;
}

/* What a loss has made wrong, a snapshot makes right. */
static void resync(struct fw_session *s, uint64_t now)
{
	if (!s->unmended_since_ns || s->opt->no_snapshot || s->src->ops->in_snapshot(s->src))
		return;
	if (now - s->loss_seen_ns < RESYNC_QUIET_NS && now - s->unmended_since_ns < RESYNC_LATEST_NS)
		return;
	s->unmended_since_ns = 0;
	s->resyncs++;
	snapshot(s);
}

static void look_between(struct fw_session *s, uint64_t now)
{
	if (s->opt->no_snapshot || !s->src->ops->snapshot || s->opt->look)
		return;
	if (fw_looks_are_due(&s->looks, now, s->src->ops->in_snapshot(s->src)))
		snapshot(s);
}

/* Polls until what @under_way tells of is complete. */
static void finish(struct fw_session *s, bool (*under_way)(struct fw_source *src), uint64_t most_ns,
		   struct fw_err *err)
{
	uint64_t deadline = s->src->ops->now_ns(s->src) + most_ns;
	int ret = 0;

	while (!ret && under_way(s->src) && s->src->ops->now_ns(s->src) < deadline)
		ret = drain(s, POLL_MS, err);
}

/* Who holds listeners now, for connections that nobody has accepted. @last: at the end. */
static void look_at_holders(struct fw_session *s, bool last, struct fw_err *err)
{
	if (!s->src->ops->holders || s->opt->no_snapshot || s->src->ops->in_snapshot(s->src) ||
	    !fw_tracker_wants_holders(&s->tracker, last))
		return;
	s->src->ops->holders(s->src, last);
	if (last)
		finish(s, s->src->ops->in_holders, LAST_HOLDERS_NS, err);
}

bool fw_session_looks(struct fw_session *s)
{
	bool in_snapshot;

	if (s->opt->no_snapshot || !s->src->ops->snapshot)
		return false;
	in_snapshot = s->src->ops->in_snapshot(s->src);
	if (!fw_looks_are_wanted(&s->looks, s->src->ops->now_ns(s->src), in_snapshot))
		return in_snapshot;
	snapshot(s);
	return s->src->ops->in_snapshot(s->src);
}

int fw_session_step(struct fw_session *s, struct fw_err *err)
{
	uint64_t now = s->src->ops->now_ns(s->src);
	int ret;

	if (now >= s->next_settle_ns) {
		settle(s);
		s->next_settle_ns = now + SETTLE_NS;
	}
	if (now >= s->next_overdue_ns) {
		check_overdue(s, now);
		s->next_overdue_ns = now + OVERDUE_NS;
	}
	if (now >= s->next_holders_ns) {
		look_at_holders(s, false, err);
		s->next_holders_ns = now + HOLDERS_NS;
	}
	resync(s, now);
	look_again(s, now);
	look_between(s, now);
	ret = drain(s, POLL_MS, err);
	if (!ret)
		ret = fw_tap_step(s, err);
	if (ret == 1)
		look_around(s);
	return ret < 0 ? ret : 0;
}

/* The last of a recording's snapshots: what there was at its end. */
static void look_back(struct fw_session *s, struct fw_err *err)
{
	if (!s->recorder || s->opt->no_snapshot)
		return;
	if (!s->src->ops->in_snapshot(s->src))
		snapshot(s);
	finish(s, s->src->ops->in_snapshot, LAST_SNAPSHOT_NS, err);
}

int fw_session_stop(struct fw_session *s, struct fw_err *err)
{
	int ret;

	look_back(s, err);
	look_at_holders(s, true, err);
	/* The kernel goes on counting: what comes after that is counted apart. */
	fw_session_refresh(s);
	s->src->ops->stop(s->src);
	ret = drain(s, 0, err);
	settle(s);
	if (!ret)
		ret = drain(s, 0, err);
	check_losses(s);
	s->stopped = true;
	mark(s, FW_MARK_END, s->src->ops->now_ns(s->src), 0);
	return ret ? ret : fw_tap_close(s, err);
}

int fw_session_finish(struct fw_session *s, struct fw_err *err)
{
	int ret = fw_session_stop(s, err);

	fw_tracker_finish(&s->tracker, s->now_ns);
	return ret;
}

static void say_count(const char *what, uint64_t n)
{
	if (n)
		fw_say(FW_LEVEL_INFO, "%llu %s", (unsigned long long)n, what);
}

void fw_session_summarise(const struct fw_session *s)
{
	const struct fw_tracker_counters *c = &s->tracker.counters;

	fw_say(FW_LEVEL_INFO, "%llu events, %llu connections ended, %llu events lost",
		(unsigned long long)c->events, (unsigned long long)c->connections,
		(unsigned long long)c->lost);
	say_count("times all connections were looked at again after a loss", s->resyncs);
	say_count("half-open connections above --half-open-limit were only counted",
		  s->seen.suppressed);
	say_count("transitions did not follow from the state known before (events lost?)", c->gaps);
	say_count("transitions are not in the TCP state machine", c->illegal);
	say_count("connections were forgotten to stay within --max-connections", c->evicted);
	say_count("connections could not be tracked: no memory", c->no_memory);
	say_count("malformed records", s->malformed);
}

uint32_t fw_session_netns_unfound(const struct fw_session *s)
{
	const struct fw_filter_rule *rule = &s->filter.rule;

	if (!s->src || s->src->info.recorded || !s->tracker.snapshot_ns || s->seen.netns_refused ||
	    s->src->ops->in_snapshot(s->src))
		return 0;
	for (unsigned int i = 0; i < rule->nr_netns; i++) {
		if (!fw_tracker_visited(&s->tracker, rule->netns[i]))
			return rule->netns[i];
	}
	return 0;
}

/* Without the privileges for it a snapshot is not of the whole host. */
static void say_unseen(struct fw_session *s)
{
	const char *name = fw_session_netns_name(s, s->seen.refused_netns);
	uint32_t unfound = fw_session_netns_unfound(s);

	if (unfound)
		fw_say(FW_LEVEL_INFO, "there is no network namespace %u: no process or thread is in it, no "
			"process holds a socket of it, and it has no name", unfound);

	if (s->seen.netns_refused)
		fw_say(FW_LEVEL_INFO, "%u network namespaces could not be entered (CAP_SYS_ADMIN), among them "
			"%u (%s): what was open there before is not shown",
			s->seen.netns_refused, s->seen.refused_netns, name ? name : "without a name");
	say_count("processes do not let their network namespaces be seen (CAP_SYS_PTRACE): what was "
		  "open there before may not be shown",
		  s->seen.netns_hidden);
}

void fw_session_close(struct fw_session *s)
{
	fw_tap_close(s, NULL);
	if (s->src) {
		say_unseen(s);
		s->src->ops->free(s->src);
	}
	fw_names_fini(&s->cgroups);
	fw_names_fini(&s->netns);
	fw_readings_fini(&s->first);
	fw_readings_fini(&s->last);
	fw_tracker_fini(&s->tracker);
	*s = (struct fw_session){ 0 };
}
