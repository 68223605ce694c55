// SPDX-License-Identifier: GPL-2.0-only
#include "io/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Records are given back after so many bytes, so that a full ring does not stay full for long. */
#define GIVE_BACK_BYTES (64 * 1024)
/* How far ahead of its turn a record is shown: long enough for memory, short enough for the cache. */
#define AHEAD_BYTES 1024

struct fw_ring {
	int fd;
	size_t page, bytes;
	unsigned long *consumer; /* ours to write: up to where we have read */
	const unsigned long *producer;
	const char *data; /* mapped twice in a row, so that no record is split */
};

struct fw_ring *fw_ring_open(int map_fd, size_t bytes)
{
	struct fw_ring *ring = calloc(1, sizeof(*ring));
	void *mine, *theirs;
	int err;

	if (!ring)
		return NULL;
	*ring = (struct fw_ring){ .fd = map_fd, .bytes = bytes };
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	mine = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	ring->consumer = mine == MAP_FAILED ? NULL : mine;
	theirs = mmap(NULL, ring->page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd,
		      (off_t)ring->page);
	ring->producer = theirs == MAP_FAILED ? NULL : theirs;
	if (ring->consumer && ring->producer) {
		ring->data = (const char *)theirs + ring->page;
		return ring;
	}
	err = errno;
	fw_ring_free(ring);
	errno = err;
	return NULL;
}

void fw_ring_free(struct fw_ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->bytes);
	free(ring);
}

int fw_ring_wait(struct fw_ring *ring, int other_fd, int timeout_ms)
{
	struct pollfd ready[] = {
		{ .fd = ring->fd, .events = POLLIN },
		{ .fd = other_fd, .events = POLLIN },
	};

	return poll(ready, 2, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

/* The record at @at: its header, how much room it takes, and whether it is written already. */
static const uint32_t *header_at(const struct fw_ring *ring, unsigned long at)
{
	return (const uint32_t *)(ring->data + (at & (ring->bytes - 1)));
}

static size_t room_of(uint32_t header)
{
	size_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return (len + BPF_RINGBUF_HDR_SZ + 7) & ~7UL;
}

/* Shows the records from @at on that begin before @limit; returns where it came to. */
static unsigned long look_ahead(const struct fw_ring *ring, unsigned long at, unsigned long limit,
				fw_record_fn ahead, void *arg)
{
	while (at < limit) {
		uint32_t header = __atomic_load_n(header_at(ring, at), __ATOMIC_ACQUIRE);

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(header & BPF_RINGBUF_DISCARD_BIT))
			ahead(arg, (const char *)header_at(ring, at) + BPF_RINGBUF_HDR_SZ, header);
		at += room_of(header);
	}
	return at;
}

int fw_ring_read(struct fw_ring *ring, fw_record_fn fn, fw_record_fn ahead, void *arg)
{
	unsigned long end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	unsigned long at = *ring->consumer, given = at, shown = at;
	int n = 0;

	while (at < end) {
		uint32_t header = __atomic_load_n(header_at(ring, at), __ATOMIC_ACQUIRE);

		/* Another processor still writes it: what follows has to wait. */
		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (ahead && shown < end)
			shown = look_ahead(ring, shown < at ? at : shown,
					   at + AHEAD_BYTES < end ? at + AHEAD_BYTES : end, ahead,
					   arg);
		if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
			fn(arg, (const char *)header_at(ring, at) + BPF_RINGBUF_HDR_SZ, header);
			n++;
		}
		at += room_of(header);
		if (at - given >= GIVE_BACK_BYTES) {
			__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
			given = at;
		}
	}
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	return n;
}
