// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting. The edges are RFC 9293's, as in transitions.c: a FIN_WAIT_2 that the segment which entered
 * it also left was not visited. Such a one is known only when it is left, so FIN_WAIT_1 > FIN_WAIT_2
 * may be one too many for the microseconds in between.
 */
#include "analysis/metrics.h"

#define NS_PER_S 1e9

/* Where durations differ: handshakes and closes take milliseconds, SYN and FIN are sent again after a
 * second, 30 s is --leak-age, and TIME_WAIT takes 60 s and its timer's lateness, 2 s (HZ=250) or 4 s.
 */
const uint64_t fw_metrics_limits_ms[FW_METRICS_LIMITS] = {
	1, 10, 100, 500, 1000, 5000, 15000, 30000, 55000, 59000, 60000, 61000, 62000, 63000, 64000,
	65000, 90000, 120000, 300000, 3600000,
};

void fw_metrics_init(struct fw_metrics *m, uint64_t stall_ns)
{
	*m = (struct fw_metrics){ .stall_ns = stall_ns };
}

static void record(struct fw_metrics_hist *h, uint64_t ns)
{
	unsigned int i = 0;

	while (i < FW_METRICS_LIMITS && ns > fw_metrics_limits_ms[i] * 1000000)
		i++;
	h->counts[i]++;
	h->sum_s += (double)ns / NS_PER_S;
}

static enum fw_half_open_end half_open_end_of(const struct fw_conn *c,
					      const struct fw_transition *tr)
{
	if (!(tr->flags & FW_TR_END))
		return FW_HALF_OPEN_COMPLETED;
	if (c->end == FW_END_HALF_OPEN_EXPIRED)
		return FW_HALF_OPEN_EXPIRED;
	if (fw_conn_has(c, FW_CONN_HANDSHAKE_RESET))
		return FW_HALF_OPEN_RESET;
	return c->end == FW_END_HALF_OPEN_DROPPED ? FW_HALF_OPEN_DROPPED : FW_HALF_OPEN_OTHER;
}

static bool is_passing(const struct fw_conn *c, const struct fw_transition *tr)
{
	return tr->from == FW_FIN_WAIT_2 &&
	       (tr->flags & FW_TR_SAME_SEGMENT || c->flags & FW_CONN_TRANSIT);
}

/* A state was left. Only what was seen from its beginning has a length. */
static void left_state(struct fw_metrics *m, const struct fw_conn *c,
		       const struct fw_transition *tr)
{
	bool unknown = tr->flags & FW_TR_DWELL_UNKNOWN;

	if (!(tr->flags & (FW_TR_DWELL_UNKNOWN | FW_TR_DWELL_AT_LEAST)))
		record(&m->in_state[tr->from], tr->dwell_ns);
	if (tr->from == FW_FIN_WAIT_2 && !unknown && tr->dwell_ns >= m->stall_ns)
		m->stalls[!!(c->flags & FW_CONN_ORPHANED)]++;
	if (tr->from == FW_SYN_RECV)
		m->half_open_ends[half_open_end_of(c, tr)]++;
	if (tr->from == FW_TIME_WAIT)
		m->tw_ends[fw_end_info(c->end)->time_wait_cause ? c->end : FW_END_UNKNOWN]++;
}

static void on_transition(void *arg, const struct fw_conn *c, const struct fw_transition *tr)
{
	struct fw_metrics *m = arg;
	unsigned int from = tr->from;

	if (from >= FW_STATE_MAX || tr->to >= FW_STATE_MAX)
		return;
	if (from == tr->to) {
		m->tw_restarts += !!(tr->flags & FW_TR_RESTART);
		return;
	}
	if (is_passing(c, tr)) {
		from = FW_FIN_WAIT_1;
		m->passed++;
	} else if (from != FW_CLOSE && from != FW_LISTEN) {
		left_state(m, c, tr);
	}
	m->transitions[from][tr->to]++;
	m->no_port += tr->flags & FW_TR_END && c->end == FW_END_NO_PORT;
}

static void on_connection(void *arg, const struct fw_conn *c)
{
	struct fw_metrics *m = arg;

	if (c->end != FW_END_OPEN)
		m->ends[c->end < FW_END_MAX ? c->end : FW_END_UNKNOWN]++;
}

struct fw_observer fw_metrics_observer(struct fw_metrics *m)
{
	return (struct fw_observer){
		.transition = on_transition, .connection = on_connection, .arg = m,
	};
}
