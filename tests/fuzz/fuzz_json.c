// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON: every line of a stream, and every report, is one object by RFC 8259, in valid UTF-8.
 */
#include "../unit/json_value.h"
#include "play.h"
#include "utf8.h"

/* Each line one object. */
static void check_lines(struct fw_buf *b)
{
	const char *s = fw_buf_str(b);

	must(!b->failed);
	must(strlen(s) == b->len);
	must(is_utf8(s));
	while (*s) {
		const char *end = *s == '{' ? json_value(s) : NULL;

		must(end && *end == '\n');
		s = end + 1;
	}
}

static void check_report(struct play *p, struct fw_report *r)
{
	fw_buf_clear(&p->out);
	fw_report_json(r, &p->out);
	must(p->out.len);
	check_lines(&p->out);
	fw_report_fini(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct fw_report r;
	struct play p;

	play_init(&p, &in, &fw_stream_json, true);
	play_records(&p, &in);
	check_lines(&p.out);
	play_report(&p, &r);
	check_report(&p, &r);
	play_leaks(&p, &r);
	check_report(&p, &r);
	play_finish(&p);
	check_lines(&p.out);
	play_fini(&p);
	return 0;
}
