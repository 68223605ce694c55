/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenes with snapshots: what the iterators tell, one line each, of the connection that the scene is
 * about.
 *
 *	snap_begin(s, 100);
 *	sock(s, 101, FW_CLOSE_WAIT, .idle_ms = 5000, .unread = 1);
 *	holder(s, 102, 7, 3, "curl");
 *	process(s, 103, 7, "curl", .fds = 12);
 *	snap_end(s, 104);
 *
 * The scene knows which object a record of the iterator is about, and that request sockets have no
 * cookie; what is neither an orphan nor said to wait for accept() has a file.
 */
#ifndef FW_TESTS_SNAPSHOT_H
#define FW_TESTS_SNAPSHOT_H

#include "events.h"

#define SCENE_NETNS 4026531840U

/* What a record of the iterators says beyond the obvious. */
struct seen {
	uint32_t flags; /* enum fw_rec_flags, besides FW_REC_HAS_FILE */
	bool unaccepted, no_cookie;
	/* How long ago the kernel's own time of its state is: the last segment of a full socket, the first
	 * SYN-ACK of a request socket, the entry stamp of a minisock. 0: the kernel has none.
	 */
	double idle_ms;
	uint64_t since_ns; /* the same as an absolute time, whatever the record's time is */
	uint32_t timeouts, unread, unsent, drops, queued, uid;
	uint64_t sent, received, cgroup_id;
	uint32_t token;	   /* of the MPTCP connection */
	uint64_t listener; /* request, or in an accept queue: of whose; MPTCP: the first subflow */
	double armed_ms; /* minisock: when its timer was set */
	uint32_t fds, netns;
	uint64_t nofile;
};

static inline void scene_head_only(struct scene *s, double ms, unsigned int kind, uint32_t netns)
{
	const struct fw_rec_head rec = {
		.ts_ns = ns_of(ms), .kind = (uint8_t)kind, .family = AF_INET, .netns = netns,
	};

	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static inline void snap_begin(struct scene *s, double ms)
{
	scene_head_only(s, ms, FW_REC_SNAP_BEGIN, 0);
}

/* Every socket of this namespace has been told. */
static inline void snap_netns(struct scene *s, double ms, uint32_t netns)
{
	scene_head_only(s, ms, FW_REC_SNAP_NETNS, netns);
}

/* The scene's namespace is done, and with it the snapshot. */
static inline void snap_end(struct scene *s, double ms)
{
	snap_netns(s, ms, SCENE_NETNS);
	scene_head_only(s, ms, FW_REC_SNAP_END, 0);
}

static inline struct fw_rec_sock sock_record(const struct scene *s, double ms, unsigned int object,
					     unsigned int state, struct seen d)
{
	struct fw_rec_sock rec = {
		.head = scene_head(s, ms, FW_REC_SOCK, state, state),
		.bytes_sent = d.sent, .bytes_received = d.received, .cgroup_id = d.cgroup_id,
		.now_jiffies = jiffies_of(ms), .retransmits = d.timeouts, .uid = d.uid,
		.unread = d.unread, .unsent = d.unsent, .drops = d.drops,
		.queued_bytes = d.queued, .object = (uint8_t)object,
		.since_ns = d.idle_ms ? ns_of(ms - d.idle_ms) : d.since_ns,
		.mptcp_token = d.token, .listener = d.listener,
	};

	rec.head.flags = d.flags;
	if (object == FW_OBJECT_FULL && !d.unaccepted && !(d.flags & FW_REC_ORPHAN))
		rec.head.flags |= FW_REC_HAS_FILE;
	if (object == FW_OBJECT_REQUEST || d.no_cookie)
		rec.head.cookie = 0;
	if (d.netns)
		rec.head.netns = d.netns;
	if (object == FW_OBJECT_MINI) {
		rec.head.flags |= FW_REC_ORPHAN;
		rec.head.skaddr = s->mini_skaddr;
		rec.expires_jiffies = jiffies_of(d.armed_ms) + 60 * SCENE_HZ;
	} else if (object == FW_OBJECT_REQUEST) {
		rec.head.skaddr = s->request_skaddr;
	}
	if (state == FW_LISTEN) {
		rec.head.rport = 0;
		memset(rec.head.raddr, 0, sizeof(rec.head.raddr));
	}
	return rec;
}

static inline void scene_sock(struct scene *s, double ms, unsigned int object, unsigned int state,
			      struct seen d)
{
	struct fw_rec_sock rec = sock_record(s, ms, object, state, d);

	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

/* A socket that exists: full socket, minisock, request socket. */
#define sock(s, ms, state, ...) \
	scene_sock(s, ms, FW_OBJECT_FULL, state, (struct seen){ __VA_ARGS__ })
#define sock_mini(s, ms, state, ...) \
	scene_sock(s, ms, FW_OBJECT_MINI, state, (struct seen){ __VA_ARGS__ })
#define sock_request(s, ms, ...) \
	scene_sock(s, ms, FW_OBJECT_REQUEST, FW_SYN_RECV, (struct seen){ __VA_ARGS__ })

/* @pid has it open as @fd. */
static inline void holder(struct scene *s, double ms, uint32_t pid, uint32_t fd, const char *comm)
{
	struct fw_rec_holder rec = {
		.head = {
			.ts_ns = ns_of(ms), .kind = FW_REC_HOLDER, .family = AF_INET,
			.cookie = s->cookie, .skaddr = s->skaddr, .netns = SCENE_NETNS,
		},
		.pid = pid, .fd = fd,
	};

	memcpy(rec.comm, comm, strnlen(comm, sizeof(rec.comm)));
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

static inline void scene_process(struct scene *s, double ms, uint32_t pid, const char *comm,
				 struct seen d)
{
	struct fw_rec_process rec = {
		.head = {
			.ts_ns = ns_of(ms), .kind = FW_REC_PROCESS, .family = AF_INET,
			.netns = SCENE_NETNS,
		},
		.cgroup_id = d.cgroup_id, .nofile = d.nofile ? d.nofile : 1024, .pid = pid,
		.uid = d.uid, .fds = d.fds,
	};

	memcpy(rec.comm, comm, strnlen(comm, sizeof(rec.comm)));
	scene_apply(s, &rec, sizeof(rec), FW_CAUSE_UNKNOWN);
}

/* @pid, after all that it holds. */
#define process(s, ms, pid, comm, ...) \
	scene_process(s, ms, pid, comm, (struct seen){ __VA_ARGS__ })

/* accept() returned it. */
#define accepted(s, ms, ...) \
	scene_full(s, ms, FW_REC_ACCEPTED, FW_ESTABLISHED, FW_ESTABLISHED, \
		   (struct detail){ __VA_ARGS__ })

/* The connection as the tracker has it now; NULL: it has not. */
static inline const struct fw_conn *tracked(const struct scene *s)
{
	return fw_conn_table_by_cookie(&s->tracker.table, s->cookie);
}

/* All that is open is told, as of @ms. */
static inline void scene_finish(struct scene *s, double ms)
{
	fw_tracker_finish(&s->tracker, ns_of(ms));
}

/* The next records are about connection @n to the server on port 80, as the server has it. */
static inline void scene_server_side(struct scene *s, unsigned int n)
{
	scene_connection(s, n);
	s->lport = 80;
	s->rport = (uint16_t)(50000 + n);
}

#endif
