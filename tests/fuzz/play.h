/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A story made from the fuzzer's bytes: records through fw_decode() into the tracker, and everything that
 * listens to it. The bytes say what happened in few words (which of a few sockets, which state), so that
 * the fuzzer gets deep; or are a record themselves.
 */
#ifndef FW_FUZZ_PLAY_H
#define FW_FUZZ_PLAY_H

#include "analysis/analysis.h"
#include "analysis/leaks.h"
#include "input.h"
#include "report/render.h"
#include "report/stream.h"

struct play {
	struct fw_tracker tracker;
	struct fw_analyses analyses;
	bool analyse;
	struct fw_leaks *leaks;
	struct fw_filter filter;
	struct fw_wall_clock wall;
	struct fw_netns_values values;
	/* Of stream lines; .format NULL: none. The first is told transitions, the second connections. */
	struct fw_stream streams[2];
	struct fw_buf out;
	uint64_t now_ns;
	char comm[FW_COMM_LEN], path[33];
};

/* @format: of stream lines, into .out; NULL: none. @analyse: the analyses listen too, which takes some
 * hundred times as long.
 */
void play_init(struct play *p, struct input *in, const struct fw_stream_format *format,
	       bool analyse);
/* All of @in. */
void play_records(struct play *p, struct input *in);
void play_fini(struct play *p);

/* The report as of now, or that of leaks; to be freed with fw_report_fini(). */
void play_report(struct play *p, struct fw_report *r);
void play_leaks(struct play *p, struct fw_report *r);

/* What is open is told. */
void play_finish(struct play *p);

#endif
