// SPDX-License-Identifier: GPL-2.0-only
#include "util/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS 10000000ULL

#define FIRST_BUCKETS 256

void fw_names_init(struct fw_names *n)
{
	*n = (struct fw_names){ .buckets = calloc(FIRST_BUCKETS, sizeof(*n->buckets)) };
	n->nr_buckets = n->buckets ? FIRST_BUCKETS : 0;
	n->end = &n->first;
}

static struct fw_named **bucket_of(const struct fw_names *n, uint64_t number)
{
	return &n->buckets[(number * 0x9e3779b97f4a7c15ULL >> 32) & (n->nr_buckets - 1)];
}

/* NULL: it is not known. */
static struct fw_named *place_of(const struct fw_names *n, uint64_t number)
{
	struct fw_named *place = number && n->nr_buckets ? *bucket_of(n, number) : NULL;

	while (place && place->number != number)
		place = place->in_bucket;
	return place;
}

static void forget(struct fw_names *n, struct fw_named *place)
{
	struct fw_named **link = bucket_of(n, place->number);

	while (*link != place)
		link = &(*link)->in_bucket;
	*link = place->in_bucket;
	*place->here = place->next;
	if (place->next)
		place->next->here = place->here;
	else
		n->end = place->here;
	n->nr--;
	free(place->name);
	free(place->former);
	free(place->all);
	free(place);
}

void fw_names_fini(struct fw_names *n)
{
	while (n->first)
		forget(n, n->first);
	free(n->buckets);
	*n = (struct fw_names){ 0 };
}

/* Without memory the chains become longer. */
static void grow(struct fw_names *n)
{
	size_t nr = n->nr_buckets * 2;
	struct fw_named **buckets = calloc(nr, sizeof(*buckets));

	if (!buckets)
		return;
	free(n->buckets);
	n->buckets = buckets;
	n->nr_buckets = nr;
	for (struct fw_named *place = n->first; place; place = place->next) {
		struct fw_named **bucket = bucket_of(n, place->number);

		place->in_bucket = *bucket;
		*bucket = place;
	}
}

/* The place of @number; NULL: no memory. */
static struct fw_named *place_for(struct fw_names *n, uint64_t number)
{
	struct fw_named *place = place_of(n, number), **bucket;

	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	if (n->nr == FW_NAMES_MAX)
		forget(n, n->first);
	else if (n->nr >= n->nr_buckets)
		grow(n);
	bucket = bucket_of(n, number);
	*place = (struct fw_named){
		.number = number, .in_bucket = *bucket, .here = n->end,
		.asked_ns = n->due_number == number ? n->due_ns : 0,
	};
	*bucket = place;
	*n->end = place;
	n->end = &place->next;
	n->nr++;
	return place;
}

bool fw_names_knows(const struct fw_names *n, uint64_t number)
{
	return !number || !n->nr_buckets || place_of(n, number);
}

bool fw_names_due(struct fw_names *n, uint64_t number, uint64_t now_ns)
{
	struct fw_named *place = place_of(n, number);

	if (!number || !n->nr_buckets || (place && now_ns - place->asked_ns < AGAIN_NS))
		return false;
	if (place)
		place->asked_ns = now_ns;
	n->due_number = number;
	n->due_ns = now_ns;
	return true;
}

bool fw_names_seen(struct fw_names *n, uint64_t number, uint16_t life, uint64_t now_ns,
		   uint64_t *last_ns)
{
	struct fw_named *place = place_of(n, number);
	bool reborn = place && place->life && life && place->life != life;

	if (!place || !life)
		return false;
	*last_ns = place->seen_ns;
	place->seen_ns = now_ns;
	/* What it was called while its life was not known may be of another one. */
	if (place->life != life)
		place->asked_ns = 0;
	place->life = life;
	return reborn;
}

#define FORMER_BYTES_MAX 200

void fw_names_reborn(struct fw_names *n, uint64_t number)
{
	struct fw_named *place = place_of(n, number);
	const char *name = place && place->name ? place->name : "unknown";
	char *former = NULL;

	if (!place)
		return;
	if (place->former && strlen(place->former) > FORMER_BYTES_MAX)
		name = NULL;
	if (name && asprintf(&former, "%s%s%s", place->former ? place->former : "",
			     place->former ? ", " : "", name) >= 0) {
		free(place->former);
		place->former = former;
	}
	free(place->name);
	place->name = NULL;
	place->asked_ns = 0;
}

const char *fw_names_all(struct fw_names *n, uint64_t number)
{
	struct fw_named *place = place_of(n, number);

	if (!place || !place->former)
		return place ? place->name : NULL;
	free(place->all);
	if (asprintf(&place->all, "%s, %s", place->former, place->name ? place->name : "unknown") < 0)
		place->all = NULL;
	return place->all;
}

uint16_t fw_names_life(const struct fw_names *n, uint64_t number)
{
	const struct fw_named *place = place_of(n, number);

	return place ? place->life : 0;
}

void fw_names_set(struct fw_names *n, uint64_t number, const char *name, size_t len)
{
	struct fw_named *place = number && n->nr_buckets ? place_for(n, number) : NULL;

	if (!place)
		return;
	free(place->name);
	place->name = name ? strndup(name, len) : NULL;
}

const char *fw_names_get(const struct fw_names *n, uint64_t number)
{
	const struct fw_named *place = place_of(n, number);

	return place ? place->name : NULL;
}

void fw_names_forget_unnamed(struct fw_names *n)
{
	struct fw_named *next;

	for (struct fw_named *place = n->first; place; place = next) {
		next = place->next;
		if (!place->name && !place->former)
			forget(n, place);
	}
}
