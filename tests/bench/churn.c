// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn: make and end TCP connections over loopback as fast as the machine can.
 *
 *	churn [-n CONNECTIONS] [-t THREADS] [-c active|passive|reset|mixed] [-b BYTES] [-a ADDRESSES]
 *	      [-s ADDRESS] [-i MICROSECONDS] [-6]
 *
 * Each thread is client and server of its own connections, one after the other, so the number made
 * is exact: any call that fails ends the program with status 1. The first to close is the client
 * (active), the server (passive), or the client with a RST (reset); mixed takes turns. Every
 * connection has two ends on this host: a tracer of all of it sees twice the number. With -a the
 * servers' addresses are 127.0.0.1 (-s: another one, which is then the clients' as well) and as many
 * after it, in turn. With -i every thread rests after each connection.
 *
 * Prints one JSON object. The cost of a connection is there three times: as the mean, for the median
 * slice of 20 connections, and for the slice that only one in twenty is faster than, which others'
 * time slices disturb least (eight runs at a load of 6: 41 to 51 us, the median 53 to 95 us).
 * user_ns and system_ns are the process's own CPU time; what the kernel does in softirq on its behalf
 * is mostly in there too: loopback delivers on the sender's CPU.
 *
 *	{"connections":20000,"threads":1,"close":"active","bytes":0,"wall_ns":712345678,
 *	 "ns_per_connection":35617,"median_ns":34810,"undisturbed_ns":34001,"user_ns":61234567,
 *	 "system_ns":640123456}
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * A port in TIME_WAIT towards one server port is taken for 60 s (or until it may be reused, a
 * second later): move on to a new server port well before the 28,232 of the default range are gone.
 */
#define CONNECTIONS_PER_LISTENER 8192
#define MAX_BYTES		 4096
#define MAX_ADDRESSES		 65536
#define SLICE			 20UL

enum close_mode { CLOSE_ACTIVE, CLOSE_PASSIVE, CLOSE_RESET, CLOSE_MIXED, CLOSE_MAX };

static const char *const close_names[CLOSE_MAX] = {
	[CLOSE_ACTIVE] = "active",
	[CLOSE_PASSIVE] = "passive",
	[CLOSE_RESET] = "reset",
	[CLOSE_MIXED] = "mixed",
};

struct options {
	unsigned long connections;
	unsigned long threads;
	unsigned long bytes;
	unsigned long addresses;
	unsigned long idle_us;
	uint32_t first; /* IPv4 address of servers, host byte order */
	bool bind_clients;
	enum close_mode mode;
	int family;
};

struct worker {
	pthread_t thread;
	const struct options *opts;
	unsigned long connections;
	uint64_t *slices_ns; /* of SLICE connections each, the last ones of less left out */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	int listener;
};

static void die(const char *what)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void worker_listen(struct worker *w)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&w->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&w->addr;
	bool ipv6 = w->opts->family == AF_INET6;

	memset(&w->addr, 0, sizeof(w->addr));
	w->addr.ss_family = (sa_family_t)w->opts->family;
	if (ipv6)
		v6->sin6_addr = in6addr_loopback;
	else
		v4->sin_addr.s_addr = htonl(w->opts->addresses > 1 ? INADDR_ANY : w->opts->first);
	w->addr_len = ipv6 ? sizeof(*v6) : sizeof(*v4);
	w->listener = open_socket(w->opts->family);
	if (bind(w->listener, (struct sockaddr *)&w->addr, w->addr_len))
		die("bind");
	if (listen(w->listener, 16))
		die("listen");
	if (getsockname(w->listener, (struct sockaddr *)&w->addr, &w->addr_len))
		die("getsockname");
}

static void read_bytes(int fd, size_t wanted)
{
	char buf[MAX_BYTES];
	ssize_t n;

	for (; wanted; wanted -= (size_t)n) {
		n = read(fd, buf, wanted);
		if (n <= 0)
			die("read");
	}
}

/* Reading the end of the other side first makes the order of the two closes certain. */
static void read_end(int fd, bool reset)
{
	char byte;
	ssize_t n = read(fd, &byte, 1);

	if (reset ? n >= 0 || errno != ECONNRESET : n != 0)
		die("read of the connection's end");
}

static void close_reset(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		die("SO_LINGER");
	close(fd);
}

static void close_both(int client, int server, enum close_mode mode)
{
	int first = mode == CLOSE_PASSIVE ? server : client;
	int second = mode == CLOSE_PASSIVE ? client : server;

	if (mode == CLOSE_RESET)
		close_reset(first);
	else
		close(first);
	read_end(second, mode == CLOSE_RESET);
	close(second);
}

/* The port is chosen by connect(), as for any other client. */
static void bind_address(int client, struct in_addr addr)
{
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = addr };
	int one = 1;

	if (setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) ||
	    bind(client, (const struct sockaddr *)&from, sizeof(from)))
		die("bind of a client");
}

static void connect_to(int client, const struct worker *w, unsigned long i)
{
	struct sockaddr_storage to = w->addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to;

	if (w->opts->addresses > 1)
		v4->sin_addr.s_addr = htonl(w->opts->first + (uint32_t)(i % w->opts->addresses));
	if (w->opts->bind_clients)
		bind_address(client, v4->sin_addr);
	if (connect(client, (const struct sockaddr *)&to, w->addr_len))
		die("connect");
}

static void one_connection(const struct worker *w, unsigned long i, enum close_mode mode)
{
	static const char zeros[MAX_BYTES];
	int client = open_socket(w->opts->family), server;

	connect_to(client, w, i);
	server = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		die("accept");
	if (w->opts->bytes) {
		if (write(client, zeros, w->opts->bytes) != (ssize_t)w->opts->bytes)
			die("write");
		read_bytes(server, w->opts->bytes);
	}
	close_both(client, server, mode);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	uint64_t begin = now_ns();

	for (unsigned long i = 0; i < w->connections; i++) {
		enum close_mode mode = w->opts->mode;

		if (i % CONNECTIONS_PER_LISTENER == 0) {
			if (i)
				close(w->listener);
			worker_listen(w);
		}
		if (mode == CLOSE_MIXED)
			mode = (enum close_mode)(i % CLOSE_MIXED);
		one_connection(w, i, mode);
		if (w->opts->idle_us)
			usleep((useconds_t)w->opts->idle_us);
		if (i % SLICE == SLICE - 1) {
			uint64_t now = now_ns();

			w->slices_ns[i / SLICE] = now - begin;
			begin = now;
		}
	}
	close(w->listener);
	return NULL;
}

static uint64_t timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000ull + (uint64_t)tv.tv_usec * 1000ull;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct times {
	uint64_t wall_ns;
	uint64_t median_ns, undisturbed_ns; /* of a connection */
};

/* @slices: as many as all threads have made, one thread's after the other's. */
static void take_slices(struct times *times, uint64_t *slices, size_t nr)
{
	if (!nr)
		return;
	qsort(slices, nr, sizeof(*slices), by_value);
	times->median_ns = slices[nr / 2] / SLICE;
	times->undisturbed_ns = slices[nr / 20] / SLICE;
}

static struct times run(const struct options *opts)
{
	struct worker *workers = calloc(opts->threads, sizeof(*workers));
	uint64_t *slices = calloc(opts->connections / SLICE + 1, sizeof(*slices));
	struct times times = { 0 };
	uint64_t begin = now_ns();
	size_t nr = 0;

	if (!workers || !slices)
		die("memory");
	for (unsigned long i = 0; i < opts->threads; i++) {
		workers[i].opts = opts;
		workers[i].connections =
			opts->connections / opts->threads + (i < opts->connections % opts->threads);
		workers[i].listener = -1;
		workers[i].slices_ns = slices + nr;
		nr += workers[i].connections / SLICE;
		errno = pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
		if (errno)
			die("thread");
	}
	for (unsigned long i = 0; i < opts->threads; i++)
		pthread_join(workers[i].thread, NULL);
	times.wall_ns = now_ns() - begin;
	take_slices(&times, slices, nr);
	free(workers);
	free(slices);
	return times;
}

static void print_result(const struct options *opts, struct times times)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"connections\":%lu,\"threads\":%lu,\"close\":\"%s\",\"bytes\":%lu,",
	       opts->connections, opts->threads, close_names[opts->mode], opts->bytes);
	printf("\"wall_ns\":%llu,\"ns_per_connection\":%llu,\"median_ns\":%llu,",
	       (unsigned long long)times.wall_ns,
	       (unsigned long long)(times.wall_ns / opts->connections),
	       (unsigned long long)times.median_ns);
	printf("\"undisturbed_ns\":%llu,\"user_ns\":%llu,\"system_ns\":%llu}\n",
	       (unsigned long long)times.undisturbed_ns,
	       (unsigned long long)timeval_ns(usage.ru_utime),
	       (unsigned long long)timeval_ns(usage.ru_stime));
}

static int usage(void)
{
	fputs("usage: churn [-n CONNECTIONS] [-t THREADS] [-c active|passive|reset|mixed] "
	      "[-b BYTES] [-a ADDRESSES] "
	      "[-s ADDRESS] [-i MICROSECONDS] [-6]\n",
	      stderr);
	return 2;
}

static int parse_count(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno || end == text || *end || *value < min || *value > max ? -1 : 0;
}

static int parse_mode(const char *text, enum close_mode *mode)
{
	for (int i = 0; i < CLOSE_MAX; i++) {
		if (!strcmp(text, close_names[i])) {
			*mode = (enum close_mode)i;
			return 0;
		}
	}
	return -1;
}

static int parse_option(int c, struct options *opts)
{
	switch (c) {
	case 'n':
		return parse_count(optarg, 1, 1000000000, &opts->connections);
	case 't':
		return parse_count(optarg, 1, 1024, &opts->threads);
	case 'b':
		return parse_count(optarg, 0, MAX_BYTES, &opts->bytes);
	case 'a':
		return parse_count(optarg, 1, MAX_ADDRESSES, &opts->addresses);
	case 's':
		opts->first = ntohl(inet_addr(optarg));
		opts->bind_clients = true;
		return opts->first == INADDR_NONE ? -1 : 0;
	case 'i':
		return parse_count(optarg, 0, 1000000, &opts->idle_us);
	case 'c':
		return parse_mode(optarg, &opts->mode);
	case '6':
		opts->family = AF_INET6;
		return 0;
	default:
		return -1;
	}
}

int main(int argc, char **argv)
{
	struct options opts = {
		.connections = 20000,
		.threads = 1,
		.addresses = 1,
		.mode = CLOSE_ACTIVE,
		.first = INADDR_LOOPBACK,
		.family = AF_INET,
	};
	int c;

	while ((c = getopt(argc, argv, "n:t:c:b:a:s:i:6")) != -1) {
		if (parse_option(c, &opts))
			return usage();
	}
	/* IPv6 has one loopback address. */
	if (optind != argc || opts.threads > opts.connections ||
	    ((opts.addresses > 1 || opts.bind_clients) && opts.family != AF_INET))
		return usage();
	print_result(&opts, run(&opts));
	return fflush(stdout) ? 1 : 0;
}
