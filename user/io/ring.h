/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reading end of a BPF ring buffer (Documentation/bpf/ringbuf.rst).
 *
 * Not libbpf's, which gives every record back to the kernel by itself: a store to the line that each
 * bpf_ringbuf_reserve() reads, so the tracer's reading slows the traced down. Here it is once per
 * batch; a call ends where the ring ended when it began, however fast it fills; and who takes the
 * records is told ahead what comes, to fetch what it will need from memory.
 */
#ifndef FW_IO_RING_H
#define FW_IO_RING_H

#include <stddef.h>
#include <stdint.h>

#include "io/source.h"

struct fw_ring;

/* @map_fd: the map, of @bytes. NULL with errno set. */
struct fw_ring *fw_ring_open(int map_fd, size_t bytes);
void fw_ring_free(struct fw_ring *ring);

/* Until the kernel side wakes us, @other_fd (-1: none) can be read, a signal comes or @timeout_ms have
 * passed. 0 or negative errno.
 */
int fw_ring_wait(struct fw_ring *ring, int other_fd, int timeout_ms);

/* Hands over what the ring holds now. @ahead may be NULL; it sees each record some records before
 * @fn does. Returns how many.
 */
int fw_ring_read(struct fw_ring *ring, fw_record_fn fn, fw_record_fn ahead, void *arg);

#endif
