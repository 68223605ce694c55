/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a connection was used for: how long it was established, and how much it carried.
 */
#ifndef FW_ANALYSIS_EXCHANGES_H
#define FW_ANALYSIS_EXCHANGES_H

#include "core/conn.h"

/*
 * Most requests and answers that it can have carried, from its last record: the smaller number of segments
 * with data, of both directions. Of recordings of version 1, which do not have that, half of the segments
 * received.
 */
static inline uint32_t fw_exchanges_of(const struct fw_rec_state *rec)
{
	return rec->segs_out ? rec->exchanges : rec->segs_in / 2;
}

/* How long it was established, as of @now_ns. False: it was not, or not all of that was seen. */
static inline bool fw_established_ns(const struct fw_conn *c, uint64_t now_ns, uint64_t *ns)
{
	for (unsigned int i = 0; i < c->nr_steps; i++) {
		uint64_t until = i + 1U < c->nr_steps ? c->enter_ns[i + 1] : now_ns;

		if (c->steps[i] != FW_ESTABLISHED)
			continue;
		*ns = until > c->enter_ns[i] ? until - c->enter_ns[i] : 0;
		return !(c->step_flags[i] & (FW_STEP_AT_LEAST | FW_STEP_AT_MOST));
	}
	return false;
}

#endif
