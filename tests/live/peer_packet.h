/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP segments as bytes: build and parse IPv4 and IPv6 packets with their checksums. No state, no
 * I/O. Only the options the scripts need are known: MSS and timestamps.
 */
#ifndef TESTS_LIVE_PEER_PACKET_H
#define TESTS_LIVE_PEER_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 2048

enum { SEG_FIN = 1, SEG_SYN = 2, SEG_RST = 4, SEG_PSH = 8, SEG_ACK = 16 };

/* Addresses are in network order, IPv4 in the first four bytes; family says which of the two. */
struct endpoints {
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
	int family;
};

struct segment {
	struct endpoints ep;
	uint32_t seq;
	uint32_t ack;
	uint32_t tsval;
	uint32_t tsecr;
	uint16_t window;
	uint16_t mss; /* 0: no MSS option */
	uint8_t flags;
	bool timestamps;
	size_t len; /* of the payload, which is all 'x' */
};

/* Returns the length of the packet written to buf (PACKET_MAX bytes). */
size_t packet_build(uint8_t *buf, const struct segment *seg);

/* Returns 0 and fills *seg, or -1 if the packet is not TCP. Checksums are not verified. */
int packet_parse(const uint8_t *buf, size_t len, struct segment *seg);

/* An ICMP "port unreachable" from the receiver of `packet` to its sender. Returns its length. */
size_t packet_build_unreachable(uint8_t *buf, const uint8_t *packet, size_t len);

/* Sequence numbers a segment takes: its payload plus one each for SYN and FIN. */
uint32_t segment_span(const struct segment *seg);

/* "SYN+ACK" and back. segment_flags_parse() returns -1 on an unknown name. */
int segment_flags_parse(const char *text);
const char *segment_flags_text(unsigned int flags, char *buf, size_t size);

#endif
