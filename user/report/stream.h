/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams: one line per transition (trace) or per connection (timeline). A format is an ops table
 * that writes into a buffer; who flushes the buffer where is not its business.
 */
#ifndef FW_REPORT_STREAM_H
#define FW_REPORT_STREAM_H

#include "core/tracker.h"
#include "util/buf.h"
#include "util/wall_clock.h"

struct fw_stream;

struct fw_stream_format {
	const char *name;
	void (*header)(struct fw_stream *s); /* before the first line; may be NULL */
	void (*transition)(struct fw_stream *s, const struct fw_conn *c,
			   const struct fw_transition *tr);
	void (*connection)(struct fw_stream *s, const struct fw_conn *c);
	/* among the transitions */
	void (*bind_failed)(struct fw_stream *s, const struct fw_bind_failure *f);
};

extern const struct fw_stream_format fw_stream_text, fw_stream_json;

/* All of them; the first is the default. */
extern const struct fw_stream_format *const fw_stream_formats[];
extern const size_t fw_nr_stream_formats;

/* The format of that name, or NULL. */
const struct fw_stream_format *fw_stream_format_find(const char *name);

struct fw_stream {
	const struct fw_stream_format *format;
	struct fw_buf *out;
	uint64_t start_ns;	/* of the trace, CLOCK_MONOTONIC */
	const struct fw_wall_clock *wall; /* the time of day */
	/* The path of a control group, or NULL when it is not known. May itself be NULL. */
	const char *(*cgroup_path)(void *arg, uint64_t id);
	void *cgroup_arg;
	/* The name of a network namespace, or NULL. May itself be NULL. */
	const char *(*netns_name)(void *arg, uint32_t inum);
	void *netns_arg;
	uint32_t own_netns; /* text names all other ones; 0: none */
	bool transitions;	/* which of the two the header is for */
	bool clock;		/* time of day instead of seconds since the start */
	bool color;
	unsigned int width; /* fold lines to this many columns; 0: do not */
	unsigned int addr_width[2], process_width; /* grow with what is shown */
	struct fw_buf scratch;
};

static inline uint64_t fw_stream_wall_ns(const struct fw_stream *s, uint64_t mono_ns)
{
	return fw_wall_clock_ns(s->wall, mono_ns);
}

#endif
