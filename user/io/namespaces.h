/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces of this host, as far as they can be found: those of its processes, and those
 * with a name in /run/netns.
 */
#ifndef FW_IO_NAMESPACES_H
#define FW_IO_NAMESPACES_H

#include <stddef.h>
#include <stdint.h>

struct fw_namespace {
	uint32_t inode;
	char path[288]; /* open() gives a descriptor that setns() takes */
};

/* Each once, that of this process first. Fills at most @max, returns how many; 0 if even the own one
 * is not to be seen.
 */
size_t fw_namespaces_find(struct fw_namespace *out, size_t max);

#endif
