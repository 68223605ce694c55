/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What network namespaces are called, by the inode numbers that the kernel side reports: the name of
 * "ip netns", or "pid N", a process in it. A name is kept when its namespace is gone, for the rest of its
 * records, until the kernel gives the number to another one.
 */
#ifndef FW_IO_NETNS_NAMES_H
#define FW_IO_NETNS_NAMES_H

#include <stdint.h>

/* How the name of a namespace begins that is known by a process only. */
#define FW_NETNS_OF_PID "pid "

struct fw_netns_names;

/* NULL: no memory. */
struct fw_netns_names *fw_netns_names_new(void);
void fw_netns_names_free(struct fw_netns_names *names);

/* Whoever waits for records polls this descriptor too (-1: none), not longer than @timeout_ms, and calls
 * fw_netns_names_step() then: a name is only sure to be known if it is read while it exists.
 */
int fw_netns_names_fd(const struct fw_netns_names *names);
int fw_netns_names_timeout_ms(const struct fw_netns_names *names, int timeout_ms);
void fw_netns_names_step(struct fw_netns_names *names);

/* @life: tells namespaces apart that have the number one after the other (struct fw_rec_head), 0: not known.
 * NULL: nothing is known of it. Owned by @names; valid until the next call.
 */
const char *fw_netns_names_find(struct fw_netns_names *names, uint32_t inum, uint16_t life);

#endif
