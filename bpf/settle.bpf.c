// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timer front end: what no hook reports, an orphaned FIN_WAIT_2 whose FIN re-armed the timer within one wheel
 * bucket. User space asks for one minisock at a time (BPF_PROG_TEST_RUN), by its address. Whoever has this
 * program's descriptor can ask for any address, so nothing is read but what the hooks and the snapshots have
 * noted in fw_unsettled, which user space cannot write.
 *
 * The memory at a noted address may be another object's by now. Reading it is safe, and nothing of it leaves
 * the kernel unless it is a TIME_WAIT minisock with the noted cookie.
 */
#include "jiffies.bpf.h"
#include "minisock.bpf.h"

/* args: the address. */
SEC("raw_tp")
int fw_settle(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 skaddr = ctx->args[0], cookie, *noted;
	struct inet_timewait_sock *tw;
	struct fw_rec_head head;

	noted = bpf_map_lookup_elem(&fw_unsettled, &skaddr);
	if (!noted)
		return 0;
	cookie = *noted;
	tw = (struct inet_timewait_sock *)skaddr;
	fw_head_from_common(&head, (struct sock_common *)tw);
	if (fw_cfg.no_cookie_helper)
		head.cookie = fw_compat_tw_cookie(&head);
	head.flags = 0;
	head.kind = FW_REC_TW_SEEN;
	if (head.newstate == TCP_TIME_WAIT && head.cookie == cookie) {
		head.oldstate = head.newstate = BPF_CORE_READ(tw, tw_substate);
		if (head.newstate == TCP_FIN_WAIT2)
			return 0;
		fw_emit_mini(NULL, &head, BPF_CORE_READ(tw, tw_timer.expires), fw_compat_tw_since_ns(tw),
			     (struct fw_request_facts){}, false);
	}
	bpf_map_delete_elem(&fw_unsettled, &skaddr);
	return 0;
}
