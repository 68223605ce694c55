// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs of "peer": raw TCP segments through the TUN device. The scripted end has no timers and
 * never answers by itself; what it sends is in the script.
 *
 *	peer expect FLAGS [len=N] [within=D]   read until such a segment comes (PSH is ignored)
 *	peer silent D                          no segment may come for so long
 *	peer drain                             forget what has come so far
 *	peer send FLAGS [len=N] [win=N] [seq=+N] [ack=-N] [again] [stray]
 *	peer open [D]                          handshake as client; D before the last segment
 *	peer answer [D]                        handshake as server; D before SYN+ACK
 *	peer unreachable                       ICMP port unreachable for the last segment
 *
 * seq= and ack= are relative to the next one; "again" repeats the last sequence number; "stray"
 * does not advance ours, so that an old or foolish segment leaves no trace.
 */
#include "peer_run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void trace(const struct run *run, const char *dir, const struct segment *seg)
{
	char flags[32];

	if (!run->verbose)
		return;
	fprintf(stderr, "%8.3f %s %s seq %u ack %u len %zu win %u\n",
		(double)(run_now_ns() - run->start_ns) / 1e9, dir,
		segment_flags_text(seg->flags, flags, sizeof(flags)), seg->seq, seg->ack, seg->len,
		seg->window);
}

/* Keep what the next segment must say: what we have received, in order, and the timestamp. */
static void received(struct run *run, const struct segment *seg)
{
	struct scripted *peer = &run->peer;

	if (seg->flags & SEG_SYN) {
		peer->ep.dport = seg->ep.sport;
		peer->rcv_nxt = seg->seq + segment_span(seg);
	} else if (seg->seq == peer->rcv_nxt) {
		peer->rcv_nxt += segment_span(seg);
	}
	if (seg->timestamps)
		peer->tsrecent = seg->tsval;
	trace(run, "<", seg);
}

/* Returns 1 and fills *seg, 0 when nothing has come until deadline_ns, -1 on an error. */
static int next_segment(struct run *run, uint64_t deadline_ns, struct segment *seg)
{
	struct scripted *peer = &run->peer;
	struct pollfd pfd = { .fd = run->tun_fd, .events = POLLIN };

	for (;;) {
		ssize_t n = read(run->tun_fd, peer->last_packet, sizeof(peer->last_packet));
		uint64_t now;

		if (n > 0 && !packet_parse(peer->last_packet, (size_t)n, seg) &&
		    seg->ep.dport == peer->ep.sport) {
			peer->last_len = (size_t)n;
			received(run, seg);
			return 1;
		}
		if (n > 0)
			continue; /* IPv6 housekeeping, or not ours */
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return run_fail(run, "reading the TUN device: %s", strerror(errno));
		now = run_now_ns();
		if (now >= deadline_ns)
			return 0;
		poll(&pfd, 1, (int)((deadline_ns - now) / 1000000) + 1);
	}
}

static int expect(struct run *run, int flags, long len, uint64_t within_ns)
{
	uint64_t deadline = run_now_ns() + within_ns;
	struct segment seg;
	char want[32], got[160] = "";
	size_t used = 0;
	int ret;

	while ((ret = next_segment(run, deadline, &seg)) > 0) {
		char text[32];

		if ((seg.flags & ~SEG_PSH) == flags && (len < 0 || seg.len == (size_t)len))
			return 0;
		if (used < sizeof(got))
			used += (size_t)snprintf(got + used, sizeof(got) - used, " %s(%zu)",
						 segment_flags_text(seg.flags, text, sizeof(text)),
						 seg.len);
	}
	if (ret < 0)
		return -1;
	return run_fail(run, "no %s came, but:%s",
			segment_flags_text((unsigned int)flags, want, sizeof(want)),
			used ? got : " nothing");
}

static int send_segment(struct run *run, struct segment *seg, bool stray)
{
	struct scripted *peer = &run->peer;
	uint8_t packet[PACKET_MAX];
	size_t len;

	seg->ep = peer->ep;
	if (seg->flags & SEG_SYN)
		seg->mss = 1400;
	seg->timestamps = run->c->timestamps;
	seg->tsval = (uint32_t)(run_now_ns() / 1000000);
	seg->tsecr = seg->flags & SEG_ACK ? peer->tsrecent : 0;
	len = packet_build(packet, seg);
	trace(run, ">", seg);
	if (write(run->tun_fd, packet, len) != (ssize_t)len)
		return run_fail(run, "writing the TUN device: %s", strerror(errno));
	if (!stray) {
		peer->last_seq = seg->seq;
		peer->snd_nxt = seg->seq + segment_span(seg);
	}
	return 0;
}

static int send_flags(struct run *run, int flags)
{
	struct segment seg = {
		.flags = (uint8_t)flags,
		.seq = run->peer.snd_nxt,
		.ack = run->peer.rcv_nxt,
		.window = 65535,
	};

	return send_segment(run, &seg, false);
}

static long number_option(const struct line *line, const char *key, long fallback)
{
	const char *value = line_option(line, key);

	return value ? strtol(value, NULL, 10) : fallback;
}

static int peer_send(struct run *run, const struct line *line)
{
	const struct scripted *peer = &run->peer;
	int flags = segment_flags_parse(line->words[2]);
	struct segment seg = { .window = (uint16_t)number_option(line, "win", 65535) };

	if (flags < 0)
		return run_fail(run, "flags %s?", line->words[2]);
	seg.flags = (uint8_t)flags;
	seg.len = (size_t)number_option(line, "len", 0);
	seg.seq = line_has(line, "again") ? peer->last_seq : peer->snd_nxt;
	seg.seq += (uint32_t)number_option(line, "seq", 0);
	seg.ack = peer->rcv_nxt + (uint32_t)number_option(line, "ack", 0);
	if (seg.len > 1400)
		return run_fail(run, "len above 1400");
	return send_segment(run, &seg, line_has(line, "stray"));
}

static int peer_expect(struct run *run, const struct line *line)
{
	int flags = segment_flags_parse(line->words[2]);

	if (flags < 0)
		return run_fail(run, "flags %s?", line->words[2]);
	return expect(run, flags, number_option(line, "len", -1),
		      run_within_ns(line, STEP_TIMEOUT_NS));
}

static int peer_silent(struct run *run, const struct line *line)
{
	struct segment seg;
	uint64_t ns;
	char flags[32];
	int ret;

	if (script_duration(line->words[2], &ns))
		return run_fail(run, "duration %s?", line->words[2]);
	ret = next_segment(run, run_now_ns() + ns, &seg);
	if (ret > 0)
		return run_fail(run, "unexpected %s",
				segment_flags_text(seg.flags, flags, sizeof(flags)));
	return ret;
}

static int peer_drain(struct run *run, const struct line *line)
{
	struct segment seg;
	int ret;

	(void)line;
	do
		ret = next_segment(run, 0, &seg);
	while (ret > 0);
	return ret;
}

static int optional_wait(struct run *run, const struct line *line)
{
	uint64_t ns;

	if (line->nr_words < 3)
		return 0;
	if (script_duration(line->words[2], &ns))
		return run_fail(run, "duration %s?", line->words[2]);
	run_sleep_ns(ns);
	return 0;
}

static int peer_open(struct run *run, const struct line *line)
{
	if (send_flags(run, SEG_SYN) || expect(run, SEG_SYN | SEG_ACK, -1, STEP_TIMEOUT_NS))
		return -1;
	return optional_wait(run, line) ? -1 : send_flags(run, SEG_ACK);
}

static int peer_answer(struct run *run, const struct line *line)
{
	if (expect(run, SEG_SYN, -1, STEP_TIMEOUT_NS) || optional_wait(run, line))
		return -1;
	return send_flags(run, SEG_SYN | SEG_ACK) || expect(run, SEG_ACK, 0, STEP_TIMEOUT_NS) ? -1 :
												0;
}

static int peer_unreachable(struct run *run, const struct line *line)
{
	const struct scripted *peer = &run->peer;
	uint8_t packet[PACKET_MAX + 64];
	size_t len = packet_build_unreachable(packet, peer->last_packet, peer->last_len);

	(void)line;
	if (!len || write(run->tun_fd, packet, len) != (ssize_t)len)
		return run_fail(run, "no ICMP message could be sent");
	return 0;
}

verb_fn *peer_verb(const char *name, int nr_args)
{
	static const struct verb verbs[] = {
		{ "expect", 1, peer_expect },
		{ "silent", 1, peer_silent },
		{ "drain", 0, peer_drain },
		{ "send", 1, peer_send },
		{ "open", 0, peer_open },
		{ "answer", 0, peer_answer },
		{ "unreachable", 0, peer_unreachable },
		{ NULL, 0, NULL },
	};

	return verb_find(verbs, name, nr_args);
}
