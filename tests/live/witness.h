/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An independent witness of TCP states: a thread that samples /proc/net/tcp and tcp6 of one network
 * namespace and keeps, per 4-tuple, which states it saw and when. It knows nothing of finwait and
 * shares no code with it. Request sockets (SYN_RECV) and time-wait minisocks (TIME_WAIT, orphaned
 * FIN_WAIT_2) are in those files too, so it sees all three kernel objects.
 *
 * What it cannot see: a state shorter than the sampling interval, and a 4-tuple that dies and comes
 * back in the same state between two samples. Listeners are left out.
 */
#ifndef TESTS_LIVE_WITNESS_H
#define TESTS_LIVE_WITNESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WITNESS_INTERVAL_NS 2000000ull

/*
 * One stay in one state. The true entry lies in (first_ns - slack_ns, first_ns], CLOCK_MONOTONIC.
 */
struct witness_span {
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t slack_ns;
	uint8_t state; /* as in /proc/net/tcp: 1 = ESTABLISHED ... 11 = CLOSING */
};

/*
 * IPv4 addresses, v4-mapped ones too, use the first 4 bytes and family AF_INET; ports: host
 * order.
 */
struct witness_key {
	uint8_t laddr[16];
	uint8_t raddr[16];
	uint16_t lport;
	uint16_t rport;
	uint16_t family;
};

/* One life of a 4-tuple. gone_ns is the first sample without it, 0 while it is still there. */
struct witness_conn {
	struct witness_key key;
	struct witness_span *spans;
	size_t nr_spans;
	uint64_t gone_ns;
	uint64_t gone_slack_ns;
	unsigned int missed;
};

struct witness;

/*
 * Start sampling every interval_ns (0: the default) in the namespace of netns_fd (-1: the
 * caller's). Returns NULL with errno set. The open files keep the namespace alive until
 * witness_stop().
 */
struct witness *witness_start(int netns_fd, uint64_t interval_ns);

/* End the thread and close its files. What it saw can still be read. */
void witness_stop(struct witness *w);
void witness_free(struct witness *w);

/* Number of connections seen at the last sample and not since found to be gone. Thread-safe. */
size_t witness_open_count(struct witness *w);

/* Number of complete samples so far. Thread-safe. */
uint64_t witness_samples(struct witness *w);

/*
 * One JSON object per life of a 4-tuple, separated by `separator`. After witness_stop() only.
 * Returns how many were written.
 */
size_t witness_write(const struct witness *w, FILE *out, const char *separator);

const char *witness_state_name(unsigned int state);

/*
 * A row of tcp, or of tcp6 if v6. Returns the state, 0 for the heading and for what is not a row.
 */
unsigned int witness_parse_row(const char *line, bool v6, struct witness_key *key);
void witness_write_conn(const struct witness_conn *conn, FILE *out);

#endif
