// SPDX-License-Identifier: GPL-2.0-only
#include "io/ksyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KALLSYMS "/proc/kallsyms"
/* A function that the table shows no end for. */
#define LAST_FUNCTION_BYTES 0x1000

static int by_start(const void *a, const void *b)
{
	const struct fw_ksym *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* "tcp_v4_rcv.cold" is a part of tcp_v4_rcv. */
static int name_index(const char *const *names, unsigned int nr, char *symbol)
{
	symbol[strcspn(symbol, ".")] = '\0';
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(names[i], symbol))
			return (int)i;
	}
	return -1;
}

/* Moves the ends down to @addr where that lies inside: the next symbol begins there. */
static void clip(struct fw_ksym *out, int n, uint64_t addr)
{
	for (int i = 0; i < n; i++) {
		if (addr > out[i].start && addr < out[i].end)
			out[i].end = addr;
	}
}

static int find(FILE *f, const char *const *names, unsigned int nr_names, struct fw_ksym *out,
		unsigned int max, uint64_t *highest)
{
	char line[512], symbol[256], type;
	unsigned long long addr;
	unsigned int n = 0;
	int i;

	*highest = 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &addr, &type, symbol) != 3)
			continue;
		if (addr > *highest)
			*highest = addr;
		clip(out, (int)n, addr);
		if (type != 't' && type != 'T')
			continue;
		i = name_index(names, nr_names, symbol);
		if (i >= 0 && n < max)
			out[n++] = (struct fw_ksym){ addr, addr + LAST_FUNCTION_BYTES, (unsigned int)i };
	}
	return (int)n;
}

int fw_ksyms_find(const char *const *names, unsigned int nr_names, struct fw_ksym *out,
		  unsigned int max, struct fw_err *err)
{
	FILE *f = fopen(KALLSYMS, "re");
	uint64_t highest;
	int n;

	if (!f) {
		fw_err_set(err, -errno, "cannot read %s: %s", KALLSYMS, strerror(errno));
		return -errno;
	}
	n = find(f, names, nr_names, out, max, &highest);
	if (!highest) {
		fclose(f);
		fw_err_set(err, -EPERM, "%s hides the kernel's addresses", KALLSYMS);
		fw_err_hint(err, "run as root, and set kernel.kptr_restrict to 0 or 1 (sysctl -w "
				 "kernel.kptr_restrict=1)");
		return -EPERM;
	}
	/* The table is in no order that could be relied on: a second look clips what came earlier. */
	rewind(f);
	while (n > 0) {
		char line[512];
		unsigned long long addr;

		if (!fgets(line, sizeof(line), f))
			break;
		if (sscanf(line, "%llx", &addr) == 1)
			clip(out, n, addr);
	}
	fclose(f);
	qsort(out, (size_t)n, sizeof(*out), by_start);
	return n;
}
