// SPDX-License-Identifier: GPL-2.0-only
#include "util/names.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_NS 10000000ULL

void fw_names_init(struct fw_names *n)
{
	n->places = calloc(FW_NAMES_PLACES, sizeof(*n->places));
}

void fw_names_fini(struct fw_names *n)
{
	for (size_t i = 0; n->places && i < FW_NAMES_PLACES; i++)
		free(n->places[i].name);
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

void fw_names_set(struct fw_names *n, uint64_t number, const char *name, size_t len)
{
	struct fw_named *place;

	if (!number || !n->places)
		return;
	place = &n->places[number % FW_NAMES_PLACES];
	free(place->name);
	place->name = name ? strndup(name, len) : NULL;
	place->number = number;
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
		if (!n->places[i].name)
			n->places[i].number = 0;
	}
}
