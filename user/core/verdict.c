// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a connection ended, from what the kernel left on the socket at its last transition.
 *
 * Facts used (net/ipv4/tcp.c, tcp_input.c, tcp_timer.c):
 * - an RST received sets sk_err (ECONNREFUSED in SYN_SENT, EPIPE in CLOSE_WAIT, else ECONNRESET)
 *   before the transition. Data that reaches FIN_WAIT_1 or FIN_WAIT_2 after RCV_SHUTDOWN takes the
 *   same path (tcp_reset() is called although no RST came), and is then answered by an RST: the record
 *   of that RST tells the two apart;
 * - retransmission, keepalive and user timeouts set ETIMEDOUT, or the last ICMP error. Before Linux
 *   6.11 and its stable backports (commit 853c3bd7b791) they wake the application before the
 *   transition, and an application that reads SO_ERROR within these microseconds clears the error: such
 *   an end looks as if the application had caused it;
 * - with IP_RECVERR an ICMP error stays on a connection that lives on. What the socket's state proves
 *   (its FIN is acknowledged; close() has shut both directions) therefore counts before the error;
 * - ss -K and bpf_sock_destroy() set ECONNABORTED;
 * - SO_LINGER 0, close() with unread data and connect(AF_UNSPEC) set nothing before the transition, and
 *   send their RST after it; the first two have shut both directions by then;
 * - an orphan that exceeds tcp_max_orphans or TCP's memory gets no error either. Its RST is sent just
 *   before the transition by a timer, just after it by close();
 * - a full TIME_WAIT table sets nothing and sends nothing. FW_REC_TABLE_FULL proves it.
 */
#include <errno.h>

#include "core/tracker_internal.h"

static struct fw_verdict now(enum fw_end end)
{
	return (struct fw_verdict){ .end = end };
}

static struct fw_verdict unless_reset_sent(enum fw_end end)
{
	return (struct fw_verdict){ .end = end, .wait = true };
}

static bool both_shut(uint32_t flags)
{
	return (flags & FW_REC_SHUT_RD) && (flags & FW_REC_SHUT_WR);
}

/* The descriptor is open and not closed by close(): of what is left, connect(AF_UNSPEC). */
static struct fw_verdict disconnected(bool subflow)
{
	/* An MPTCP socket disconnects its subflows for reasons of its own. */
	return subflow ? unless_reset_sent(FW_END_UNKNOWN) : now(FW_END_DISCONNECTED);
}

static struct fw_verdict verdict_of_error(unsigned int state, const struct fw_rec_state *rec)
{
	switch (rec->err) {
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		if (state == FW_SYN_SENT)
			return now(FW_END_REFUSED);
		if ((state == FW_FIN_WAIT_1 || state == FW_FIN_WAIT_2) &&
		    (rec->head.flags & FW_REC_SHUT_RD))
			return unless_reset_sent(FW_END_RESET_RECEIVED);
		return now(FW_END_RESET_RECEIVED);
	case ETIMEDOUT:
		return now(FW_END_TIMED_OUT);
	case ECONNABORTED:
		return now(FW_END_KILLED);
	default:
		/* An ICMP error: hard while connecting, else what is left after the last retry. */
		return now(FW_END_UNREACHABLE);
	}
}

static struct fw_verdict verdict_while_connecting(const struct fw_rec_state *rec)
{
	uint32_t flags = rec->head.flags;

	if (flags & FW_REC_NO_PORT)
		return now(FW_END_NO_PORT);
	if (rec->err)
		return verdict_of_error(FW_SYN_SENT, rec);
	if (both_shut(flags) || flags & FW_REC_SYN_UNSENT || !(flags & FW_REC_HAS_FILE))
		return now(FW_END_ABORTED);
	return now(FW_END_DISCONNECTED);
}

/* ESTABLISHED and CLOSE_WAIT: neither direction has been shut by this side. */
static struct fw_verdict verdict_while_open(unsigned int state, const struct fw_rec_state *rec,
					    bool subflow)
{
	uint32_t flags = rec->head.flags;

	if (both_shut(flags))
		return unless_reset_sent(FW_END_UNKNOWN);
	if (rec->err)
		return verdict_of_error(state, rec);
	/* Never accepted: connect(AF_UNSPEC) cannot be called on it. */
	if (!(flags & FW_REC_HAS_FILE))
		return unless_reset_sent(FW_END_UNKNOWN);
	return disconnected(subflow);
}

/* FIN_WAIT_2, and CLOSING with an acknowledged FIN: a minisock follows, if nothing else ends it. */
static struct fw_verdict verdict_before_minisock(unsigned int state, const struct fw_rec_state *rec,
						 bool subflow)
{
	uint32_t flags = rec->head.flags;
	bool reset = rec->err == ECONNRESET || rec->err == EPIPE;

	if (reset || rec->err == ECONNABORTED || rec->err == ETIMEDOUT)
		return verdict_of_error(state, rec);
	if (!(flags & FW_REC_SHUT_RD) && (flags & FW_REC_HAS_FILE))
		return rec->err ? verdict_of_error(state, rec) : disconnected(subflow);
	/* It is an orphan by then; SO_LINGER 0 comes before that. */
	if (state == FW_FIN_WAIT_2 && (flags & FW_REC_LINGER2_NEG) && (flags & FW_REC_ORPHAN))
		return now(FW_END_FIN_WAIT_2_SKIPPED);
	if (flags & FW_REC_TABLE_FULL)
		return unless_reset_sent(FW_END_TIME_WAIT_OVERFLOW);
	return now(FW_END_OPEN);
}

/* FIN_WAIT_1, CLOSING and LAST_ACK: our FIN is not acknowledged. */
static struct fw_verdict verdict_unacknowledged(unsigned int state, const struct fw_rec_state *rec,
						bool subflow)
{
	uint32_t flags = rec->head.flags;

	if (rec->err)
		return verdict_of_error(state, rec);
	if (!(flags & FW_REC_SHUT_RD) && (flags & FW_REC_HAS_FILE))
		return disconnected(subflow);
	/* Of an orphan without an error only the lack of resources is left. */
	if (flags & FW_REC_ORPHAN && !subflow)
		return (struct fw_verdict){ .end = FW_END_UNKNOWN, .wait = true, .is_short = true };
	return unless_reset_sent(FW_END_ABORTED);
}

struct fw_verdict verdict_of_close(const struct fw_rec_state *rec, bool subflow)
{
	unsigned int state = rec->head.oldstate;
	uint32_t flags = rec->head.flags;

	if (state == FW_LISTEN)
		return now(FW_END_UNKNOWN); /* not a connection */
	if (flags & FW_REC_REPAIR)
		return now(FW_END_REPAIRED);
	switch (state) {
	case FW_SYN_SENT:
		return verdict_while_connecting(rec);
	case FW_SYN_RECV:
		return rec->err ? verdict_of_error(state, rec) :
				  unless_reset_sent(FW_END_ABORTED);
	case FW_ESTABLISHED:
	case FW_CLOSE_WAIT:
		return verdict_while_open(state, rec, subflow);
	case FW_FIN_WAIT_2:
		return verdict_before_minisock(state, rec, subflow);
	case FW_LAST_ACK:
		return flags & FW_REC_FIN_ACKED ? now(FW_END_LAST_ACK) :
						  verdict_unacknowledged(state, rec, subflow);
	case FW_CLOSING:
		return flags & FW_REC_FIN_ACKED ? verdict_before_minisock(state, rec, subflow) :
						  verdict_unacknowledged(state, rec, subflow);
	default:
		return verdict_unacknowledged(state, rec, subflow);
	}
}

enum fw_end verdict_with_reset(const struct fw_conn *c, bool answers_data)
{
	if (fw_conn_has(c, FW_CONN_SHORT))
		return FW_END_ORPHAN_LIMIT;
	/* Orphaned before this transition: the RST answers what the peer sent after close(). */
	if (answers_data && fw_conn_state(c) == FW_FIN_WAIT_2 && fw_conn_has(c, FW_CONN_ORPHANED) &&
	    !fw_conn_has(c, FW_CONN_TRANSIT))
		return FW_END_FIN_WAIT_2_DATA;
	return FW_END_RESET_SENT;
}

enum fw_end verdict_of_minisock(unsigned int substate, enum fw_cause cause, bool answers_data)
{
	static const struct {
		enum fw_end fin_wait_2, time_wait;
	} ends[FW_CAUSE_MAX] = {
		[FW_CAUSE_EXPIRED] = { FW_END_FIN_WAIT_2_TIMEOUT, FW_END_TIME_WAIT_EXPIRED },
		[FW_CAUSE_RESET] = { FW_END_RESET_RECEIVED, FW_END_TIME_WAIT_RESET },
		/* In FIN_WAIT_2 data, a FIN with data or a SYN: the kernel answers with an RST. */
		[FW_CAUSE_SEGMENT] = { FW_END_RESET_SENT, FW_END_TIME_WAIT_REOPENED },
		[FW_CAUSE_REUSED] = { FW_END_TIME_WAIT_REUSED, FW_END_TIME_WAIT_REUSED },
		[FW_CAUSE_PURGED] = { FW_END_TIME_WAIT_PURGED, FW_END_TIME_WAIT_PURGED },
		[FW_CAUSE_DESTROYED] = { FW_END_TIME_WAIT_DESTROYED, FW_END_TIME_WAIT_DESTROYED },
	};
	enum fw_end end;

	if (cause >= FW_CAUSE_MAX)
		return FW_END_UNKNOWN;
	if (substate == FW_FIN_WAIT_2 && cause == FW_CAUSE_SEGMENT && answers_data)
		return FW_END_FIN_WAIT_2_DATA;
	end = substate == FW_FIN_WAIT_2 ? ends[cause].fin_wait_2 : ends[cause].time_wait;
	return end == FW_END_OPEN ? FW_END_UNKNOWN : end;
}
