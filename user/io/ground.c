// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/net shows the namespace of the thread that opens it, whatever is mounted there;
 * /proc/net that of the process, hence /proc/thread-self/net.
 */
#include "io/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NET "/proc/thread-self/net/"
#define LOW "ip_local_port_low"
#define HIGH "ip_local_port_high"
#define RESERVED "ip_local_ports_reserved"

/* One number each. */
static const char *const settings[] = {
	"ipv4/tcp_fin_timeout",	   "ipv4/tcp_tw_reuse",		"ipv4/tcp_tw_reuse_delay",
	"ipv4/tcp_max_tw_buckets", "ipv4/tcp_rfc1337",		"ipv4/tcp_timestamps",
	"ipv4/tcp_max_orphans",	   "ipv4/tcp_max_syn_backlog",	"ipv4/tcp_syncookies",
	"core/somaxconn",	   "ipv4/tcp_abort_on_overflow", "ipv4/tcp_orphan_retries",
	"ipv4/tcp_retries2",	   "ipv4/tcp_syn_retries",	"ipv4/tcp_synack_retries",
	"ipv4/tcp_keepalive_time",
};

static const char *const snmp[] = {
	"ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "OutRsts",
};

static const char *const netstat[] = {
	"TW", "TWRecycled", "TWKilled", "TCPTimeWaitOverflow", "PAWSActive", "PAWSEstab",
	"PAWSTimewait", "PAWSOldAck", "ListenOverflows", "ListenDrops", "SyncookiesSent",
	"SyncookiesRecv", "SyncookiesFailed", "EmbryonicRsts", "TCPReqQFullDoCookies",
	"TCPReqQFullDrop", "TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnMemory",
	"TCPAbortOnTimeout", "TCPAbortOnLinger", "TCPAbortFailed", "TCPSynRetrans", "TCPTimeouts",
	"TCPKeepAlive", "TCPACKSkippedFinWait2", "TCPACKSkippedTimeWait", "TCPBacklogDrop",
};

/* As /proc/net/sockstat spells them, and as they are called here. */
static const char *const sockstat[][2] = {
	{ "inuse", "sockstat_inuse" }, { "orphan", "sockstat_orphan" }, { "tw", "sockstat_tw" },
	{ "alloc", "sockstat_alloc" }, { "mem", "sockstat_mem_pages" },
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* CurrEstab is a gauge among the counters of SNMP; three settings are the ports. */
_Static_assert(NR(settings) + 3 + NR(snmp) + 1 + NR(netstat) + NR(sockstat) + 1 <= FW_GROUND_MAX,
	       "room for all");

static struct fw_ground_value *find(const struct fw_ground *g, const char *name)
{
	for (size_t i = 0; i < g->nr; i++) {
		if (!strcmp(g->values[i].name, name))
			return (struct fw_ground_value *)&g->values[i];
	}
	return NULL;
}

static void add(struct fw_ground *g, enum fw_ground_kind kind, const char *name)
{
	g->values[g->nr++] = (struct fw_ground_value){ .name = name, .kind = kind };
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

void fw_ground_init(struct fw_ground *g)
{
	*g = (struct fw_ground){ 0 };
	for (size_t i = 0; i < NR(settings); i++)
		add(g, FW_GROUND_SETTING, base_name(settings[i]));
	add(g, FW_GROUND_SETTING, LOW);
	add(g, FW_GROUND_SETTING, HIGH);
	add(g, FW_GROUND_SETTING, RESERVED);
	for (size_t i = 0; i < NR(snmp); i++)
		add(g, FW_GROUND_COUNTER, snmp[i]);
	add(g, FW_GROUND_GAUGE, "CurrEstab");
	for (size_t i = 0; i < NR(netstat); i++)
		add(g, FW_GROUND_COUNTER, netstat[i]);
	for (size_t i = 0; i < NR(sockstat); i++)
		add(g, FW_GROUND_GAUGE, sockstat[i][1]);
	add(g, FW_GROUND_GAUGE, "sockstat6_inuse");
}

void fw_ground_set(struct fw_ground *g, const char *name, int64_t value)
{
	struct fw_ground_value *v = find(g, name);

	if (v) {
		v->value = value;
		v->known = true;
	}
}

/* The first line of net.@name; false when there is no such sysctl. The caller frees *@line. */
static bool read_sysctl(const char *name, char **line)
{
	char path[128];
	size_t cap = 0;
	ssize_t n;
	FILE *f;

	*line = NULL;
	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = getline(line, &cap, f);
	fclose(f);
	return n >= 0;
}

static void read_settings(struct fw_ground *g)
{
	for (size_t i = 0; i < NR(settings); i++) {
		long long value;
		char *line;

		if (read_sysctl(settings[i], &line) && sscanf(line, "%lld", &value) == 1)
			fw_ground_set(g, base_name(settings[i]), value);
		free(line);
	}
}

/* Of "8080,9000-9100\n": how many ports lie within. */
static int64_t count_ports(const char *list, long low, long high)
{
	int64_t n = 0;

	while (*list >= '0' && *list <= '9') {
		char *end;
		long from = strtol(list, &end, 10), to = from;

		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		from = from > low ? from : low;
		to = to < high ? to : high;
		n += to >= from ? to - from + 1 : 0;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

static void read_ports(struct fw_ground *g)
{
	long low, high;
	char *line;

	if (read_sysctl("ipv4/ip_local_port_range", &line) &&
	    sscanf(line, "%ld %ld", &low, &high) == 2) {
		fw_ground_set(g, LOW, low);
		fw_ground_set(g, HIGH, high);
		free(line);
		if (read_sysctl("ipv4/ip_local_reserved_ports", &line))
			fw_ground_set(g, RESERVED, count_ports(line, low, high));
	}
	free(line);
}

/* "Tcp: A B C" and, in the next line, "Tcp: 1 2 3": the two are walked side by side. */
static void take_pairs(struct fw_ground *g, char *names, char *values)
{
	char *n_save, *v_save;
	char *name = strtok_r(names, " \n", &n_save), *value = strtok_r(values, " \n", &v_save);

	while (name && value) {
		fw_ground_set(g, name, strtoll(value, NULL, 10));
		name = strtok_r(NULL, " \n", &n_save);
		value = strtok_r(NULL, " \n", &v_save);
	}
}

static void read_pairs(struct fw_ground *g, const char *path, const char *prefix)
{
	char *names = NULL, *values = NULL;
	size_t names_cap = 0, values_cap = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (getline(&names, &names_cap, f) > 0 && getline(&values, &values_cap, f) > 0) {
		if (!strncmp(names, prefix, strlen(prefix)))
			take_pairs(g, names, values);
	}
	free(names);
	free(values);
	fclose(f);
}

/* "TCP: inuse 5 orphan 0 tw 3 alloc 9 mem 1" */
static void take_sockstat(struct fw_ground *g, char *line)
{
	char *save, *word = strtok_r(line, " \n", &save);

	while ((word = strtok_r(NULL, " \n", &save))) {
		const char *value = strtok_r(NULL, " \n", &save);

		for (size_t i = 0; value && i < NR(sockstat); i++) {
			if (!strcmp(word, sockstat[i][0]))
				fw_ground_set(g, sockstat[i][1], strtoll(value, NULL, 10));
		}
	}
}

static void read_sockstat(struct fw_ground *g)
{
	FILE *f = fopen(NET "sockstat", "re");
	char line[256];
	long long n;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "TCP:", 4))
			take_sockstat(g, line);
	}
	if (f)
		fclose(f);
	f = fopen(NET "sockstat6", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "TCP6: inuse %lld", &n) == 1)
			fw_ground_set(g, "sockstat6_inuse", n);
	}
	if (f)
		fclose(f);
}

static void read_all(struct fw_ground *g)
{
	read_settings(g);
	read_ports(g);
	read_pairs(g, NET "snmp", "Tcp:");
	read_pairs(g, NET "netstat", "TcpExt:");
	read_sockstat(g);
}

/* ---- Another namespace ------------------------------------------------------------------- */

struct visit {
	struct fw_ground *g;
	int netns_fd;
	int ret;
};

static void *visit(void *arg)
{
	struct visit *v = arg;

	v->ret = setns(v->netns_fd, CLONE_NEWNET) ? -errno : 0;
	if (!v->ret)
		read_all(v->g);
	return NULL;
}

int fw_ground_read(struct fw_ground *g, int netns_fd, struct fw_err *err)
{
	struct visit v = { .g = g, .netns_fd = netns_fd };
	pthread_t thread;

	fw_ground_init(g);
	if (netns_fd < 0) {
		read_all(g);
		return 0;
	}
	v.ret = -pthread_create(&thread, NULL, visit, &v);
	if (!v.ret)
		pthread_join(thread, NULL);
	if (v.ret)
		return fw_err_set(err, v.ret, "entering a network namespace to read its settings: "
						"%s", strerror(-v.ret));
	return 0;
}

int64_t fw_ground_value(const struct fw_ground *g, const char *name)
{
	const struct fw_ground_value *v = find(g, name);

	return v && v->known ? v->value : -1;
}

void fw_ground_since(struct fw_ground *g, const struct fw_ground *before)
{
	for (size_t i = 0; i < g->nr; i++) {
		struct fw_ground_value *v = &g->values[i];
		const struct fw_ground_value *then = find(before, v->name);

		if (v->kind != FW_GROUND_COUNTER)
			continue;
		v->known = v->known && then && then->known && v->value >= then->value;
		v->value -= then ? then->value : 0;
	}
}
