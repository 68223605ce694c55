// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a connection ended, from what the kernel left on the socket at its last transition.
 *
 * Facts used (net/ipv4/tcp.c, tcp_input.c, tcp_timer.c):
 * - an RST received sets sk_err (ECONNREFUSED in SYN_SENT, EPIPE in CLOSE_WAIT, else ECONNRESET)
 *   before the transition. Data that reaches FIN_WAIT_1 or FIN_WAIT_2 after RCV_SHUTDOWN takes the
 *   same way (tcp_reset() is called although no RST came), and is then answered by an RST: that
 *   later record is what tells the two apart;
 * - retransmission, keepalive and user timeouts set ETIMEDOUT, or the last ICMP error. Before Linux
 *   6.11 and its stable backports (commit 853c3bd7b791) they wake the application before the
 *   transition, and one that asks for SO_ERROR within these microseconds takes the error away: such
 *   an end is told as if the application had ended it;
 * - ss -K sets ECONNABORTED;
 * - SO_LINGER 0, close() with unread data and connect(AF_UNSPEC) set nothing before it, and send
 *   their RST after it; the first two have both directions shut by then;
 * - a full TIME_WAIT table sets nothing and sends nothing.
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

static bool both_shut(uint16_t flags)
{
	return (flags & FW_REC_SHUT_RD) && (flags & FW_REC_SHUT_WR);
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
		return now(FW_END_ABORTED);
	default:
		/* An ICMP error: hard while connecting, else what is left after the last retry. */
		return now(state == FW_SYN_SENT ? FW_END_ABORTED : FW_END_TIMED_OUT);
	}
}

static struct fw_verdict verdict_after_fin(unsigned int state, uint16_t flags)
{
	if (state == FW_LAST_ACK && (flags & FW_REC_FIN_ACKED))
		return now(FW_END_LAST_ACK);
	/* Not shut for reading: neither close() nor the peer's FIN, but connect(AF_UNSPEC). */
	if (!(flags & FW_REC_SHUT_RD) && (flags & FW_REC_HAS_FILE))
		return now(FW_END_ABORTED);
	/* It is an orphan by then; SO_LINGER 0 comes before that. */
	if (state == FW_FIN_WAIT_2 && (flags & FW_REC_LINGER2_NEG) && (flags & FW_REC_ORPHAN))
		return now(FW_END_FIN_WAIT_2_SKIPPED);
	if (state == FW_FIN_WAIT_2 || (state == FW_CLOSING && (flags & FW_REC_FIN_ACKED)))
		return unless_reset_sent(FW_END_TIME_WAIT_OVERFLOW);
	return unless_reset_sent(FW_END_ABORTED);
}

struct fw_verdict verdict_of_close(const struct fw_rec_state *rec)
{
	unsigned int state = rec->head.oldstate;
	uint16_t flags = rec->head.flags;

	if (rec->err)
		return verdict_of_error(state, rec);
	switch (state) {
	case FW_LISTEN:
		return now(FW_END_UNKNOWN); /* not a connection */
	case FW_SYN_SENT:
		return now(flags & FW_REC_SYN_UNSENT ? FW_END_NO_PORT : FW_END_ABORTED);
	case FW_SYN_RECV:
		return unless_reset_sent(FW_END_ABORTED);
	case FW_ESTABLISHED:
	case FW_CLOSE_WAIT:
		/* Nobody can call connect(AF_UNSPEC) on a socket that was never accepted. */
		return now(both_shut(flags) || !(flags & FW_REC_HAS_FILE) ? FW_END_RESET_SENT
									  : FW_END_ABORTED);
	default:
		return verdict_after_fin(state, flags);
	}
}

enum fw_end verdict_with_reset_sent(const struct fw_conn *c)
{
	/* Orphaned before this transition: the RST answers what the peer sent after close(). */
	if (fw_conn_state(c) == FW_FIN_WAIT_2 && (c->flags & FW_CONN_ORPHANED) &&
	    !(c->flags & FW_CONN_TRANSIT))
		return FW_END_FIN_WAIT_2_DATA;
	return FW_END_RESET_SENT;
}

enum fw_end verdict_of_minisock(unsigned int substate, enum fw_cause cause)
{
	static const struct {
		enum fw_end fin_wait_2, time_wait;
	} ends[FW_CAUSE_MAX] = {
		[FW_CAUSE_EXPIRED] = { FW_END_FIN_WAIT_2_TIMEOUT, FW_END_TIME_WAIT_EXPIRED },
		[FW_CAUSE_RESET] = { FW_END_RESET_RECEIVED, FW_END_TIME_WAIT_RESET },
		[FW_CAUSE_SEGMENT] = { FW_END_FIN_WAIT_2_DATA, FW_END_TIME_WAIT_REOPENED },
		[FW_CAUSE_REUSED] = { FW_END_UNKNOWN, FW_END_TIME_WAIT_REUSED },
		[FW_CAUSE_PURGED] = { FW_END_TIME_WAIT_PURGED, FW_END_TIME_WAIT_PURGED },
		[FW_CAUSE_DESTROYED] = { FW_END_TIME_WAIT_DESTROYED, FW_END_TIME_WAIT_DESTROYED },
	};
	enum fw_end end;

	if (cause >= FW_CAUSE_MAX)
		return FW_END_UNKNOWN;
	end = substate == FW_FIN_WAIT_2 ? ends[cause].fin_wait_2 : ends[cause].time_wait;
	return end == FW_END_OPEN ? FW_END_UNKNOWN : end;
}
