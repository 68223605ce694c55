// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of a block, without its frame and therefore fast, in each version of the format: items have
 * their length and point into the block, and records that fw_decode() accepts are the same after they are
 * packed again.
 */
#include "core/decode.h"
#include "input.h"
#include "record/pack.h"

#define ITEMS_MAX 4096

/* What was packed, to be compared. */
struct packed {
	struct fw_packer *packer;
	struct fw_buf bytes;
	union fw_image records[ITEMS_MAX];
	size_t nr;
};

static void check_item(const struct fw_item *item, const uint8_t *block, size_t len)
{
	const uint8_t *text = (const uint8_t *)item->mark.text;

	if (item->record) {
		must(item->len >= sizeof(struct fw_rec_head) && item->len <= FW_IMAGE_BYTES);
		return;
	}
	must(item->mark.kind < FW_MARK_MAX);
	must(!text || (text >= block && text + item->mark.len <= block + len));
	must(item->mark.len <= FW_MARK_TEXT_MAX);
}

static void pack_again(struct packed *p, const struct fw_item *item)
{
	struct fw_event ev;

	if (!item->record || p->nr == ITEMS_MAX || fw_decode(item->record, item->len, NULL, &ev) ||
	    (ev.mini && ev.mini->nr_ips > 1))
		return;
	memset(&p->records[p->nr], 0, sizeof(p->records[0]));
	memcpy(&p->records[p->nr++], item->record, item->len);
	fw_packer_record(p->packer, item->record, &p->bytes);
}

static void read_block(struct fw_unpacker *u, const uint8_t *block, size_t len, struct packed *p)
{
	struct fw_item item;

	fw_unpacker_begin(u, block, len);
	/* An item is a byte at least. */
	for (size_t i = 0; i <= len; i++) {
		int ret = fw_unpacker_next(u, &item);

		must(ret == 1 || ret == 0 || ret == -74);
		if (ret != 1)
			return;
		check_item(&item, block, len);
		pack_again(p, &item);
	}
	must(0);
}

static void compare(struct fw_unpacker *u, struct packed *p)
{
	static const char padding[FW_UNPACK_PADDING];
	size_t len = p->bytes.len;
	struct fw_item item;

	fw_buf_mem(&p->bytes, padding, sizeof(padding));
	must(!p->bytes.failed);
	fw_unpacker_begin(u, p->bytes.data, len);
	for (size_t i = 0; i < p->nr; i++) {
		must(fw_unpacker_next(u, &item) == 1 && item.record);
		must(!memcmp(item.record, &p->records[i], item.len));
	}
	must(fw_unpacker_next(u, &item) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int hertz[] = { 0, 100, 250, 300, 1000, 1000000, 1, 7 };
	/* They are large, and forget all between blocks. */
	static struct fw_unpacker *unpackers[8][FW_FORMAT_VERSION + 1];
	static struct fw_packer *packers[8];
	static struct packed p;
	unsigned int which = size ? data[0] & 7 : 0;
	unsigned int version = 1 + (size ? data[0] >> 3 : 0) % FW_FORMAT_VERSION;
	size_t len = size ? size - 1 : 0;
	uint8_t *block = calloc(1, len + FW_UNPACK_PADDING);

	if (!packers[which]) {
		packers[which] = fw_packer_new(hertz[which]);
		for (unsigned int v = 1; v <= FW_FORMAT_VERSION; v++)
			must((unpackers[which][v] = fw_unpacker_new(v, hertz[which])) != NULL);
	}
	p.nr = 0;
	p.packer = packers[which];
	must(block && p.packer);
	if (len)
		memcpy(block, data + 1, len);
	fw_packer_reset(p.packer);
	read_block(unpackers[which][version], block, len, &p);
	compare(unpackers[which][FW_FORMAT_VERSION], &p);
	fw_buf_free(&p.bytes);
	free(block);
	return 0;
}
