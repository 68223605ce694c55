// SPDX-License-Identifier: GPL-2.0-only
/* Proves that each byte of a record is in the newest layout, that the layouts of released versions stay
 * as they are, and that blocks of them are read.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/decode.h"
#include "record/model.h"
#include "record/pack.h"
#include "versions.h"

static size_t field_bytes(const struct fw_field *field)
{
	switch (field->type) {
	case FW_FIELD_U8:
		return 1;
	case FW_FIELD_U16:
		return 2;
	case FW_FIELD_U32:
	case FW_FIELD_BE32:
		return 4;
	default:
		return 8;
	}
}

static void cover(uint8_t times[FW_IMAGE_BYTES], size_t at, size_t len)
{
	for (size_t i = at; i < at + len; i++)
		times[i]++;
}

#define COVER(times, type, member) \
	cover(times, offsetof(type, member), sizeof(((type *)0)->member))

/* What is packed in another way (time, kind), what is not recorded, and padding. */
static void cover_others(uint8_t times[FW_IMAGE_BYTES], enum fw_record_struct which)
{
	COVER(times, struct fw_rec_head, ts_ns);
	COVER(times, struct fw_rec_head, kind);
	COVER(times, struct fw_rec_head, netns_life);
	switch (which) {
	case FW_STRUCT_STATE:
		COVER(times, struct fw_rec_state, pad);
		return;
	case FW_STRUCT_MINI: /* one frame is kept of the stack */
		cover(times, offsetof(struct fw_rec_mini, ips[1]),
		      (FW_STACK_DEPTH - 1) * sizeof(((struct fw_rec_mini *)0)->ips[0]));
		return;
	case FW_STRUCT_SOCK:
		COVER(times, struct fw_rec_sock, pad);
		return;
	case FW_STRUCT_HOLDER:
		COVER(times, struct fw_rec_holder, pad);
		return;
	case FW_STRUCT_PROCESS:
		COVER(times, struct fw_rec_process, pad);
		return;
	default:
		return;
	}
}

static void each_byte_is_in_the_newest_layout(void **state)
{
	struct fw_layouts layouts;

	(void)state;
	fw_layouts_init(&layouts, FW_FORMAT_VERSION);
	for (unsigned int which = 0; which < FW_STRUCT_MAX; which++) {
		const struct fw_layout *layout = &layouts.of_struct[which];
		uint8_t times[FW_IMAGE_BYTES] = { 0 };

		for (unsigned int i = 0; i < layout->nr; i++)
			cover(times, layout->fields[i].offset, field_bytes(&layout->fields[i]));
		cover_others(times, which);
		for (size_t i = 0; i < layout->len; i++) {
			if (times[i] != 1)
				fail_msg("byte %zu of struct %u is in %u fields", i, which, times[i]);
		}
	}
}

static void each_kind_has_a_layout(void **state)
{
	struct fw_layouts layouts;

	(void)state;
	fw_layouts_init(&layouts, FW_FORMAT_VERSION);
	for (unsigned int kind = 0; kind < FW_REC_MAX; kind++) {
		if (!fw_layout_of(&layouts, kind))
			fail_msg("kind %u has no layout", kind);
		assert_int_equal(fw_layout_of(&layouts, kind)->len, fw_record_bytes(kind));
	}
	assert_null(fw_layout_of(&layouts, FW_REC_MAX));
	assert_int_equal(fw_record_bytes(FW_REC_MAX), 0);
	assert_int_equal(layouts.nr_marks, FW_MARK_MAX);
}

/* ---- Version 1, frozen ------------------------------------------------------------------------ */

static void version_1_has_its_fields_in_their_order(void **state)
{
	struct fw_layouts layouts;

	(void)state;
	fw_layouts_init(&layouts, 1);
	for (unsigned int which = 0; which < FW_STRUCT_MAX; which++) {
		const struct fw_layout *layout = &layouts.of_struct[which];

		assert_int_equal(layout->nr, version_1[which].nr);
		for (unsigned int i = 0; i < layout->nr; i++) {
			if (layout->fields[i].offset != version_1[which].fields[i])
				fail_msg("field %u of struct %u is at %u, was at %zu", i, which,
					 layout->fields[i].offset, version_1[which].fields[i]);
		}
	}
}

static void version_1_has_its_kinds(void **state)
{
	/* By number, not by name: these numbers are in files. */
	static const enum fw_record_struct kinds[] = {
		FW_STRUCT_STATE, FW_STRUCT_STATE, FW_STRUCT_MINI, FW_STRUCT_MINI, FW_STRUCT_MINI,
		FW_STRUCT_MINI, FW_STRUCT_MINI, FW_STRUCT_STATE, FW_STRUCT_STATE, FW_STRUCT_HEAD,
		FW_STRUCT_SOCK, FW_STRUCT_HOLDER, FW_STRUCT_PROCESS, FW_STRUCT_HEAD, FW_STRUCT_HEAD,
	};
	struct fw_layouts layouts;

	(void)state;
	fw_layouts_init(&layouts, 1);
	for (unsigned int kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		assert_ptr_equal(fw_layout_of(&layouts, kind), &layouts.of_struct[kinds[kind]]);
	assert_null(fw_layout_of(&layouts, ARRAY_SIZE(kinds)));
	assert_null(fw_layout_of(&layouts, ARRAY_SIZE(kinds) + 1));
	assert_int_equal(layouts.nr_marks, 12);
}

/* Numbers that stand in files of version 1, whatever their names have become. */
static void version_1_has_its_numbers(void **state)
{
	static const unsigned int flags[] = {
		FW_REC_ORPHAN, FW_REC_FIN_RECEIVED, FW_REC_FIN_ACKED, FW_REC_HAS_FILE,
		FW_REC_LINGER2_NEG, FW_REC_SHUT_RD, FW_REC_SHUT_WR, FW_REC_OWNER, FW_REC_SYN_UNSENT,
		FW_REC_REQ_UNSEEN, FW_REC_LISTENER_GONE, FW_REC_GONE,
	};
	static const unsigned int frames[] = {
		FW_FRAME_MOD_TIMER, FW_FRAME_RUN_TIMERS, FW_FRAME_TW_PROCESS, FW_FRAME_TCP_RCV,
		FW_FRAME_CONNECT, FW_FRAME_PURGE, FW_FRAME_ABORT, FW_FRAME_REQ_COMPLETE,
		FW_FRAME_REQ_CHECK,
	};
	static const unsigned int marks[] = {
		FW_MARK_TIME, FW_MARK_LOST, FW_MARK_SUPPRESSED, FW_MARK_CGROUP, FW_MARK_NETNS,
		FW_MARK_VALUES_BEGIN, FW_MARK_VALUES, FW_MARK_COST, FW_MARK_END, FW_MARK_VALUES_END,
		FW_MARK_NETNS_REFUSED, FW_MARK_NETNS_HIDDEN,
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
		assert_int_equal(flags[i], 1U << i);
	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
		assert_int_equal(frames[i], i);
	for (unsigned int i = 0; i < ARRAY_SIZE(marks); i++)
		assert_int_equal(marks[i], i);
	assert_int_equal(FW_OBJECT_FULL, 0);
	assert_int_equal(FW_OBJECT_REQUEST, 1);
	assert_int_equal(FW_OBJECT_MINI, 2);
}

/* ---- A block of a version ---------------------------------------------------------------------- */

static const uint8_t kind_of_struct[FW_STRUCT_MAX] = {
	[FW_STRUCT_HEAD] = FW_REC_SNAP_BEGIN, [FW_STRUCT_STATE] = FW_REC_STATE,
	[FW_STRUCT_MINI] = FW_REC_TW_END,     [FW_STRUCT_SOCK] = FW_REC_SOCK,
	[FW_STRUCT_HOLDER] = FW_REC_HOLDER,   [FW_STRUCT_PROCESS] = FW_REC_PROCESS,
};

/* As it was packed; fields that the version lacks are 0. */
static void expected(union fw_image *r, unsigned int number, const struct version *version,
		     unsigned int which, unsigned int round)
{
	struct fw_layouts newest;
	const struct fw_layout *layout = &newest.of_struct[which];

	memset(r, 0, sizeof(*r));
	fw_layouts_init(&newest, FW_FORMAT_VERSION);
	for (unsigned int i = 0; i < version[which].nr; i++) {
		for (unsigned int k = 0; k < layout->nr; k++) {
			if (layout->fields[k].offset == version[which].fields[i])
				fw_field_set(r, &layout->fields[k], 1 + i + (round ? i % 3 : 0));
		}
	}
	if (which == FW_STRUCT_SOCK)
		r->sock.object = FW_OBJECT_REQUEST;
	/* So many jiffies before the record the clock had not begun. */
	if (which == FW_STRUCT_SOCK && number == 1)
		r->sock.since_ns = 0;
	r->head.kind = kind_of_struct[which];
	r->head.ts_ns = 1000 * (round + 1) + which;
}

static void expect_mark(struct fw_unpacker *u, unsigned int kind)
{
	struct fw_item item;

	assert_int_equal(fw_unpacker_next(u, &item), 1);
	assert_null(item.record);
	assert_int_equal(item.mark.kind, kind);
	assert_int_equal(item.mark.ts_ns, 3000 + kind);
	assert_int_equal(item.mark.number, kind);
	assert_int_equal(item.mark.len, kind & 1 ? 4 : 0);
	if (kind & 1)
		assert_memory_equal(item.mark.text, "text", 4);
}

static void expect_block(unsigned int number, const struct version *version, const uint8_t *block,
			 size_t len, unsigned int nr_marks)
{
	struct fw_unpacker *u = fw_unpacker_new(number, 250);
	uint8_t *copy = calloc(1, len + FW_UNPACK_PADDING);
	struct fw_item item;
	union fw_image want;

	assert_non_null(u);
	assert_non_null(copy);
	memcpy(copy, block, len);
	fw_unpacker_begin(u, copy, len);
	for (unsigned int i = 0; i < 3 * FW_STRUCT_MAX; i++) {
		expected(&want, number, version, i % FW_STRUCT_MAX, i / FW_STRUCT_MAX);
		assert_int_equal(fw_unpacker_next(u, &item), 1);
		assert_non_null(item.record);
		assert_int_equal(item.len, fw_record_bytes(want.head.kind));
		assert_memory_equal(item.record, &want, item.len);
	}
	for (unsigned int kind = 0; kind < nr_marks; kind++)
		expect_mark(u, kind);
	assert_int_equal(fw_unpacker_next(u, &item), 0);
	fw_unpacker_free(u);
	free(copy);
}

static void a_block_of_version_1_is_read(void **state)
{
	(void)state;
	expect_block(1, version_1, version_1_block, sizeof(version_1_block), 12);
}

/* Version 1 has how many jiffies a socket had been in its state, not since when. */
static void jiffies_of_version_1_become_a_time(void **state)
{
	static const struct {
		uint64_t ts_ns, jiffies, since_ns;
	} cases[] = {
		{ 10000000000ULL, 250, 9000000000ULL },
		{ 10000000000ULL, 0, 0 }, /* not known */
		{ 10000000000ULL, 2499, 4000000 },
		{ 10000000000ULL, 2500, 0 },
		{ 10000000000ULL, UINT64_MAX, 0 },
	};
	struct fw_model *m = malloc(sizeof(*m));

	(void)state;
	assert_non_null(m);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		union fw_image image = { .sock = { .head = { .ts_ns = cases[i].ts_ns, .kind = FW_REC_SOCK },
						   .since_ns = cases[i].jiffies } };

		fw_model_init(m, 1, 250);
		fw_model_unrelate_timer(m, &image);
		assert_int_equal(image.sock.since_ns, cases[i].since_ns);
	}
	free(m);
}

/* What came later is not in it, so it is damaged or forged. */
static void version_1_has_no_later_kinds(void **state)
{
	static const uint8_t later[][FW_UNPACK_PADDING] = {
		{ 1, FW_REC_RETRANSMIT, 0, 0, 0 }, { 1, FW_REC_CONNECT_FAILED, 0, 0, 0 },
	};
	struct fw_item item;

	(void)state;
	for (unsigned int version = 1; version <= 2; version++) {
		struct fw_unpacker *u = fw_unpacker_new(version, 250);

		assert_non_null(u);
		for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
			fw_unpacker_begin(u, later[i], 5);
			assert_int_equal(fw_unpacker_next(u, &item), version == 1 ? -EBADMSG : 1);
		}
		fw_unpacker_free(u);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_is_in_the_newest_layout),
		cmocka_unit_test(each_kind_has_a_layout),
		cmocka_unit_test(version_1_has_its_fields_in_their_order),
		cmocka_unit_test(version_1_has_its_kinds),
		cmocka_unit_test(version_1_has_its_numbers),
		cmocka_unit_test(a_block_of_version_1_is_read),
		cmocka_unit_test(jiffies_of_version_1_become_a_time),
		cmocka_unit_test(version_1_has_no_later_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
