/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a recording says of itself: where and how it was made. Text of lines "name value", so that names
 * may be added; readers leave out those that they do not know.
 */
#ifndef FW_RECORD_HEADER_H
#define FW_RECORD_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/err.h"

#define FW_HEADER_TEXT 256

struct fw_header {
	/* "" where it is not known, or not told */
	char finwait[32];	     /* version */
	char kernel[72], arch[72];   /* of uname */
	char host[72];
	char boot_id[48];
	char hooks[16];
	char filter[FW_HEADER_TEXT]; /* in force, as on the command line */
	uint64_t session;	     /* random: the parts of one recording have it in common */
	uint64_t part;		     /* 1, 2, 3, ... */
	uint64_t hz;
	uint64_t netns;		     /* finwait's own network namespace; 0: not told */
	uint64_t start_ns;	     /* CLOCK_MONOTONIC */
	int64_t wall_offset_ns;	     /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	bool rearms_unseen, accepts_unseen, filtered;
};

void fw_header_print(const struct fw_header *h, struct fw_buf *b);

/* 0, or -EBADMSG with @err filled: something that is needed is missing or makes no sense. */
int fw_header_parse(struct fw_header *h, const char *text, size_t len, struct fw_err *err);

#endif
