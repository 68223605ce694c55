/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layouts of records in recordings, by version of the format.
 *
 * A layout is the list of a record's fields, in the order of their bits in a packed record. Each field
 * has the version that added it. The layout of an older version is the same list without the fields
 * that were added later, so a record of an old recording becomes a current struct in which these are 0.
 * A version that was released is frozen: its fields, their order, their types and its kinds.
 *
 * To add a field: add it to the struct in bpf/event.h, and to the list in layout.c with the version
 * that is not released yet (FW_FORMAT_VERSION). tests/unit/test_layout.c fails until that is done.
 */
#ifndef FW_RECORD_LAYOUT_H
#define FW_RECORD_LAYOUT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../bpf/event.h"

/* What is written. All versions from 1 on are read. */
#define FW_FORMAT_VERSION 2

/* The largest record. */
#define FW_IMAGE_BYTES sizeof(struct fw_rec_mini)

/* A record; aligned, since its fields are. */
union fw_image {
	struct fw_rec_head head;
	struct fw_rec_state state;
	struct fw_rec_mini mini;
	struct fw_rec_sock sock;
	struct fw_rec_holder holder;
	struct fw_rec_process process;
};

enum fw_field_type {
	FW_FIELD_U8, FW_FIELD_U16, FW_FIELD_U32, FW_FIELD_U64,
	FW_FIELD_POINTER, /* 64 bits, of which the lowest six are nearly always 0 */
	FW_FIELD_BE32,	  /* four bytes of an address */
	FW_FIELD_TEXT,	  /* eight bytes of a name */
};

struct fw_field {
	uint8_t offset;
	uint8_t type;
	uint8_t since; /* version that added it */
};

/* A record has at most so many fields, its time and its kind not counted. */
#define FW_FIELDS_MAX 40

struct fw_layout {
	struct fw_field fields[FW_FIELDS_MAX];
	unsigned int nr;
	size_t len;	  /* of the record */
	bool has_party;	  /* cookie and address of a socket */
	bool has_endpoints; /* and what else identifies it */
	bool has_timer;	  /* expires_jiffies and now_jiffies */
	bool is_mini;	  /* which of a party's addresses it has */
};

/* The structs that records have. */
enum fw_record_struct {
	FW_STRUCT_HEAD, FW_STRUCT_STATE, FW_STRUCT_MINI, FW_STRUCT_SOCK, FW_STRUCT_HOLDER,
	FW_STRUCT_PROCESS, FW_STRUCT_MAX,
};

/* One version's. */
struct fw_layouts {
	struct fw_layout of_struct[FW_STRUCT_MAX];
	const struct fw_layout *of_kind[FW_REC_MAX]; /* NULL: the version has no such kind */
	unsigned int nr_marks; /* its kinds of marks are below this */
	bool since_is_jiffies; /* fw_rec_sock.since_ns is a number of jiffies */
};

/* @version: 1 to FW_FORMAT_VERSION. */
void fw_layouts_init(struct fw_layouts *l, unsigned int version);

static inline const struct fw_layout *fw_layout_of(const struct fw_layouts *l, unsigned int kind)
{
	return kind < FW_REC_MAX ? l->of_kind[kind] : NULL;
}

/* Bytes of a record of this kind as it is in memory; 0: no such kind. */
size_t fw_record_bytes(unsigned int kind);

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
