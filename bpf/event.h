/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between kernel and user side: every record that crosses the ring buffer, and the
 * configuration that goes the other way. Included by both, so it uses only the __uN types.
 *
 * Records are self-contained and of fixed size per kind. Time is CLOCK_MONOTONIC nanoseconds.
 * Addresses are in network byte order (IPv4 in the first four bytes), ports in host byte order.
 * A port or address that the kernel had not filled in (or had already wiped) at that moment is 0.
 */
#ifndef FW_BPF_EVENT_H
#define FW_BPF_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define FW_COMM_LEN 16
/* Frames kept of the stack at a minisock's end. The caller that names the cause stands at index
 * 2 to 6, after the program, its trampoline and the timer functions (measured on 5.10 to 7.x).
 */
#define FW_STACK_DEPTH 10

/*
 * Record kinds, frozen: recordings hold these numbers. New kinds are added before FW_REC_MAX, with
 * the next free number.
 */
enum fw_record_kind {
	FW_REC_STATE = 0,	/* struct fw_rec_state: a transition of a full socket */
	FW_REC_RESET_SENT = 1,	/* struct fw_rec_state: an RST was sent on behalf of this socket */
	FW_REC_TW_SCHED = 2,	/* struct fw_rec_mini: TIME_WAIT minisock born, or its timer re-armed */
	FW_REC_TW_END = 3,	/* struct fw_rec_mini: its timer fired, was cancelled, or it was killed */
	FW_REC_TW_SEEN = 4,	/* struct fw_rec_mini: it was inspected (no hook fired) */
	FW_REC_REQ_SCHED = 5,	/* struct fw_rec_mini: request socket born, or SYN-ACK timer re-armed */
	FW_REC_REQ_END = 6,	/* struct fw_rec_mini: its timer fired or was cancelled, or it was dropped */
	FW_REC_ACCEPTED = 7,	/* struct fw_rec_state: accept() returned this socket to pid and comm */
	FW_REC_BIND_FAILED = 8, /* struct fw_rec_state: bind() of pid and comm to laddr:lport gave err;
				 * lport 0: it asked for any port */
	/* from the iterators */
	FW_REC_SNAP_BEGIN = 9,	/* struct fw_rec_head: a snapshot of all sockets begins */
	FW_REC_SOCK = 10,	/* struct fw_rec_sock: a socket that exists */
	FW_REC_HOLDER = 11,	/* struct fw_rec_holder: a process has a file descriptor of it */
	FW_REC_PROCESS = 12,	/* struct fw_rec_process: such a process; after all its FW_REC_HOLDER */
	FW_REC_SNAP_NETNS = 13, /* struct fw_rec_head: all sockets of this netns have been reported */
	FW_REC_SNAP_END = 14,	/* struct fw_rec_head: the snapshot is complete */
	/* more events */
	FW_REC_RETRANSMIT = 15,	    /* struct fw_rec_state: a SYN, SYN-ACK or FIN was retransmitted */
	FW_REC_CONNECT_FAILED = 16, /* struct fw_rec_state: connect() of pid and comm to raddr:rport gave
				     * err, without a transition */
	/* who holds listeners, between two snapshots */
	FW_REC_HOLDERS_BEGIN = 17,  /* struct fw_rec_head: all holders of listeners follow */
	FW_REC_HOLDERS_END = 18,    /* struct fw_rec_head: these were all */
	FW_REC_PROCESS_ENDED = 19,  /* struct fw_rec_state: pid, which held a listener, has ended */
	FW_REC_MAX,
};

/* From the hooks, in the order of the kernel's events; the others come from the iterators. */
static inline int fw_rec_is_event(unsigned int kind)
{
	return kind < FW_REC_SNAP_BEGIN || kind == FW_REC_RETRANSMIT ||
	       kind == FW_REC_CONNECT_FAILED || kind == FW_REC_PROCESS_ENDED;
}

enum fw_rec_flags {
	FW_REC_ORPHAN = 1 << 0,	      /* SOCK_DEAD: no process holds the socket any more */
	FW_REC_FIN_RECEIVED = 1 << 1, /* SOCK_DONE: the peer's FIN was processed */
	FW_REC_FIN_ACKED = 1 << 2,    /* at * -> CLOSE: snd_una == write_seq: all we sent is acknowledged */
	FW_REC_HAS_FILE = 1 << 3,     /* sk_socket is set: accepted, or opened locally */
	FW_REC_LINGER2_NEG = 1 << 4,  /* at * -> CLOSE: TCP_LINGER2 < 0: FIN_WAIT_2 is skipped once orphaned */
	FW_REC_SHUT_RD = 1 << 5,      /* RCV_SHUTDOWN */
	FW_REC_SHUT_WR = 1 << 6,      /* SEND_SHUTDOWN */
	FW_REC_OWNER = 1 << 7,	      /* pid and comm are the process that made the transition */
	FW_REC_SYN_UNSENT = 1 << 8,   /* at * -> CLOSE: segs_out == 0: not even a SYN was sent */
	FW_REC_REQ_UNSEEN = 1 << 9,   /* request, or child: its birth may have been suppressed */
	FW_REC_LISTENER_GONE = 1 << 10, /* request socket: its listener is not in LISTEN any more */
	FW_REC_GONE = 1 << 11,	      /* FW_REC_TW_SEEN: the minisock does not exist any more */
	FW_REC_REPAIR = 1 << 12,      /* TCP_REPAIR is on: the socket is being migrated */
	FW_REC_WINDOW_SHUT = 1 << 13, /* snd_wnd == 0: the peer's receive window is closed */
	FW_REC_SYN = 1 << 14,	      /* FW_REC_RETRANSMIT: a SYN or SYN-ACK; else a FIN */
	FW_REC_REARMED = 1 << 15,     /* FW_REC_TW_SCHED: not a birth, its timer was running already; the
				       * timer front end sends FW_REC_TW_END just before instead
				       */
	FW_REC_HAD_REQUEST = 1 << 16, /* SYN_RECV -> *: it was a request socket; .since_ns is of that */
	FW_REC_TABLE_FULL = 1 << 17,  /* at * -> CLOSE: tcp_max_tw_buckets was reached */
	FW_REC_NO_PORT = 1 << 18,     /* at SYN_SENT -> CLOSE: connect() found no port, or the 4-tuple in use */
	FW_REC_ANSWERS_DATA = 1 << 19, /* FW_REC_RESET_SENT: it answers a segment with data */
	FW_REC_RULED_OUT = 1 << 20,   /* FW_REC_STATE: the filter rules out the connection, of which
				       * a record has passed (filter_rule.h) */
	FW_REC_UNATTENDED = 1 << 21,  /* FW_REC_SOCK in LISTEN: no process waits on it, in accept(), poll()
				       * or epoll */
	FW_REC_ENTRY_KNOWN = 1 << 23, /* minisock in TIME_WAIT: .since_ns is when it entered that */
	FW_REC_ACKED = 1 << 22,	      /* request socket: the client's ACK has come, but made no child: the
				       * accept queue was full, or TCP_DEFER_ACCEPT waits for data */
	FW_REC_CLONED = 1 << 24,      /* FW_REC_SOCK: the socket was cloned from a listener: passive */
	FW_REC_MPTCP = 1 << 25,	      /* FW_REC_STATE: of an MPTCP socket, not of a subflow */
};

/* First bytes of every record. */
struct fw_rec_head {
	__u64 ts_ns;
	__u64 cookie; /* the kernel's socket cookie; 0: it has none (yet) */
	__u64 skaddr; /* address of the object: identifies it only while it lives */
	__u32 netns;  /* inode number of the network namespace */
	__u32 ifindex; /* the device that the socket is bound to, or its scope; 0: none */
	__u32 flags;  /* enum fw_rec_flags */
	__u8 kind;    /* enum fw_record_kind */
	__u8 family;  /* AF_INET or AF_INET6 */
	__u8 oldstate; /* FW_REC_STATE; minisocks: the substate */
	__u8 newstate;
	__u16 lport;
	__u16 rport;
	__u16 cpu;
	/* Namespaces that have the same number one after the other differ here; 0: not known. Recordings do
	 * not have it: a mark says that a number belongs to another namespace (FW_MARK_NETNS_REBORN).
	 */
	__u16 netns_life;
	__u8 laddr[16];
	__u8 raddr[16];
};
_Static_assert(sizeof(struct fw_rec_head) == 80, "contract");

struct fw_rec_state {
	struct fw_rec_head head;
	/* totals: at * -> CLOSE and at the first FIN (ESTABLISHED -> FIN_WAIT_1, CLOSE_WAIT), else 0 */
	__u64 bytes_sent;     /* payload, without retransmissions */
	__u64 bytes_received; /* payload; counts the FIN as one when FW_REC_FIN_RECEIVED */
	__u64 cgroup_id;      /* with FW_REC_OWNER, else 0 */
	__u64 since_ns;	      /* with FW_REC_HAD_REQUEST: when it first sent a SYN-ACK, else 0 */
	__u32 retransmits;
	__u32 segs_in; /* segments received so far: equal means caused by the same segment */
	__u32 segs_out; /* segments sent; a total, as above */
	__u32 srtt_us;	/* smoothed round-trip time; with the totals and in FW_REC_RETRANSMIT, else 0 */
	__u32 rto_jiffies; /* retransmission timeout, at the same moments */
	__u32 mptcp_token; /* of the MPTCP connection that this is a subflow of; 0: none */
	__u32 uid;
	__u32 pid; /* thread group id, with FW_REC_OWNER */
	__u16 err; /* sk_err */
	__u16 pad;
	__u32 exchanges; /* most requests and answers that it carried: the smaller number of segments with
			  * data, of both directions; a total, as above */
	/* at the first FIN: how long ago data was last sent, and received; else 0 */
	__u32 sent_ago_jiffies, received_ago_jiffies;
	char comm[FW_COMM_LEN];
};
_Static_assert(sizeof(struct fw_rec_state) == 176, "contract");

struct fw_rec_mini {
	struct fw_rec_head head;
	__u64 expires_jiffies; /* what its timer is set to */
	__u64 now_jiffies;
	__u64 listener; /* request sockets: address of the socket that listens (rsk_listener); else 0 */
	__u64 since_ns; /* request sockets: when the first SYN-ACK was sent, 0: not yet; minisocks: as in
			 * struct fw_rec_sock
			 */
	__u32 timeouts; /* request sockets: SYN-ACK timer expiries so far */
	__u32 nr_ips;
	__u64 ips[FW_STACK_DEPTH]; /* FW_REC_TW_END, FW_REC_REQ_END: caller's kernel stack */
};
_Static_assert(sizeof(struct fw_rec_mini) == 200, "contract");

/* A socket as it is: full socket, request socket or minisock. head.oldstate is its state (of a
 * minisock: its substate), and head.newstate the same.
 */
struct fw_rec_sock {
	struct fw_rec_head head;
	__u64 bytes_sent, bytes_received; /* full socket; as in struct fw_rec_state */
	__u64 cgroup_id;		  /* full socket */
	__u64 expires_jiffies;		  /* minisock, request socket: what its timer is set to */
	__u64 now_jiffies;
	/* request socket: as in struct fw_rec_mini; in the accept queue: of whose, 0: not found;
	 * MPTCP socket: its first subflow, which has the listener's queue and was connected first
	 */
	__u64 listener;
	__u64 since_ns;	    /* it was in its state by then, give or take the processing of a segment;
			     * 0: not known. Minisocks: when it was born, or entered TIME_WAIT by a
			     * segment with timestamps; to the millisecond
			     */
	__u32 retransmits;  /* request socket: SYN-ACK timer expiries */
	__u32 uid;
	__u32 unread;	/* bytes not yet read, the FIN counting as one; LISTEN: connections to accept */
	__u32 unsent;	/* bytes the peer has not acknowledged; LISTEN: most connections to accept */
	__u32 drops;	/* sk_drops; LISTEN: SYNs and ACKs that were dropped, since it listens */
	__u32 queued_bytes; /* full socket: memory of its write queue (sk_wmem_queued) */
	__u32 srtt_us, rto_jiffies; /* full socket */
	__u32 mptcp_token;  /* as in struct fw_rec_state */
	__u8 object;	/* enum fw_object */
	__u8 pad[3];
};
_Static_assert(sizeof(struct fw_rec_sock) == 176, "contract");

enum fw_object {
	FW_OBJECT_FULL = 0,
	FW_OBJECT_REQUEST = 1,
	FW_OBJECT_MINI = 2,
	FW_OBJECT_MPTCP = 3, /* the MPTCP socket of a descriptor; its subflows are FW_OBJECT_FULL */
	FW_OBJECT_MAX,
};

/* head: only ts_ns, cookie, skaddr, netns (of the socket) and the socket's state are filled in. Of a
 * socket in CLOSE also its endpoints, and FW_REC_SHUT_RD and FW_REC_SHUT_WR.
 */
struct fw_rec_holder {
	struct fw_rec_head head;
	__u32 pid; /* thread group id */
	__u32 fd;
	__u32 mptcp_token; /* the descriptor is an MPTCP socket with this token; 0: a TCP socket */
	__u32 pad;
	char comm[FW_COMM_LEN];
};
_Static_assert(sizeof(struct fw_rec_holder) == 112, "contract");

/* head: only ts_ns and netns are filled in. */
struct fw_rec_process {
	struct fw_rec_head head;
	__u64 cgroup_id;
	__u64 nofile; /* RLIMIT_NOFILE, soft; all ones: unlimited */
	__u32 pid;
	__u32 uid;
	__u32 fds; /* open file descriptors */
	__u32 pad;
	char comm[FW_COMM_LEN];
};
_Static_assert(sizeof(struct fw_rec_process) == 128, "contract");

/* Not in the ring: of iter/task, a thread that is in another network namespace than its process. */
struct fw_rec_thread {
	__u32 tid, netns;
};
_Static_assert(sizeof(struct fw_rec_thread) == 8, "contract");

/* What is lost is counted here, one per CPU, each in a cache line of its own. User space only reads. */
struct fw_cpu_stats {
	__u64 lost; /* the ring was full */
	__u64 last_lost_ns;
	__u64 suppressed; /* request sockets born above the limit: not reported */
	__u64 on_top;	  /* transitions that fw_set_state_on_top told */
	/* what the two programs for transitions tell each other */
	__u64 telling;	   /* fw_set_state is at work on this CPU */
	__u64 told_on_top; /* of which socket it told while it already was at work */
	__u64 unused[2];
};
_Static_assert(sizeof(struct fw_cpu_stats) == 64, "a cache line");

#define FW_MAX_PORTS 16
#define FW_MAX_CIDRS 8
#define FW_MAX_NETNS 16
#define FW_NO_NETNS 0xffffffffU /* the number of no namespace */

struct fw_cidr {
	__u8 addr[16];
	__u32 family;
	__u32 prefix_len;
};

/* Which connections; what is empty or 0 admits all. filter_rule.h says how it is applied. */
struct fw_filter_rule {
	__u32 family;
	__u32 nr_lports, nr_rports;
	__u32 nr_local, nr_remote;
	__u32 nr_netns;
	__u16 lports[FW_MAX_PORTS];
	__u16 rports[FW_MAX_PORTS];
	__u32 netns[FW_MAX_NETNS];
	struct fw_cidr local[FW_MAX_CIDRS];
	struct fw_cidr remote[FW_MAX_CIDRS];
};
_Static_assert(sizeof(struct fw_filter_rule) ==
	       24 + 64 + 4 * FW_MAX_NETNS + 2 * FW_MAX_CIDRS * 24, "contract");

/* Read-only for the BPF programs, set before they are loaded. */
struct fw_bpf_config {
	__u64 tw_timer_handler;	   /* kernel addresses, for the timer front end */
	__u64 reqsk_timer_handler;
	__u64 wakeup_bytes;	   /* wake the reader at this fill level of the ring */
	__u32 half_open_limit;	   /* request sockets per second and CPU; above: only counted */
	__u8 no_cookie_helper;	   /* before Linux 5.12 */
	__u8 pad[3];
	struct fw_filter_rule rule;
};
_Static_assert(sizeof(struct fw_bpf_config) == 32 + sizeof(struct fw_filter_rule), "contract");

#endif
