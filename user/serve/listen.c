// SPDX-License-Identifier: GPL-2.0-only
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/new_file.h"
#include "util/parse.h"

#define UNIX	"unix:"
#define BACKLOG 128

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* ---- unix: ------------------------------------------------------------------------------- */

/* Whether no server listens at it any more. The file is a socket: connecting to anything else is refused too. */
static bool is_left_over(const struct sockaddr_un *addr)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return false;
	refused =
		connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Who may replace the socket gets every question, and every token. */
static int check_directory(const char *path, struct fw_err *err)
{
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *slash = strrchr(path, '/');
	struct stat st;

	snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (stat(dir, &st))
		return fw_err_set(err, -errno, "cannot listen at %s: %s", path, strerror(errno));
	if (fw_dir_is_private(&st))
		return 0;
	fw_err_set(err, -EPERM, "cannot listen at %s: other users may replace files in %s", path, dir);
	fw_err_hint(err, "use a directory that only root may write, such as /run/finwait");
	return -EPERM;
}

/* Who may ask: its owner and group. From the beginning, so that there is no moment for others. */
static int bind_unix(int fd, const struct sockaddr_un *addr)
{
	mode_t mask = umask(0117);
	int ret = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

	if (ret && errno == EADDRINUSE && is_left_over(addr) && !unlink(addr->sun_path))
		ret = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	umask(mask);
	return ret ? -errno : 0;
}

static int open_unix(struct fw_listen *l, const char *path, struct fw_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int ret;

	if (*path != '/' || strlen(path) >= sizeof(addr.sun_path))
		return fw_err_set(err, -EINVAL, "'%s' is not an absolute path of at most %zu bytes",
				  path, sizeof(addr.sun_path) - 1);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ret = check_directory(path, err);
	if (ret)
		return ret;
	l->fd = new_socket(AF_UNIX);
	if (l->fd < 0)
		return fw_err_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	ret = bind_unix(l->fd, &addr);
	if (!ret && (lstat(path, &st) || listen(l->fd, BACKLOG)))
		ret = -errno;
	if (ret)
		return fw_err_set(err, ret, "cannot listen at %s: %s", path, strerror(-ret));
	l->unix_path = path;
	l->inode = st.st_ino;
	l->is_local = true;
	return 0;
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
	struct in_addr v4;
	uint64_t number;
	const char *port = NULL;
	char host[64];
	int ret = split(where, host, &port, err);

	if (ret)
		return ret;
	/* getaddrinfo() takes 99999 for 34463, and 127.1 for 127.0.0.1. */
	if (fw_parse_u64(port, 0, UINT16_MAX, &number, NULL) ||
	    (!strchr(host, ':') && inet_pton(AF_INET, host, &v4) != 1) ||
	    getaddrinfo(host, port, &hints, &found))
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

/* Gives away the socket that we have made, and nothing that has taken its place. */
static int give(const struct fw_listen *l, uid_t uid, gid_t gid)
{
	int fd = open(l->unix_path, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret;
	struct stat st;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret && (!S_ISSOCK(st.st_mode) || st.st_ino != l->inode || st.st_nlink != 1))
		ret = -ESTALE;
	if (!ret && fchownat(fd, "", uid, gid, AT_EMPTY_PATH))
		ret = -errno;
	close(fd);
	return ret;
}

int fw_listen_give(const struct fw_listen *l, uid_t uid, gid_t gid, struct fw_err *err)
{
	int ret = l->unix_path ? give(l, uid, gid) : 0;

	return ret ? fw_err_set(err, ret, "cannot give %s to user %u: %s", l->unix_path,
				(unsigned int)uid, strerror(-ret)) :
		     0;
}

void fw_listen_close(struct fw_listen *l)
{
	struct stat st;

	/* Fails where the user that we have become may not remove files: the next start does it. */
	if (l->unix_path && !lstat(l->unix_path, &st) && st.st_ino == l->inode)
		unlink(l->unix_path);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct fw_listen){ .fd = -1 };
}
