/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libbpf has to say, kept for an error message. By itself it would print it: warnings, and the
 * verifier's whole log, also of a load that is expected to fail on some kernels.
 */
#ifndef FW_IO_COMPLAINT_H
#define FW_IO_COMPLAINT_H

#include <stddef.h>

/*
 * From here to fw_complaint_end() the first warning in this thread, with the verifier's verdict if
 * there is one, is put into @buf of @len bytes as one line; it is empty when there was none. From the
 * first call on libbpf prints nothing.
 */
void fw_complaint_begin(char *buf, size_t len);
void fw_complaint_end(void);

#endif
