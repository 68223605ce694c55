// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection from a bound port, closed by both ends, the client first; then another from the same
 * port, which takes it out of TIME_WAIT. That is every hook once: a request socket is born, sockets
 * change state, a minisock is born and ends.
 */
#include "cmd/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/event.h"

#define LISTEN_NS 500000000ULL

struct hook {
	enum fw_record_kind kind;
	const char *what;
};

static const struct hook hooks[] = {
	{ FW_REC_REQ_SCHED, "request socket born" },
	{ FW_REC_STATE, "transition of a full socket" },
	{ FW_REC_TW_SCHED, "minisock born" },
	{ FW_REC_TW_END, "minisock ended" },
	{ FW_REC_ACCEPTED, "connection accepted" },
	{ FW_REC_BIND_FAILED, "address in use" },
};

struct seen {
	uint16_t port; /* of our listener, host byte order */
	unsigned int kinds;
};

static void on_record(void *arg, const void *record, size_t len)
{
	const struct fw_rec_head *head = record;
	struct seen *seen = arg;

	if (len >= sizeof(*head) && head->kind < FW_REC_MAX &&
	    (head->lport == seen->port || head->rport == seen->port))
		seen->kinds |= 1U << head->kind;
}

static int loopback_socket(struct sockaddr_in *addr)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*addr);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)addr, len) || getsockname(fd, (struct sockaddr *)addr, &len)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* One connection to @to, from @from (its port is chosen if it is 0), closed by the client first. */
static int connect_once(int listener, const struct sockaddr_in *to, struct sockaddr_in *from)
{
	struct timeval patience = { .tv_sec = 2 };
	int client = loopback_socket(from), server = -1, ret = -1;
	char byte;

	if (client < 0)
		return -1;
	if (!connect(client, (const struct sockaddr *)to, sizeof(*to)))
		server = accept(listener, NULL, NULL);
	shutdown(client, SHUT_WR);
	if (server >= 0) {
		setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		ret = read(server, &byte, 1) == 0 ? 0 : -1;
		close(server);
	}
	close(client);
	return ret;
}

static int make_connections(uint16_t *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET }, from;
	const struct timespec later = { .tv_sec = 1, .tv_nsec = 200000000 };
	int listener, in_use, ret;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from = to;
	listener = loopback_socket(&to);
	if (listener < 0)
		return -errno;
	*port = ntohs(to.sin_port);
	ret = listen(listener, 1) ? -1 : connect_once(listener, &to, &from);
	/* Where somebody listens nobody else can bind. */
	in_use = loopback_socket(&to);
	if (in_use >= 0)
		close(in_use);
	/* The kernel hands a port out of TIME_WAIT when its timestamp clock has moved on. */
	nanosleep(&later, NULL);
	if (!ret)
		ret = connect_once(listener, &to, &from);
	if (ret)
		ret = errno ? -errno : -EIO;
	close(listener);
	return ret;
}

bool fw_selftest(struct fw_source *src, struct fw_err *err)
{
	struct seen seen = { 0 };
	uint64_t deadline;
	bool all = true;
	int ret = make_connections(&seen.port);

	if (ret) {
		fw_err_set(err, ret, "cannot make connections over loopback: %s", strerror(-ret));
		fw_err_hint(err, "is the loopback interface up in this network namespace?");
		return false;
	}
	deadline = src->ops->now_ns(src) + LISTEN_NS;
	while (src->ops->now_ns(src) < deadline)
		src->ops->poll(src, 50, on_record, &seen, NULL);
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		bool fired = seen.kinds & 1U << hooks[i].kind;

		printf("              %-28s %s\n", hooks[i].what, fired ? "fires" : "DID NOT FIRE");
		all &= fired;
	}
	return all;
}
