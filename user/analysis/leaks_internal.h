/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the search for leaks share: leaks.c collects, leaks_groups.c forms groups,
 * leaks_growth.c judges them, leaks_stories.c joins what is one fact, leaks_findings.c and leaks_report.c
 * write findings and tables, leaks_words.c has their words.
 */
#ifndef FW_ANALYSIS_LEAKS_INTERNAL_H
#define FW_ANALYSIS_LEAKS_INTERNAL_H

#include "analysis/analysis.h"
#include "analysis/leaks.h"
#include "analysis/limits.h"
#include "analysis/stories.h"
#include "util/buf.h"

#define LEAK_PIDS 4

/* A socket that may be a part of a leak. */
struct leak_sock {
	uint64_t id; /* its cookie, the same in all states; without one its address */
	uint64_t cgroup_id;
	uint64_t since_ns; /* in its state; of a dead socket: when it was found */
	uint64_t bytes;	   /* sent and received */
	uint32_t unread; /* in CLOSE_WAIT the peer's FIN counts as one byte; 0: the application has read EOF */
	uint32_t unsent;
	uint64_t listener; /* not accepted: address of the listener; 0: unknown */
	uint32_t netns;
	uint32_t owner_pid; /* who accepted or connected, if that was seen; else 0 */
	uint32_t pids[LEAK_PIDS]; /* who holds it */
	uint32_t fd;		  /* of the first of them */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint8_t family, nr_pids;
	uint8_t state;	   /* enum fw_state; FW_CLOSE: dead */
	bool since_before; /* in its state for at least so long */
	bool more_pids;	   /* than there is room for */
	bool accepted;
	bool inherited; /* held by a process that neither accepted nor connected it */
	bool passive; /* the peer connected to us */
	bool mptcp;   /* an MPTCP socket */
};

struct leak_process {
	struct fw_rec_process rec;
	uint64_t activity; /* a sum that changes with what its sockets do, but for those in CLOSE_WAIT */
};

/* One snapshot. */
struct leak_look {
	uint64_t ts_ns; /* 0: not complete */
	struct leak_sock *socks; /* by state and id, once .sorted */
	size_t nr_socks, cap_socks;
	/* .coming only: sockets in no table of the kernel, dead ones and MPTCP sockets, one for each descriptor */
	struct leak_sock *held;
	size_t nr_held, cap_held;
	size_t nr_in[FW_STATE_MAX];
	bool sorted;
	struct leak_process *processes;
	size_t nr_processes, cap_processes;
};

enum leak_verdict {
	/* of sockets in CLOSE_WAIT */
	NEVER_CLOSED,
	NEVER_READ,
	NEVER_ACCEPTED,
	SHARED,
	/* of others */
	NEVER_REUSED, /* ESTABLISHED */
	DEAD,	      /* CLOSE, with a descriptor */
	HALF_CLOSED,  /* FIN_WAIT_2, with a descriptor: no leak of its own */
	LEAK_VERDICT_MAX,
};

struct leak_words {
	const char *id;	    /* of the finding */
	const char *name;   /* "never_closed" */
	const char *words;  /* "never closed" */
	const char *meaning, *advice; /* a sentence each; NULL: those of the id */
};
extern const struct leak_words leak_verdicts[LEAK_VERDICT_MAX];

/* What the verdict of @g means. */
struct leak_group;
const char *leak_meaning(const struct leak_group *g);

/* What sockets of one group have in common. */
struct leak_key {
	uint32_t pid, netns, verdict;
	uint16_t port; /* ours if the peer connected to us, else the peer's */
	uint8_t passive, mptcp;
};

/* A socket with its key, for sorting. */
struct leak_keyed {
	struct leak_key key;
	const struct leak_sock *sock;
};

struct leak_group {
	struct leak_key key;
	const struct leak_keyed *members; /* in the order of their descriptors */
	const struct leak_sock *first;
	const struct leak_process *process;
	char comm[FW_COMM_LEN];
	enum leak_verdict verdict;
	uint32_t pid;
	bool passive; /* the peer connected to us */
	bool mptcp;   /* they are MPTCP sockets */
	size_t nr, nr_old; /* old: of the leak age at least */
	size_t nr_first, nr_middle; /* how many there were then */
	size_t nr_peers;
	size_t nr_unread, nr_idle; /* with data to read; without traffic between looks */
	uint64_t oldest_ns, unread; /* data, without FINs */
	bool at_least;
	double growth_per_s; /* negative: it shrinks */
	double fds_per_s;    /* growth of the process's descriptors */
	bool growth_known, fds_known;
	bool grows;	     /* steadily: in both halves of the time watched, and what came stays */
	bool is_pool, is_full;
	bool is_finding;     /* enough to be one */
	uint64_t limit_ns;   /* until its descriptors run out; 0: not foreseeable */
	enum fw_severity severity;
	/* of its finding */
	uint32_t story;
	enum fw_part part;
	const struct leak_group *relayed; /* what it waits for: connections of the same process */
};

/* All groups, worst first. */
struct leak_groups {
	struct leak_group *group;
	size_t nr, cap;
	struct leak_keyed *then, *between, *now; /* members of the three looks, by group */
};

/*
 * Growth is told from three looks: what has come in the first half of the time watched and in the second,
 * and whether what was there stays. Two are enough to see a difference, but not to tell a burst from
 * growth.
 */
struct fw_leaks {
	struct fw_leaks_options opt;
	struct leak_look first, middle, last;
	struct leak_look coming; /* its end has not come yet */
	uint64_t gap_ns;	 /* between the last look and the one before */
	uint64_t activity;	 /* of the process whose files are being listed */
	struct leak_sock mptcp;	 /* the MPTCP socket whose holder comes next */
	struct leak_groups groups; /* as of the report that is being made */
	size_t least; /* sockets of a group, below which it is no finding */
	bool failed;
};

/* Sets l->failed when memory is short. leak_groups_fini() in any case. */
void leak_groups_find(struct fw_leaks *l, struct leak_groups *groups);
void leak_groups_fini(struct leak_groups *groups);

/* Those of @nr in @all that have @key: returns the first, sets *@nr_out. */
const struct leak_keyed *leak_range(const struct leak_keyed *all, size_t nr,
				    const struct leak_key *key, size_t *nr_out);
/* Growth, forecast, whether it is a pool, whether it is a finding, and how severe: sets these of @g. */
void leak_judge(const struct fw_leaks *l, const struct leak_groups *groups, struct leak_group *g);
/* The whole leak, CLOSE_WAIT and dead, had so many sockets at the three looks: what leads it is judged by
 * that, too.
 */
void leak_judge_whole(const struct fw_leaks *l, struct leak_group *g, const size_t nr[3]);
/* Joins groups that are one story, and claims their connections. */
void leak_stories(const struct fw_leaks *l, struct leak_groups *groups, struct fw_stories *stories);

/* NULL: it is not in that look. */
const struct leak_sock *leak_sock_in(const struct leak_look *look, const struct leak_sock *s);
/* Whether that socket is in @look, in the same state or a later one: it has not been closed. */
bool leak_sock_stays(const struct leak_look *look, const struct leak_sock *s);
/* NULL: that process was not seen to hold any connection. */
const struct leak_process *leak_process_of(const struct leak_look *look, uint32_t pid);
uint64_t leak_cgroup_of(const struct leak_group *g);

/* Whether a group is listed as one in CLOSE_WAIT. */
bool leak_is_close_wait(enum leak_verdict verdict);

/* A finding. With @ctx it has a table of one row, which names it for programs. */
void leak_find(const struct fw_leaks *l, const struct leak_group *g,
	       const struct fw_analysis_context *ctx, struct fw_report *r);

/* "192.0.2.7 to our port 80" or "192.0.2.7:5432"; "5-9,12"; "java/4711"; "sleep/7, sleep/8". */
void leak_say_peer(struct fw_buf *b, const struct leak_group *g);
void leak_say_fds(struct fw_buf *b, const struct leak_group *g);
void leak_say_process(struct fw_buf *b, const struct leak_group *g);
/* Returns how many there are. */
size_t leak_say_holders(struct fw_buf *b, const struct fw_leaks *l, const struct leak_group *g);
/* What was written, as a cell. Empties @b. */
struct fw_cell leak_text_cell(struct fw_buf *b);

/* Cells of a group; unknown where they do not apply. */
struct fw_cell leak_cell_oldest(const struct leak_group *g);
struct fw_cell leak_cell_growth(const struct leak_group *g);
struct fw_cell leak_cell_limit(const struct leak_group *g);
struct fw_cell leak_cell_fds(const struct leak_group *g);
struct fw_cell leak_cell_fds_used(const struct leak_group *g);
struct fw_cell leak_cell_fds_limit(const struct leak_group *g);
struct fw_cell leak_cell_holders(const struct fw_leaks *l, const struct leak_group *g);

/* A table of groups: columns for fw_section_table(), then the others, then rows. */
extern const char *const leak_columns[];
#define LEAK_COLUMNS_MORE 7
struct leak_table {
	const struct fw_leaks *l;
	const struct fw_analysis_context *ctx;
	struct fw_report *r;
	struct fw_table *table;
	size_t at[LEAK_COLUMNS_MORE];
};
void leak_table_begin(struct leak_table *t, bool cgroups_differ);
void leak_table_row(struct leak_table *t, const struct leak_group *g);

#define LEAK_UNLIMITED UINT64_MAX /* RLIMIT_NOFILE */

#endif
