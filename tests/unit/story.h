/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 70 s of a host with a little of everything: a proxy that opens a connection per request, an upstream
 * that stalls, a leak, a server that closes first, and FINs that cross.
 */
#ifndef FW_TESTS_STORY_H
#define FW_TESTS_STORY_H

#include "analysis.h"

/* A proxy that opens a connection per request; three are reset in TIME_WAIT. */
static inline void proxy(struct scene *s)
{
	for (unsigned int n = 1; n <= 300; n++) {
		scene_connection(s, n);
		three_segment_close(s, 1000 + n * 20);
	}
	for (unsigned int n = 100; n <= 300; n += 100) {
		scene_connection(s, n);
		mini(s, 9000 + n, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_RESET);
	}
}

/* Its upstream stalls six; then the timers of the others. */
static inline void proxy_later(struct scene *s)
{
	for (unsigned int n = 301; n <= 306; n++) {
		scene_connection(s, n);
		orphan_in_minisock(s, 61000 + n);
	}
	for (unsigned int n = 1; n < 300; n++) {
		scene_connection(s, n);
		if (n % 100)
			mini(s, 62000 + n * 20, FW_REC_TW_END, FW_TIME_WAIT, FW_CAUSE_EXPIRED);
	}
}

static inline void leaks(struct scene *s)
{
	for (unsigned int n = 401; n <= 412; n++) {
		scene_connection(s, n);
		s->rport = 5432;
		active_open(s, 20000 + n);
		full(s, 20500 + n, FW_ESTABLISHED, FW_CLOSE_WAIT, .flags = FW_REC_FIN_RECEIVED,
		     .segs_in = 2);
	}
}

static inline void server(struct scene *s)
{
	for (unsigned int n = 501; n <= 580; n++) {
		scene_connection(s, n);
		s->lport = 80;
		s->rport = (uint16_t)(30000 + n);
		accepted(s, 50000 + n * 10);
		server_closes(s, 52000 + n * 10);
	}
}

static inline void crossing(struct scene *s)
{
	scene_connection(s, 600);
	open_and_close(s, 69000);
	full(s, 69010, FW_FIN_WAIT_1, FW_CLOSING, .flags = FW_REC_FIN_RECEIVED, .segs_in = 2);
	mini(s, 69050, FW_REC_TW_SCHED, FW_TIME_WAIT, FW_CAUSE_UNKNOWN);
	full(s, 69050, FW_CLOSING, FW_CLOSE, .flags = FW_REC_FIN_RECEIVED, .segs_in = 3);
}

static inline void whole_story(struct watch *w)
{
	proxy(&w->scene);
	leaks(&w->scene);
	server(&w->scene);
	proxy_later(&w->scene);
	crossing(&w->scene);
	w->values.counters = (struct fw_kernel_counters){
		.active_opens = 319, .passive_opens = 81, .tw = 387, .attempt_fails = 0,
		.listen_drops = FW_VALUE_UNKNOWN, .tw_now = 87,
	};
	watch_report(w, 70000);
}

#endif
