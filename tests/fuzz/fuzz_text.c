// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text: whatever names processes and control groups bear, a terminal gets printable ASCII, whole lines
 * and no escape sequence but finwait's own colors.
 */
#include "play.h"

static void check_text(const struct fw_buf *b)
{
	static const char *const colors[] = {
		"[0m",	"[1m",	"[2m",	  "[31m",   "[32m",   "[33m",
		"[35m", "[36m", "[1;31m", "[1;33m", "[1;32m", "[1;36m"
	};

	must(!b->failed);
	must(!b->len || b->data[b->len - 1] == '\n');
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		size_t k = 0;

		if (c == '\n' || (c >= 0x20 && c < 0x7f))
			continue;
		must(c == 0x1b);
		while (k < sizeof(colors) / sizeof(colors[0]) &&
		       (b->len - i - 1 < strlen(colors[k]) ||
			memcmp(b->data + i + 1, colors[k], strlen(colors[k]))))
			k++;
		must(k < sizeof(colors) / sizeof(colors[0]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int columns = input_u8(&in);
	struct fw_report r;
	struct play p;

	play_init(&p, &in, &fw_stream_text, true);
	play_records(&p, &in);
	play_report(&p, &r);
	fw_report_text(&r, &p.out, columns, columns & 1);
	fw_report_fini(&r);
	play_leaks(&p, &r);
	fw_report_text(&r, &p.out, columns, columns & 1);
	fw_report_fini(&r);
	play_finish(&p);
	check_text(&p.out);
	play_fini(&p);
	return 0;
}
