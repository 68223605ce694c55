/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections one by one, as a picture needs them: the worst first, and no more than a limit. Part of
 * a report (struct fw_report.lives) if they were asked for.
 */
#ifndef FW_REPORT_LIVES_H
#define FW_REPORT_LIVES_H

#include "core/conn.h"
#include "util/json.h"
#include "util/wall_clock.h"

/* What is wrong with a connection; the worst first. */
enum fw_trouble {
	FW_TROUBLE_LEAK,
	FW_TROUBLE_FAILED,
	FW_TROUBLE_STALL,
	FW_TROUBLE_CLOSING,
	FW_TROUBLE_HALF_OPEN,
	FW_TROUBLE_RESET,
	FW_TROUBLE_OVERFLOW,
	FW_TROUBLE_SLOW,
	FW_TROUBLE_CUT_SHORT,
	FW_TROUBLE_GAP,
	FW_TROUBLE_MAX,
};

/* The name in the document ("stall"), and words for people. */
const char *fw_trouble_name(enum fw_trouble trouble);
const char *fw_trouble_words(enum fw_trouble trouble);

struct fw_life {
	struct fw_conn conn; /* its .end_ns: until when, also of an open one */
	uint32_t troubles;   /* bits 1 << enum fw_trouble */
};

/* Records were lost. */
struct fw_loss {
	uint64_t ts_ns; /* the last of them */
	uint64_t count;
};

#define FW_LOSSES_MAX 64 /* what comes when there is no room any more adds to the last */

struct fw_name {
	uint64_t id;
	char *text;
};

struct fw_lives {
	struct fw_life *life; /* worst first */
	size_t nr;
	uint64_t seen;		   /* connections in all: those above are some of them */
	uint64_t seen_in_trouble;
	uint64_t start_ns, now_ns; /* of the trace */
	struct fw_wall_clock clock;
	struct fw_loss losses[FW_LOSSES_MAX];
	size_t nr_losses;
	struct fw_name *cgroups, *namespaces; /* of what is above, by id */
	size_t nr_cgroups, nr_namespaces;
};

void fw_lives_free(struct fw_lives *l);

/* One JSON object: an array for each field ("columns"), times in microseconds since the start.
 *
 *	{"seen":12345,"in_trouble":17,"span_us":30000000,
 *	 "states":["", "ESTABLISHED", ...],"origins":[0,7,...],         by number; where a life comes from
 *	 "flags":["gap",...],"step_flags":["at_least",...],             bit 0, bit 1, ...
 *	 "roles":[["",""],["active","connected"],...],"closers":[...],  by number
 *	 "clock":[[us,shift_us]],"open":0,                              the time of day was set; an end
 *	 "paths":[[[2,0],[1,0],...]],"addresses":["192.0.2.1"],"processes":[["curl",4711]],
 *	 "cgroups":["/"],"namespaces":[[4026531840,"name"]],"losses":[[us,count]],
 *	 "rows":{"id":[],"start":[],"path":[],"dwell":[], ...}}
 *
 * Numbers of ends and troubles are places in the lists of the page (report/page_lists.h).
 *
 * rows.dwell has as many numbers for a row as its path has steps. An index is -1 for what is unknown.
 */
void fw_lives_json(const struct fw_lives *l, struct fw_json *out);

#endif
