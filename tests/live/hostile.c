// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: hostile IN.fwr OUT.fwr
 *
 * Writes a recording again with escape sequences in every text of it: its header, the names of namespaces and control
 * groups, the names of processes. Whoever is sent such a file must not have a terminal that obeys it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/block_file.h"
#include "record/block.h"
#include "record/header.h"
#include "record/pack.h"
#include "../bpf/event.h"

#define ESCAPES "\033]0;owned\007\033[31m\x9b" "2J\r\b\x7f"

struct rewrite {
	struct fw_block_file in;
	struct fw_unpacker *unpacker;
	struct fw_packer *packer;
	struct fw_block_writer *writer;
	struct fw_buf out;
};

static void fail(const char *what)
{
	fprintf(stderr, "hostile: %s\n", what);
	exit(1);
}

/* The names of header lines whose values are shown. */
static bool is_text(const char *line, size_t len)
{
	static const char *const names[] = { "finwait", "kernel", "host", "boot_id", "hooks", "filter" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (len == strlen(names[i]) && !strncmp(line, names[i], len))
			return true;
	}
	return false;
}

/* finwait's own printer would have escaped them. */
static void poison_header(const char *text, struct fw_buf *out)
{
	while (*text) {
		size_t name = strcspn(text, " "), line = strcspn(text, "\n") + 1;

		fw_buf_mem(out, text, name + 1);
		if (is_text(text, name))
			fw_buf_puts(out, ESCAPES "\n");
		else
			fw_buf_mem(out, text + name + 1, line - name - 1);
		text += line;
	}
}

static void write_header(struct rewrite *w)
{
	struct fw_buf text = { 0 }, poisoned = { 0 };
	struct fw_err err = { 0 };
	struct fw_header h;

	if (fw_header_parse(&h, (const char *)w->in.content, w->in.head.content_len, &err))
		fail(err.msg);
	fw_header_print(&h, &text);
	poison_header(fw_buf_str(&text), &poisoned);
	if (fw_block_write(w->writer, FW_BLOCK_HEADER, w->in.head.sequence, &poisoned, &w->out))
		fail("header");
	fw_buf_free(&text);
	fw_buf_free(&poisoned);
	w->unpacker = fw_unpacker_new(w->in.version, (unsigned int)h.hz);
	w->packer = fw_packer_new((unsigned int)h.hz);
}

static void poison_comm(union fw_image *image)
{
	switch (image->head.kind) {
	case FW_REC_STATE:
	case FW_REC_ACCEPTED:
	case FW_REC_BIND_FAILED:
	case FW_REC_CONNECT_FAILED:
		memcpy(image->state.comm, ESCAPES, sizeof(image->state.comm) - 1);
		break;
	case FW_REC_HOLDER:
		memcpy(image->holder.comm, ESCAPES, sizeof(image->holder.comm) - 1);
		break;
	case FW_REC_PROCESS:
		memcpy(image->process.comm, ESCAPES, sizeof(image->process.comm) - 1);
		break;
	default:
		break;
	}
}

static void write_item(struct rewrite *w, const struct fw_item *item, struct fw_buf *items)
{
	struct fw_mark mark = item->mark;
	union fw_image image;

	if (item->record) {
		memcpy(&image, item->record, sizeof(image));
		poison_comm(&image);
		fw_packer_record(w->packer, &image, items);
		return;
	}
	if (mark.kind == FW_MARK_CGROUP || mark.kind == FW_MARK_NETNS) {
		mark.text = "/" ESCAPES;
		mark.len = strlen(mark.text);
	}
	fw_packer_mark(w->packer, &mark, items);
}

static void write_items(struct rewrite *w)
{
	struct fw_buf items = { 0 };
	struct fw_item item;
	int ret;

	fw_packer_reset(w->packer);
	fw_unpacker_begin(w->unpacker, w->in.content, w->in.head.content_len);
	while ((ret = fw_unpacker_next(w->unpacker, &item)) == 1)
		write_item(w, &item, &items);
	if (ret || fw_block_write(w->writer, FW_BLOCK_ITEMS, w->in.head.sequence, &items, &w->out))
		fail("items");
	fw_buf_free(&items);
}

int main(int argc, char **argv)
{
	struct rewrite w = { .writer = fw_block_writer_new(3) };
	struct fw_err err = { 0 };
	FILE *out = argc == 3 ? fopen(argv[2], "we") : NULL;
	int ret;

	if (!out || !w.writer || fw_block_file_init(&w.in))
		fail("usage: hostile IN.fwr OUT.fwr");
	if (fw_block_file_open(&w.in, argv[1], &err))
		fail(err.msg);
	while ((ret = fw_block_file_next(&w.in, &err)) == 1) {
		if (w.in.head.type == FW_BLOCK_HEADER)
			write_header(&w);
		else
			write_items(&w);
	}
	fwrite(w.out.data, 1, w.out.len, out);
	fw_block_file_fini(&w.in);
	fw_unpacker_free(w.unpacker);
	fw_packer_free(w.packer);
	fw_block_writer_free(w.writer);
	fw_buf_free(&w.out);
	return fclose(out);
}
