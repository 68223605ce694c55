// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/record_info.h"

#include <inttypes.h>
#include <stdio.h>

#include "../bpf/event.h"
#include "cmd/cmd.h"
#include "io/recording.h"
#include "util/fmt.h"

struct counts {
	uint64_t events, snapshots, sockets, lost, last_lost_ns, suppressed;
};

static void on_record(void *arg, const void *record, size_t len)
{
	const struct fw_rec_head *head = record;
	struct counts *c = arg;

	(void)len;
	c->events += fw_rec_is_event(head->kind);
	c->snapshots += head->kind == FW_REC_SNAP_END;
	c->sockets += head->kind == FW_REC_SOCK;
}

static void on_mark(void *arg, const struct fw_mark *mark)
{
	struct counts *c = arg;

	if (mark->kind == FW_MARK_LOST)
		c->lost += mark->number;
	if (mark->kind == FW_MARK_SUPPRESSED)
		c->suppressed = mark->number;
}

static void line(const char *name, const char *value)
{
	struct fw_buf b = { 0 };

	if (!value[0])
		return;
	fw_buf_visible(&b, value, SIZE_MAX);
	printf("%-12s %s\n", name, fw_buf_str(&b));
	fw_buf_free(&b);
}

static void number(const char *name, uint64_t value)
{
	struct fw_buf b = { 0 };

	fw_fmt_count(&b, value);
	printf("%-12s %s\n", name, fw_buf_str(&b));
	fw_buf_free(&b);
}

static void say_header(const struct fw_recording_state *state)
{
	const struct fw_header *h = state->header;
	struct fw_buf b = { 0 };

	printf("%-12s %u\n", "format", state->version);
	line("finwait", h->finwait);
	line("host", h->host);
	line("kernel", h->kernel);
	line("arch", h->arch);
	line("boot", h->boot_id);
	printf("%-12s %" PRIu64 "%s\n", "hz", h->hz, h->hz ? "" : " (unknown)");
	line("hooks", h->hooks);
	line("filter", h->filter);
	printf("%-12s %016" PRIx64 ", part %" PRIu64 "\n", "recording", h->session, h->part);
	fw_fmt_rfc3339(&b, h->start_ns + (uint64_t)h->wall_offset_ns);
	printf("%-12s %s\n", "start", fw_buf_str(&b));
	fw_buf_free(&b);
}

static void say_content(const struct fw_recording_state *state, const struct counts *c)
{
	struct fw_buf b = { 0 };

	fw_fmt_duration(&b, state->last_ns > state->header->start_ns ?
				    state->last_ns - state->header->start_ns : 0);
	printf("%-12s %s\n", "span", fw_buf_str(&b));
	fw_buf_clear(&b);
	number("events", c->events);
	number("lost", c->lost);
	if (c->suppressed)
		number("suppressed", c->suppressed);
	printf("%-12s %" PRIu64 " complete, of %" PRIu64 " sockets in all\n", "snapshots",
	       c->snapshots, c->sockets);
	number("blocks", state->blocks);
	fw_fmt_bytes(&b, state->bytes);
	fw_buf_puts(&b, " (uncompressed ");
	fw_fmt_bytes(&b, state->content_bytes);
	printf("%-12s %s)\n", "size", fw_buf_str(&b));
	printf("%-12s %s\n", "end", state->whole ? "complete" : "missing: cut off");
	fw_buf_free(&b);
}

int fw_record_info(const char *path)
{
	struct fw_recording_state state;
	struct counts counts = { 0 };
	struct fw_err err = { 0 };
	struct fw_source *src = fw_recording_open(&path, 1, &err);
	int ret = 0;

	if (!src) {
		fw_complain(&err);
		return FW_EXIT_FAILED;
	}
	src->mark = on_mark;
	src->mark_arg = &counts;
	while (ret >= 0 && !src->ended && !fw_stopping)
		ret = src->ops->poll(src, 0, on_record, &counts, &err);
	fw_recording_state(src, &state);
	say_header(&state);
	say_content(&state, &counts);
	if (src->notice[0])
		fw_say(FW_LEVEL_INFO, "%s", src->notice);
	src->ops->free(src);
	if (ret < 0)
		fw_complain(&err);
	return ret < 0 ? FW_EXIT_FAILED : FW_EXIT_OK;
}
