/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FW_UTIL_UTF8_H
#define FW_UTIL_UTF8_H

#include <stddef.h>

/* The length of the UTF-8 sequence at @s, of which @left bytes (at least one) may be read; 0: not valid. */
size_t fw_utf8_len(const char *s, size_t left);

#endif
