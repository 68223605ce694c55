// SPDX-License-Identifier: GPL-2.0-only
#include "util/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS 10000000ULL

void fw_names_init(struct fw_names *n)
{
	n->places = calloc(FW_NAMES_PLACES, sizeof(*n->places));
}

static void clear(struct fw_named *place)
{
	free(place->name);
	free(place->former);
	free(place->all);
	*place = (struct fw_named){ 0 };
}

void fw_names_fini(struct fw_names *n)
{
	for (size_t i = 0; n->places && i < FW_NAMES_PLACES; i++)
		clear(&n->places[i]);
	free(n->places);
	n->places = NULL;
}

bool fw_names_due(struct fw_names *n, uint64_t number, uint64_t now_ns)
{
	struct fw_named *place;

	if (!number || !n->places)
		return false;
	place = &n->places[number % FW_NAMES_PLACES];
	if (place->number == number && now_ns - place->asked_ns < AGAIN_NS)
		return false;
	place->asked_ns = now_ns;
	return true;
}

/* The place of @number, which may drive out another one. */
static struct fw_named *place_for(struct fw_names *n, uint64_t number)
{
	struct fw_named *place = &n->places[number % FW_NAMES_PLACES];
	uint64_t asked_ns = place->asked_ns;

	if (place->number == number)
		return place;
	clear(place);
	place->number = number;
	place->asked_ns = asked_ns;
	return place;
}

/* NULL: it is not known. */
static struct fw_named *place_of(const struct fw_names *n, uint64_t number)
{
	struct fw_named *place = number && n->places ? &n->places[number % FW_NAMES_PLACES] : NULL;

	return place && place->number == number ? place : NULL;
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
	struct fw_named *place;

	if (!number || !n->places)
		return;
	place = place_for(n, number);
	free(place->name);
	place->name = name ? strndup(name, len) : NULL;
}

const char *fw_names_get(const struct fw_names *n, uint64_t number)
{
	const struct fw_named *place;

	if (!number || !n->places)
		return NULL;
	place = &n->places[number % FW_NAMES_PLACES];
	return place->number == number ? place->name : NULL;
}

void fw_names_forget_unnamed(struct fw_names *n)
{
	for (size_t i = 0; n->places && i < FW_NAMES_PLACES; i++) {
		if (!n->places[i].name && !n->places[i].former)
			n->places[i].number = 0;
	}
}
