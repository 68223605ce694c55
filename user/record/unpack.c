// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading side. What it reads may have been forged: a number picks a pattern or a party only after
 * it was seen to exist, and nothing is allocated. Whether the record makes sense is for fw_decode() to
 * say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/pack.h"

struct fw_unpacker {
	struct fw_model model;
	const uint8_t *at, *end;
	unsigned int next_slot;
	union fw_image slots[FW_UNPACKED_SLOTS];
};

/* The longest record: that many numbers of ten bytes, a kind and a mask. */
_Static_assert(FW_UNPACK_PADDING >= (FW_FIELDS_MAX + 4) * 10 + 1, "no record is read beyond it");

struct fw_unpacker *fw_unpacker_new(unsigned int version, unsigned int hz)
{
	struct fw_unpacker *u = calloc(1, sizeof(*u));

	if (u)
		fw_model_init(&u->model, version, hz);
	return u;
}

void fw_unpacker_free(struct fw_unpacker *u)
{
	free(u);
}

void fw_unpacker_begin(struct fw_unpacker *u, const void *block, size_t len)
{
	fw_model_reset(&u->model);
	u->at = block;
	u->end = u->at + len;
}

/* A number of at most ten bytes. One that is cut off ends in the padding: see fw_unpacker_next(). */
static inline uint64_t take_long(const uint8_t **at)
{
	uint64_t v = *(*at)++ & 0x7f;

	for (unsigned int shift = 7; shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

static inline uint64_t take(const uint8_t **at)
{
	return **at < 0x80 ? *(*at)++ : take_long(at);
}

static inline uint64_t take_time(struct fw_unpacker *u, const uint8_t **at)
{
	const struct fw_field plain = { .type = FW_FIELD_U64 };

	u->model.last_ns = fw_field_apply(&plain, take(at), u->model.last_ns);
	return u->model.last_ns;
}

static int take_mark(struct fw_unpacker *u, const uint8_t *at, struct fw_item *item)
{
	unsigned int kind = *at++;
	uint64_t len;

	if (kind >= u->model.layouts.nr_marks)
		return -EBADMSG;
	item->record = NULL;
	item->mark = (struct fw_mark){ .kind = (enum fw_mark_kind)kind };
	item->mark.ts_ns = take_time(u, &at);
	item->mark.number = take(&at);
	len = take(&at);
	if (at > u->end)
		return -EBADMSG;
	if (len) {
		if (len - 1 > (size_t)(u->end - at) || len - 1 > FW_MARK_TEXT_MAX)
			return -EBADMSG;
		item->mark.text = (const char *)at;
		item->mark.len = len - 1;
		at += len - 1;
	}
	u->at = at;
	return 1;
}

/* The pattern that @number names; a new one for 1. NULL: there is none. */
static inline union fw_image *take_pattern(struct fw_unpacker *u, const uint8_t **at,
					   uint64_t number)
{
	union fw_image *pattern;

	if (number != 1)
		return number - 2 < u->model.nr_patterns ? &u->model.patterns[number - 2] : NULL;
	if (u->model.nr_patterns == FW_PATTERNS_MAX)
		return NULL;
	pattern = &u->model.patterns[u->model.nr_patterns++];
	memset(pattern, 0, sizeof(*pattern));
	pattern->head.kind = *(*at)++;
	return pattern;
}

/* Into @pattern: what differs from the prediction. */
static inline int take_fields(const uint8_t **at, const struct fw_layout *layout,
			      union fw_image *pattern)
{
	uint64_t mask = take(at);

	if (mask >> layout->nr)
		return -EBADMSG;
	while (mask) {
		const struct fw_field *field = &layout->fields[__builtin_ctzll(mask)];

		mask &= mask - 1;
		fw_field_set(pattern, field,
			     fw_field_apply(field, take(at), fw_field_get(pattern, field)));
	}
	return 0;
}

/* The pattern becomes the record, which is then copied to its slot. */
static int take_record(struct fw_unpacker *u, const uint8_t *at, uint64_t number,
		       struct fw_item *item)
{
	union fw_image *pattern = take_pattern(u, &at, number), *image;
	const struct fw_layout *layout =
		pattern ? fw_layout_of(&u->model.layouts, pattern->head.kind) : NULL;
	struct fw_party *party = NULL;
	uint64_t ago;

	if (!layout)
		return -EBADMSG;
	ago = layout->has_party ? take(&at) : 0;
	if (ago) {
		party = fw_model_party(&u->model, ago - 1);
		if (!party)
			return -EBADMSG;
	}
	fw_model_predict(layout, party, pattern);
	pattern->head.ts_ns = take_time(u, &at);
	if (take_fields(&at, layout, pattern) || at > u->end)
		return -EBADMSG;
	u->at = at;
	fw_model_learn(&u->model, layout, party, pattern);
	image = &u->slots[u->next_slot++ % FW_UNPACKED_SLOTS];
	*image = *pattern;
	if (layout->has_timer)
		fw_model_unrelate_timer(&u->model, image);
	item->record = image;
	item->len = layout->len;
	return 1;
}

/* What makes no sense is not passed: whoever asks again is told again. */
int fw_unpacker_next(struct fw_unpacker *u, struct fw_item *item)
{
	const uint8_t *at = u->at;
	uint64_t number;

	if (at >= u->end)
		return at == u->end ? 0 : -EBADMSG;
	number = take(&at);
	return number ? take_record(u, at, number, item) : take_mark(u, at, item);
}
