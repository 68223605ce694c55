// SPDX-License-Identifier: GPL-2.0-only
/* Proves that a block is read as it was written or not at all, and that a header says what is needed. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "record/block.h"
#include "record/header.h"

struct blocks {
	struct fw_block_writer *w;
	struct fw_block_reader *r;
	struct fw_buf content, out;
};

static int setup(void **state)
{
	static struct blocks b;

	b = (struct blocks){ .w = fw_block_writer_new(3), .r = fw_block_reader_new() };
	assert_non_null(b.w);
	assert_non_null(b.r);
	for (int i = 0; i < 300; i++)
		fw_buf_printf(&b.content, "%d is %x, ", i, i * i);
	assert_int_equal(fw_block_write(b.w, FW_BLOCK_ITEMS, 7, &b.content, &b.out), 0);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct blocks *b = *state;

	fw_block_writer_free(b->w);
	fw_block_reader_free(b->r);
	fw_buf_free(&b->content);
	fw_buf_free(&b->out);
	return 0;
}

/* As a file is read: never more than there is. */
static int read_block(struct blocks *b, const uint8_t *bytes, size_t len, char **content,
		      struct fw_block_head *head)
{
	uint8_t *exact;
	int ret;

	*content = NULL;
	if (len < FW_BLOCK_HEAD_BYTES)
		return -ENODATA;
	ret = fw_block_head_read(bytes, head);
	if (ret)
		return ret;
	if (len != FW_BLOCK_HEAD_BYTES + head->stored_len)
		return -ENODATA;
	exact = malloc(head->stored_len + 1);
	memcpy(exact, bytes + FW_BLOCK_HEAD_BYTES, head->stored_len);
	*content = malloc(head->content_len + 1);
	ret = fw_block_read(b->r, head, exact, *content);
	free(exact);
	return ret;
}

static void a_block_comes_back(void **state)
{
	struct blocks *b = *state;
	struct fw_block_head head;
	char *content;

	assert_true(b->out.len < b->content.len);
	assert_int_equal(read_block(b, (uint8_t *)b->out.data, b->out.len, &content, &head), 0);
	assert_int_equal(head.version, FW_FORMAT_VERSION);
	assert_int_equal(head.type, FW_BLOCK_ITEMS);
	assert_int_equal(head.sequence, 7);
	assert_int_equal(head.content_len, b->content.len);
	assert_memory_equal(content, b->content.data, b->content.len);
	free(content);
}

static void an_empty_one_too(void **state)
{
	struct blocks *b = *state;
	struct fw_buf nothing = { 0 };
	struct fw_block_head head;
	char *content;

	fw_buf_clear(&b->out);
	assert_int_equal(fw_block_write(b->w, FW_BLOCK_HEADER, 0, &nothing, &b->out), 0);
	assert_int_equal(read_block(b, (uint8_t *)b->out.data, b->out.len, &content, &head), 0);
	assert_int_equal(head.content_len, 0);
	free(content);
}

/* Each bit of it, one at a time. A few within the frame do not matter to zstd: then nor do they here. */
static void a_changed_bit_is_noticed(void **state)
{
	struct blocks *b = *state;
	struct fw_block_head head;
	char *content;
	int ret;

	for (size_t bit = 0; bit < b->out.len * 8; bit++) {
		b->out.data[bit / 8] ^= (char)(1 << bit % 8);
		ret = read_block(b, (uint8_t *)b->out.data, b->out.len, &content, &head);
		if (!ret && (bit < 8 * FW_BLOCK_HEAD_BYTES ||
			     memcmp(content, b->content.data, b->content.len)))
			fail_msg("bit %zu is not looked at", bit);
		free(content);
		b->out.data[bit / 8] ^= (char)(1 << bit % 8);
	}
}

static void put32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

/* A head that is whole, whatever it claims. */
static void forge(uint8_t *bytes, uint32_t content_len, uint32_t stored_len)
{
	uint32_t sum = 2166136261U;

	put32(bytes + 12, content_len);
	put32(bytes + 16, stored_len);
	for (int i = 0; i < 20; i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	put32(bytes + 20, sum);
}

static void forged_lengths(void **state)
{
	struct blocks *b = *state;
	uint8_t *bytes = (uint8_t *)b->out.data;
	uint32_t stored = (uint32_t)b->out.len - FW_BLOCK_HEAD_BYTES, len = (uint32_t)b->content.len;
	const struct {
		uint32_t content_len, stored_len;
	} cases[] = {
		{ len - 1, stored }, { len + 1, stored }, { 0, stored },
		{ FW_BLOCK_CONTENT_MAX + 1, stored }, { UINT32_MAX, stored },
		{ len, FW_BLOCK_STORED_MAX + 1 }, { len, UINT32_MAX },
	};
	struct fw_block_head head;
	char *content;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		forge(bytes, cases[i].content_len, cases[i].stored_len);
		assert_int_equal(read_block(b, bytes, b->out.len, &content, &head), -EBADMSG);
		free(content);
	}
	forge(bytes, len, stored);
	assert_int_equal(read_block(b, bytes, b->out.len, &content, &head), 0);
	free(content);
}

/* A frame of zstd's that is none of ours, in a block that is whole otherwise. */
static int read_frame(struct blocks *b, const void *frame, size_t len, size_t content_len)
{
	struct fw_block_head head;
	char *content;
	int ret;

	fw_buf_clear(&b->out);
	fw_buf_mem(&b->out, "FWR\1I\0\0\0\0\0\0\0", 12);
	fw_buf_mem(&b->out, "            ", 12);
	fw_buf_mem(&b->out, frame, len);
	forge((uint8_t *)b->out.data, (uint32_t)content_len, (uint32_t)len);
	ret = read_block(b, (uint8_t *)b->out.data, b->out.len, &content, &head);
	free(content);
	return ret;
}

static void frames_that_are_none_of_ours(void **state)
{
	enum { BOMB = 64 << 20 };
	struct blocks *b = *state;
	size_t room = ZSTD_compressBound(BOMB), len;
	char *zeros = calloc(1, BOMB), *frame = malloc(room);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	/* 64 MiB out of a few kB, and the head does not say so. */
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	len = ZSTD_compress2(zstd, frame, room, zeros, BOMB);
	assert_int_equal(read_frame(b, frame, len, 100), -EBADMSG);
	/* Its length is not in it. */
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
	len = ZSTD_compress2(zstd, frame, room, zeros, 100);
	assert_int_equal(read_frame(b, frame, len, 100), -EBADMSG);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 1);
	len = ZSTD_compress2(zstd, frame, room, zeros, 100);
	assert_int_equal(read_frame(b, frame, len, 100), 0);
	/* Two, and one without its checksum. */
	memcpy(frame + len, frame, len);
	assert_int_equal(read_frame(b, frame, 2 * len, 100), -EBADMSG);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 0);
	len = ZSTD_compress2(zstd, frame, room, zeros, 100);
	assert_int_equal(read_frame(b, frame, len, 100), -EBADMSG);
	assert_int_equal(read_frame(b, frame, 3, 100), -EBADMSG);
	ZSTD_freeCCtx(zstd);
	free(zeros);
	free(frame);
}

static void all_versions_so_far_are_read(void **state)
{
	struct blocks *b = *state;
	struct fw_block_head head;
	uint8_t *bytes = (uint8_t *)b->out.data;

	assert_int_equal(fw_block_head_read(bytes, &head), 0);
	for (uint8_t version = 0; version < UINT8_MAX; version++) {
		bool known = version >= 1 && version <= FW_FORMAT_VERSION;

		head.version = version;
		fw_block_head_write(&head, bytes);
		assert_int_equal(fw_block_head_read(bytes, &head), known ? 0 : -EPROTONOSUPPORT);
		assert_int_equal(head.version, version);
	}
	bytes[0] = 'f';
	assert_int_equal(fw_block_head_read(bytes, &head), -EBADMSG);
}

/* ---- The header ------------------------------------------------------------------------------ */

static const struct fw_header sample = {
	.finwait = "0.1.0", .kernel = "6.1.0-9-amd64", .arch = "x86_64", .host = "db1", .boot_id = "b-o-o-t",
	.hooks = "timer", .filter = "--local 10.0.0.0/8 -4", .session = UINT64_MAX, .part = 3, .hz = 250,
	.start_ns = 123456789012345, .wall_offset_ns = -5, .rearms_unseen = true, .filtered = true,
};

static void a_header_comes_back(void **state)
{
	struct fw_header h;
	struct fw_buf b = { 0 };

	(void)state;
	fw_header_print(&sample, &b);
	assert_int_equal(fw_header_parse(&h, b.data, b.len, NULL), 0);
	assert_string_equal(h.kernel, sample.kernel);
	assert_string_equal(h.host, sample.host);
	assert_string_equal(h.filter, sample.filter);
	assert_string_equal(h.hooks, sample.hooks);
	assert_int_equal(h.session, sample.session);
	assert_int_equal(h.part, 3);
	assert_int_equal(h.start_ns, sample.start_ns);
	assert_int_equal(h.wall_offset_ns, -5);
	assert_true(h.rearms_unseen && h.filtered && !h.accepts_unseen);
	fw_buf_free(&b);
}

/* So that others can be added. */
static void names_that_are_not_known_are_left_out(void **state)
{
	struct fw_header h;
	struct fw_buf b = { 0 };

	(void)state;
	fw_buf_puts(&b, "colour blue\nno-value\n");
	fw_header_print(&sample, &b);
	fw_buf_puts(&b, "temperature 7");
	assert_int_equal(fw_header_parse(&h, b.data, b.len, NULL), 0);
	fw_buf_free(&b);
}

static void a_name_cannot_add_a_line(void **state)
{
	struct fw_header odd = sample, h;
	struct fw_buf b = { 0 };

	(void)state;
	strcpy(odd.host, "x\nhz 77");
	fw_header_print(&odd, &b);
	assert_int_equal(fw_header_parse(&h, b.data, b.len, NULL), 0);
	assert_int_equal(h.hz, 250);
	fw_buf_free(&b);
}

static void unusable_headers(void **state)
{
	static const char *const bad[] = {
		"hz many\n", "hz 1000000000000\n", "start_ns -1\n", "filtered 2\n", "wall_offset_ns 1x\n",
		"part \n", "session 99999999999999999999\n",
	};
	struct fw_err err = { 0 };
	struct fw_buf b = { 0 };
	struct fw_header h;

	(void)state;
	assert_int_equal(fw_header_parse(&h, "", 0, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "does not say"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fw_buf_clear(&b);
		fw_header_print(&sample, &b);
		fw_buf_puts(&b, bad[i]);
		if (!fw_header_parse(&h, b.data, b.len, &err))
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(err.msg, "makes no sense"));
	}
	fw_buf_free(&b);
}

#define block_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Work is bounded by what is read. */
static void no_block_expands_without_bound(void **state)
{
	struct blocks *b = *state;
	struct fw_block_head head;
	char *content;

	fw_buf_clear(&b->content);
	fw_buf_clear(&b->out);
	for (size_t i = 0; i < FW_BLOCK_CONTENT_MAX; i++)
		fw_buf_putc(&b->content, 'a');
	assert_int_equal(fw_block_write(b->w, FW_BLOCK_ITEMS, 7, &b->content, &b->out), 0);
	assert_true(b->out.len < 4096);
	assert_int_equal(read_block(b, (uint8_t *)b->out.data, b->out.len, &content, &head), -EBADMSG);
	free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		block_test(a_block_comes_back),
		block_test(an_empty_one_too),
		block_test(a_changed_bit_is_noticed),
		block_test(forged_lengths),
		block_test(frames_that_are_none_of_ours),
		block_test(no_block_expands_without_bound),
		block_test(all_versions_so_far_are_read),
		cmocka_unit_test(a_header_comes_back),
		cmocka_unit_test(names_that_are_not_known_are_left_out),
		cmocka_unit_test(a_name_cannot_add_a_line),
		cmocka_unit_test(unusable_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
