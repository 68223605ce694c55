// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/sys/net shows the namespace of the thread that opens it, whatever is mounted there;
 * /proc/net that of the process, hence /proc/thread-self/net.
 */
#include "io/netns_values_read.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NET "/proc/thread-self/net/"

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

/* Of "8080,9000-9100\n": how many ports lie within. */
static int64_t count_ports(const char *list, int64_t low, int64_t high)
{
	int64_t n = 0;

	while (*list >= '0' && *list <= '9') {
		char *end;
		int64_t from = strtoll(list, &end, 10), to = from;

		if (*end == '-')
			to = strtoll(end + 1, &end, 10);
		from = from > low ? from : low;
		to = to < high ? to : high;
		n += to >= from ? to - from + 1 : 0;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

/* The number at @place of a line of them; unknown: it has none there. */
static int64_t number_at(const char *line, unsigned int place)
{
	int64_t value = FW_VALUE_UNKNOWN;

	for (unsigned int i = 0; i <= place; i++) {
		char *end;

		value = strtoll(line, &end, 10);
		if (end == line)
			return FW_VALUE_UNKNOWN;
		line = end;
	}
	return value;
}

/* The range of ports comes before the list of reserved ones: util/netns_values.h. */
static int64_t setting_of(const struct fw_netns_values *v, const struct fw_value *which,
			  const char *line)
{
	if (which->place != FW_PLACE_PORTS)
		return number_at(line, which->place);
	if (v->sysctls.port_low < 0 || v->sysctls.port_high < 0)
		return FW_VALUE_UNKNOWN;
	return count_ports(line, v->sysctls.port_low, v->sysctls.port_high);
}

static void read_settings(struct fw_netns_values *v)
{
	for (size_t i = 0; i < fw_nr_values; i++) {
		const struct fw_value *which = &fw_values[i];
		char *line;

		if (which->file != FW_FILE_SYSCTL)
			continue;
		if (read_sysctl(which->key, &line))
			fw_value_set(v, which, setting_of(v, which, line));
		free(line);
	}
}

static void take_word(struct fw_netns_values *v, enum fw_value_file file, const char *word,
		      const char *value)
{
	const struct fw_value *which = fw_value_of_word(file, word);

	if (which)
		fw_value_set(v, which, strtoll(value, NULL, 10));
}

/* "Tcp: A B C" and, in the next line, "Tcp: 1 2 3": the two are walked side by side. */
static void take_pairs(struct fw_netns_values *v, enum fw_value_file file, char *names, char *values)
{
	char *n_save, *v_save;
	char *name = strtok_r(names, " \n", &n_save), *value = strtok_r(values, " \n", &v_save);

	while (name && value) {
		take_word(v, file, name, value);
		name = strtok_r(NULL, " \n", &n_save);
		value = strtok_r(NULL, " \n", &v_save);
	}
}

static void read_pairs(struct fw_netns_values *v, enum fw_value_file file, const char *path,
		       const char *prefix)
{
	char *names = NULL, *values = NULL;
	size_t names_cap = 0, values_cap = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (getline(&names, &names_cap, f) > 0 && getline(&values, &values_cap, f) > 0) {
		if (!strncmp(names, prefix, strlen(prefix)))
			take_pairs(v, file, names, values);
	}
	free(names);
	free(values);
	fclose(f);
}

/* "TCP: inuse 5 orphan 0 tw 3 alloc 9 mem 1" */
static void take_sockstat(struct fw_netns_values *v, enum fw_value_file file, char *line)
{
	char *save, *word = strtok_r(line, " \n", &save);

	while ((word = strtok_r(NULL, " \n", &save))) {
		const char *value = strtok_r(NULL, " \n", &save);

		if (value)
			take_word(v, file, word, value);
	}
}

static void read_sockstat(struct fw_netns_values *v, enum fw_value_file file, const char *path,
			  const char *prefix)
{
	FILE *f = fopen(path, "re");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, prefix, strlen(prefix)))
			take_sockstat(v, file, line);
	}
	fclose(f);
}

static void read_all(struct fw_netns_values *v)
{
	read_settings(v);
	read_pairs(v, FW_FILE_SNMP, NET "snmp", "Tcp:");
	read_pairs(v, FW_FILE_NETSTAT, NET "netstat", "TcpExt:");
	read_sockstat(v, FW_FILE_SOCKSTAT, NET "sockstat", "TCP:");
	read_sockstat(v, FW_FILE_SOCKSTAT6, NET "sockstat6", "TCP6:");
}

/* ---- Another namespace ------------------------------------------------------------------- */

struct visit {
	struct fw_netns_values *values;
	int netns_fd;
	int ret;
};

static void *run(void *arg)
{
	struct visit *visit = arg;

	visit->ret = setns(visit->netns_fd, CLONE_NEWNET) ? -errno : 0;
	if (!visit->ret)
		read_all(visit->values);
	return NULL;
}

int fw_netns_values_read(struct fw_netns_values *v, int netns_fd, struct fw_err *err)
{
	struct visit visit = { .values = v, .netns_fd = netns_fd };
	pthread_t thread;

	fw_netns_values_init(v);
	if (netns_fd < 0) {
		read_all(v);
		return 0;
	}
	visit.ret = -pthread_create(&thread, NULL, run, &visit);
	if (!visit.ret)
		pthread_join(thread, NULL);
	if (visit.ret)
		return fw_err_set(err, visit.ret,
				  "entering a network namespace to read its settings: %s",
				  strerror(-visit.ret));
	return 0;
}
