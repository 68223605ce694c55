/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the writer and the reader of a block of a recording both know at any moment, and from which both
 * make the same prediction of the next record. Only what differs from it is stored.
 *
 * Two things are remembered. A *pattern* is the last record of its sort (say, of ESTABLISHED ->
 * FIN_WAIT_1 of one process): flags, owner, states, totals are likely to be the same. A *party* is a
 * socket: its cookie, address and endpoints are likely to be those that it had last. Which pattern
 * and which party a record goes with is the writer's choice; the record says it.
 *
 * Nothing outlives a block.
 */
#ifndef FW_RECORD_MODEL_H
#define FW_RECORD_MODEL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../bpf/event.h"

#define FW_PATTERNS_MAX 1024
#define FW_PARTIES_MAX 2048 /* the oldest makes room */
/* The largest record. */
#define FW_IMAGE_BYTES sizeof(struct fw_rec_mini)

enum fw_field_type {
	FW_FIELD_U8, FW_FIELD_U16, FW_FIELD_U32, FW_FIELD_U64,
	FW_FIELD_POINTER, /* 64 bits, of which the lowest six are nearly always 0 */
	FW_FIELD_BE32,	  /* four bytes of an address */
	FW_FIELD_TEXT,	  /* eight bytes of a name */
};

struct fw_field {
	uint8_t offset;
	uint8_t type;
};

/* How records of one kind are laid out: at most 32 fields, the time not among them. */
struct fw_layout {
	const struct fw_field *fields;
	unsigned int nr;
	size_t len;	  /* of the record */
	bool has_party;	  /* cookie and address of a socket */
	bool has_endpoints; /* and what else identifies it */
	bool has_timer;	  /* expires_jiffies and now_jiffies */
	bool is_mini;	  /* which of a party's addresses it has */
};

/* Of enum fw_record_kind; NULL: no such kind. */
const struct fw_layout *fw_layout_of(unsigned int kind);

/* A record; aligned, since its fields are. */
union fw_image {
	struct fw_rec_head head;
	struct fw_rec_state state;
	struct fw_rec_mini mini;
	struct fw_rec_sock sock;
	struct fw_rec_holder holder;
	struct fw_rec_process process;
};

struct fw_party {
	uint64_t cookie;
	uint64_t skaddr[2]; /* of its full socket, and of its minisock or request socket */
	uint32_t netns;
	uint16_t lport, rport;
	uint8_t family;
	uint8_t laddr[16], raddr[16];
};

struct fw_model {
	union fw_image patterns[FW_PATTERNS_MAX];
	struct fw_party parties[FW_PARTIES_MAX];
	unsigned int nr_patterns;
	unsigned int nr_parties; /* ever met */
	uint64_t last_ns;
	uint64_t jiffy_ns; /* 0: unknown */
	uint64_t tick_ns, tick_jiffies; /* a moment, and the jiffies then */
};

/* @hz: of the jiffies in records; 0: unknown. */
void fw_model_init(struct fw_model *m, unsigned int hz);
/* A new block: all is forgotten. */
void fw_model_reset(struct fw_model *m);

/* A party by how many have been met since, or NULL for one that is forgotten or was never met. */
struct fw_party *fw_model_party(struct fw_model *m, uint64_t ago);

/* @pattern, of @layout, becomes what the next record of its sort would be. @party may be NULL: nothing is
 * known of it.
 */
void fw_model_predict(const struct fw_layout *layout, const struct fw_party *party,
		      union fw_image *pattern);

/* @image has come to be: its party (NULL: a new one, where the layout has them) is as it says. Returns
 * the party or NULL. That its pattern is like it is for the caller to see to.
 */
struct fw_party *fw_model_learn(struct fw_model *m, const struct fw_layout *layout,
				struct fw_party *party, const union fw_image *image);

/* Timers as they are stored, relative to the time of the record, and back. */
void fw_model_relate_timer(struct fw_model *m, union fw_image *image);
void fw_model_unrelate_timer(struct fw_model *m, union fw_image *image);

/* ---- Fields: called for each field of each record ------------------------------------------ */

/* Its value in host byte order, and setting it. */
static inline uint64_t fw_field_get(const union fw_image *image, const struct fw_field *field)
{
	const char *at = (const char *)image + field->offset;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (field->type) {
	case FW_FIELD_U8:
		return *(const uint8_t *)at;
	case FW_FIELD_U16:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case FW_FIELD_U32:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	case FW_FIELD_BE32:
		memcpy(&u32, at, sizeof(u32));
		return be32toh(u32);
	case FW_FIELD_TEXT:
		memcpy(&u64, at, sizeof(u64));
		return le64toh(u64);
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

static inline void fw_field_set(union fw_image *image, const struct fw_field *field, uint64_t value)
{
	char *at = (char *)image + field->offset;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	switch (field->type) {
	case FW_FIELD_U8:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case FW_FIELD_U16:
		memcpy(at, &u16, sizeof(u16));
		break;
	case FW_FIELD_BE32:
		u32 = htobe32(u32);
		/* fall through */
	case FW_FIELD_U32:
		memcpy(at, &u32, sizeof(u32));
		break;
	case FW_FIELD_TEXT:
		value = htole64(value);
		/* fall through */
	default:
		memcpy(at, &value, sizeof(value));
		break;
	}
}

/* 0, -1, 1, -2, ... become 0, 1, 2, 3, ... */
static inline uint64_t fw_fold(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t fw_unfold(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/* Bits 1 to 6 of a folded difference of pointers are those of its sign: made 0, and put at the top. */
static inline uint64_t fw_turn(uint64_t d)
{
	d ^= d & 1 ? 0x7e : 0;
	return (d & 1) | d >> 7 << 1 | d >> 1 << 58;
}

static inline uint64_t fw_turn_back(uint64_t d)
{
	d = (d & 1) | d >> 58 << 1 | (d & ~(0x3fULL << 58)) >> 1 << 7;
	return d ^ (d & 1 ? 0x7e : 0);
}

/* The difference of two values as a number that is small if they are close, and back. */
static inline uint64_t fw_field_difference(const struct fw_field *field, uint64_t value,
					   uint64_t predicted)
{
	uint64_t d = fw_fold(value - predicted);

	return field->type == FW_FIELD_POINTER ? fw_turn(d) : d;
}

static inline uint64_t fw_field_apply(const struct fw_field *field, uint64_t difference,
				      uint64_t predicted)
{
	if (field->type == FW_FIELD_POINTER)
		difference = fw_turn_back(difference);
	return predicted + fw_unfold(difference);
}

#endif
