// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/truth.h"

#include <stdlib.h>

static void set_sysctls(struct fw_sysctls *to, const struct fw_ground *g)
{
	*to = (struct fw_sysctls){
		.tcp_fin_timeout = fw_ground_value(g, "tcp_fin_timeout"),
		.tcp_tw_reuse = fw_ground_value(g, "tcp_tw_reuse"),
		.tcp_max_tw_buckets = fw_ground_value(g, "tcp_max_tw_buckets"),
		.tcp_rfc1337 = fw_ground_value(g, "tcp_rfc1337"),
		.tcp_timestamps = fw_ground_value(g, "tcp_timestamps"),
		.tcp_max_orphans = fw_ground_value(g, "tcp_max_orphans"),
		.tcp_orphan_retries = fw_ground_value(g, "tcp_orphan_retries"),
		.tcp_max_syn_backlog = fw_ground_value(g, "tcp_max_syn_backlog"),
		.tcp_syncookies = fw_ground_value(g, "tcp_syncookies"),
		.tcp_synack_retries = fw_ground_value(g, "tcp_synack_retries"),
		.tcp_syn_retries = fw_ground_value(g, "tcp_syn_retries"),
		.somaxconn = fw_ground_value(g, "somaxconn"),
		.port_low = fw_ground_value(g, "ip_local_port_low"),
		.port_high = fw_ground_value(g, "ip_local_port_high"),
		.ports_reserved = fw_ground_value(g, "ip_local_ports_reserved"),
	};
}

static void set_counters(struct fw_kernel_counters *to, const struct fw_ground *g)
{
	*to = (struct fw_kernel_counters){
		.active_opens = fw_ground_value(g, "ActiveOpens"),
		.passive_opens = fw_ground_value(g, "PassiveOpens"),
		.attempt_fails = fw_ground_value(g, "AttemptFails"),
		.estab_resets = fw_ground_value(g, "EstabResets"),
		.tw = fw_ground_value(g, "TW"),
		.tw_killed = fw_ground_value(g, "TWKilled"),
		.tw_recycled = fw_ground_value(g, "TWRecycled"),
		.time_wait_overflow = fw_ground_value(g, "TCPTimeWaitOverflow"),
		.listen_overflows = fw_ground_value(g, "ListenOverflows"),
		.listen_drops = fw_ground_value(g, "ListenDrops"),
		.syncookies_sent = fw_ground_value(g, "SyncookiesSent"),
		.req_q_full_drop = fw_ground_value(g, "TCPReqQFullDrop"),
		.abort_on_data = fw_ground_value(g, "TCPAbortOnData"),
		.abort_on_timeout = fw_ground_value(g, "TCPAbortOnTimeout"),
		.abort_on_memory = fw_ground_value(g, "TCPAbortOnMemory"),
		.tw_now = fw_ground_value(g, "sockstat_tw"),
		.orphans_now = fw_ground_value(g, "sockstat_orphan"),
	};
}

void fw_truths_begin(struct fw_truths *t)
{
	t->nr = 0;
	t->nr_sets++;
}

/* Without memory it is not known. */
static bool make_room(struct fw_truths *t)
{
	size_t cap = t->cap ? t->cap * 2 : 8;
	void *more;

	if (t->nr < t->cap)
		return true;
	more = realloc(t->ground, cap * sizeof(*t->ground));
	if (!more)
		return false;
	t->ground = more;
	more = realloc(t->truth, cap * sizeof(*t->truth));
	if (!more)
		return false;
	t->truth = more;
	t->cap = cap;
	return true;
}

void fw_truths_add(struct fw_truths *t, uint32_t netns, const struct fw_ground *g)
{
	if (t->nr >= FW_TRUTHS_MAX || !make_room(t))
		return;
	t->ground[t->nr] = *g;
	t->truth[t->nr] = (struct fw_truth){
		.netns = netns, .read_from_ns = g->read_from_ns, .read_ns = g->read_ns,
	};
	set_sysctls(&t->truth[t->nr].sysctls, g);
	t->nr++;
}

void fw_truths_copy(struct fw_truths *to, const struct fw_truths *from)
{
	fw_truths_begin(to);
	for (size_t i = 0; i < from->nr; i++)
		fw_truths_add(to, from->truth[i].netns, &from->ground[i]);
}

void fw_truths_refresh_own(struct fw_truths *t)
{
	if (t->nr && !fw_ground_read(&t->ground[0], -1, NULL))
		set_sysctls(&t->truth[0].sysctls, &t->ground[0]);
}

static const struct fw_ground *ground_of(const struct fw_truths *t, uint32_t netns)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (t->truth[i].netns == netns)
			return &t->ground[i];
	}
	return NULL;
}

void fw_truths_since(struct fw_truths *t, const struct fw_truths *before)
{
	struct fw_ground nothing;

	fw_ground_init(&nothing);
	for (size_t i = 0; i < t->nr; i++) {
		/* A namespace that is new has counted from nothing. */
		const struct fw_ground *then = ground_of(before, t->truth[i].netns);
		struct fw_ground since = t->ground[i];

		if (then)
			fw_ground_since(&since, then);
		/* They were read once only: nobody knows what they grew by. */
		set_counters(&t->truth[i].counters, t->nr_sets > 1 ? &since : &nothing);
	}
}

void fw_truths_fini(struct fw_truths *t)
{
	free(t->truth);
	free(t->ground);
	*t = (struct fw_truths){ 0 };
}
