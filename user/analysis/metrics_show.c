// SPDX-License-Identifier: GPL-2.0-only
/*
 * The families. Every label has a fixed set of values, or the names of a survey, which are
 * FW_SURVEY_TOP at the most: that bounds the series. What can be zero is shown as zero, so that a rate
 * is known from the first event on.
 */
#include "analysis/metrics.h"

#include <string.h>

#include "report/explain.h"
#include "util/fmt.h"

#define NS_PER_S 1e9

const char *const fw_metrics_labels[] = {
	"state", "from", "to", "le", "end", "cause", "kind", "process", "local", "remote", "port",
	"direction", "hooks", "version", "result", "finding", NULL,
};

/* In the order of a connection's life. */
static const uint8_t states[] = { FW_CLOSE, FW_LISTEN, FW_SYN_SENT, FW_SYN_RECV, FW_ESTABLISHED,
				  FW_FIN_WAIT_1, FW_FIN_WAIT_2, FW_CLOSING, FW_TIME_WAIT,
				  FW_CLOSE_WAIT, FW_LAST_ACK };
#define NR_STATES (sizeof(states) / sizeof(states[0]))

static const char *name_of(unsigned int state)
{
	static char none[FW_STATE_NAME_LEN];

	return fw_state_name(state, none);
}

static void counter(struct fw_om *om, const char *name, const char *help, uint64_t n)
{
	fw_om_family(om, name, FW_OM_COUNTER, NULL, help);
	fw_om_count1(om, NULL, NULL, n);
}

static void gauge(struct fw_om *om, const char *name, const char *help, uint64_t n)
{
	fw_om_family(om, name, FW_OM_GAUGE, NULL, help);
	fw_om_count1(om, NULL, NULL, n);
}

static void show_self(const struct fw_metrics_context *ctx, struct fw_om *om)
{
	fw_om_family(om, "finwait_build", FW_OM_INFO, NULL, "Which finwait this is; always 1.");
	fw_om_count1(om, "version", ctx->version, 1);
	fw_om_family(om, "finwait_up_hooks", FW_OM_GAUGE, NULL,
		     "The hooks that are attached: trampoline, kprobe or timer; always 1.");
	fw_om_count1(om, "hooks", ctx->hooks, 1);
}

/* Of FIN_WAIT_1 > FIN_WAIT_2: those that are known to have stayed. */
static uint64_t visited(struct fw_metrics *m)
{
	uint64_t all = m->transitions[FW_FIN_WAIT_1][FW_FIN_WAIT_2];

	if (all > m->passed && all - m->passed > m->shown)
		m->shown = all - m->passed;
	return m->shown;
}

static void show_transitions(struct fw_metrics *m, struct fw_om *om)
{
	fw_om_family(om, "finwait_transitions", FW_OM_COUNTER, NULL,
		     "Transitions of the TCP state machine. A FIN_WAIT_2 that one segment entered "
		     "and left does not count.");
	for (size_t i = 0; i < NR_STATES; i++) {
		for (size_t j = 0; j < NR_STATES; j++) {
			unsigned int from = states[i], to = states[j];
			const struct fw_om_label labels[] = {
				{ .name = "from", .value = name_of(from) },
				{ .name = "to", .value = name_of(to) },
			};
			uint64_t n = from == FW_FIN_WAIT_1 && to == FW_FIN_WAIT_2 ?
					     visited(m) : m->transitions[from][to];

			if (n || fw_state_legal(from, to))
				fw_om_count(om, labels, 2, n);
		}
	}
}

static void show_states(const struct fw_metrics *m, const struct fw_tracker *t, struct fw_om *om)
{
	double limits_s[FW_METRICS_LIMITS];

	for (size_t i = 0; i < FW_METRICS_LIMITS; i++)
		limits_s[i] = (double)fw_metrics_limits_ms[i] / 1000;
	fw_om_family(om, "finwait_connections", FW_OM_GAUGE, NULL,
		     "Connections by state, listeners, half-open ones and minisocks included.");
	for (size_t i = 0; i < NR_STATES; i++)
		fw_om_count1(om, "state", name_of(states[i]), t->in_state[states[i]]);
	fw_om_family(om, "finwait_state_duration_seconds", FW_OM_HISTOGRAM, "seconds",
		     "Time spent in a state, when it is left; only of states that were seen to "
		     "begin.");
	for (size_t i = 2; i < NR_STATES; i++) {
		const struct fw_metrics_hist *h = &m->in_state[states[i]];
		const struct fw_om_label label = { .name = "state", .value = name_of(states[i]) };

		fw_om_histogram(om, &label, 1, limits_s, FW_METRICS_LIMITS, h->counts, h->sum_s);
	}
}

static uint64_t resets(const struct fw_metrics *m, enum fw_end_reset direction)
{
	uint64_t sum = 0;

	for (unsigned int end = 0; end < FW_END_MAX; end++)
		sum += fw_end_info(end)->reset == direction ? m->ends[end] : 0;
	return sum;
}

static void show_ends(const struct fw_metrics *m, struct fw_om *om)
{
	const uint64_t *ends = m->ends;

	fw_om_family(om, "finwait_connections_ended", FW_OM_COUNTER, NULL,
		     "Connections whose last kernel object is gone, by how they ended.");
	for (unsigned int end = FW_END_OPEN + 1; end < FW_END_MAX; end++)
		fw_om_count1(om, "end", fw_end_name(end), ends[end]);
	fw_om_family(om, "finwait_time_wait_ended", FW_OM_COUNTER, NULL,
		     "Ends of TIME_WAIT, by cause.");
	for (unsigned int end = 0; end < FW_END_MAX; end++) {
		if (fw_end_info(end)->time_wait_cause)
			fw_om_count1(om, "cause", fw_end_info(end)->time_wait_cause, m->tw_ends[end]);
	}
	fw_om_count1(om, "cause", "unknown", m->tw_ends[FW_END_UNKNOWN]);
	counter(om, "finwait_time_wait_restarts",
		"Times that a segment of the peer restarted the 60 s of a TIME_WAIT.",
		m->tw_restarts);
	fw_om_family(om, "finwait_resets", FW_OM_COUNTER, NULL,
		     "Connections that ended with an RST: received (refused ones and those in "
		     "TIME_WAIT included), or sent.");
	fw_om_count1(om, "direction", "received", resets(m, FW_END_RESET_IN));
	fw_om_count1(om, "direction", "sent", resets(m, FW_END_RESET_OUT));
}

static void show_stalls(const struct fw_metrics *m, const struct fw_survey_result *survey,
			struct fw_om *om)
{
	uint64_t closing = 0;

	for (unsigned int from = 0; from < FW_STATE_MAX; from++)
		closing += m->transitions[from][FW_CLOSING];
	fw_om_family(om, "finwait_fin_wait_2_stalls", FW_OM_COUNTER, NULL,
		     "FIN_WAIT_2 that lasted longer than --stall, counted when it is over.");
	fw_om_count1(om, "kind", "orphaned", m->stalls[1]);
	fw_om_count1(om, "kind", "half_closed", m->stalls[0]);
	fw_om_family(om, "finwait_fin_wait_2_stalled", FW_OM_GAUGE, NULL,
		     "Connections that are in FIN_WAIT_2 for longer than --stall.");
	fw_om_count1(om, "kind", "orphaned", survey->stalled[1]);
	fw_om_count1(om, "kind", "half_closed", survey->stalled[0]);
	counter(om, "finwait_closing", "Simultaneous closes: times that CLOSING was entered.",
		closing);
}

static void show_half_open(const struct fw_metrics *m, const struct fw_metrics_context *ctx,
			   struct fw_om *om)
{
	static const char *const ends[FW_HALF_OPEN_MAX] = {
		[FW_HALF_OPEN_COMPLETED] = "completed", [FW_HALF_OPEN_EXPIRED] = "expired",
		[FW_HALF_OPEN_RESET] = "reset", [FW_HALF_OPEN_DROPPED] = "dropped",
		[FW_HALF_OPEN_OTHER] = "other",
	};

	gauge(om, "finwait_half_open", "Handshakes that are under way on the server's side.",
	      ctx->tracker->in_state[FW_SYN_RECV]);
	gauge(om, "finwait_half_open_old",
	      "Of these: for over a second, so the SYN-ACK was sent again.",
	      ctx->survey->half_open_old);
	fw_om_family(om, "finwait_half_open_ended", FW_OM_COUNTER, NULL,
		     "Ends of SYN_RECV: the handshake completed, expired, was reset or dropped.");
	for (unsigned int i = 0; i < FW_HALF_OPEN_MAX; i++)
		fw_om_count1(om, "end", ends[i], m->half_open_ends[i]);
	counter(om, "finwait_half_open_suppressed",
		"Handshakes above --half-open-limit, which are counted here only.",
		ctx->suppressed);
}

struct listeners {
	const struct fw_conn *top[FW_SURVEY_TOP];
	size_t nr;
};

static double fill_of(const struct fw_conn *c)
{
	return (double)c->extra->queue / (c->extra->queue_max ? c->extra->queue_max : 1);
}

/* The fullest of those that a snapshot has looked at, each address and port once. */
static void add_listener(void *arg, const struct fw_conn *c)
{
	struct listeners *l = arg;
	size_t at = l->nr;

	if (!c->extra || !c->lport)
		return;
	for (size_t i = 0; i < l->nr; i++) {
		if (l->top[i]->lport != c->lport || l->top[i]->family != c->family ||
		    memcmp(l->top[i]->laddr, c->laddr, sizeof(c->laddr)))
			continue;
		if (fill_of(c) <= fill_of(l->top[i]))
			return;
		l->nr--;
		memmove(&l->top[i], &l->top[i + 1], (l->nr - i) * sizeof(l->top[0]));
		at = l->nr;
		break;
	}
	while (at && fill_of(l->top[at - 1]) < fill_of(c))
		at--;
	if (at == FW_SURVEY_TOP)
		return;
	l->nr += l->nr < FW_SURVEY_TOP;
	memmove(&l->top[at + 1], &l->top[at], (l->nr - at - 1) * sizeof(l->top[0]));
	l->top[at] = c;
}

static void show_listener(struct fw_om *om, const struct fw_conn *c, uint64_t n)
{
	struct fw_buf local = { 0 }, port = { 0 };

	fw_fmt_addr(&local, c->family, c->laddr);
	fw_buf_u64(&port, c->lport);
	fw_om_count(om, (struct fw_om_label[]){
		{ .name = "local", .value = fw_buf_str(&local) },
		{ .name = "port", .value = fw_buf_str(&port) } }, 2, n);
	fw_buf_free(&local);
	fw_buf_free(&port);
}

static void show_accept_queues(const struct fw_tracker *t, struct fw_om *om)
{
	struct listeners l = { .nr = 0 };

	fw_listeners_each(&t->listeners, add_listener, &l);
	fw_om_family(om, "finwait_accept_queue", FW_OM_GAUGE, NULL,
		     "Connections that wait for accept(), of the ten listeners whose queues are fullest, "
		     "as of the latest snapshot.");
	for (size_t i = 0; i < l.nr; i++)
		show_listener(om, l.top[i], l.top[i]->extra->queue);
	fw_om_family(om, "finwait_accept_queue_limit", FW_OM_GAUGE, NULL,
		     "How many may wait there.");
	for (size_t i = 0; i < l.nr; i++)
		show_listener(om, l.top[i], l.top[i]->extra->queue_max);
	fw_om_family(om, "finwait_accept_queue_dropped", FW_OM_GAUGE, NULL,
		     "SYNs and ACKs that these listeners have dropped since they listen.");
	for (size_t i = 0; i < l.nr; i++)
		show_listener(om, l.top[i], l.top[i]->extra->drops);
}

static void show_leaks(const struct fw_survey_result *survey, struct fw_om *om)
{
	struct fw_om_label label = { .name = "process", .value_len = FW_COMM_LEN };

	fw_om_family(om, "finwait_close_wait_leaked", FW_OM_GAUGE, NULL,
		     "Connections in CLOSE_WAIT for longer than --leak-age, by process; \"other\" "
		     "is all but the ten with most.");
	for (size_t i = 0; i < survey->nr_leaks; i++) {
		label.value = survey->comm[i];
		fw_om_count(om, &label, 1, survey->leak[i].count);
	}
	fw_om_count1(om, "process", FW_SURVEY_OTHER, survey->leak_other.count);
	fw_om_family(om, "finwait_close_wait_oldest_seconds", FW_OM_GAUGE, "seconds",
		     "Age of the oldest of these; a lower bound if it is older than finwait.");
	for (size_t i = 0; i < survey->nr_leaks; i++) {
		label.value = survey->comm[i];
		fw_om_value(om, &label, 1, (double)survey->leak[i].oldest_ns / NS_PER_S);
	}
	fw_om_value1(om, "process", FW_SURVEY_OTHER, (double)survey->leak_other.oldest_ns / NS_PER_S);
}

static bool is_shown(const struct fw_survey_result *survey, size_t i)
{
	const struct fw_group_key *key = &survey->port[i].key;

	for (size_t j = 0; j < i; j++) {
		const struct fw_group_key *other = &survey->port[j].key;

		if (other->rport == key->rport && other->family == key->family &&
		    !memcmp(other->laddr, key->laddr, sizeof(key->laddr)) &&
		    !memcmp(other->raddr, key->raddr, sizeof(key->raddr)))
			return true;
	}
	return false;
}

static void show_port(struct fw_om *om, const struct fw_survey_port *port)
{
	struct fw_buf local = { 0 }, remote = { 0 }, number = { 0 };

	fw_fmt_addr(&local, port->key.family, port->key.laddr);
	fw_fmt_addr(&remote, port->key.family, port->key.raddr);
	fw_buf_u64(&number, port->key.rport);
	fw_om_value(om, (struct fw_om_label[]){
		{ .name = "local", .value = fw_buf_str(&local) },
		{ .name = "remote", .value = fw_buf_str(&remote) },
		{ .name = "port", .value = fw_buf_str(&number) } }, 3, port->ratio);
	fw_buf_free(&local);
	fw_buf_free(&remote);
	fw_buf_free(&number);
}

static void show_ports(const struct fw_metrics *m, const struct fw_metrics_context *ctx,
		       struct fw_om *om)
{
	const struct fw_survey_result *survey = ctx->survey;

	fw_om_family(om, "finwait_port_pressure_ratio", FW_OM_GAUGE, "ratio",
		     "Local ports taken, of those there are, towards the ten destinations where "
		     "fewest are left.");
	for (size_t i = 0; i < survey->nr_ports; i++) {
		/* The same destination in another network namespace: the worst one stands for all. */
		if (!is_shown(survey, i))
			show_port(om, &survey->port[i]);
	}
	counter(om, "finwait_no_port", "Times that connect() failed with EADDRNOTAVAIL.",
		m->no_port);
	counter(om, "finwait_bind_failures", "Times that bind() failed with EADDRINUSE.",
		ctx->tracker->counters.bind_failures);
}

static void show_tracking(const struct fw_metrics_context *ctx, struct fw_om *om)
{
	const struct fw_tracker_counters *c = &ctx->tracker->counters;

	counter(om, "finwait_events", "Events that came from the kernel.", c->events);
	counter(om, "finwait_events_lost", "Events that were lost.", c->lost);
	counter(om, "finwait_resyncs", "Snapshots that mended what a loss had made wrong.",
		ctx->resyncs);
	counter(om, "finwait_transition_gaps",
		"Transitions that do not follow from the state known before.", c->gaps);
	counter(om, "finwait_transitions_illegal",
		"Transitions that are not in the TCP state machine.", c->illegal);
	counter(om, "finwait_records_malformed", "Records that could not be read.",
		ctx->malformed);
	gauge(om, "finwait_tracker_connections", "Connections in the tracker's table.",
	      ctx->tracker->table.nr);
	gauge(om, "finwait_tracker_limit", "What --max-connections says.",
	      ctx->tracker->table.max);
	counter(om, "finwait_tracker_evicted",
		"Connections forgotten to stay within --max-connections, or for lack of memory.",
		c->evicted + c->no_memory);
	fw_om_family(om, "finwait_survey_seconds", FW_OM_GAUGE, "seconds",
		     "How long the last look at all connections took, which ages and ports come from.");
	fw_om_value1(om, NULL, NULL, (double)ctx->survey->took_ns / NS_PER_S);
}

static void show_bpf(const struct fw_metrics_context *ctx, struct fw_om *om)
{
	counter(om, "finwait_bpf_runs",
		"Runs of finwait's BPF programs while the kernel measured them.", ctx->bpf_runs);
	fw_om_family(om, "finwait_bpf_seconds", FW_OM_COUNTER, "seconds",
		     "Time in finwait's BPF programs while the kernel measured them.");
	fw_om_value1(om, NULL, NULL, (double)ctx->bpf_ns / NS_PER_S);
	fw_om_family(om, "finwait_bpf_measured_seconds", FW_OM_COUNTER, "seconds",
		     "For how long the kernel measured them.");
	fw_om_value1(om, NULL, NULL, (double)ctx->bpf_measured_ns / NS_PER_S);
}

static void show_push(const struct fw_metrics_push *push, struct fw_om *om)
{
	if (!push->on)
		return;
	fw_om_family(om, "finwait_push_rows", FW_OM_COUNTER, NULL,
		     "Connections that have reached the store, or were lost on the way.");
	fw_om_count1(om, "result", "sent", push->rows_sent);
	fw_om_count1(om, "result", "lost", push->rows_lost);
	gauge(om, "finwait_push_waiting_rows", "Connections that wait to be sent.",
	      push->rows_waiting);
	counter(om, "finwait_push_failures", "Times that sending failed.", push->failures);
	fw_om_family(om, "finwait_push_spool_bytes", FW_OM_GAUGE, "bytes",
		     "What waits in --spool-dir.");
	fw_om_count1(om, NULL, NULL, push->spool_bytes);
}

static void show_http(const struct fw_metrics_http *http, struct fw_om *om)
{
	fw_om_family(om, "finwait_http_connections_closed", FW_OM_COUNTER, NULL,
		     "Clients that were disconnected: too slow, or too many.");
	fw_om_count1(om, "reason", "slow", http->closed_slow);
	fw_om_count1(om, "reason", "limit", http->closed_limit);
	fw_om_count1(om, "reason", "address_limit", http->closed_address);
	fw_om_family(om, "finwait_http_requests_refused", FW_OM_COUNTER, NULL,
		     "Requests without the token, or for another host name.");
	fw_om_count1(om, "reason", "token", http->refused_token);
	fw_om_count1(om, "reason", "host", http->refused_host);
}

/* Place of the finding with that id in struct fw_metrics_findings; FW_METRICS_FINDINGS_MAX: none. */
static size_t place_of(const char *id)
{
	const struct fw_explanation *e;

	for (size_t i = 0; i < FW_METRICS_FINDINGS_MAX && (e = fw_explanation_at(i)); i++) {
		if (e->meaning && !strcmp(e->topic, id))
			return i;
	}
	return FW_METRICS_FINDINGS_MAX;
}

void fw_metrics_findings_of(struct fw_metrics_findings *f, const struct fw_report *r)
{
	*f = (struct fw_metrics_findings){ .known = true };
	for (size_t i = 0; i < r->nr_findings; i++) {
		const struct fw_finding *finding = &r->findings[i];
		uint8_t level = (uint8_t)(1 + finding->severity);
		size_t place = place_of(finding->id ? finding->id : "");

		if (place < FW_METRICS_FINDINGS_MAX && level > f->level[place])
			f->level[place] = level;
	}
}

static void show_findings(const struct fw_metrics_findings *f, struct fw_om *om)
{
	const struct fw_explanation *e;

	if (!f->known)
		return;
	fw_om_family(om, "finwait_finding_severity", FW_OM_GAUGE, NULL,
		     "Findings about the last minutes: 0 none, 1 info, 2 warning, 3 critical.");
	for (size_t i = 0; i < FW_METRICS_FINDINGS_MAX && (e = fw_explanation_at(i)); i++) {
		if (e->meaning)
			fw_om_count1(om, "finding", e->topic, f->level[i]);
	}
}

static void known_gauge(struct fw_om *om, const char *name, const char *unit, const char *help,
			int64_t n)
{
	if (n < 0)
		return;
	fw_om_family(om, name, FW_OM_GAUGE, unit, help);
	fw_om_count1(om, NULL, NULL, (uint64_t)n);
}

/* The names that all exporters use. */
static void show_process(const struct fw_metrics_process *p, struct fw_om *om)
{
	fw_om_family(om, "process_cpu_seconds", FW_OM_COUNTER, "seconds",
		     "CPU time of finwait, user and system.");
	fw_om_value1(om, NULL, NULL, p->cpu_s);
	known_gauge(om, "process_resident_memory_bytes", "bytes", "Resident memory of finwait.",
		    p->resident_bytes);
	known_gauge(om, "process_virtual_memory_bytes", "bytes", "Virtual memory of finwait.",
		    p->virtual_bytes);
	known_gauge(om, "process_open_fds", NULL, "Open file descriptors of finwait.", p->open_fds);
	known_gauge(om, "process_max_fds", NULL, "Most file descriptors that finwait may open.",
		    p->max_fds);
	if (p->start_s < 0)
		return;
	fw_om_family(om, "process_start_time_seconds", FW_OM_GAUGE, "seconds",
		     "When finwait began, since the epoch.");
	fw_om_value1(om, NULL, NULL, p->start_s);
}

void fw_metrics_show(struct fw_metrics *m, const struct fw_metrics_context *ctx, struct fw_om *om)
{
	show_self(ctx, om);
	show_states(m, ctx->tracker, om);
	show_transitions(m, om);
	show_ends(m, om);
	show_stalls(m, ctx->survey, om);
	show_leaks(ctx->survey, om);
	show_ports(m, ctx, om);
	show_half_open(m, ctx, om);
	show_accept_queues(ctx->tracker, om);
	show_tracking(ctx, om);
	show_bpf(ctx, om);
	show_push(&ctx->push, om);
	show_http(&ctx->http, om);
	show_findings(&ctx->findings, om);
	show_process(&ctx->process, om);
}
