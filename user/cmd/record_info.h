/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in a recording, for people.
 */
#ifndef FW_CMD_RECORD_INFO_H
#define FW_CMD_RECORD_INFO_H

/* Reads it to its end. Returns an enum fw_exit. */
int fw_record_info(const char *path);

#endif
