/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of kernel functions, from /proc/kallsyms. Reading that file takes the kernel 100 ms, so
 * it is read once.
 */
#ifndef FW_IO_KSYMS_H
#define FW_IO_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct fw_ksyms;

struct fw_ksym {
	uint64_t start, end;
	unsigned int name; /* index into the names asked for */
};

/* NULL with @err filled: no access, or (code -EPERM) the kernel hides its addresses. */
struct fw_ksyms *fw_ksyms_open(struct fw_err *err);
void fw_ksyms_free(struct fw_ksyms *ks);

/*
 * Finds the functions @names (a compiler's ".cold" and ".constprop.0" parts included) and fills
 * @out with up to @max address ranges in ascending order. Returns how many.
 */
unsigned int fw_ksyms_find(const struct fw_ksyms *ks, const char *const *names,
			   unsigned int nr_names, struct fw_ksym *out, unsigned int max);

/* The entry of the function of exactly that name, or 0. */
uint64_t fw_ksyms_address(const struct fw_ksyms *ks, const char *name);

#endif
