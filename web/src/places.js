// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the pictures of a finding are: which connections it is about, beyond whom it names, and which
 * section has its numbers. null: it is not about single connections.
 */
export const places = {
	"close-wait-leak": { shows: { trouble: "leak" }, section: "close_wait" },
	"idle-pool": { shows: { state: "CLOSE_WAIT" }, section: "close_wait" },
	"connection-leak": { shows: { state: "ESTABLISHED" }, section: "close_wait" },
	"closed-socket-held": { shows: null, section: "close_wait" },
	"inherited-sockets": { shows: { state: "CLOSE_WAIT" }, section: "close_wait" },
	"fin-wait-2-peer-stall": { shows: { trouble: "stall" }, section: "fin_wait_2" },
	"fin-wait-1-stall": { shows: { trouble: "slow", state: "FIN_WAIT_1" }, section: "slow" },
	"last-ack-stall": { shows: { trouble: "slow", state: "LAST_ACK" }, section: "slow" },
	"syn-stall": { shows: { trouble: "slow", state: "SYN_SENT" }, section: "slow" },
	"time-wait-port-exhaustion": { shows: {}, section: "ports" },
	"time-wait-table-full": { shows: { trouble: "overflow" }, section: "time_wait" },
	"time-wait-reset": { shows: { trouble: "cut_short" }, section: "time_wait_early" },
	"time-wait-behind-nat": { shows: { trouble: "cut_short" }, section: "time_wait_early" },
	"short-connections": { shows: {}, section: "flows" },
	"server-closes-first": { shows: { state: "TIME_WAIT" }, section: "closers" },
	"simultaneous-close": { shows: { trouble: "closing" }, section: "closing" },
	"half-open-flood": { shows: { trouble: "half_open" }, section: "half_open" },
	"accept-queue-full": { shows: null, section: "accept_queues" },
	"stale-connection-reuse": { shows: { trouble: "reset" }, section: "stale" },
	"connect-failures": { shows: { trouble: "failed" }, section: "connect_failures" },
	"address-not-local": { shows: null, section: "not_local" },
	"bind-port-exhaustion": { shows: null, section: "bind_ports" },
	"orphans-hold-memory": { shows: { trouble: "slow", state: "FIN_WAIT_1" }, section: "orphans" },
	"bind-in-use": { shows: null, section: "binds" },
	"events-lost": { shows: { trouble: "gap" }, section: "completeness" },
};
