/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text of lines "name value", from outside: read line by line.
 */
#ifndef FW_UTIL_PAIRS_H
#define FW_UTIL_PAIRS_H

#include <stdbool.h>

struct fw_pair {
	char name[64];
	char value[512];
};

/* The next line from *@at on, which moves behind it. Lines without a space, and those that are too
 * long, are left out. False: there are no more.
 */
bool fw_pair_next(const char **at, const char *end, struct fw_pair *out);

#endif
