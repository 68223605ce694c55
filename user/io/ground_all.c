// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ground truth of all namespaces, and as text.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/ground.h"
#include "io/namespaces.h"
#include "util/pairs.h"

#define NAMESPACES_MAX 64
/* Of a recording nothing larger is believed: sums of a few such numbers do not overflow. No kernel has
 * counted so far: at a million a second it takes 31 years.
 */
#define VALUE_MAX 1000000000000000LL

static bool read_one(struct fw_ground *g, const struct fw_namespace *ns, bool own)
{
	int fd = own ? -1 : open(ns->path, O_RDONLY | O_CLOEXEC), ret;

	if (!own && fd < 0)
		return false;
	ret = fw_ground_read(g, fd, NULL);
	if (fd >= 0)
		close(fd);
	return !ret;
}

void fw_ground_read_all(void (*fn)(void *arg, uint32_t netns, const struct fw_ground *g), void *arg)
{
	struct fw_namespace *found = calloc(NAMESPACES_MAX, sizeof(*found));
	size_t nr = found ? fw_namespaces_find(found, NAMESPACES_MAX) : 0;
	struct fw_ground g;

	for (size_t i = 0; i < nr; i++) {
		if (read_one(&g, &found[i], !i))
			fn(arg, found[i].inode, &g);
	}
	free(found);
}

void fw_ground_print(const struct fw_ground *g, struct fw_buf *b)
{
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

		if (*pair.value && !*stop && value >= -VALUE_MAX && value <= VALUE_MAX)
			fw_ground_set(g, pair.name, value);
	}
}
