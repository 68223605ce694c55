// SPDX-License-Identifier: GPL-2.0-only
#include "serve/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX	"unix:"
#define BACKLOG 128

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* ---- unix: ------------------------------------------------------------------------------- */

/* A socket of a server that is no more refuses connections. */
static bool is_left_over(const struct sockaddr_un *addr)
{
	int fd = new_socket(AF_UNIX);
	bool refused;

	if (fd < 0)
		return false;
	refused =
		connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int open_unix(struct fw_listen *l, const char *path, struct fw_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret;

	if (*path != '/' || strlen(path) >= sizeof(addr.sun_path))
		return fw_err_set(err, -EINVAL, "'%s' is not an absolute path of at most %zu bytes",
				  path, sizeof(addr.sun_path) - 1);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	l->fd = new_socket(AF_UNIX);
	if (l->fd < 0)
		return fw_err_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	ret = bind(l->fd, (struct sockaddr *)&addr, sizeof(addr));
	if (ret && errno == EADDRINUSE && is_left_over(&addr) && !unlink(path))
		ret = bind(l->fd, (struct sockaddr *)&addr, sizeof(addr));
	if (ret || listen(l->fd, BACKLOG))
		return fw_err_set(err, -errno, "cannot listen at %s: %s", path, strerror(errno));
	l->unix_path = path;
	l->is_local = true;
	/* Who may ask: its owner and group. */
	return chmod(path, 0660) ? fw_err_set(err, -errno, "cannot set the mode of %s: %s", path,
					      strerror(errno)) :
				   0;
}

/* ---- address:port ------------------------------------------------------------------------ */

static bool is_loopback(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* "[::1]:9435" becomes "::1" and "9435". */
static int split(const char *where, char host[64], const char **port, struct fw_err *err)
{
	const char *colon = strrchr(where, ':'), *begin = where, *end = colon;

	if (colon && *where == '[' && colon > where && colon[-1] == ']') {
		begin++;
		end--;
	} else if (colon && memchr(where, ':', (size_t)(colon - where))) {
		colon = NULL; /* an IPv6 address without brackets */
	}
	if (!colon || end <= begin || end - begin >= 64 || !colon[1])
		return fw_err_set(err, -EINVAL,
				  "'%s' is not ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH", where);
	snprintf(host, 64, "%.*s", (int)(end - begin), begin);
	*port = colon + 1;
	return 0;
}

static int open_inet(struct fw_listen *l, const char *where, struct fw_err *err)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	const int on = 1;
	const char *port = NULL;
	char host[64];
	int ret = split(where, host, &port, err);

	if (ret)
		return ret;
	if (getaddrinfo(host, port, &hints, &found))
		return fw_err_set(err, -EINVAL, "'%s' is not a numeric address and port", where);
	l->is_local = is_loopback(found->ai_addr);
	l->fd = new_socket(found->ai_family);
	if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (found->ai_family == AF_INET6 &&
	     setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(l->fd, found->ai_addr, found->ai_addrlen) || listen(l->fd, BACKLOG)) {
		ret = fw_err_set(err, -errno, "cannot listen at %s: %s", where, strerror(errno));
		if (ret == -EADDRINUSE)
			fw_err_hint(err, "another program listens there; choose another --listen");
	}
	freeaddrinfo(found);
	return ret;
}

int fw_listen_open(struct fw_listen *l, const char *where, struct fw_err *err)
{
	int ret;

	*l = (struct fw_listen){ .fd = -1 };
	if (!strncmp(where, UNIX, strlen(UNIX)))
		ret = open_unix(l, where + strlen(UNIX), err);
	else
		ret = open_inet(l, where, err);
	if (ret)
		fw_listen_close(l);
	return ret;
}

int fw_listen_give(const struct fw_listen *l, uid_t uid, gid_t gid, struct fw_err *err)
{
	if (!l->unix_path || !chown(l->unix_path, uid, gid))
		return 0;
	return fw_err_set(err, -errno, "cannot give %s to user %u: %s", l->unix_path,
			  (unsigned int)uid, strerror(errno));
}

void fw_listen_close(struct fw_listen *l)
{
	/* Fails where the user that we have become may not remove files: the next start does it. */
	if (l->unix_path)
		unlink(l->unix_path);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct fw_listen){ .fd = -1 };
}
