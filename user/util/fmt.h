/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers as people read them. Inside the program time is nanoseconds; here text is made.
 */
#ifndef FW_UTIL_FMT_H
#define FW_UTIL_FMT_H

#include "util/buf.h"

#define FW_NS_PER_MS 1000000ULL
#define FW_NS_PER_S 1000000000ULL

/*
 * A duration in three digits or a little more: "0.18 ms", "42.5 ms", "958 ms", "1.04 s",
 * "61.4 s", "41 m 02 s", "3 h 07 m", "12 d 04 h". Milliseconds are the smallest unit, so columns compare.
 */
void fw_fmt_duration(struct fw_buf *b, uint64_t ns);

/* Wall-clock time (nanoseconds since the epoch): local "19:08:14.001", or UTC RFC 3339 with ns. */
void fw_fmt_clock(struct fw_buf *b, uint64_t wall_ns);
void fw_fmt_rfc3339(struct fw_buf *b, uint64_t wall_ns);

/* 12345678 -> "12,345,678" */
void fw_fmt_count(struct fw_buf *b, uint64_t n);

/* "127.0.0.1", "2001:db8::1". @addr: network order, 4 bytes of it for AF_INET. */
void fw_fmt_addr(struct fw_buf *b, unsigned int family, const uint8_t addr[16]);

/* "512 B", "1.50 KiB", "42.5 MiB", "958 GiB" */
void fw_fmt_bytes(struct fw_buf *b, uint64_t n);

/* "12.3 /s"; what is slower than one a second as "12.3 /min" or "12.3 /h". */
void fw_fmt_rate(struct fw_buf *b, double per_s);

#endif
