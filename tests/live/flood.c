// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SYN flood, for flood.py: opens a TUN device and a listener in the network namespace that it is
 * started in, and writes SYNs into the device as if many hosts behind it had sent them. Nobody ever
 * answers the SYN-ACKs: they are read and counted.
 *
 *	flood [-n ATTEMPTS] [-r ATTEMPTS_PER_SECOND] [-b BACKLOG]
 *
 * Begins at a line on standard input. Even attempts are IPv4, odd ones IPv6, no two from the same
 * address and port. When all are out, a line of JSON says so; the listener and the device stay until
 * standard input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "peer_net.h"
#include "peer_packet.h"

/* A full queue would refuse retransmitted SYN-ACKs, and the kernel drops a request then. */
#define TUN_QUEUE 50000
#define PORT 80
#define HOSTS 250
#define FIRST_PORT 1024
#define BATCH 100

struct options {
	unsigned long attempts, rate, backlog;
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void lengthen_queue(int tun)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	if (sock < 0 || ioctl(tun, TUNGETIFF, &ifr))
		die("TUN device");
	ifr.ifr_qlen = TUN_QUEUE;
	if (ioctl(sock, SIOCSIFTXQLEN, &ifr))
		die("queue of the TUN device");
	close(sock);
}

static int open_tun(void)
{
	char error[256];
	int tun;

	if (net_tun_open(&tun, 1, error, sizeof(error))) {
		fprintf(stderr, "flood: %s\n", error);
		exit(1);
	}
	lengthen_queue(tun);
	return tun;
}

static void open_listener(unsigned long backlog)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) ||
	    listen(fd, (int)backlog))
		die("listener");
}

static void make_syn(struct segment *syn, unsigned long number)
{
	bool v6 = number & 1;
	unsigned long source = number / 2;

	*syn = (struct segment){
		.ep = { .sport = (uint16_t)(FIRST_PORT + source / HOSTS), .dport = PORT,
			.family = v6 ? AF_INET6 : AF_INET },
		.seq = (uint32_t)number * 65537, .window = 65535, .mss = 1400, .flags = SEG_SYN,
	};
	inet_pton(syn->ep.family, v6 ? NET_PEER_V6 : NET_PEER_V4, syn->ep.src);
	inet_pton(syn->ep.family, v6 ? NET_KERNEL_V6 : NET_KERNEL_V4, syn->ep.dst);
	syn->ep.src[v6 ? 15 : 3] += (uint8_t)(source % HOSTS);
}

static void send_syn(int tun, unsigned long number)
{
	uint8_t packet[PACKET_MAX];
	struct segment syn;
	size_t len;

	make_syn(&syn, number);
	len = packet_build(packet, &syn);
	if (write(tun, packet, len) != (ssize_t)len)
		die("write to the TUN device");
}

/* How many SYN-ACKs have come. */
static unsigned long read_answers(int tun)
{
	uint8_t packet[PACKET_MAX];
	unsigned long answers = 0;
	struct segment seg;
	ssize_t n;

	while ((n = read(tun, packet, sizeof(packet))) > 0) {
		if (!packet_parse(packet, (size_t)n, &seg) && seg.flags == (SEG_SYN | SEG_ACK))
			answers++;
	}
	return answers;
}

/* Until @due_ns is past; at least one look at the answers. */
static unsigned long pause_until(int tun, uint64_t due_ns)
{
	unsigned long answers = read_answers(tun);

	while (now_ns() < due_ns) {
		usleep(500);
		answers += read_answers(tun);
	}
	return answers;
}

static unsigned long flood(int tun, const struct options *opts)
{
	uint64_t begin_ns = now_ns();
	unsigned long answers = 0;

	for (unsigned long i = 0; i < opts->attempts; i++) {
		if (i % BATCH == 0) {
			uint64_t due_ns = opts->rate ? i * 1000000000ull / opts->rate : 0;

			answers += pause_until(tun, begin_ns + due_ns);
		}
		send_syn(tun, i);
	}
	printf("{\"attempts\":%lu,\"ns\":%llu}\n", opts->attempts,
	       (unsigned long long)(now_ns() - begin_ns));
	fflush(stdout);
	return answers;
}

/* Retransmitted SYN-ACKs, until standard input ends. */
static unsigned long linger(int tun)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = tun, .events = POLLIN } };
	unsigned long answers = 0;

	while (poll(fds, 2, -1) > 0 && !fds[0].revents)
		answers += read_answers(tun);
	return answers + read_answers(tun);
}

static unsigned long parse_count(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	return end == text || *end || value > 10000000 ? 0 : value;
}

int main(int argc, char **argv)
{
	struct options opts = { .attempts = 50000, .backlog = 65535 };
	unsigned long answers;
	int c, tun;

	while ((c = getopt(argc, argv, "n:r:b:")) != -1) {
		unsigned long *option = c == 'n' ? &opts.attempts :
					c == 'r' ? &opts.rate :
						   &opts.backlog;

		*option = c == '?' ? 0 : parse_count(optarg);
		if (!*option)
			break;
	}
	if (c != -1 || optind != argc) {
		fputs("usage: flood [-n ATTEMPTS] [-r ATTEMPTS_PER_SECOND] [-b BACKLOG]\n", stderr);
		return 2;
	}
	tun = open_tun();
	open_listener(opts.backlog);
	if (getchar() != '\n')
		return 1;
	answers = flood(tun, &opts);
	answers += linger(tun);
	printf("{\"answers\":%lu}\n", answers);
	return fflush(stdout) ? 1 : 0;
}
