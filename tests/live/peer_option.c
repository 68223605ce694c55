// SPDX-License-Identifier: GPL-2.0-only
/*
 * "app set": socket options by name, on the connection's socket or, while there is none, on the
 * listener. "app destroy": SOCK_DESTROY by 4-tuple, which reaches full sockets, minisocks and
 * request sockets.
 *
 *	app set linger SECONDS            app set linger2 SECONDS
 *	app set keepalive IDLE INTVL CNT  app set user-timeout MS
 *	app set defer-accept SECONDS      app set fastopen QUEUE
 *	app set rcvbuf BYTES
 */
#include "peer_run.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_linger(int fd, const struct line *line)
{
	struct linger linger = { .l_onoff = 1, .l_linger = atoi(line->words[3]) };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static int set_int(int fd, int level, int option, const char *text)
{
	int value = atoi(text);

	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_keepalive(int fd, const struct line *line)
{
	if (line->nr_words < 6) {
		errno = EINVAL;
		return -1;
	}
	if (set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, line->words[3]) ||
	    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, line->words[4]) ||
	    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, line->words[5]))
		return -1;
	return set_int(fd, SOL_SOCKET, SO_KEEPALIVE, "1");
}

static int set_option(int fd, const struct line *line)
{
	static const struct {
		const char *name;
		int level;
		int option;
	} ints[] = {
		{ "linger2", IPPROTO_TCP, TCP_LINGER2 },
		{ "user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ "defer-accept", IPPROTO_TCP, TCP_DEFER_ACCEPT },
		{ "fastopen", IPPROTO_TCP, TCP_FASTOPEN },
		{ "rcvbuf", SOL_SOCKET, SO_RCVBUF },
	};
	const char *name = line->words[2];

	if (!strcmp(name, "linger"))
		return set_linger(fd, line);
	if (!strcmp(name, "keepalive"))
		return set_keepalive(fd, line);
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		if (!strcmp(name, ints[i].name))
			return set_int(fd, ints[i].level, ints[i].option, line->words[3]);
	}
	errno = EINVAL;
	return -1;
}

int app_set(struct run *run, const struct line *line)
{
	struct side *side = run_side(run, line);
	int fd;

	if (side->listen_fd < 0 && side_socket(run, side))
		return -1;
	fd = side->fd >= 0 ? side->fd : side->listen_fd;
	if (set_option(fd, line))
		return run_fail(run, "set %s: %s", line->words[2], strerror(errno));
	return 0;
}

struct destroy_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 req;
};

static void fill_request(const struct run *run, struct destroy_request *msg)
{
	struct inet_diag_sockid *id = &msg->req.id;
	struct endpoints ep;

	run_endpoints(run, "app", &ep);
	memset(msg, 0, sizeof(*msg));
	msg->header.nlmsg_len = sizeof(*msg);
	msg->header.nlmsg_type = SOCK_DESTROY;
	msg->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->req.sdiag_family = (uint8_t)ep.family;
	msg->req.sdiag_protocol = IPPROTO_TCP;
	msg->req.idiag_states = ~0u;
	id->idiag_sport = htons(ep.sport);
	id->idiag_dport = htons(ep.dport);
	memcpy(id->idiag_src, ep.src, sizeof(ep.src));
	memcpy(id->idiag_dst, ep.dst, sizeof(ep.dst));
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

int app_destroy(struct run *run, const struct line *line)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[1024];
	} reply = { 0 };
	struct destroy_request msg;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	ssize_t n = -1;

	(void)line;
	if (fd < 0)
		return run_fail(run, "sock_diag: %s", strerror(errno));
	fill_request(run, &msg);
	if (send(fd, &msg, sizeof(msg), 0) == (ssize_t)sizeof(msg))
		n = recv(fd, &reply, sizeof(reply), 0);
	close(fd);
	if (n < (ssize_t)(sizeof(reply.header) + sizeof(reply.error)) ||
	    reply.header.nlmsg_type != NLMSG_ERROR)
		return run_fail(run, "no answer to SOCK_DESTROY");
	if (reply.error.error)
		return run_fail(run, "SOCK_DESTROY: %s", strerror(-reply.error.error));
	return 0;
}
