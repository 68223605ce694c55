// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/truth.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/netns.h"

#define NAMESPACES_MAX 256

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

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static bool read_one(struct fw_ground *g, const struct fw_netns *ns)
{
	bool own = ns->inum == fw_netns_own();
	int fd = own ? -1 : fw_netns_open(ns), ret;

	if (!own && fd < 0)
		return false;
	ret = fw_ground_read(g, fd, NULL);
	if (fd >= 0)
		close(fd);
	return !ret;
}

static void read_next(struct fw_truths *t, const struct fw_netns *ns)
{
	struct fw_truth *truth = &t->truth[t->nr];
	struct fw_ground *ground = &t->ground[t->nr];

	truth->netns = ns->inum;
	truth->read_from_ns = now_ns();
	if (!read_one(ground, ns))
		return;
	truth->read_ns = now_ns();
	set_sysctls(&truth->sysctls, ground);
	t->nr++;
}

void fw_truths_read(struct fw_truths *t)
{
	struct fw_netns_list list;
	size_t nr;

	*t = (struct fw_truths){ 0 };
	if (fw_netns_list(&list))
		return;
	nr = list.nr < NAMESPACES_MAX ? list.nr : NAMESPACES_MAX;
	t->ground = calloc(nr + 1, sizeof(*t->ground));
	t->truth = calloc(nr + 1, sizeof(*t->truth));
	for (size_t i = 0; i < nr && t->ground && t->truth; i++)
		read_next(t, &list.ns[i]);
	fw_netns_list_free(&list);
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
	/* A namespace that is new has counted from nothing. */
	for (size_t i = 0; i < t->nr; i++) {
		const struct fw_ground *then = ground_of(before, t->truth[i].netns);

		if (then)
			fw_ground_since(&t->ground[i], then);
		set_counters(&t->truth[i].counters, &t->ground[i]);
	}
}

void fw_truths_fini(struct fw_truths *t)
{
	free(t->truth);
	free(t->ground);
	*t = (struct fw_truths){ 0 };
}
