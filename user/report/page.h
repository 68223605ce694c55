/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text within the width of a terminal: sentences that wrap, "label value" items that flow, tables
 * that shrink. All text is made visible first (a byte is a column), so nothing here can move a
 * cursor.
 */
#ifndef FW_REPORT_PAGE_H
#define FW_REPORT_PAGE_H

#include "report/report.h"
#include "util/buf.h"

struct fw_page {
	struct fw_buf *out;
	size_t width;	/* of tables; SIZE_MAX: no limit */
	size_t measure; /* of sentences and bars: lines that are longer are hard to read */
	bool color;
};

enum fw_ink { FW_INK_BOLD, FW_INK_DIM, FW_INK_RED, FW_INK_YELLOW, FW_INK_CYAN };

void fw_page_init(struct fw_page *p, struct fw_buf *out, unsigned int columns, bool color);

/* Around what is written between; nothing without color. */
void fw_page_ink(struct fw_page *p, enum fw_ink ink);
void fw_page_ink_off(struct fw_page *p);
void fw_page_indent(struct fw_page *p, size_t n);

/* @mark (trusted, not wrapped), then @text folded at spaces, all its lines below each other.
 * A NULL @text is nothing at all.
 */
void fw_page_sentence(struct fw_page *p, size_t indent, const char *mark, const char *text);
/* The same for text that has been made visible. */
void fw_page_visible(struct fw_page *p, size_t indent, const char *mark, const struct fw_buf *text);

/* What a person reads in a cell: "-", "1,234", ">= 61.4 s", "yes". */
void fw_page_cell(struct fw_buf *b, const struct fw_cell *c);

/* "label value | label value", as many in a line as there is room for. Zero is a new flow. */
struct fw_flow {
	size_t indent, used;
	bool any;
};

void fw_flow_begin(struct fw_page *p, struct fw_flow *f, size_t indent, const char *mark);
void fw_flow_item(struct fw_page *p, struct fw_flow *f, const char *label, const struct fw_cell *c);
void fw_flow_end(struct fw_page *p, struct fw_flow *f);

void fw_page_table(struct fw_page *p, size_t indent, const struct fw_table *t);

#endif
