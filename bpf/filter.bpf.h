/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters that can be decided in the kernel. A record is left out only when what is known at that
 * moment rules it out: a port or address that is still 0 (connect() before the port is chosen, a
 * child before its peer is copied, any socket after unhash) decides nothing. User space applies
 * the same filters to the finished connection, so what slips through here is not shown.
 */
#ifndef FW_BPF_FILTER_BPF_H
#define FW_BPF_FILTER_BPF_H

#include "sock.bpf.h"

static __always_inline bool fw_port_listed(const volatile __u16 *ports, __u32 nr, __u16 port)
{
	if (!nr || !port)
		return true;
	for (__u32 i = 0; i < FW_MAX_PORTS; i++) {
		if (i >= nr)
			break;
		if (ports[i] == port)
			return true;
	}
	return false;
}

static __always_inline bool fw_in_cidr(const volatile struct fw_cidr *cidr, const __u8 *addr)
{
	const __u32 *a = (const __u32 *)addr;
	__s32 bits = cidr->prefix_len;

	for (int i = 0; i < 4; i++, bits -= 32) {
		__u32 net_be = ((const volatile __u32 *)cidr->addr)[i];
		__u32 mask = bits >= 32 ? ~0U : ~(~0U >> bits);

		if (bits <= 0)
			break;
		if ((a[i] ^ net_be) & bpf_htonl(mask))
			return false;
	}
	return true;
}

static __always_inline bool fw_addr_listed(const volatile struct fw_cidr *cidrs, __u32 nr,
					   __u8 family, const __u8 *addr)
{
	const __u32 *a = (const __u32 *)addr;

	if (!nr || !(a[0] | a[1] | a[2] | a[3]))
		return true;
	for (__u32 i = 0; i < FW_MAX_CIDRS; i++) {
		if (i >= nr)
			break;
		if (cidrs[i].family == family && fw_in_cidr(&cidrs[i], addr))
			return true;
	}
	return false;
}

/* Whether anything is to be left out. The configuration is constant, so where not, no code remains. */
static __always_inline bool fw_is_filtered(void)
{
	return fw_cfg.family || fw_cfg.netns || fw_cfg.nr_lports || fw_cfg.nr_rports ||
	       fw_cfg.nr_local || fw_cfg.nr_remote;
}

static __always_inline bool fw_wanted(const struct fw_rec_head *head)
{
	if (fw_cfg.family && fw_cfg.family != head->family)
		return false;
	if (fw_cfg.netns && fw_cfg.netns != head->netns)
		return false;
	return fw_port_listed(fw_cfg.lports, fw_cfg.nr_lports, head->lport) &&
	       fw_port_listed(fw_cfg.rports, fw_cfg.nr_rports, head->rport) &&
	       fw_addr_listed(fw_cfg.local, fw_cfg.nr_local, head->family, head->laddr) &&
	       fw_addr_listed(fw_cfg.remote, fw_cfg.nr_remote, head->family, head->raddr);
}

/* A family filter must let through a dual-stack socket before its peer (v4-mapped or not) is known. */
static __always_inline bool fw_wanted_early(const struct fw_rec_head *head)
{
	if (head->family == AF_INET6 && fw_cfg.family == AF_INET)
		return !head->rport && (!fw_cfg.netns || fw_cfg.netns == head->netns);
	return fw_wanted(head);
}

#endif
