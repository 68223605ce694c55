/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream to render into, and the connection that DESIGN shows as its sample.
 */
#ifndef FW_TESTS_SAMPLE_H
#define FW_TESTS_SAMPLE_H

#include <netinet/in.h>

#include "report/stream.h"
#include "unit.h"

#define SAMPLE_START_NS 5000000000000ULL      /* CLOCK_MONOTONIC */
#define SAMPLE_WALL_NS 1795374494000000001ULL /* then: 2026-11-22T19:08:14.000000001Z */

struct rendering {
	struct fw_wall_clock wall;
	struct fw_stream stream;
	struct fw_buf out;
};

static inline void rendering_init(struct rendering *r, const struct fw_stream_format *format)
{
	*r = (struct rendering){
		.stream = { .format = format, .start_ns = SAMPLE_START_NS - 1500000000 },
	};
	fw_wall_clock_init(&r->wall, (int64_t)(SAMPLE_WALL_NS - SAMPLE_START_NS));
	r->stream.wall = &r->wall;
	r->stream.out = &r->out;
}

static inline void rendering_fini(struct rendering *r)
{
	fw_buf_free(&r->out);
	fw_buf_free(&r->stream.scratch);
}

static inline struct fw_conn sample_connection(void)
{
	struct fw_conn c = {
		.id = 9, .family = AF_INET, .netns = 4026531840U,
		.laddr = { 127, 0, 0, 1 }, .lport = 35510,
		.raddr = { 127, 0, 0, 1 }, .rport = 8899,
		.role = FW_ROLE_ACTIVE, .pid = 2676, .comm = "python3", .cgroup_id = 4711,
		.nr_steps = 5,
		.steps = { FW_SYN_SENT, FW_ESTABLISHED, FW_FIN_WAIT_1, FW_FIN_WAIT_2,
			   FW_TIME_WAIT },
		.step_flags = { [3] = FW_STEP_ORPHANED },
		.end = FW_END_TIME_WAIT_EXPIRED, .closed_by = FW_CLOSED_BY_LOCAL,
		.flags = FW_CONN_MINI | FW_CONN_ORPHANED | FW_CONN_SOCKET_SEEN, .bytes_sent = 1,
	};
	static const uint64_t dwell_ns[] = { 180000, 370000, 42494000, 958030000, 61402000000 };
	uint64_t ns = SAMPLE_START_NS;

	for (unsigned int i = 0; i < c.nr_steps; i++) {
		c.enter_ns[i] = ns;
		ns += dwell_ns[i];
	}
	c.end_ns = ns;
	return c;
}

#endif
