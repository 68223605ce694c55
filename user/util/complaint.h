/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line of all that a library said while something failed: the first complaint, which is the cause,
 * with the BPF verifier's verdict if its log is among them.
 */
#ifndef FW_UTIL_COMPLAINT_H
#define FW_UTIL_COMPLAINT_H

#include <stddef.h>

/*
 * Adds @said, which is written to, to @line of @len bytes, which begins as "". What follows the
 * first complaint says only that the whole has failed, and is left out.
 */
void fw_complaint_add(char *line, size_t len, char *said);

#endif
