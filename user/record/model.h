/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the writer and the reader of a block of a recording both know at any moment, and from which both
 * make the same prediction of the next record. Only what differs from it is stored.
 *
 * Two things are remembered. A *pattern* is the last record of its sort (say, of ESTABLISHED ->
 * FIN_WAIT_1 of one process): flags, owner, states, totals are likely to be the same. A *party* is a
 * socket: its cookie, address and endpoints are likely to be those that it had last. Which pattern
 * and which party a record goes with is the writer's choice; the record says it.
 *
 * Nothing outlives a block.
 */
#ifndef FW_RECORD_MODEL_H
#define FW_RECORD_MODEL_H

#include <stdint.h>

#include "record/layout.h"

#define FW_PATTERNS_MAX 1024
#define FW_PARTIES_MAX 2048 /* the oldest makes room */

struct fw_party {
	uint64_t cookie;
	uint64_t skaddr[2]; /* of its full socket, and of its minisock or request socket */
	uint32_t netns;
	uint16_t lport, rport;
	uint8_t family;
	uint8_t laddr[16], raddr[16];
};

struct fw_model {
	struct fw_layouts layouts;
	union fw_image patterns[FW_PATTERNS_MAX];
	struct fw_party parties[FW_PARTIES_MAX];
	unsigned int nr_patterns;
	unsigned int nr_parties; /* ever met */
	uint64_t last_ns;
	uint64_t jiffy_ns; /* 0: unknown */
	uint64_t tick_ns, tick_jiffies; /* a moment, and the jiffies then */
};

/* @version: of the recording. @hz: of the jiffies in records; 0: unknown. */
void fw_model_init(struct fw_model *m, unsigned int version, unsigned int hz);
/* A new block: all is forgotten. */
void fw_model_reset(struct fw_model *m);

/* A party by how many have been met since, or NULL for one that is forgotten or was never met. */
struct fw_party *fw_model_party(struct fw_model *m, uint64_t ago);

/* @pattern, of @layout, becomes what the next record of its sort would be. @party may be NULL: nothing is
 * known of it.
 */
void fw_model_predict(const struct fw_layout *layout, const struct fw_party *party,
		      union fw_image *pattern);

/* @image has come to be: its party (NULL: a new one, where the layout has them) is as it says. Returns
 * the party or NULL. That its pattern is like it is for the caller to see to.
 */
struct fw_party *fw_model_learn(struct fw_model *m, const struct fw_layout *layout,
				struct fw_party *party, const union fw_image *image);

/* Timers as they are stored, relative to the time of the record, and back. */
void fw_model_relate_timer(struct fw_model *m, union fw_image *image);
void fw_model_unrelate_timer(struct fw_model *m, union fw_image *image);

#endif
