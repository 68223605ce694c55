/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets whose connect() has failed after a transition, for a moment: the return of that connect() brings a
 * record of its own (FW_REC_CONNECT_FAILED), and it is the same failure.
 */
#ifndef FW_ANALYSIS_RECENT_H
#define FW_ANALYSIS_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define FW_RECENT_MAX 256 /* power of two */
#define FW_RECENT_NS 1000000000ULL

/* One slot a hash: the latest takes it. All zero is empty. */
struct fw_recent {
	struct {
		uint64_t cookie, ts_ns;
	} slot[FW_RECENT_MAX];
};

static inline void fw_recent_note(struct fw_recent *r, uint64_t cookie, uint64_t ts_ns)
{
	unsigned int i = (cookie ^ cookie >> 8) & (FW_RECENT_MAX - 1);

	r->slot[i].cookie = cookie;
	r->slot[i].ts_ns = ts_ns;
}

/* Without a cookie a socket has had no transition. */
static inline bool fw_recent_has(const struct fw_recent *r, uint64_t cookie, uint64_t ts_ns)
{
	unsigned int i = (cookie ^ cookie >> 8) & (FW_RECENT_MAX - 1);

	return cookie && r->slot[i].cookie == cookie && ts_ns - r->slot[i].ts_ns < FW_RECENT_NS;
}

#endif
