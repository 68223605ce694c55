// SPDX-License-Identifier: GPL-2.0-only
/*
 * The values of all network namespaces.
 */
#include <time.h>
#include <unistd.h>

#include "io/netns_values_read.h"
#include "io/netns.h"

#define NAMESPACES_MAX 256

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static bool read_one(struct fw_netns_values *v, const struct fw_netns *ns)
{
	bool own = ns->inum == fw_netns_own();
	int fd = own ? -1 : fw_netns_open(ns), ret;
	uint64_t from_ns = now_ns();

	if (!own && fd < 0)
		return false;
	ret = fw_netns_values_read(v, fd, NULL);
	v->netns = ns->inum;
	v->read_from_ns = from_ns;
	v->read_ns = now_ns();
	if (fd >= 0)
		close(fd);
	return !ret;
}

void fw_netns_values_read_all(void (*fn)(void *arg, const struct fw_netns_values *v), void *arg)
{
	struct fw_netns_list list;
	struct fw_netns_values v;

	if (fw_netns_list(&list))
		return;
	for (size_t i = 0; i < list.nr && i < NAMESPACES_MAX; i++) {
		if (read_one(&v, &list.ns[i]))
			fn(arg, &v);
	}
	fw_netns_list_free(&list);
}
