// SPDX-License-Identifier: GPL-2.0-only
#include "io/journal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/parse.h"

int fw_notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(addr.sun_path) || (*path != '/' && *path != '@'))
		return -1;
	memcpy(addr.sun_path, path, len);
	/* In the abstract namespace the name begins with a NUL and has no end but its length. */
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void fw_notify(int fd, const char *message)
{
	/* A manager that does not receive it has no use for it. */
	if (fd >= 0 && send(fd, message, strlen(message), MSG_NOSIGNAL) < 0)
		return;
}

uint64_t fw_watchdog_ns(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t interval_us, number;

	if (!us || fw_parse_u64(us, 1, UINT64_MAX / 1000, &interval_us, NULL))
		return 0;
	if (pid && (fw_parse_u64(pid, 1, INT32_MAX, &number, NULL) || number != (uint64_t)getpid()))
		return 0;
	return interval_us * 1000;
}
