// SPDX-License-Identifier: GPL-2.0-only
#include "io/limits.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

void fw_limits_open_standard(void)
{
	int fd;

	/* The lowest that is free is what open() gives. */
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void fw_limits_set(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Linux before 5.9 keeps them. */
void fw_limits_close_from(int first)
{
	syscall(SYS_close_range, (unsigned int)first, ~0U, 0);
}
