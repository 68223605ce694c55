/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From ring buffer records to events. A record is checked (kind, size, ranges) and, where it
 * carries a stack, the stack becomes a cause. Records are untrusted: they may come from a file.
 */
#ifndef FW_CORE_DECODE_H
#define FW_CORE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/event.h"

/*
 * Kernel functions that name the cause of a minisock's end, if they are in the stack. Frozen: recordings
 * hold these numbers. New ones are added before FW_FRAME_MAX, with the next number.
 */
enum fw_frame {
	FW_FRAME_MOD_TIMER = 0,	   /* the timer is being re-armed */
	FW_FRAME_RUN_TIMERS = 1,   /* the timer softirq */
	FW_FRAME_TW_PROCESS = 2,   /* tcp_timewait_state_process() */
	FW_FRAME_TCP_RCV = 3,	   /* tcp_v4_rcv(), tcp_v6_rcv() */
	FW_FRAME_CONNECT = 4,	   /* the port search of connect() */
	FW_FRAME_PURGE = 5,	   /* namespace removal */
	FW_FRAME_ABORT = 6,	   /* ss -K */
	FW_FRAME_REQ_COMPLETE = 7, /* the handshake completed */
	FW_FRAME_REQ_CHECK = 8,	   /* tcp_check_req(): a segment for a request socket */
	FW_FRAME_MAX,
};

struct fw_symbol_name {
	const char *name;
	enum fw_frame frame;
};

/* What to look for in the kernel's symbol table; ends with a NULL name. */
extern const struct fw_symbol_name fw_symbol_names[];

/* Address ranges of these functions, in ascending order. */
struct fw_symbol {
	uint64_t start, end;
	enum fw_frame frame;
};

#define FW_SYMBOLS_MAX 64

struct fw_symbols {
	struct fw_symbol sym[FW_SYMBOLS_MAX];
	unsigned int nr;
};

enum fw_cause {
	FW_CAUSE_UNKNOWN,
	FW_CAUSE_REARMED,   /* not an end: the timer is set anew */
	FW_CAUSE_EXPIRED,   /* the timer */
	FW_CAUSE_RESET,	    /* an RST */
	FW_CAUSE_SEGMENT,   /* a segment: a SYN in TIME_WAIT, data in FIN_WAIT_2 */
	FW_CAUSE_REUSED,    /* connect() took the port */
	FW_CAUSE_PURGED,    /* the network namespace is gone */
	FW_CAUSE_DESTROYED, /* ss -K */
	FW_CAUSE_COMPLETED, /* request socket: became a connection */
	FW_CAUSE_MAX,
};

struct fw_event {
	const struct fw_rec_head *head;
	/* Of these at most one is not NULL, by kind (see event.h). */
	const struct fw_rec_state *state;
	const struct fw_rec_mini *mini;
	const struct fw_rec_sock *sock;
	const struct fw_rec_holder *holder;
	const struct fw_rec_process *process;
	enum fw_cause cause;		  /* FW_REC_TW_END, FW_REC_REQ_END */
};

/*
 * @ev points into @data, which must outlive it and be aligned to 8 bytes. @symbols may be NULL.
 * 0, or -EBADMSG for anything that is not a record.
 */
int fw_decode(const void *data, size_t len, const struct fw_symbols *symbols, struct fw_event *ev);

/*
 * Recordings hold no addresses of kernel code. fw_frame_keep() replaces the stack of a record by its
 * innermost decisive frame, as 1 + enum fw_frame, or by nothing if it has none. fw_symbols_of_frames()
 * makes the symbols with which fw_decode() reads that.
 */
void fw_frame_keep(const struct fw_symbols *symbols, struct fw_rec_mini *mini);
void fw_symbols_of_frames(struct fw_symbols *symbols);

/* The cause that the innermost decisive frame names. */
enum fw_cause fw_cause_of_stack(const struct fw_symbols *symbols, const uint64_t *ips,
				unsigned int nr);

#endif
