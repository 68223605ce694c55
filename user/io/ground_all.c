// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ground truth of all namespaces, and as text.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/ground.h"
#include "io/netns.h"
#include "util/pairs.h"

#define NAMESPACES_MAX 256
#define READ_FROM "read_from_ns"
#define READ "read_ns"
/* Of a recording nothing larger is believed: sums of a few such numbers do not overflow. No kernel has
 * counted so far: at a million a second it takes 31 years.
 */
#define VALUE_MAX 1000000000000000LL

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
	uint64_t from_ns = now_ns();

	if (!own && fd < 0)
		return false;
	ret = fw_ground_read(g, fd, NULL);
	g->read_from_ns = from_ns;
	g->read_ns = now_ns();
	if (fd >= 0)
		close(fd);
	return !ret;
}

void fw_ground_read_all(void (*fn)(void *arg, uint32_t netns, const struct fw_ground *g), void *arg)
{
	struct fw_netns_list list;
	struct fw_ground g;

	if (fw_netns_list(&list))
		return;
	for (size_t i = 0; i < list.nr && i < NAMESPACES_MAX; i++) {
		if (read_one(&g, &list.ns[i]))
			fn(arg, list.ns[i].inum, &g);
	}
	fw_netns_list_free(&list);
}

void fw_ground_print(const struct fw_ground *g, struct fw_buf *b)
{
	fw_buf_printf(b, READ_FROM " %" PRIu64 "\n" READ " %" PRIu64 "\n", g->read_from_ns, g->read_ns);
	for (size_t i = 0; i < g->nr; i++) {
		const struct fw_ground_value *v = &g->values[i];

		if (v->known)
			fw_buf_printf(b, "%s %" PRId64 "\n", v->name, v->value);
	}
}

void fw_ground_parse(struct fw_ground *g, const char *text, size_t len)
{
	const char *end = text + len;
	struct fw_pair pair;

	fw_ground_init(g);
	while (fw_pair_next(&text, end, &pair)) {
		char *stop;
		int64_t value = strtoll(pair.value, &stop, 10);

		if (!*pair.value || *stop)
			continue;
		if (!strcmp(pair.name, READ_FROM))
			g->read_from_ns = (uint64_t)value;
		else if (!strcmp(pair.name, READ))
			g->read_ns = (uint64_t)value;
		else if (value >= -VALUE_MAX && value <= VALUE_MAX)
			fw_ground_set(g, pair.name, value);
	}
}
