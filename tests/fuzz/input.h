/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's bytes, taken one after the other; when there are no more they are zeros.
 */
#ifndef FW_FUZZ_INPUT_H
#define FW_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *data;
	size_t left;
};

static inline void input_bytes(struct input *in, void *out, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(out, 0, len);
	if (n)
		memcpy(out, in->data, n);
	in->data += n;
	in->left -= n;
}

static inline uint8_t input_u8(struct input *in)
{
	uint8_t v;

	input_bytes(in, &v, sizeof(v));
	return v;
}

static inline uint16_t input_u16(struct input *in)
{
	uint16_t v;

	input_bytes(in, &v, sizeof(v));
	return v;
}

/* A time: most are short, some are absurd. */
static inline uint64_t input_ns(struct input *in)
{
	uint8_t shift = input_u8(in);

	return (uint64_t)input_u8(in) << (shift & 63);
}

/* What must hold does not: a finding, like a crash. */
#define must(condition)                                                                  \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
