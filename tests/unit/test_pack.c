// SPDX-License-Identifier: GPL-2.0-only
/* Proves that records and marks come out of a block as they went in, in few bytes, and that nothing that
 * is not such a block does harm.
 */
#include <errno.h>

#include "pack.h"

static void expect_record(struct packing *p, const union fw_image *want)
{
	struct fw_item item;

	assert_int_equal(fw_unpacker_next(p->unpacker, &item), 1);
	assert_non_null(item.record);
	assert_int_equal(item.len, fw_record_bytes(want->head.kind));
	assert_memory_equal(item.record, want, item.len);
}

static void any_record_comes_back(void **state)
{
	enum { BLOCKS = 20, RECORDS = 3000 };
	struct packing *p = *state;
	static union fw_image all[RECORDS];
	uint64_t seed = 88172645463325252ULL;
	struct fw_item item;
	char *copy;

	for (int block = 0; block < BLOCKS; block++) {
		fw_buf_clear(&p->block);
		fw_packer_reset(p->packer);
		for (int i = 0; i < RECORDS; i++) {
			any_record(&all[i], &seed);
			/* Many are of a socket that has been seen. */
			if (i > 10 && any(&seed) & 1) {
				all[i].head.cookie = all[i - 1 - (int)(any(&seed) % 10)].head.cookie;
				all[i].head.skaddr = all[i - 1 - (int)(any(&seed) % 10)].head.skaddr;
			}
			fw_packer_record(p->packer, &all[i], &p->block);
		}
		packing_begin(p, p->block.data, p->block.len, &copy);
		for (int i = 0; i < RECORDS; i++)
			expect_record(p, &all[i]);
		assert_int_equal(fw_unpacker_next(p->unpacker, &item), 0);
		free(copy);
	}
}

static void marks_come_back_among_records(void **state)
{
	static const struct fw_mark marks[] = {
		{ .kind = FW_MARK_TIME, .ts_ns = 5000 },
		{ .kind = FW_MARK_LOST, .ts_ns = 77, .number = UINT64_MAX },
		{ .kind = FW_MARK_CGROUP, .ts_ns = 77, .number = 12, .text = "/a.slice", .len = 8 },
		{ .kind = FW_MARK_NETNS, .ts_ns = 77, .number = 4026531840U, .text = "", .len = 0 },
		{ .kind = FW_MARK_NETNS, .ts_ns = 77, .number = 1 },
		{ .kind = FW_MARK_END, .ts_ns = UINT64_MAX, .number = 1 },
	};
	struct packing *p = *state;
	union fw_image r;
	uint64_t seed = 5;
	struct fw_item item;
	char *copy;

	any_record(&r, &seed);
	fw_packer_record(p->packer, &r, &p->block);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		fw_packer_mark(p->packer, &marks[i], &p->block);
	fw_packer_record(p->packer, &r, &p->block);
	packing_begin(p, p->block.data, p->block.len, &copy);
	expect_record(p, &r);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		assert_int_equal(fw_unpacker_next(p->unpacker, &item), 1);
		assert_null(item.record);
		assert_int_equal(item.mark.kind, marks[i].kind);
		assert_int_equal(item.mark.ts_ns, marks[i].ts_ns);
		assert_int_equal(item.mark.number, marks[i].number);
		assert_int_equal(item.mark.len, marks[i].len);
		assert_int_equal(item.mark.text != NULL, marks[i].text != NULL);
		if (marks[i].len)
			assert_memory_equal(item.mark.text, marks[i].text, marks[i].len);
	}
	expect_record(p, &r);
	free(copy);
}

static void a_long_text_is_cut(void **state)
{
	enum { TOO_LONG = FW_MARK_TEXT_MAX + 100 };
	struct packing *p = *state;
	char *text = calloc(1, TOO_LONG), *copy;
	const struct fw_mark mark = { .kind = FW_MARK_COST, .text = text, .len = TOO_LONG };
	struct fw_item item;

	fw_packer_mark(p->packer, &mark, &p->block);
	assert_true(p->block.len <= FW_ITEM_BYTES_MAX);
	packing_begin(p, p->block.data, p->block.len, &copy);
	assert_int_equal(fw_unpacker_next(p->unpacker, &item), 1);
	assert_int_equal(item.mark.len, FW_MARK_TEXT_MAX);
	free(copy);
	free(text);
}

/* More connections than are remembered, so that old ones make room. */
static void lives_take_few_bytes(void **state)
{
	enum { LIVES = 5000 };
	struct packing *p = *state;
	struct life l = { .now_ns = 1000000000 }, again = l;
	union fw_image one[LIFE_RECORDS];
	char *copy;

	for (int i = 0; i < LIVES; i++) {
		life_of_one(&l, one);
		for (int k = 0; k < LIFE_RECORDS; k++)
			fw_packer_record(p->packer, &one[k], &p->block);
	}
	/* Before zstd. */
	assert_true(p->block.len < 12 * LIVES * LIFE_RECORDS);
	packing_begin(p, p->block.data, p->block.len, &copy);
	for (int i = 0; i < LIVES; i++) {
		life_of_one(&again, one);
		for (int k = 0; k < LIFE_RECORDS; k++)
			expect_record(p, &one[k]);
	}
	free(copy);
}

static void more_sorts_than_patterns(void **state)
{
	enum { SORTS = 3 * FW_PATTERNS_MAX };
	struct packing *p = *state;
	struct fw_rec_state r = { .head = { .kind = FW_REC_STATE, .family = AF_INET,
					    .flags = FW_REC_OWNER } };
	struct fw_item item;
	char *copy;

	for (uint32_t i = 0; i < SORTS; i++) {
		r.pid = i;
		fw_packer_record(p->packer, &r, &p->block);
	}
	packing_begin(p, p->block.data, p->block.len, &copy);
	for (uint32_t i = 0; i < SORTS; i++) {
		assert_int_equal(fw_unpacker_next(p->unpacker, &item), 1);
		assert_int_equal(item.record->state.pid, i);
	}
	free(copy);
}

/* ---- What is no block ------------------------------------------------------------------------ */

static int read_all(struct packing *p, const void *bytes, size_t len, int *nr)
{
	struct fw_item item;
	struct fw_event ev;
	char *copy;
	int ret;

	packing_begin(p, bytes, len, &copy);
	for (*nr = 0; (ret = fw_unpacker_next(p->unpacker, &item)) == 1; (*nr)++) {
		/* Whoever takes it looks at all of it. */
		if (item.record)
			fw_decode(item.record, item.len, NULL, &ev);
		else if (item.mark.len)
			assert_true(item.mark.text >= copy && item.mark.text + item.mark.len <= copy + len);
	}
	/* A source takes a few at a time, and asks again for what came after the last good one. */
	assert_int_equal(fw_unpacker_next(p->unpacker, &item), ret);
	free(copy);
	return ret;
}

static void sample(struct packing *p)
{
	const struct fw_mark mark = { .kind = FW_MARK_CGROUP, .number = 9, .text = "/x", .len = 2 };
	struct life l = { .now_ns = 1000000000 };
	union fw_image one[LIFE_RECORDS];

	for (int i = 0; i < 30; i++) {
		life_of_one(&l, one);
		for (int k = 0; k < LIFE_RECORDS; k++)
			fw_packer_record(p->packer, &one[k], &p->block);
		fw_packer_mark(p->packer, &mark, &p->block);
	}
}

static void cut_off_anywhere(void **state)
{
	struct packing *p = *state;
	int nr, before = 0;

	sample(p);
	for (size_t len = 0; len < p->block.len; len++) {
		int ret = read_all(p, p->block.data, len, &nr);

		assert_true(ret == 0 || ret == -EBADMSG);
		assert_true(nr >= before && nr < 30 * (LIFE_RECORDS + 1));
		before = nr;
	}
}

static void changed_anywhere(void **state)
{
	struct packing *p = *state;
	uint64_t seed = 99;
	int nr;

	sample(p);
	for (size_t at = 0; at < p->block.len; at++) {
		char kept = p->block.data[at];

		for (int i = 0; i < 8; i++) {
			p->block.data[at] = (char)any(&seed);
			assert_in_range(read_all(p, p->block.data, p->block.len, &nr) + EBADMSG, 0, EBADMSG);
		}
		p->block.data[at] = kept;
	}
}

static void noise(void **state)
{
	enum { LEN = 4096 };
	struct packing *p = *state;
	uint64_t seed = 4711;
	char bytes[LEN];
	int nr;

	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < LEN; i++)
			bytes[i] = (char)(round & 1 ? any(&seed) : any(&seed) & 0x83);
		read_all(p, bytes, LEN, &nr);
	}
}

static void what_no_packer_writes(void **state)
{
	static const struct {
		const char *why;
		uint8_t bytes[16];
		size_t len;
	} cases[] = {
		{ "a pattern that was never begun", { 2, 0, 0, 0 }, 4 },
		{ "a kind that does not exist", { 1, FW_REC_MAX, 0, 0, 0 }, 5 },
		{ "a socket that was never met", { 1, FW_REC_STATE, 1, 0, 0 }, 5 },
		{ "a field that the kind lacks", { 1, FW_REC_SNAP_BEGIN, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 1 }, 9 },
		{ "a mark that does not exist", { 0, FW_MARK_MAX, 0, 0, 0 }, 5 },
		{ "a text longer than the block", { 0, FW_MARK_COST, 0, 0, 9, 'x' }, 6 },
		{ "a number that does not end", { 1, FW_REC_SNAP_BEGIN, 0xff, 0xff, 0xff, 0xff }, 6 },
	};
	struct packing *p = *state;
	int nr;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (read_all(p, cases[i].bytes, cases[i].len, &nr) != -EBADMSG)
			fail_msg("%s was accepted", cases[i].why);
		assert_int_equal(nr, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		packing_test(any_record_comes_back),
		packing_test(marks_come_back_among_records),
		packing_test(a_long_text_is_cut),
		packing_test(lives_take_few_bytes),
		packing_test(more_sorts_than_patterns),
		packing_test(cut_off_anywhere),
		packing_test(changed_anywhere),
		packing_test(noise),
		packing_test(what_no_packer_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
