// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTML: of a page only the data changes, and nothing in it is markup or ends the script that it is in; and
 * it is JSON.
 */
#include "../unit/json_value.h"
#include "play.h"
#include "report/html_page.h"
#include "utf8.h"

static void check_page(struct fw_buf *b)
{
	const char *place = strstr(fw_html_page, FW_HTML_PLACE), *end;
	size_t head = (size_t)(place - fw_html_page);
	size_t tail = (size_t)(fw_html_page_end - place) - strlen(FW_HTML_PLACE);

	must(!b->failed);
	must(b->len > head + tail);
	must(!memcmp(b->data, fw_html_page, head));
	must(!memcmp(b->data + b->len - tail, place + strlen(FW_HTML_PLACE), tail));
	b->data[b->len - tail] = '\0';
	must(!strpbrk(b->data + head, "<>&"));
	must(is_utf8(b->data + head));
	end = json_value(b->data + head);
	must(end && end == b->data + b->len - tail);
	fw_buf_clear(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct fw_report r;
	struct play p;

	play_init(&p, &in, NULL, true);
	play_records(&p, &in);
	play_report(&p, &r);
	fw_report_html(&r, &p.out);
	check_page(&p.out);
	fw_report_fini(&r);
	play_finish(&p);
	play_fini(&p);
	return 0;
}
