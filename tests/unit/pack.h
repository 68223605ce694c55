/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records to pack: any that pass fw_decode(), and lives of connections as they really come.
 */
#ifndef FW_TESTS_PACK_H
#define FW_TESTS_PACK_H

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/decode.h"
#include "core/state.h"
#include "record/pack.h"
#include "unit.h"

#define PACK_HZ 250U

/* xorshift64: the same everywhere. */
static inline uint64_t any(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* A number of any magnitude. */
static inline uint64_t any_size(uint64_t *seed)
{
	return any(seed) >> (any(seed) & 63);
}

/* A value for each field of its kind, within what fw_decode() accepts. */
static inline void any_record(union fw_image *r, uint64_t *seed)
{
	struct fw_layouts layouts;
	const struct fw_layout *layout;
	uint8_t kind = (uint8_t)(any(seed) % FW_REC_MAX);

	fw_layouts_init(&layouts, FW_FORMAT_VERSION);
	layout = fw_layout_of(&layouts, kind);
	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; i < layout->nr; i++)
		fw_field_set(r, &layout->fields[i], any(seed) & 3 ? any_size(seed) : 0);
	r->head.ts_ns = any_size(seed);
	r->head.kind = kind;
	r->head.family = any(seed) & 1 ? AF_INET : AF_INET6;
	r->head.oldstate &= 31;
	r->head.newstate &= 31;
	if (layout->is_mini)
		r->mini.nr_ips &= 1;
	if (kind == FW_REC_SOCK)
		r->sock.object = (uint8_t)(any(seed) % FW_OBJECT_MAX);
}

/* ---- Connections of a client on this host to a server elsewhere ----------------------------- */

struct life {
	uint64_t n, now_ns; /* which connection this is */
};

static inline union fw_image life_step(struct life *l, unsigned int kind, unsigned int from,
				       unsigned int to)
{
	union fw_image r = { .head = {
		.ts_ns = l->now_ns, .cookie = 1000 + 2 * l->n, .skaddr = 0xffff888100000000ULL + (l->n * 7919 % 4096) * 2304,
		.netns = 4026531840U, .kind = (uint8_t)kind, .family = AF_INET,
		.lport = (uint16_t)(32768 + 2 * l->n % 28000), .rport = 443,
		.oldstate = (uint8_t)from, .newstate = (uint8_t)to, .cpu = (uint8_t)(l->n & 1),
		.laddr = { 192, 0, 2, 1 }, .raddr = { 198, 51, 100, (uint8_t)(l->n % 3) },
	} };

	l->now_ns += 1000 + l->n * 104729 % 50000;
	return r;
}

#define LIFE_RECORDS 6

static inline void life_of_one(struct life *l, union fw_image out[LIFE_RECORDS])
{
	out[0] = life_step(l, FW_REC_STATE, FW_CLOSE, FW_SYN_SENT);
	out[0].head.lport = 0;
	out[0].head.flags = FW_REC_OWNER | FW_REC_HAS_FILE;
	out[0].state.pid = 4242;
	memcpy(out[0].state.comm, "client", 6);
	out[1] = life_step(l, FW_REC_STATE, FW_SYN_SENT, FW_ESTABLISHED);
	out[1].state.segs_in = 1;
	out[2] = life_step(l, FW_REC_STATE, FW_ESTABLISHED, FW_FIN_WAIT_1);
	out[2].state.segs_in = (uint32_t)(5 + l->n % 7);
	out[3] = life_step(l, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_TIME_WAIT);
	out[3].head.skaddr += 0x10000000;
	out[3].mini.now_jiffies = 4294892296ULL + out[3].head.ts_ns / 4000000;
	out[3].mini.expires_jiffies = out[3].mini.now_jiffies + 15000;
	out[4] = life_step(l, FW_REC_STATE, FW_FIN_WAIT_2, FW_CLOSE);
	out[4].head.lport = 0;
	out[4].state.bytes_sent = 300 + l->n % 100;
	out[4].state.bytes_received = 1000 + l->n * 31 % 5000;
	out[5] = out[3];
	out[5].head.kind = FW_REC_TW_END;
	out[5].head.ts_ns = l->now_ns += 1000;
	out[5].mini.nr_ips = 1;
	out[5].mini.ips[0] = 1 + FW_FRAME_RUN_TIMERS;
	l->n++;
}

/* ---- Packing and unpacking ------------------------------------------------------------------ */

struct packing {
	struct fw_packer *packer;
	struct fw_unpacker *unpacker;
	struct fw_buf block;
};

static inline int packing_setup(void **state)
{
	static struct packing p;

	p = (struct packing){ .packer = fw_packer_new(PACK_HZ), .unpacker = fw_unpacker_new(FW_FORMAT_VERSION, PACK_HZ) };
	assert_non_null(p.packer);
	assert_non_null(p.unpacker);
	*state = &p;
	return 0;
}

static inline int packing_teardown(void **state)
{
	struct packing *p = *state;

	fw_packer_free(p->packer);
	fw_unpacker_free(p->unpacker);
	fw_buf_free(&p->block);
	return 0;
}

#define packing_test(f) cmocka_unit_test_setup_teardown(f, packing_setup, packing_teardown)

/* The block is to be read; @copy is the caller's to free. */
static inline void packing_begin(struct packing *p, const void *bytes, size_t len, char **copy)
{
	*copy = calloc(1, len + FW_UNPACK_PADDING);
	assert_non_null(*copy);
	memcpy(*copy, bytes, len);
	fw_unpacker_begin(p->unpacker, *copy, len);
}

#endif
