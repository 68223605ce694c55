// SPDX-License-Identifier: GPL-2.0-only
#include "io/journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* $JOURNAL_STREAM is "device:inode" of what the journal reads: stderr may have been sent elsewhere. */
static int is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

const char *fw_level_prefix(enum fw_level level)
{
	static const char *const prefixes[FW_LEVEL_MAX] = {
		[FW_LEVEL_ERROR] = "<3>",
		[FW_LEVEL_WARNING] = "<4>",
		[FW_LEVEL_INFO] = "<6>",
	};

	return level < FW_LEVEL_MAX && is_journal() ? prefixes[level] : "";
}

void fw_say(enum fw_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%sfinwait: %s\n", fw_level_prefix(level), line);
}

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

	if (!us || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(us, NULL, 10) * 1000;
}
