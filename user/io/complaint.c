// SPDX-License-Identifier: GPL-2.0-only
#include "io/complaint.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/complaint.h"

/* libbpf hands its printer no argument of ours. */
static __thread char *complaint;
static __thread size_t complaint_len;

__attribute__((format(printf, 2, 0))) static int on_print(enum libbpf_print_level level,
							  const char *fmt, va_list ap)
{
	char *said;

	if (level != LIBBPF_WARN || !complaint || vasprintf(&said, fmt, ap) < 0)
		return 0;
	fw_complaint_add(complaint, complaint_len, said);
	free(said);
	return 0;
}

void fw_complaint_begin(char *buf, size_t len)
{
	libbpf_set_print(on_print);
	complaint = buf;
	complaint_len = len;
	*buf = '\0';
}

void fw_complaint_end(void)
{
	complaint = NULL;
}
