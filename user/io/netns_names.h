/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What network namespaces are called, by the inode numbers that the kernel side reports: the name of
 * "ip netns", or "pid N", a process in it. A name is kept when its namespace is gone, for what is still
 * to be told of it, until the kernel gives the number to another one.
 */
#ifndef FW_IO_NETNS_NAMES_H
#define FW_IO_NETNS_NAMES_H

#include <stdint.h>

struct fw_netns_names;

/* NULL: no memory. */
struct fw_netns_names *fw_netns_names_new(void);
void fw_netns_names_free(struct fw_netns_names *names);

/* NULL: nothing is known of it. Owned by @names; valid until the next call. */
const char *fw_netns_names_find(struct fw_netns_names *names, uint32_t inum);

#endif
