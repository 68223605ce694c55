/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process that may be root takes from its parent, and what it leaves behind.
 */
#ifndef FW_IO_LIMITS_H
#define FW_IO_LIMITS_H

/* Standard input, output and error, if one of them is closed, become /dev/null: else the next file that is opened
 * would take its place, and messages would be written into it.
 */
void fw_limits_open_standard(void);

/* No core dump, which would hold addresses, tokens and kernel pointers, and no tracing by processes of the same
 * user. A program that is executed is as it would be otherwise.
 */
void fw_limits_set(void);

/* Closes all descriptors from @first on. */
void fw_limits_close_from(int first);

#endif
