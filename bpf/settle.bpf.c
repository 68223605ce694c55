// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at minisocks that user space names, when user space asks (BPF_PROG_TEST_RUN), for what no
 * hook reports: an orphaned FIN_WAIT_2 whose FIN re-armed the timer within one wheel bucket.
 *
 * The address may be stale. Reads are safe whatever it holds now; an object that is not this
 * connection's minisock any more is reported as gone, and its end has been seen elsewhere.
 */
#include "jiffies.bpf.h"
#include "minisock.bpf.h"

/* args: the address, and the cookie of the connection that was there. */
SEC("raw_tp")
int fw_settle(struct bpf_raw_tracepoint_args *ctx)
{
	struct inet_timewait_sock *tw = (struct inet_timewait_sock *)ctx->args[0];
	__u64 cookie = ctx->args[1];
	struct fw_rec_head head;

	fw_head_from_common(&head, (struct sock_common *)tw);
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_tw_cookie(&head);
	head.flags = 0;
	if (head.cookie != cookie || BPF_CORE_READ(tw, __tw_common.skc_state) != TCP_TIME_WAIT)
		head.flags = FW_REC_GONE;
	head.cookie = cookie;
	head.kind = FW_REC_TW_SEEN;
	head.oldstate = head.newstate = BPF_CORE_READ(tw, tw_substate);
	fw_emit_mini(NULL, &head, BPF_CORE_READ(tw, tw_timer.expires), fw_compat_tw_since_ns(tw),
		     (struct fw_request_facts){}, false);
	return 0;
}
