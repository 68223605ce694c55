// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoder, tracker, leaks: whatever records come, in whatever order, nothing is told that is out of
 * range, and in the end nothing is left.
 */
#include "play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct fw_report r;
	struct play p;

	play_init(&p, &in, NULL, false);
	play_records(&p, &in);
	play_leaks(&p, &r);
	fw_report_fini(&r);
	play_finish(&p);
	play_fini(&p);
	return 0;
}
