/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording as a source: one file, or several in the order of their time.
 *
 * What is cut off or damaged is read up to there, and .notice of the source says so. What was lost
 * between two files comes as a FW_MARK_LOST.
 */
#ifndef FW_IO_RECORDING_H
#define FW_IO_RECORDING_H

#include "io/source.h"
#include "record/header.h"

struct fw_recording_state {
	const struct fw_header *header; /* of the file that is being read */
	const char *path;
	unsigned int version; /* of the format of this file */
	uint64_t files, blocks, bytes, content_bytes; /* so far */
	uint64_t first_ns, last_ns; /* time told, CLOCK_MONOTONIC */
	bool whole; /* every file had its end, and nothing was missing between them */
};

/* @paths: "-" is stdin. They must stay. NULL with @err filled. */
struct fw_source *fw_recording_open(const char *const *paths, size_t nr_paths, struct fw_err *err);

void fw_recording_state(const struct fw_source *src, struct fw_recording_state *out);

#endif
