// SPDX-License-Identifier: GPL-2.0-only
#include "io/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/parse.h"

/* <linux/mount.h>; not every libc has it. */
#define FSOPEN_CLOEXEC_FLAG 1
#define FSCONFIG_CMD_CREATE_NR 6
#define FSMOUNT_CLOEXEC_FLAG 1

/* An open directory of tracefs, or a negative errno. */
static int open_detached(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC_FLAG), dir = -1;

	if (fs < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE_NR, NULL, NULL, 0))
		dir = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC_FLAG, 0);
	if (dir < 0)
		dir = -errno;
	close(fs);
	return dir;
}

static int open_tracefs(void)
{
	int dir = open("/sys/kernel/tracing/events", O_PATH | O_CLOEXEC);

	if (dir >= 0) {
		close(dir);
		return open("/sys/kernel/tracing", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return open_detached();
}

int fw_tracefs_event_id(const char *event)
{
	int dir = open_tracefs(), fd, id;
	char path[128], text[16] = "";
	uint64_t number;
	ssize_t n;

	if (dir < 0)
		return dir;
	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	id = fd < 0 ? -errno : 0;
	close(dir);
	if (fd < 0)
		return id;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	if (n <= 0 || fw_parse_u64(text, 1, INT32_MAX, &number, NULL))
		return -EIO;
	return (int)number;
}
