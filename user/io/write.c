// SPDX-License-Identifier: GPL-2.0-only
#include "io/write.h"

#include <errno.h>
#include <unistd.h>

#include "io/stop.h"

int fw_write_all(int fd, const char *data, size_t len, size_t *done)
{
	unsigned int stalled = 0;

	*done = 0;
	while (*done < len) {
		ssize_t n = write(fd, data + *done, len - *done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0 && ++stalled >= FW_STOP_NUDGES && fw_stop_is_overdue())
			return -EINTR;
		if (n > 0) {
			*done += (size_t)n;
			stalled = 0;
		}
	}
	return 0;
}
