/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaks.c (collects), leaks_groups.c (concludes), and leaks_report.c and leaks_findings.c (tell)
 * share.
 */
#ifndef FW_ANALYSIS_LEAKS_INTERNAL_H
#define FW_ANALYSIS_LEAKS_INTERNAL_H

#include "analysis/leaks.h"
#include "util/buf.h"

#define LEAK_PIDS 4

/* A socket in CLOSE_WAIT. */
struct leak_sock {
	uint64_t conn_id, cgroup_id;
	uint64_t since_ns;
	uint64_t listener; /* not accepted: address of the listener; 0: unknown */
	uint32_t unread; /* the peer's FIN counts as one byte; 0: the application has read EOF */
	uint32_t netns;
	uint32_t pids[LEAK_PIDS]; /* who holds it */
	uint32_t fd;		  /* of the first of them */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint8_t family, nr_pids;
	bool since_before; /* in CLOSE_WAIT for at least so long */
	bool more_pids;	   /* than there is room for */
	bool accepted;
	bool passive; /* the peer connected to us */
	bool mptcp;   /* an MPTCP socket */
};

struct leak_process {
	struct fw_rec_process rec;
	uint64_t activity; /* a sum that changes with what its sockets do */
};

/* One snapshot. */
struct leak_look {
	uint64_t ts_ns; /* 0: not complete */
	struct leak_sock *socks;
	size_t nr_socks, cap_socks;
	bool sorted;
	struct leak_process *processes;
	size_t nr_processes, cap_processes;
};

struct fw_leaks {
	struct fw_leaks_options opt;
	struct leak_look first, last, coming; /* of the last the end has not come yet */
	uint64_t activity; /* of the process whose files are being told */
	bool failed;
};

enum leak_verdict { NEVER_CLOSED, NEVER_READ, NEVER_ACCEPTED, SHARED, LEAK_VERDICT_MAX };

/* "never_closed", "never closed", and a sentence each. */
struct leak_words {
	const char *name, *words, *meaning, *advice;
};
extern const struct leak_words leak_verdicts[LEAK_VERDICT_MAX];

/* What the verdict of @g means. */
struct leak_group;
const char *leak_meaning(const struct leak_group *g);

/* What sockets of one group have in common. */
struct leak_key {
	uint32_t pid, netns, verdict;
	uint16_t port; /* ours if the peer connected to us, else the peer's */
	uint8_t passive, family, mptcp;
	uint8_t raddr[16];
};

/* A socket with its key, for sorting. */
struct leak_keyed {
	struct leak_key key;
	const struct leak_sock *sock;
};

struct leak_group {
	const struct leak_keyed *members; /* in the order of their descriptors */
	const struct leak_sock *first;
	const struct leak_process *process;
	char comm[FW_COMM_LEN];
	enum leak_verdict verdict;
	uint32_t pid;
	bool passive; /* the peer connected to us */
	bool mptcp;   /* they are MPTCP sockets */
	size_t nr, nr_old; /* old: of the leak age at least */
	uint64_t oldest_ns, unread; /* data, without FINs */
	bool at_least;
	double growth_per_s; /* negative: it shrinks */
	bool growth_known, is_pool, is_full;
	uint64_t limit_ns; /* until its descriptors run out; 0: not foreseeable */
};

/* All groups of which one is as old as the leak age, and that the filter lets through. */
struct leak_groups {
	struct leak_group *group;
	size_t nr, cap;
	struct leak_keyed *then, *now; /* members of both looks */
};

/* Sets l->failed when memory is short. leak_groups_fini() in any case. */
void leak_groups_find(struct fw_leaks *l, struct leak_groups *groups);
void leak_groups_fini(struct leak_groups *groups);

/* NULL: that process was not seen to hold any connection. */
const struct leak_process *leak_process_of(const struct leak_look *look, uint32_t pid);
uint64_t leak_cgroup_of(const struct leak_group *g);

/* "192.0.2.7 to our port 80" or "192.0.2.7:5432"; "5-9,12"; "java/4711"; who else holds the first. */
void leak_say_peer(struct fw_buf *b, const struct leak_group *g);
void leak_say_fds(struct fw_buf *b, const struct leak_group *g);
void leak_say_process(struct fw_buf *b, const struct leak_group *g);
void leak_say_holders(struct fw_buf *b, const struct fw_leaks *l, const struct leak_sock *s);
/* What was written, as a cell. Empties @b. */
struct fw_cell leak_text_cell(struct fw_buf *b);

#define LEAK_UNLIMITED UINT64_MAX /* RLIMIT_NOFILE */

#endif
