/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmocka with what it needs, and what several tests want of it.
 */
#ifndef FW_TESTS_UNIT_H
#define FW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/buf.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The content of the buffer is @want. Empties it. */
#define expect_buf(b, want)                                   \
	do {                                                  \
		assert_string_equal(fw_buf_str(b), want);     \
		fw_buf_clear(b);                              \
	} while (0)

#endif
