/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace of one's own: loopback up, a TUN device whose far end is this program,
 * sysctls. Nothing outside the new namespace is touched.
 */
#ifndef TESTS_LIVE_PEER_NET_H
#define TESTS_LIVE_PEER_NET_H

#include <stddef.h>
#include <stdint.h>

/* Documentation addresses: the kernel's side and the scripted side of the TUN device. */
#define NET_KERNEL_V4 "192.0.2.1"
#define NET_PEER_V4   "192.0.2.2"
#define NET_KERNEL_V6 "2001:db8::1"
#define NET_PEER_V6   "2001:db8::2"

/* All return 0 or -1 with a sentence in err. */
int net_namespace_enter(int *outer_fd, uint64_t *inode, char *err, size_t size);
int net_loopback_up(char *err, size_t size);
int net_tun_open(int *fd, int need_v6, char *err, size_t size);

/* name: "net.ipv4.tcp_fin_timeout"; optional: an absent one is no error. */
int net_sysctl(const char *name, const char *value, int optional, char *err, size_t size);

/* Back to the outer namespace, so that nothing of this thread keeps the inner one alive. */
int net_namespace_leave(int outer_fd, char *err, size_t size);

#endif
