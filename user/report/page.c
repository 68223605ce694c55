// SPDX-License-Identifier: GPL-2.0-only
#include "report/page.h"

#include <string.h>

#include "util/fmt.h"

#define NARROWEST 40
#define MEASURE 100

void fw_page_init(struct fw_page *p, struct fw_buf *out, unsigned int columns, bool color)
{
	size_t width = columns < NARROWEST ? NARROWEST : columns;

	*p = (struct fw_page){
		.out = out,
		.width = columns ? width : SIZE_MAX,
		.measure = columns && width < MEASURE ? width : MEASURE,
		.color = color,
	};
}

void fw_page_ink(struct fw_page *p, enum fw_ink ink)
{
	static const char *const codes[] = {
		[FW_INK_BOLD] = "\033[1m",	  [FW_INK_DIM] = "\033[2m",
		[FW_INK_RED] = "\033[1;31m", [FW_INK_YELLOW] = "\033[1;33m",
		[FW_INK_CYAN] = "\033[36m",
	};

	if (p->color)
		fw_buf_puts(p->out, codes[ink]);
}

void fw_page_ink_off(struct fw_page *p)
{
	if (p->color)
		fw_buf_puts(p->out, "\033[0m");
}

void fw_page_indent(struct fw_page *p, size_t n)
{
	fw_buf_pad(p->out, p->out->len, n, 0);
}

static void newline(struct fw_page *p, size_t indent)
{
	fw_buf_putc(p->out, '\n');
	fw_page_indent(p, indent);
}

/* How much of @text (@len bytes) goes into a line of @room: up to a space, or as much as fits. */
static size_t line_of(const char *text, size_t len, size_t room)
{
	size_t n = room;

	if (len <= room)
		return len;
	while (n && text[n] != ' ')
		n--;
	return n ? n : room;
}

static void fold(struct fw_page *p, size_t indent, const char *text, size_t len, size_t room)
{
	while (len) {
		size_t n = line_of(text, len, room);

		fw_buf_mem(p->out, text, n);
		while (n < len && text[n] == ' ')
			n++;
		text += n;
		len -= n;
		if (len)
			newline(p, indent);
	}
	fw_buf_putc(p->out, '\n');
}

static size_t room_after(const struct fw_page *p, size_t indent)
{
	return p->measure > indent + NARROWEST / 2 ? p->measure - indent : NARROWEST / 2;
}

void fw_page_visible(struct fw_page *p, size_t indent, const char *mark, const struct fw_buf *text)
{
	size_t hanging = indent + strlen(mark);

	fw_page_indent(p, indent);
	fw_buf_puts(p->out, mark);
	fold(p, hanging, text->data, text->len, room_after(p, hanging));
}

void fw_page_sentence(struct fw_page *p, size_t indent, const char *mark, const char *text)
{
	struct fw_buf visible = { 0 };

	if (!text)
		return;
	fw_buf_visible(&visible, text, SIZE_MAX);
	fw_page_visible(p, indent, mark, &visible);
	p->out->failed |= visible.failed;
	fw_buf_free(&visible);
}

void fw_page_cell(struct fw_buf *b, const struct fw_cell *c)
{
	if (c->at_least && c->kind != FW_CELL_UNKNOWN)
		fw_buf_puts(b, ">= ");
	switch (c->kind) {
	case FW_CELL_COUNT:
		fw_fmt_count(b, c->u);
		break;
	case FW_CELL_ID:
		if (c->text)
			fw_buf_visible(b, c->text, SIZE_MAX);
		else
			fw_buf_u64(b, c->u);
		break;
	case FW_CELL_DURATION:
		fw_fmt_duration(b, c->u);
		break;
	case FW_CELL_BYTES:
		fw_fmt_bytes(b, c->u);
		break;
	case FW_CELL_RATE:
		fw_fmt_rate(b, c->d);
		break;
	case FW_CELL_PERCENT:
		fw_buf_printf(b, "%.1f %%", c->d);
		break;
	case FW_CELL_BOOL:
		fw_buf_puts(b, c->u ? "yes" : "no");
		break;
	case FW_CELL_TEXT:
		fw_buf_visible(b, c->text ? c->text : "", SIZE_MAX);
		break;
	default:
		fw_buf_putc(b, '-');
	}
}

void fw_flow_begin(struct fw_page *p, struct fw_flow *f, size_t indent, const char *mark)
{
	fw_page_indent(p, indent);
	fw_buf_puts(p->out, mark);
	*f = (struct fw_flow){ .indent = indent + strlen(mark) };
}

void fw_flow_item(struct fw_page *p, struct fw_flow *f, const char *label, const struct fw_cell *c)
{
	size_t room = room_after(p, f->indent);
	struct fw_buf item = { 0 };

	fw_buf_visible(&item, label ? label : "", SIZE_MAX);
	fw_buf_putc(&item, ' ');
	fw_page_cell(&item, c);
	if (f->any && f->used + 3 + item.len > room) {
		newline(p, f->indent);
		f->used = 0;
	} else if (f->any) {
		fw_buf_puts(p->out, " | ");
		f->used += 3;
	}
	while (item.len > room) { /* only text can be so long */
		size_t n = line_of(item.data, item.len, room);

		fw_buf_mem(p->out, item.data, n);
		newline(p, f->indent);
		n += item.data[n] == ' ';
		item.len -= n;
		memmove(item.data, item.data + n, item.len);
	}
	fw_buf_mem(p->out, item.data, item.len);
	f->used += item.len;
	f->any = true;
	p->out->failed |= item.failed;
	fw_buf_free(&item);
}

void fw_flow_end(struct fw_page *p, struct fw_flow *f)
{
	(void)f;
	fw_buf_putc(p->out, '\n');
}
