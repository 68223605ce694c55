/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter on endpoints and namespaces: one rule, compiled by the kernel side, which leaves records
 * out, and by the user side, which applies it to recordings and to what is shown.
 *
 * The kernel fills endpoints in late and wipes them early. A port or address that is 0 is not known yet,
 * so a record passes as long as nothing that is known rules it out. The first record that does rule out
 * a connection of which one has passed is FW_RULE_FORGET: it goes to the tracker, marked with
 * FW_REC_RULED_OUT, so that the tracker drops the connection instead of waiting for the rest of it.
 */
#ifndef FW_BPF_FILTER_RULE_H
#define FW_BPF_FILTER_RULE_H

#include "event.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FW_RULE_BE32(x) __builtin_bswap32(x)
#else
#define FW_RULE_BE32(x) (x)
#endif

#define FW_RULE_INLINE static inline __attribute__((always_inline))
/* The kernel side's rule is read-only data that the compiler must not fold. */
#define FW_RULE const volatile struct fw_filter_rule

#define FW_RULE_IPV4 2 /* AF_INET */
#define FW_RULE_IPV6 10

#define FW_RULE_SYN_SENT 2 /* TCP_SYN_SENT */
#define FW_RULE_SYN_RECV 3

enum fw_rule_answer { FW_RULE_OUT, FW_RULE_IN, FW_RULE_FORGET };

struct fw_endpoints {
	__u32 netns;
	__u8 family;
	__u16 lport, rport;
	const __u8 *laddr, *raddr;
};

FW_RULE_INLINE struct fw_endpoints fw_endpoints_of(const struct fw_rec_head *head)
{
	return (struct fw_endpoints){ head->netns, head->family, head->lport, head->rport,
				      head->laddr, head->raddr };
}

/* Whether it leaves out any connection of a namespace that it admits. */
FW_RULE_INLINE int fw_rule_has_endpoints(FW_RULE *rule)
{
	return rule->family || rule->nr_lports || rule->nr_rports || rule->nr_local ||
	       rule->nr_remote;
}

/* Whether it leaves out anything. */
FW_RULE_INLINE int fw_rule_is_set(FW_RULE *rule)
{
	return rule->nr_netns || fw_rule_has_endpoints(rule);
}

FW_RULE_INLINE int fw_rule_netns(FW_RULE *rule, __u32 netns)
{
	if (!rule->nr_netns)
		return 1;
	for (__u32 i = 0; i < FW_MAX_NETNS; i++) {
		if (i >= rule->nr_netns)
			break;
		if (rule->netns[i] == netns)
			return 1;
	}
	return 0;
}

/* @unknown: the answer for a port that is not known. */
FW_RULE_INLINE int fw_rule_port(const volatile __u16 *ports, __u32 nr, __u16 port, int unknown)
{
	if (!nr)
		return 1;
	if (!port)
		return unknown;
	for (__u32 i = 0; i < FW_MAX_PORTS; i++) {
		if (i >= nr)
			break;
		if (ports[i] == port)
			return 1;
	}
	return 0;
}

typedef __u32 __attribute__((may_alias)) fw_rule_u32;

FW_RULE_INLINE __u32 fw_rule_word(const volatile __u8 *addr, int i)
{
	return ((const volatile fw_rule_u32 *)addr)[i];
}

/* The address in network order, compared word by word. */
FW_RULE_INLINE int fw_rule_in_cidr(const volatile struct fw_cidr *cidr, const __u8 *addr)
{
	__s32 bits = cidr->prefix_len;

	for (int i = 0; i < 4; i++, bits -= 32) {
		__u32 mask;

		if (bits <= 0)
			break;
		mask = bits >= 32 ? ~0U : ~(~0U >> bits);
		if ((fw_rule_word(addr, i) ^ fw_rule_word(cidr->addr, i)) & FW_RULE_BE32(mask))
			return 0;
	}
	return 1;
}

FW_RULE_INLINE int fw_rule_addr(const volatile struct fw_cidr *cidrs, __u32 nr, __u8 family,
				const __u8 *addr, int unknown)
{
	if (!nr)
		return 1;
	if (!(fw_rule_word(addr, 0) | fw_rule_word(addr, 1) | fw_rule_word(addr, 2) |
	      fw_rule_word(addr, 3)))
		return unknown;
	for (__u32 i = 0; i < FW_MAX_CIDRS; i++) {
		if (i >= nr)
			break;
		if (cidrs[i].family == family && fw_rule_in_cidr(&cidrs[i], addr))
			return 1;
	}
	return 0;
}

/* @unknown: the answer for an end that is not known: 1 for a record, 0 for a connection to be shown. */
FW_RULE_INLINE int fw_rule_endpoints(FW_RULE *rule, struct fw_endpoints e, int unknown)
{
	if (rule->family && rule->family != e.family)
		return 0;
	return fw_rule_netns(rule, e.netns) &&
	       fw_rule_port(rule->lports, rule->nr_lports, e.lport, unknown) &&
	       fw_rule_port(rule->rports, rule->nr_rports, e.rport, unknown) &&
	       fw_rule_addr(rule->local, rule->nr_local, e.family, e.laddr, unknown) &&
	       fw_rule_addr(rule->remote, rule->nr_remote, e.family, e.raddr, unknown);
}

/* For records of sockets whose endpoints are final. */
FW_RULE_INLINE int fw_rule_head(FW_RULE *rule, const struct fw_rec_head *head)
{
	return fw_rule_endpoints(rule, fw_endpoints_of(head), 1);
}

/* As above, for full sockets: a dual-stack socket passes a rule for IPv4 until its peer is known. */
FW_RULE_INLINE int fw_rule_full(FW_RULE *rule, const struct fw_rec_head *head)
{
	if (head->family == FW_RULE_IPV6 && rule->family == FW_RULE_IPV4)
		return !head->rport && fw_rule_netns(rule, head->netns);
	return fw_rule_head(rule, head);
}

/*
 * Whether the record before this one has passed, although this one does not: connect() enters SYN_SENT
 * before it chooses the port; before Linux 6.15 a child enters SYN_RECV (@blind_child) without its
 * peer, and then an IPv4 peer of a dual-stack listener looks like IPv6.
 */
FW_RULE_INLINE int fw_rule_passed_before(FW_RULE *rule, const struct fw_rec_head *head,
					 __u8 oldstate, int blind_child)
{
	if (oldstate == FW_RULE_SYN_SENT) {
		struct fw_endpoints e = fw_endpoints_of(head);

		e.lport = 0;
		return rule->nr_lports && fw_rule_endpoints(rule, e, 1);
	}
	return oldstate == FW_RULE_SYN_RECV && blind_child && fw_rule_netns(rule, head->netns) &&
	       fw_rule_port(rule->lports, rule->nr_lports, head->lport, 1);
}

/* A transition from @oldstate. */
FW_RULE_INLINE enum fw_rule_answer fw_rule_transition(FW_RULE *rule, const struct fw_rec_head *head,
						      __u8 oldstate, int blind_child)
{
	if (fw_rule_full(rule, head))
		return FW_RULE_IN;
	return fw_rule_passed_before(rule, head, oldstate, blind_child) ? FW_RULE_FORGET :
									  FW_RULE_OUT;
}

#endif
