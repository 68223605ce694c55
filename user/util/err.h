/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What went wrong, carried up to whoever can print it. Lower layers fill it and return; only the
 * top prints. A message says what was tried, on what, and why it failed; the hint says what to do.
 */
#ifndef FW_UTIL_ERR_H
#define FW_UTIL_ERR_H

struct fw_err {
	int code; /* negative errno, or 0 */
	char msg[512];
	char hint[256];
};

/* Fill @err (may be NULL) and return @code (a negative errno), so that it can be returned at once. */
int fw_err_set(struct fw_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void fw_err_hint(struct fw_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
