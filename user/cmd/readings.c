// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/readings.h"

#include <stdlib.h>

void fw_readings_begin(struct fw_readings *t)
{
	t->nr = 0;
	t->nr_sets++;
}

/* Without memory the values are unknown. */
static bool make_room(struct fw_readings *t)
{
	size_t cap = t->cap ? t->cap * 2 : 8;
	void *more;

	if (t->nr < t->cap)
		return true;
	more = realloc(t->read, cap * sizeof(*t->read));
	if (!more)
		return false;
	t->read = more;
	more = realloc(t->values, cap * sizeof(*t->values));
	if (!more)
		return false;
	t->values = more;
	t->cap = cap;
	return true;
}

/* The counters of one reading say nothing. */
static void without_counters(struct fw_netns_values *v)
{
	struct fw_netns_values unknown;

	fw_netns_values_init(&unknown);
	v->counters = unknown.counters;
}

void fw_readings_add(struct fw_readings *t, const struct fw_netns_values *v)
{
	if (t->nr >= FW_READINGS_MAX || !make_room(t))
		return;
	t->read[t->nr] = t->values[t->nr] = *v;
	without_counters(&t->values[t->nr]);
	t->nr++;
}

void fw_readings_copy(struct fw_readings *to, const struct fw_readings *from)
{
	fw_readings_begin(to);
	for (size_t i = 0; i < from->nr; i++)
		fw_readings_add(to, &from->read[i]);
}

void fw_readings_refresh_own(struct fw_readings *t)
{
	struct fw_netns_values own;

	if (t->nr && !fw_netns_values_read(&own, -1, NULL))
		t->values[0].sysctls = own.sysctls;
}

static const struct fw_netns_values *read_of(const struct fw_readings *t, uint32_t netns)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (t->read[i].netns == netns)
			return &t->read[i];
	}
	return NULL;
}

void fw_readings_since(struct fw_readings *t, const struct fw_readings *before)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct fw_netns_values *then = read_of(before, t->read[i].netns);

		t->values[i] = t->read[i];
		if (t->nr_sets < 2)
			without_counters(&t->values[i]);
		/* A namespace that is new has counted from 0. */
		else if (then)
			fw_netns_values_since(&t->values[i], then);
	}
}

void fw_readings_fini(struct fw_readings *t)
{
	free(t->values);
	free(t->read);
	*t = (struct fw_readings){ 0 };
}
