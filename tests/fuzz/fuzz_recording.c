// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording's file, byte by byte: heads, checksums, compression, what is cut off. The first byte chooses
 * the command. (Few of these get past a checksum: fuzz_blocks.c begins behind it.)
 */
#include "input.h"
#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		reading_run(data[0], data + 1, size - 1);
	return 0;
}
