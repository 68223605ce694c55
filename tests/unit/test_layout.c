// SPDX-License-Identifier: GPL-2.0-only
/* Proves that each byte of a record is in the newest layout, and that the layouts of released versions
 * stay as they are.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "record/layout.h"
#include "record/mark.h"

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
	COVER(times, struct fw_rec_head, pad);
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

#define AT(type, member) offsetof(struct type, member)
#define HEAD(member) AT(fw_rec_head, member)
#define V1_OFTEN \
	HEAD(cpu), HEAD(flags), HEAD(skaddr), HEAD(cookie), HEAD(lport), HEAD(rport)
#define V1_SELDOM \
	HEAD(laddr), HEAD(raddr), HEAD(oldstate), HEAD(newstate), HEAD(netns), HEAD(family), \
	HEAD(laddr[4]), HEAD(laddr[8]), HEAD(laddr[12]), HEAD(raddr[4]), HEAD(raddr[8]), \
	HEAD(raddr[12])
#define FIELDS(...) { __VA_ARGS__ }, sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t)

static const struct {
	size_t fields[FW_FIELDS_MAX];
	unsigned int nr;
} version_1[FW_STRUCT_MAX] = {
	[FW_STRUCT_HEAD] = { FIELDS(V1_OFTEN, V1_SELDOM) },
	[FW_STRUCT_STATE] = { FIELDS(
		AT(fw_rec_state, segs_in), V1_OFTEN, AT(fw_rec_state, bytes_sent),
		AT(fw_rec_state, bytes_received), AT(fw_rec_state, retransmits), V1_SELDOM,
		AT(fw_rec_state, pid), AT(fw_rec_state, uid), AT(fw_rec_state, cgroup_id),
		AT(fw_rec_state, err), AT(fw_rec_state, comm), AT(fw_rec_state, comm[8])) },
	[FW_STRUCT_MINI] = { FIELDS(
		AT(fw_rec_mini, now_jiffies), AT(fw_rec_mini, expires_jiffies), V1_OFTEN,
		AT(fw_rec_mini, timeouts), AT(fw_rec_mini, nr_ips), AT(fw_rec_mini, ips),
		V1_SELDOM) },
	[FW_STRUCT_SOCK] = { FIELDS(
		V1_OFTEN, AT(fw_rec_sock, now_jiffies), AT(fw_rec_sock, expires_jiffies),
		AT(fw_rec_sock, idle_jiffies), AT(fw_rec_sock, bytes_sent),
		AT(fw_rec_sock, bytes_received), AT(fw_rec_sock, unread), AT(fw_rec_sock, unsent),
		AT(fw_rec_sock, retransmits), AT(fw_rec_sock, uid), AT(fw_rec_sock, cgroup_id),
		AT(fw_rec_sock, object), V1_SELDOM) },
	[FW_STRUCT_HOLDER] = { FIELDS(
		AT(fw_rec_holder, fd), V1_OFTEN, AT(fw_rec_holder, pid), AT(fw_rec_holder, comm),
		AT(fw_rec_holder, comm[8]), V1_SELDOM) },
	[FW_STRUCT_PROCESS] = { FIELDS(
		AT(fw_rec_process, pid), AT(fw_rec_process, fds), AT(fw_rec_process, cgroup_id),
		AT(fw_rec_process, comm), AT(fw_rec_process, comm[8]), AT(fw_rec_process, uid),
		AT(fw_rec_process, nofile), V1_OFTEN, V1_SELDOM) },
};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_is_in_the_newest_layout),
		cmocka_unit_test(each_kind_has_a_layout),
		cmocka_unit_test(version_1_has_its_fields_in_their_order),
		cmocka_unit_test(version_1_has_its_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
