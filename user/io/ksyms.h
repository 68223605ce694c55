/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of kernel functions, from /proc/kallsyms.
 */
#ifndef FW_IO_KSYMS_H
#define FW_IO_KSYMS_H

#include <stdint.h>

#include "util/err.h"

struct fw_ksym {
	uint64_t start, end;
	unsigned int name; /* index into the names asked for */
};

/*
 * Finds the functions @names (a compiler's ".cold" and ".constprop.0" parts included) and fills
 * @out with up to @max address ranges in ascending order. Returns how many, or a negative errno:
 * -EPERM when the kernel hides its addresses.
 */
int fw_ksyms_find(const char *const *names, unsigned int nr_names, struct fw_ksym *out,
		  unsigned int max, struct fw_err *err);

#endif
