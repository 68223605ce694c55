/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets to be asked at: "127.0.0.1:9435", "[::1]:9435", "unix:/run/finwait/http".
 */
#ifndef FW_SERVE_LISTEN_H
#define FW_SERVE_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/err.h"

struct fw_listen {
	int fd;
	bool is_local; /* loopback or unix: only this host can reach it */
	const char *unix_path; /* NULL: none. A part of what was asked for */
};

/* A listening socket that does not block. What is left of an earlier socket at a unix path is removed
 * unless somebody listens there. 0, or a negative errno with @err filled.
 */
int fw_listen_open(struct fw_listen *l, const char *where, struct fw_err *err);
/* Its unix path becomes that user's. 0, or a negative errno with @err filled. */
int fw_listen_give(const struct fw_listen *l, uid_t uid, gid_t gid, struct fw_err *err);
void fw_listen_close(struct fw_listen *l);

#endif
