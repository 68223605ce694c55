// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs of "app" and, on loopback, "srv": ordinary socket calls on the real kernel's side.
 *
 *	app listen [backlog=N]       app accept            app close-listener
 *	app bind PORT|self           app connect [ERRNO]   app connected
 *	app fastopen N               connect with N bytes in the SYN
 *	app send N                   app recv N            app eof
 *	app shutdown                 app close             app error ERRNO [within=D]
 *	app state NAME               wait until TCP_INFO says so
 *	app hold                     a child process takes the socket over; app kill ends it by SIGKILL
 *	app churn N                  N connections from one port, each reset at once (loopback)
 *	app unspec                   connect(AF_UNSPEC)
 *	app destroy                  what "ss -K" does
 *	app set OPTION VALUE ...     see peer_option.c, and for hold, kill and churn peer_life.c
 *
 * Sockets do not block; whatever must wait polls, with a deadline.
 */
#define _GNU_SOURCE 1 /* as -D_GNU_SOURCE would */
#include "peer_run.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "witness.h"

int side_socket(struct run *run, struct side *side)
{
	int domain = run->family == FAMILY_V4 ? AF_INET : AF_INET6;

	if (side->fd >= 0)
		return 0;
	side->fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return side->fd < 0 ? run_fail(run, "socket: %s", strerror(errno)) : 0;
}

static int wait_for(struct run *run, int fd, short events, uint64_t within_ns)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n = poll(&pfd, 1, (int)(within_ns / 1000000));

	return n == 1 ? 0 : run_fail(run, "nothing happened on the socket");
}

static int app_listen(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	const char *backlog = line_option(line, "backlog");
	struct sockaddr_storage ss;
	struct endpoints ep;
	socklen_t len;
	int one = 1;

	if (side_socket(run, side))
		return -1;
	/* On loopback the listener is srv, and app's remote end; on TUN it is app's local end. */
	run_endpoints(run, "app", &ep);
	run_sockaddr(run, run->c->loopback ? ep.dst : ep.src, run->listen_port, &ss, &len);
	setsockopt(side->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(side->fd, (struct sockaddr *)&ss, len) ||
	    listen(side->fd, backlog ? atoi(backlog) : 16))
		return run_fail(run, "listen: %s", strerror(errno));
	side->listen_fd = side->fd;
	side->fd = -1;
	return 0;
}

static int app_accept(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);

	if (wait_for(run, side->listen_fd, POLLIN, STEP_TIMEOUT_NS))
		return -1;
	side->fd = accept4(side->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return side->fd < 0 ? run_fail(run, "accept: %s", strerror(errno)) : 0;
}

static int app_close_listener(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);

	close(side->listen_fd);
	side->listen_fd = -1;
	return 0;
}

int app_bind(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	bool self = !strcmp(line->words[2], "self"); /* the port that connect() will go to */
	struct sockaddr_storage ss;
	struct endpoints ep;
	socklen_t len;
	int one = 1;

	if (side_socket(run, side))
		return -1;
	run_endpoints(run, "app", &ep);
	run_sockaddr(run, ep.src, self ? run->listen_port : (uint16_t)atoi(line->words[2]), &ss,
		     &len);
	setsockopt(side->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(side->fd, (struct sockaddr *)&ss, len))
		return run_fail(run, "bind: %s", strerror(errno));
	return 0;
}

/* The port that connect() chose is part of the 4-tuple to be looked for. */
static void learn_port(struct run *run, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint16_t port;

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return;
	port = ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port :
					 ((struct sockaddr_in6 *)&ss)->sin6_port;
	if (!port)
		return;
	run->client_port = ntohs(port);
	run->peer.ep.dport = ntohs(port);
}

static int connected_or(struct run *run, const struct line *line, int ret, int fd)
{
	const char *want = line->nr_words > 2 ? line->words[2] : "EINPROGRESS";
	int err = ret < 0 ? errno : 0;

	learn_port(run, fd);
	if (err == EINPROGRESS || (err == 0 && !strcmp(want, "EINPROGRESS")))
		return 0;
	return err == errno_parse(want) ? 0 : run_fail(run, "connect: %s", strerror(err));
}

int app_connect(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	struct sockaddr_storage ss;
	struct endpoints ep;
	socklen_t len;

	if (side_socket(run, side))
		return -1;
	run_endpoints(run, "app", &ep);
	run_sockaddr(run, ep.dst, ep.dport, &ss, &len);
	return connected_or(run, line, connect(side->fd, (struct sockaddr *)&ss, len), side->fd);
}

static int app_fastopen(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	const struct line plain = { .nr_words = 2 };
	struct sockaddr_storage ss;
	char data[1024] = { 0 };
	struct endpoints ep;
	socklen_t len;
	ssize_t n;

	if (side_socket(run, side))
		return -1;
	run_endpoints(run, "app", &ep);
	run_sockaddr(run, ep.dst, ep.dport, &ss, &len);
	n = sendto(side->fd, data, (size_t)atoi(line->words[2]) % sizeof(data),
		   MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&ss, len);
	return connected_or(run, &plain, n < 0 ? -1 : 0, side->fd);
}

static int app_unspec(struct run *run, const struct line *line)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	if (connect(run_side(run, line)->fd, &sa, sizeof(sa)))
		return run_fail(run, "connect(AF_UNSPEC): %s", strerror(errno));
	return 0;
}

static int socket_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

int app_connected(struct run *run, const struct line *line)
{
	int fd = run_side(run, line)->fd, err;

	if (wait_for(run, fd, POLLOUT, run_within_ns(line, STEP_TIMEOUT_NS)))
		return -1;
	err = socket_error(fd);
	return err ? run_fail(run, "connect: %s", strerror(err)) : 0;
}

static bool is_closed(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_state == TCP_CLOSE;
}

static int app_error(struct run *run, const struct line *line)
{
	int want = errno_parse(line->words[2]), err;
	int fd = run_side(run, line)->fd;
	uint64_t deadline;

	/*
	 * Asleep until the kernel reports it, and until its last transition. Before Linux 6.11 and its
	 * stable backports (commit 853c3bd7b791) it wakes us between the two when a timer gives up, and
	 * whoever asks for SO_ERROR then clears it: nobody who looks at the transition can tell why.
	 */
	if (wait_for(run, fd, 0, run_within_ns(line, STEP_TIMEOUT_NS)))
		return -1;
	deadline = run_now_ns() + STEP_TIMEOUT_NS;
	while (!is_closed(fd) && run_now_ns() < deadline)
		run_sleep_ns(1000000);
	err = socket_error(fd);
	return err == want ? 0 : run_fail(run, "error %s, not %s", strerror(err), line->words[2]);
}

static int app_send(struct run *run, const struct line *line)
{
	size_t size = strtoul(line->words[2], NULL, 10);
	char *data = calloc(1, size + 1);
	ssize_t n = -1;

	if (data)
		n = send(run_side(run, line)->fd, data, size, MSG_NOSIGNAL);
	free(data);
	return n < 0 ? run_fail(run, "send: %s", strerror(errno)) : 0;
}

/* Read exactly `want` bytes, or up to the end of the stream if want is 0. */
static int receive(struct run *run, int fd, size_t want)
{
	char data[4096];
	size_t got = 0;

	while (!want || got < want) {
		ssize_t n;

		if (wait_for(run, fd, POLLIN, STEP_TIMEOUT_NS))
			return -1;
		n = recv(fd, data, want && want - got < sizeof(data) ? want - got : sizeof(data),
			 0);
		if (n < 0)
			return run_fail(run, "recv: %s", strerror(errno));
		if (n == 0)
			return want ? run_fail(run, "end of stream after %zu bytes", got) : 0;
		got += (size_t)n;
	}
	return 0;
}

static int app_recv(struct run *run, const struct line *line)
{
	return receive(run, run_side(run, line)->fd, strtoul(line->words[2], NULL, 10));
}

static int app_eof(struct run *run, const struct line *line)
{
	return receive(run, run_side(run, line)->fd, 0);
}

static int app_shutdown(struct run *run, const struct line *line)
{
	if (shutdown(run_side(run, line)->fd, SHUT_WR))
		return run_fail(run, "shutdown: %s", strerror(errno));
	return 0;
}

int side_close(struct run *run, struct side *side)
{
	if (close(side->fd))
		return run_fail(run, "close: %s", strerror(errno));
	side->fd = -1;
	return 0;
}

static int app_close(struct run *run, const struct line *line)
{
	return side_close(run, run_side(run, line));
}

static int app_state(struct run *run, const struct line *line)
{
	uint64_t deadline = run_now_ns() + run_within_ns(line, STEP_TIMEOUT_NS);
	int fd = run_side(run, line)->fd;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	do {
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
			return run_fail(run, "TCP_INFO: %s", strerror(errno));
		if (!strcmp(witness_state_name(info.tcpi_state), line->words[2]))
			return 0;
		run_sleep_ns(1000000);
	} while (run_now_ns() < deadline);
	return run_fail(run, "%s, not %s", witness_state_name(info.tcpi_state), line->words[2]);
}

verb_fn *app_verb(const char *name, int nr_args)
{
	static const struct verb verbs[] = {
		{ "listen", 0, app_listen },
		{ "accept", 0, app_accept },
		{ "close-listener", 0, app_close_listener },
		{ "bind", 1, app_bind },
		{ "connect", 0, app_connect },
		{ "connected", 0, app_connected },
		{ "fastopen", 1, app_fastopen },
		{ "unspec", 0, app_unspec },
		{ "send", 1, app_send },
		{ "recv", 1, app_recv },
		{ "eof", 0, app_eof },
		{ "shutdown", 0, app_shutdown },
		{ "close", 0, app_close },
		{ "error", 1, app_error },
		{ "state", 1, app_state },
		{ "hold", 0, app_hold },
		{ "kill", 0, app_kill },
		{ "churn", 1, app_churn },
		{ "destroy", 0, app_destroy },
		{ "set", 2, app_set },
		{ NULL, 0, NULL },
	};

	return verb_find(verbs, name, nr_args);
}
