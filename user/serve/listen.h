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
	ino_t inode;	       /* of that file, as we have made it */
};

/* A listening socket that does not block. A unix path must be in a directory that only we, or root, can write;
 * a socket there at which no server listens any more is replaced, and nothing else. 0, or a negative errno with
 * @err filled.
 */
int fw_listen_open(struct fw_listen *l, const char *where, struct fw_err *err);
/* Makes that user the owner of its unix path. 0, or a negative errno with @err filled. */
int fw_listen_give(const struct fw_listen *l, uid_t uid, gid_t gid, struct fw_err *err);
void fw_listen_close(struct fw_listen *l);

#endif
