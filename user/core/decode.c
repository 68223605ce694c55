// SPDX-License-Identifier: GPL-2.0-only
#include "core/decode.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/state.h"

/* Kernels grow states; sets of them are kept in 32 bits. */
#define STATES_IN_A_MASK 32

/*
 * Several names a frame: compilers inline the small ones, each build differently (measured on 5.10
 * to 7.x), so callers further out stand beside them.
 */
const struct fw_symbol_name fw_symbol_names[] = {
	{ "__mod_timer", FW_FRAME_MOD_TIMER },
	{ "mod_timer", FW_FRAME_MOD_TIMER },
	{ "mod_timer_pending", FW_FRAME_MOD_TIMER },
	{ "__inet_twsk_schedule", FW_FRAME_MOD_TIMER },
	{ "__run_timers", FW_FRAME_RUN_TIMERS },
	{ "expire_timers", FW_FRAME_RUN_TIMERS },
	{ "call_timer_fn", FW_FRAME_RUN_TIMERS },
	{ "run_timer_softirq", FW_FRAME_RUN_TIMERS },
	{ "timer_expire_remote", FW_FRAME_RUN_TIMERS },
	{ "tcp_timewait_state_process", FW_FRAME_TW_PROCESS },
	{ "tcp_v4_rcv", FW_FRAME_TCP_RCV },
	{ "tcp_v6_rcv", FW_FRAME_TCP_RCV },
	{ "__inet_hash_connect", FW_FRAME_CONNECT },
	{ "inet_hash_connect", FW_FRAME_CONNECT },
	{ "inet6_hash_connect", FW_FRAME_CONNECT },
	{ "__inet_check_established", FW_FRAME_CONNECT },
	{ "__inet6_check_established", FW_FRAME_CONNECT },
	{ "inet_twsk_purge", FW_FRAME_PURGE },
	{ "tcp_twsk_purge", FW_FRAME_PURGE },
	{ "tcp_sk_exit_batch", FW_FRAME_PURGE },
	{ "tcpv6_net_exit_batch", FW_FRAME_PURGE },
	{ "tcp_abort", FW_FRAME_ABORT },
	{ "tcp_diag_destroy", FW_FRAME_ABORT },
	{ "inet_csk_complete_hashdance", FW_FRAME_REQ_COMPLETE },
	{ "tcp_check_req", FW_FRAME_REQ_CHECK },
	{ NULL, FW_FRAME_MAX },
};

static const enum fw_cause cause_of_frame[FW_FRAME_MAX] = {
	[FW_FRAME_MOD_TIMER] = FW_CAUSE_REARMED,
	[FW_FRAME_RUN_TIMERS] = FW_CAUSE_EXPIRED,
	[FW_FRAME_TW_PROCESS] = FW_CAUSE_RESET,
	[FW_FRAME_TCP_RCV] = FW_CAUSE_SEGMENT,
	[FW_FRAME_CONNECT] = FW_CAUSE_REUSED,
	[FW_FRAME_PURGE] = FW_CAUSE_PURGED,
	[FW_FRAME_ABORT] = FW_CAUSE_DESTROYED,
	[FW_FRAME_REQ_COMPLETE] = FW_CAUSE_COMPLETED,
	[FW_FRAME_REQ_CHECK] = FW_CAUSE_RESET,
};

static const struct fw_symbol *symbol_find(const struct fw_symbols *s, uint64_t ip)
{
	unsigned int lo = 0, hi = s->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (ip < s->sym[mid].start)
			hi = mid;
		else if (ip >= s->sym[mid].end)
			lo = mid + 1;
		else
			return &s->sym[mid];
	}
	return NULL;
}

static const struct fw_symbol *decisive(const struct fw_symbols *symbols, const uint64_t *ips,
					unsigned int nr)
{
	const struct fw_symbol *sym = NULL;

	for (unsigned int i = 0; i < nr && !sym; i++)
		sym = symbol_find(symbols, ips[i]);
	return sym;
}

enum fw_cause fw_cause_of_stack(const struct fw_symbols *symbols, const uint64_t *ips,
				unsigned int nr)
{
	const struct fw_symbol *sym = decisive(symbols, ips, nr);

	return sym ? cause_of_frame[sym->frame] : FW_CAUSE_UNKNOWN;
}

#define ADDRESS_OF_FRAME(frame) (1ULL + (frame))

void fw_frame_keep(const struct fw_symbols *symbols, struct fw_rec_mini *mini)
{
	const struct fw_symbol *sym = decisive(symbols, (const uint64_t *)mini->ips, mini->nr_ips);

	memset(mini->ips, 0, sizeof(mini->ips));
	mini->nr_ips = sym ? 1 : 0;
	mini->ips[0] = sym ? ADDRESS_OF_FRAME(sym->frame) : 0;
}

void fw_symbols_of_frames(struct fw_symbols *symbols)
{
	for (unsigned int i = 0; i < FW_FRAME_MAX; i++)
		symbols->sym[i] = (struct fw_symbol){ ADDRESS_OF_FRAME(i), ADDRESS_OF_FRAME(i + 1),
						      (enum fw_frame)i };
	symbols->nr = FW_FRAME_MAX;
}

static int decode_state(const void *data, size_t len, struct fw_event *ev)
{
	if (len < sizeof(*ev->state))
		return -EBADMSG;
	ev->state = data;
	return 0;
}

static int decode_mini(const void *data, size_t len, const struct fw_symbols *symbols,
		       struct fw_event *ev)
{
	const struct fw_rec_mini *mini = data;

	if (len < sizeof(*mini) || mini->nr_ips > FW_STACK_DEPTH)
		return -EBADMSG;
	ev->mini = mini;
	if (symbols && mini->nr_ips)
		ev->cause = fw_cause_of_stack(symbols, (const uint64_t *)mini->ips, mini->nr_ips);
	return 0;
}

static int decode_sock(const void *data, size_t len, struct fw_event *ev)
{
	const struct fw_rec_sock *sock = data;

	if (len < sizeof(*sock) || sock->object >= FW_OBJECT_MAX)
		return -EBADMSG;
	ev->sock = sock;
	return 0;
}

int fw_decode(const void *data, size_t len, const struct fw_symbols *symbols, struct fw_event *ev)
{
	const struct fw_rec_head *head = data;

	*ev = (struct fw_event){ .head = head };
	if (len < sizeof(*head) || (head->family != AF_INET && head->family != AF_INET6) ||
	    head->oldstate >= STATES_IN_A_MASK || head->newstate >= STATES_IN_A_MASK)
		return -EBADMSG;
	switch (head->kind) {
	case FW_REC_STATE:
	case FW_REC_RESET_SENT:
	case FW_REC_ACCEPTED:
	case FW_REC_BIND_FAILED:
	case FW_REC_RETRANSMIT:
	case FW_REC_CONNECT_FAILED:
	case FW_REC_PROCESS_ENDED:
		return decode_state(data, len, ev);
	case FW_REC_TW_SCHED:
	case FW_REC_TW_END:
	case FW_REC_TW_SEEN:
	case FW_REC_REQ_SCHED:
	case FW_REC_REQ_END:
		return decode_mini(data, len, symbols, ev);
	case FW_REC_SNAP_BEGIN:
	case FW_REC_SNAP_NETNS:
	case FW_REC_SNAP_END:
	case FW_REC_HOLDERS_BEGIN:
	case FW_REC_HOLDERS_END:
		return 0;
	case FW_REC_SOCK:
		return decode_sock(data, len, ev);
	case FW_REC_HOLDER:
		ev->holder = len < sizeof(*ev->holder) ? NULL : data;
		return ev->holder ? 0 : -EBADMSG;
	case FW_REC_PROCESS:
		ev->process = len < sizeof(*ev->process) ? NULL : data;
		return ev->process ? 0 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}
