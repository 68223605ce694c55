// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writing side chooses the pattern and the party that a record goes with. A worse choice costs
 * bytes, no truth: the tables that find them may forget.
 */
#include "record/pack.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN_PLACES 4096 /* power of two, well above FW_PATTERNS_MAX */
#define PARTY_PLACES 4096
#define ITEM_ROOM 512 /* the longest record, several times over */

struct place {
	uint64_t key;
	uint32_t number; /* of the pattern and one; 0: empty */
};

struct fw_packer {
	struct fw_model model;
	struct place patterns[PATTERN_PLACES];
	/* number of the party and one, by cookie, by address, by ports; 0: empty */
	uint32_t by_cookie[PARTY_PLACES], by_skaddr[PARTY_PLACES], by_ports[PARTY_PLACES];
};

struct fw_packer *fw_packer_new(unsigned int hz)
{
	struct fw_packer *p = calloc(1, sizeof(*p));

	if (p)
		fw_model_init(&p->model, FW_FORMAT_VERSION, hz);
	return p;
}

void fw_packer_free(struct fw_packer *p)
{
	free(p);
}

void fw_packer_reset(struct fw_packer *p)
{
	fw_model_reset(&p->model);
	memset(p->patterns, 0, sizeof(p->patterns));
	memset(p->by_cookie, 0, sizeof(p->by_cookie));
	memset(p->by_skaddr, 0, sizeof(p->by_skaddr));
	memset(p->by_ports, 0, sizeof(p->by_ports));
}

static uint64_t mix(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15ULL;
	return v ^ v >> 32;
}

/* ---- Patterns ---------------------------------------------------------------------------- */

static uint64_t sort_of(const struct fw_layout *layout, const union fw_image *image)
{
	const struct fw_rec_head *head = &image->head;
	uint64_t key = head->kind | (uint64_t)head->oldstate << 8 | (uint64_t)head->newstate << 16 |
		       (uint64_t)head->family << 24 | (uint64_t)head->flags << 32;

	if (layout->is_mini)
		key = mix(key) ^ image->mini.listener;
	else if (head->kind == FW_REC_SOCK)
		key = mix(key) ^ image->sock.object;
	else if (head->flags & FW_REC_OWNER && layout->len == sizeof(image->state))
		key = mix(key) ^ image->state.pid;
	return mix(key ^ (uint64_t)head->ifindex << 32) | 1;
}

/* The number of the pattern for @image; .nr_patterns: a new one. */
static unsigned int pattern_for(struct fw_packer *p, const struct fw_layout *layout,
				const union fw_image *image)
{
	uint64_t key = sort_of(layout, image);
	size_t at = key >> 40 & (PATTERN_PLACES - 1);

	while (p->patterns[at].number && p->patterns[at].key != key)
		at = (at + 1) & (PATTERN_PLACES - 1);
	if (p->patterns[at].number)
		return p->patterns[at].number - 1;
	/* Of so many sorts some have to share, within their kind. */
	if (p->model.nr_patterns == FW_PATTERNS_MAX) {
		for (unsigned int i = 0; i < FW_PATTERNS_MAX; i++) {
			if (p->model.patterns[i].head.kind == image->head.kind)
				return i;
		}
	}
	p->patterns[at] = (struct place){ key, p->model.nr_patterns + 1 };
	return p->model.nr_patterns;
}

/* ---- Parties ----------------------------------------------------------------------------- */

static size_t place_of_ports(const struct fw_rec_head *head)
{
	return mix((uint64_t)head->lport << 16 | head->rport) >> 40 & (PARTY_PLACES - 1);
}

static size_t place_of(uint64_t key)
{
	return mix(key) >> 40 & (PARTY_PLACES - 1);
}

static struct fw_party *party_at(struct fw_packer *p, uint32_t number)
{
	return number ? fw_model_party(&p->model, p->model.nr_parties - number) : NULL;
}

/* NULL: none that is remembered. */
static struct fw_party *party_for(struct fw_packer *p, const struct fw_layout *layout,
				  const struct fw_rec_head *head)
{
	struct fw_party *party;

	party = head->cookie ? party_at(p, p->by_cookie[place_of(head->cookie)]) : NULL;
	if (party && party->cookie == head->cookie)
		return party;
	party = party_at(p, p->by_skaddr[place_of(head->skaddr)]);
	if (party && party->skaddr[layout->is_mini] == head->skaddr)
		return party;
	if (!layout->has_endpoints || !head->lport || !head->rport)
		return NULL;
	party = party_at(p, p->by_ports[place_of_ports(head)]);
	return party && party->lport == head->lport && party->rport == head->rport ? party : NULL;
}

static uint32_t number_of(const struct fw_packer *p, const struct fw_party *party)
{
	unsigned int newest = p->model.nr_parties - 1, slot = (unsigned int)(party - p->model.parties);

	return newest - ((newest - slot) & (FW_PARTIES_MAX - 1)) + 1;
}

static void remember(struct fw_packer *p, const struct fw_party *party,
		     const struct fw_rec_head *head)
{
	uint32_t number = number_of(p, party);

	if (head->cookie)
		p->by_cookie[place_of(head->cookie)] = number;
	p->by_skaddr[place_of(head->skaddr)] = number;
	if (head->lport && head->rport)
		p->by_ports[place_of_ports(head)] = number;
}

/* ---- Items ------------------------------------------------------------------------------- */

static char *put(char *at, uint64_t v)
{
	while (v >= 0x80) {
		*at++ = (char)(v | 0x80);
		v >>= 7;
	}
	*at++ = (char)v;
	return at;
}

static char *put_time(struct fw_model *m, char *at, uint64_t ts_ns)
{
	const struct fw_field plain = { .type = FW_FIELD_U64 };

	at = put(at, fw_field_difference(&plain, ts_ns, m->last_ns));
	m->last_ns = ts_ns;
	return at;
}

/* What differs: which fields, and by how much. */
static char *put_fields(char *at, const struct fw_layout *layout, const union fw_image *image,
			const union fw_image *predicted)
{
	uint64_t differences[FW_FIELDS_MAX], mask = 0;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < layout->nr; i++) {
		const struct fw_field *field = &layout->fields[i];
		uint64_t is = fw_field_get(image, field), was = fw_field_get(predicted, field);

		if (is == was)
			continue;
		mask |= 1ULL << i;
		differences[nr++] = fw_field_difference(field, is, was);
	}
	at = put(at, mask);
	for (unsigned int i = 0; i < nr; i++)
		at = put(at, differences[i]);
	return at;
}

void fw_packer_record(struct fw_packer *p, const void *record, struct fw_buf *out)
{
	unsigned int kind = ((const struct fw_rec_head *)record)->kind, number;
	const struct fw_layout *layout = fw_layout_of(&p->model.layouts, kind);
	union fw_image image = { 0 }, *pattern;
	struct fw_party *party = NULL;
	char bytes[ITEM_ROOM], *at = bytes;

	memcpy(&image, record, layout->len);
	if (layout->has_timer)
		fw_model_relate_timer(&p->model, &image);
	number = pattern_for(p, layout, &image);
	if (number == p->model.nr_patterns) {
		at = put(at, 1);
		*at++ = (char)kind;
		p->model.patterns[p->model.nr_patterns++] = (union fw_image){ .head.kind = (uint8_t)kind };
	} else {
		at = put(at, number + 2);
	}
	if (layout->has_party) {
		party = party_for(p, layout, &image.head);
		at = put(at, party ? p->model.nr_parties - number_of(p, party) + 1 : 0);
	}
	at = put_time(&p->model, at, image.head.ts_ns);
	pattern = &p->model.patterns[number];
	fw_model_predict(layout, party, pattern);
	at = put_fields(at, layout, &image, pattern);
	*pattern = image;
	party = fw_model_learn(&p->model, layout, party, &image);
	if (party)
		remember(p, party, &image.head);
	fw_buf_mem(out, bytes, (size_t)(at - bytes));
}

void fw_packer_mark(struct fw_packer *p, const struct fw_mark *mark, struct fw_buf *out)
{
	size_t len = mark->len < FW_MARK_TEXT_MAX ? mark->len : FW_MARK_TEXT_MAX;
	char bytes[ITEM_ROOM], *at = bytes;

	*at++ = 0;
	*at++ = (char)mark->kind;
	/* Where it says nothing, a time of 0 would cost twice ten bytes. */
	at = put_time(&p->model, at, mark->ts_ns ? mark->ts_ns : p->model.last_ns);
	at = put(at, mark->number);
	at = put(at, mark->text ? len + 1 : 0);
	fw_buf_mem(out, bytes, (size_t)(at - bytes));
	if (mark->text)
		fw_buf_mem(out, mark->text, len);
}
