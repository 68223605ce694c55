// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "io/host.h"
#include "io/ksyms.h"

/* How long a record may wait below the ring's wake-up level. */
#define POLL_MS 50
#define SETTLE_NS 1000000000ULL
/* After a loss the snapshot that mends it waits for the burst to pass, but not for ever. */
#define RESYNC_QUIET_NS 1000000000ULL
#define RESYNC_LATEST_NS 10000000000ULL

const char *fw_session_cgroup_path(void *arg, uint64_t id)
{
	struct fw_session *s = arg;

	return s->cgroups ? fw_cgroups_path(s->cgroups, id) : NULL;
}

const char *fw_session_netns_name(void *arg, uint32_t inum)
{
	struct fw_session *s = arg;

	return s->src->ops->netns_name(s->src, inum);
}

/* Control groups, and network namespaces, are named now, while they exist. */
static uint64_t cgroup_of(const struct fw_event *ev)
{
	if (ev->state)
		return ev->state->cgroup_id;
	if (ev->sock)
		return ev->sock->cgroup_id;
	return ev->process ? ev->process->cgroup_id : 0;
}

static void on_record(void *arg, const void *record, size_t len)
{
	struct fw_session *s = arg;
	struct fw_event ev;

	if (fw_decode(record, len, &s->symbols, &ev)) {
		s->malformed++;
		return;
	}
	fw_session_cgroup_path(s, cgroup_of(&ev));
	if (ev.head->netns && ev.head->netns != s->named_netns)
		fw_session_netns_name(s, ev.head->netns);
	s->named_netns = ev.head->netns;
	fw_tracker_apply(&s->tracker, &ev);
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
		fw_tracker_lost(&s->tracker, now.lost - s->seen.lost, now.last_lost_ns);
	if (now.missed > s->seen.missed)
		fw_tracker_lost(&s->tracker, now.missed - s->seen.missed,
				s->src->ops->now_ns(s->src));
	s->seen = now;
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

/* What is older than the trace. Worth a lot, but not the trace itself. */
static void snapshot(struct fw_session *s)
{
	struct fw_err err = { 0 };

	if (!s->src->ops->snapshot(s->src, &err))
		return;
	fw_complain(&err);
	fprintf(stderr, "finwait: connections are seen from their next transition on\n");
}

int fw_session_open(struct fw_session *s, const struct fw_options *opt,
		    const struct fw_observer *observer, struct fw_err *err)
{
	int ret;

	*s = (struct fw_session){ .opt = opt, .filter = opt->filter };
	s->filter.cgroup_path = fw_session_cgroup_path;
	s->filter.cgroup_arg = s;
	ret = fw_host_check(err);
	if (!ret)
		ret = opt->look ? open_look(s, err) : open_live(s, err);
	if (ret)
		return ret;
	if (fw_tracker_init(&s->tracker, opt->max_connections, s->src->info.hz,
			    s->src->info.start_ns, observer))
		return fw_err_set(err, -ENOMEM, "no memory for the connection table");
	s->src->ahead = on_ahead;
	s->src->ahead_arg = s;
	s->tracker.rearms_unseen = s->src->info.rearms_unseen;
	s->cgroups = fw_cgroups_new();
	if (!opt->no_snapshot)
		snapshot(s);
	return 0;
}

static int drain(struct fw_session *s, int timeout_ms, struct fw_err *err)
{
	int n;

	check_losses(s);
	n = s->src->ops->poll(s->src, timeout_ms, on_record, s);
	if (n < 0)
		return fw_err_set(err, n, "cannot read events from the kernel");
	fw_tracker_advance(&s->tracker, s->src->ops->now_ns(s->src));
	return 0;
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

int fw_session_step(struct fw_session *s, struct fw_err *err)
{
	uint64_t now = s->src->ops->now_ns(s->src);

	if (now >= s->next_settle_ns) {
		settle(s);
		s->next_settle_ns = now + SETTLE_NS;
	}
	resync(s, now);
	return drain(s, POLL_MS, err);
}

int fw_session_stop(struct fw_session *s, struct fw_err *err)
{
	int ret;

	s->src->ops->stop(s->src);
	ret = drain(s, 0, err);
	settle(s);
	if (!ret)
		ret = drain(s, 0, err);
	check_losses(s);
	return ret;
}

int fw_session_finish(struct fw_session *s, struct fw_err *err)
{
	int ret = fw_session_stop(s, err);

	fw_tracker_finish(&s->tracker, s->src->ops->now_ns(s->src));
	return ret;
}

static void say_count(const char *what, uint64_t n)
{
	if (n)
		fprintf(stderr, "finwait: %llu %s\n", (unsigned long long)n, what);
}

void fw_session_say_refused(struct fw_session *s)
{
	struct fw_source_stats now;
	const char *name;

	s->src->ops->stats(s->src, &now);
	if (!now.netns_refused)
		return;
	name = fw_session_netns_name(s, now.refused_netns);
	fprintf(stderr, "finwait: %u network namespaces could not be entered, among them %u (%s): "
			"connections that existed there are missing; setns() needs CAP_SYS_ADMIN\n",
		now.netns_refused, now.refused_netns, name ? name : "without a name");
}

void fw_session_summarise(struct fw_session *s)
{
	const struct fw_tracker_counters *c = &s->tracker.counters;

	fprintf(stderr, "finwait: %llu events, %llu connections ended, %llu events lost\n",
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
	fw_session_say_refused(s);
}

void fw_session_close(struct fw_session *s)
{
	if (s->src)
		s->src->ops->free(s->src);
	fw_cgroups_free(s->cgroups);
	fw_tracker_fini(&s->tracker);
	*s = (struct fw_session){ 0 };
}
