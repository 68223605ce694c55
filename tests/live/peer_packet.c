// SPDX-License-Identifier: GPL-2.0-only
/*
 * Build and parse TCP/IPv4 and TCP/IPv6 packets. See peer_packet.h.
 */
#include "peer_packet.h"

#include <stdio.h>
#include <string.h>

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_ICMPV6 = 58,
	ICMP_HEADER = 8,
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_TIMESTAMPS = 8,
};

static const struct {
	const char *name;
	unsigned int flag;
} flag_names[] = {
	{ "SYN", SEG_SYN }, { "FIN", SEG_FIN }, { "RST", SEG_RST },
	{ "PSH", SEG_PSH }, { "ACK", SEG_ACK },
};

#define NR_FLAGS (sizeof(flag_names) / sizeof(flag_names[0]))

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	return len ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t addr_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static uint32_t pseudo_sum(const struct endpoints *ep, uint8_t proto, size_t len)
{
	uint32_t sum = proto + (uint32_t)len;

	sum = sum16(sum, ep->src, addr_size(ep->family));
	return sum16(sum, ep->dst, addr_size(ep->family));
}

static size_t build_ip(uint8_t *buf, const struct endpoints *ep, uint8_t proto, size_t payload)
{
	if (ep->family == AF_INET) {
		memset(buf, 0, IPV4_HEADER);
		buf[0] = 0x45;
		put16(buf + 2, (uint16_t)(IPV4_HEADER + payload));
		put16(buf + 6, 0x4000); /* don't fragment */
		buf[8] = 64;
		buf[9] = proto;
		memcpy(buf + 12, ep->src, 4);
		memcpy(buf + 16, ep->dst, 4);
		put16(buf + 10, fold(sum16(0, buf, IPV4_HEADER)));
		return IPV4_HEADER;
	}
	memset(buf, 0, IPV6_HEADER);
	buf[0] = 0x60;
	put16(buf + 4, (uint16_t)payload);
	buf[6] = proto;
	buf[7] = 64;
	memcpy(buf + 8, ep->src, 16);
	memcpy(buf + 24, ep->dst, 16);
	return IPV6_HEADER;
}

static size_t build_options(uint8_t *opt, const struct segment *seg)
{
	size_t len = 0;

	if (seg->mss) {
		opt[0] = OPT_MSS;
		opt[1] = 4;
		put16(opt + 2, seg->mss);
		len = 4;
	}
	if (seg->timestamps) {
		opt[len] = OPT_NOP;
		opt[len + 1] = OPT_NOP;
		opt[len + 2] = OPT_TIMESTAMPS;
		opt[len + 3] = 10;
		put32(opt + len + 4, seg->tsval);
		put32(opt + len + 8, seg->tsecr);
		len += 12;
	}
	return len;
}

size_t packet_build(uint8_t *buf, const struct segment *seg)
{
	size_t ip = seg->ep.family == AF_INET ? IPV4_HEADER : IPV6_HEADER;
	uint8_t *tcp = buf + ip;
	size_t header = TCP_HEADER + build_options(tcp + TCP_HEADER, seg);
	size_t len = header + seg->len;

	build_ip(buf, &seg->ep, PROTO_TCP, len);
	put16(tcp, seg->ep.sport);
	put16(tcp + 2, seg->ep.dport);
	put32(tcp + 4, seg->seq);
	put32(tcp + 8, seg->flags & SEG_ACK ? seg->ack : 0);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = seg->flags;
	put16(tcp + 14, seg->window);
	put32(tcp + 16, 0); /* checksum, urgent pointer */
	memset(tcp + header, 'x', seg->len);
	put16(tcp + 16, fold(sum16(pseudo_sum(&seg->ep, PROTO_TCP, len), tcp, len)));
	return ip + len;
}

static void parse_options(const uint8_t *opt, size_t len, struct segment *seg)
{
	while (len > 1 && opt[0] != OPT_END) {
		size_t size = opt[0] == OPT_NOP ? 1 : opt[1];

		if (size == 0 || size > len)
			return;
		if (opt[0] == OPT_MSS && size == 4)
			seg->mss = get16(opt + 2);
		if (opt[0] == OPT_TIMESTAMPS && size == 10) {
			seg->timestamps = true;
			seg->tsval = get32(opt + 2);
			seg->tsecr = get32(opt + 6);
		}
		opt += size;
		len -= size;
	}
}

/* Returns the length of the IP header, 0 if the packet does not carry `proto`. */
static size_t parse_ip(const uint8_t *buf, size_t *len, struct endpoints *ep)
{
	size_t total;

	if (*len >= IPV4_HEADER && buf[0] >> 4 == 4 && buf[9] == PROTO_TCP) {
		ep->family = AF_INET;
		memcpy(ep->src, buf + 12, 4);
		memcpy(ep->dst, buf + 16, 4);
		total = get16(buf + 2);
		*len = total < *len ? total : *len;
		return (size_t)(buf[0] & 15) * 4;
	}
	if (*len >= IPV6_HEADER && buf[0] >> 4 == 6 && buf[6] == PROTO_TCP) {
		ep->family = AF_INET6;
		memcpy(ep->src, buf + 8, 16);
		memcpy(ep->dst, buf + 24, 16);
		total = (size_t)IPV6_HEADER + get16(buf + 4);
		*len = total < *len ? total : *len;
		return IPV6_HEADER;
	}
	return 0;
}

int packet_parse(const uint8_t *buf, size_t len, struct segment *seg)
{
	const uint8_t *tcp;
	size_t ip, header;

	memset(seg, 0, sizeof(*seg));
	ip = parse_ip(buf, &len, &seg->ep);
	if (!ip || len < ip + TCP_HEADER)
		return -1;
	tcp = buf + ip;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_HEADER || len < ip + header)
		return -1;
	seg->ep.sport = get16(tcp);
	seg->ep.dport = get16(tcp + 2);
	seg->seq = get32(tcp + 4);
	seg->ack = get32(tcp + 8);
	seg->flags = tcp[13] & 31;
	seg->window = get16(tcp + 14);
	seg->len = len - ip - header;
	parse_options(tcp + TCP_HEADER, header - TCP_HEADER, seg);
	return 0;
}

size_t packet_build_unreachable(uint8_t *buf, const uint8_t *packet, size_t len)
{
	struct segment seg;
	struct endpoints back = { 0 };
	uint8_t proto;
	uint8_t *icmp;
	uint32_t sum;
	size_t ip;

	if (packet_parse(packet, len, &seg))
		return 0;
	back.family = seg.ep.family;
	memcpy(back.src, seg.ep.dst, sizeof(back.src));
	memcpy(back.dst, seg.ep.src, sizeof(back.dst));
	proto = back.family == AF_INET ? PROTO_ICMP : PROTO_ICMPV6;
	ip = build_ip(buf, &back, proto, ICMP_HEADER + len);
	icmp = buf + ip;
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = back.family == AF_INET ? 3 : 1; /* destination unreachable ... */
	icmp[1] = back.family == AF_INET ? 3 : 4; /* ... port */
	memcpy(icmp + ICMP_HEADER, packet, len);
	/* ICMPv6 has a pseudo-header, ICMP does not. */
	sum = back.family == AF_INET ? 0 : pseudo_sum(&back, proto, ICMP_HEADER + len);
	put16(icmp + 2, fold(sum16(sum, icmp, ICMP_HEADER + len)));
	return ip + ICMP_HEADER + len;
}

uint32_t segment_span(const struct segment *seg)
{
	return (uint32_t)seg->len + !!(seg->flags & SEG_SYN) + !!(seg->flags & SEG_FIN);
}

int segment_flags_parse(const char *text)
{
	int flags = 0;

	while (*text) {
		size_t len = strcspn(text, "+"), i;

		for (i = 0; i < NR_FLAGS; i++) {
			if (len == 3 && !strncmp(text, flag_names[i].name, 3))
				break;
		}
		if (i == NR_FLAGS)
			return -1;
		flags |= (int)flag_names[i].flag;
		text += len + (text[len] == '+');
	}
	return flags ? flags : -1;
}

const char *segment_flags_text(unsigned int flags, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < NR_FLAGS; i++) {
		if (!(flags & flag_names[i].flag) || used >= size)
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "+" : "",
					 flag_names[i].name);
	}
	return buf;
}
