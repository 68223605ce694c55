// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/truth.h"

#include <stdlib.h>

void fw_truths_begin(struct fw_truths *t)
{
	t->nr = 0;
	t->nr_sets++;
}

/* Without memory the values are unknown. */
static bool make_room(struct fw_truths *t)
{
	size_t cap = t->cap ? t->cap * 2 : 8;
	void *more;

	if (t->nr < t->cap)
		return true;
	more = realloc(t->read, cap * sizeof(*t->read));
	if (!more)
		return false;
	t->read = more;
	more = realloc(t->truth, cap * sizeof(*t->truth));
	if (!more)
		return false;
	t->truth = more;
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

void fw_truths_add(struct fw_truths *t, const struct fw_netns_values *v)
{
	if (t->nr >= FW_TRUTHS_MAX || !make_room(t))
		return;
	t->read[t->nr] = t->truth[t->nr] = *v;
	without_counters(&t->truth[t->nr]);
	t->nr++;
}

void fw_truths_copy(struct fw_truths *to, const struct fw_truths *from)
{
	fw_truths_begin(to);
	for (size_t i = 0; i < from->nr; i++)
		fw_truths_add(to, &from->read[i]);
}

void fw_truths_refresh_own(struct fw_truths *t)
{
	struct fw_netns_values own;

	if (t->nr && !fw_ground_read(&own, -1, NULL))
		t->truth[0].sysctls = own.sysctls;
}

static const struct fw_netns_values *read_of(const struct fw_truths *t, uint32_t netns)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (t->read[i].netns == netns)
			return &t->read[i];
	}
	return NULL;
}

void fw_truths_since(struct fw_truths *t, const struct fw_truths *before)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct fw_netns_values *then = read_of(before, t->read[i].netns);

		t->truth[i] = t->read[i];
		if (t->nr_sets < 2)
			without_counters(&t->truth[i]);
		/* A namespace that is new has counted from 0. */
		else if (then)
			fw_netns_values_since(&t->truth[i], then);
	}
}

void fw_truths_fini(struct fw_truths *t)
{
	free(t->truth);
	free(t->read);
	*t = (struct fw_truths){ 0 };
}
