/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's settings, counters and gauges of TCP in one network namespace.
 *
 * The two lists below are the only place that names them. From them come the structs that the analyses
 * read, what user/io reads from /proc, the lines of a recording, and the rows of the report.
 * To add a value, add a line; to show it in the report, give it a label.
 */
#ifndef FW_UTIL_NETNS_VALUES_H
#define FW_UTIL_NETNS_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* All other values are 0 or more. */
#define FW_VALUE_UNKNOWN (-1)

/*
 * Settings. X(field, path, place, scope, name, label)
 *
 *	field	in struct fw_sysctls
 *	path	below /proc/sys/net
 *	place	which number of the file, from 0; PORTS: how many ports of ip_local_port_range it lists
 *	scope	NETNS: each network namespace has its own; HOST: there is one
 *	name	in recordings, frozen
 *	label	in the report; NULL: not shown
 */
#define FW_SYSCTLS(X) \
	X(tcp_fin_timeout, "ipv4/tcp_fin_timeout", 0, NETNS, "tcp_fin_timeout", "tcp_fin_timeout") /* s */ \
	/* 0 no, 1 yes, 2 on loopback only */ \
	X(tcp_tw_reuse, "ipv4/tcp_tw_reuse", 0, NETNS, "tcp_tw_reuse", "tcp_tw_reuse") \
	X(tcp_tw_reuse_delay, "ipv4/tcp_tw_reuse_delay", 0, NETNS, "tcp_tw_reuse_delay", NULL) /* ms */ \
	X(tcp_max_tw_buckets, "ipv4/tcp_max_tw_buckets", 0, NETNS, "tcp_max_tw_buckets", \
	  "tcp_max_tw_buckets") \
	X(tcp_rfc1337, "ipv4/tcp_rfc1337", 0, NETNS, "tcp_rfc1337", "tcp_rfc1337") \
	X(tcp_timestamps, "ipv4/tcp_timestamps", 0, NETNS, "tcp_timestamps", "tcp_timestamps") \
	X(tcp_max_orphans, "ipv4/tcp_max_orphans", 0, HOST, "tcp_max_orphans", "tcp_max_orphans") \
	X(tcp_orphan_retries, "ipv4/tcp_orphan_retries", 0, NETNS, "tcp_orphan_retries", \
	  "tcp_orphan_retries") \
	X(tcp_max_syn_backlog, "ipv4/tcp_max_syn_backlog", 0, NETNS, "tcp_max_syn_backlog", \
	  "tcp_max_syn_backlog") \
	X(tcp_syncookies, "ipv4/tcp_syncookies", 0, NETNS, "tcp_syncookies", "tcp_syncookies") \
	X(tcp_abort_on_overflow, "ipv4/tcp_abort_on_overflow", 0, NETNS, "tcp_abort_on_overflow", NULL) \
	X(tcp_synack_retries, "ipv4/tcp_synack_retries", 0, NETNS, "tcp_synack_retries", \
	  "tcp_synack_retries") \
	X(tcp_syn_retries, "ipv4/tcp_syn_retries", 0, NETNS, "tcp_syn_retries", "tcp_syn_retries") \
	X(tcp_retries2, "ipv4/tcp_retries2", 0, NETNS, "tcp_retries2", NULL) \
	X(tcp_keepalive_time, "ipv4/tcp_keepalive_time", 0, NETNS, "tcp_keepalive_time", NULL) /* s */ \
	X(somaxconn, "core/somaxconn", 0, NETNS, "somaxconn", "somaxconn") \
	X(port_low, "ipv4/ip_local_port_range", 0, NETNS, "ip_local_port_low", \
	  "ip_local_port_range, lowest") \
	X(port_high, "ipv4/ip_local_port_range", 1, NETNS, "ip_local_port_high", \
	  "ip_local_port_range, highest") \
	X(ports_reserved, "ipv4/ip_local_reserved_ports", PORTS, NETNS, "ip_local_ports_reserved", \
	  "ports reserved in it")

/*
 * Counters and gauges. X(field, kind, file, word, scope, name, label)
 *
 *	field	in struct fw_kernel_counters
 *	kind	COUNTER: it only grows, and the analyses get by how much; GAUGE: how much there is
 *	file	SNMP, NETSTAT, SOCKSTAT, SOCKSTAT6 of /proc/net; of each, the lines about TCP
 *	word	in that file
 *	label	of a row that shows it alone; NULL: not shown, or beside finwait's own count
 */
#define FW_KERNEL_COUNTERS(X) \
	X(active_opens, COUNTER, SNMP, "ActiveOpens", NETNS, "ActiveOpens", NULL) \
	X(passive_opens, COUNTER, SNMP, "PassiveOpens", NETNS, "PassiveOpens", NULL) \
	X(attempt_fails, COUNTER, SNMP, "AttemptFails", NETNS, "AttemptFails", NULL) \
	X(estab_resets, COUNTER, SNMP, "EstabResets", NETNS, "EstabResets", NULL) \
	X(out_rsts, COUNTER, SNMP, "OutRsts", NETNS, "OutRsts", NULL) \
	X(curr_estab, GAUGE, SNMP, "CurrEstab", NETNS, "CurrEstab", NULL) \
	X(sockets_in_use, GAUGE, SOCKSTAT, "inuse", NETNS, "sockstat_inuse", NULL) /* of IPv4 */ \
	X(sockets6_in_use, GAUGE, SOCKSTAT6, "inuse", NETNS, "sockstat6_inuse", NULL) \
	X(tw_now, GAUGE, SOCKSTAT, "tw", NETNS, "sockstat_tw", NULL) /* minisocks */ \
	/* full sockets without a process */ \
	X(orphans_now, GAUGE, SOCKSTAT, "orphan", HOST, "sockstat_orphan", "orphans now, host (sockstat)") \
	X(sockets_allocated, GAUGE, SOCKSTAT, "alloc", HOST, "sockstat_alloc", NULL) \
	X(memory_pages, GAUGE, SOCKSTAT, "mem", HOST, "sockstat_mem_pages", NULL) \
	X(tw, COUNTER, NETSTAT, "TW", NETNS, "TW", NULL) \
	X(tw_recycled, COUNTER, NETSTAT, "TWRecycled", NETNS, "TWRecycled", NULL) \
	X(tw_killed, COUNTER, NETSTAT, "TWKilled", NETNS, "TWKilled", NULL) \
	X(time_wait_overflow, COUNTER, NETSTAT, "TCPTimeWaitOverflow", NETNS, "TCPTimeWaitOverflow", NULL) \
	X(paws_active, COUNTER, NETSTAT, "PAWSActive", NETNS, "PAWSActive", NULL) \
	X(paws_estab, COUNTER, NETSTAT, "PAWSEstab", NETNS, "PAWSEstab", NULL) \
	X(paws_timewait, COUNTER, NETSTAT, "PAWSTimewait", NETNS, "PAWSTimewait", NULL) \
	X(paws_old_ack, COUNTER, NETSTAT, "PAWSOldAck", NETNS, "PAWSOldAck", NULL) \
	X(listen_overflows, COUNTER, NETSTAT, "ListenOverflows", NETNS, "ListenOverflows", \
	  "ListenOverflows") \
	X(listen_drops, COUNTER, NETSTAT, "ListenDrops", NETNS, "ListenDrops", "ListenDrops") \
	X(syncookies_sent, COUNTER, NETSTAT, "SyncookiesSent", NETNS, "SyncookiesSent", "SyncookiesSent") \
	X(syncookies_recv, COUNTER, NETSTAT, "SyncookiesRecv", NETNS, "SyncookiesRecv", NULL) \
	X(syncookies_failed, COUNTER, NETSTAT, "SyncookiesFailed", NETNS, "SyncookiesFailed", NULL) \
	X(embryonic_rsts, COUNTER, NETSTAT, "EmbryonicRsts", NETNS, "EmbryonicRsts", NULL) \
	X(req_q_full_do_cookies, COUNTER, NETSTAT, "TCPReqQFullDoCookies", NETNS, "TCPReqQFullDoCookies", \
	  NULL) \
	X(req_q_full_drop, COUNTER, NETSTAT, "TCPReqQFullDrop", NETNS, "TCPReqQFullDrop", \
	  "TCPReqQFullDrop") \
	X(abort_on_data, COUNTER, NETSTAT, "TCPAbortOnData", NETNS, "TCPAbortOnData", "TCPAbortOnData") \
	X(abort_on_close, COUNTER, NETSTAT, "TCPAbortOnClose", NETNS, "TCPAbortOnClose", NULL) \
	X(abort_on_timeout, COUNTER, NETSTAT, "TCPAbortOnTimeout", NETNS, "TCPAbortOnTimeout", \
	  "TCPAbortOnTimeout") \
	X(abort_on_memory, COUNTER, NETSTAT, "TCPAbortOnMemory", NETNS, "TCPAbortOnMemory", \
	  "TCPAbortOnMemory") \
	X(abort_on_linger, COUNTER, NETSTAT, "TCPAbortOnLinger", NETNS, "TCPAbortOnLinger", NULL) \
	X(abort_failed, COUNTER, NETSTAT, "TCPAbortFailed", NETNS, "TCPAbortFailed", NULL) \
	X(syn_retrans, COUNTER, NETSTAT, "TCPSynRetrans", NETNS, "TCPSynRetrans", NULL) \
	X(timeouts, COUNTER, NETSTAT, "TCPTimeouts", NETNS, "TCPTimeouts", NULL) \
	X(keep_alives, COUNTER, NETSTAT, "TCPKeepAlive", NETNS, "TCPKeepAlive", NULL) \
	X(acks_skipped_fin_wait_2, COUNTER, NETSTAT, "TCPACKSkippedFinWait2", NETNS, \
	  "TCPACKSkippedFinWait2", NULL) \
	X(acks_skipped_time_wait, COUNTER, NETSTAT, "TCPACKSkippedTimeWait", NETNS, \
	  "TCPACKSkippedTimeWait", NULL) \
	X(backlog_drops, COUNTER, NETSTAT, "TCPBacklogDrop", NETNS, "TCPBacklogDrop", NULL)

#define FW_VALUE_FIELD(field, ...) int64_t field;
struct fw_sysctls {
	FW_SYSCTLS(FW_VALUE_FIELD)
};
struct fw_kernel_counters {
	FW_KERNEL_COUNTERS(FW_VALUE_FIELD)
};
#undef FW_VALUE_FIELD

struct fw_netns_values {
	uint32_t netns;
	uint64_t read_from_ns, read_ns; /* they were read between these moments; CLOCK_MONOTONIC */
	struct fw_sysctls sysctls;
	struct fw_kernel_counters counters;
};

enum fw_value_kind { FW_VALUE_SETTING, FW_VALUE_COUNTER, FW_VALUE_GAUGE };
enum fw_value_file {
	FW_FILE_SYSCTL, FW_FILE_SNMP, FW_FILE_NETSTAT, FW_FILE_SOCKSTAT, FW_FILE_SOCKSTAT6,
};
enum fw_value_scope { FW_SCOPE_NETNS, FW_SCOPE_HOST };

/* .place of a setting that is a list of ports. */
#define FW_PLACE_PORTS 255

/* A line of the lists. */
struct fw_value {
	const char *name, *label;
	const char *key; /* path or word */
	uint16_t offset; /* in struct fw_netns_values */
	uint8_t kind, file, scope, place;
};

extern const struct fw_value fw_values[];
extern const size_t fw_nr_values;

static inline int64_t fw_value_get(const struct fw_netns_values *v, const struct fw_value *which)
{
	return *(const int64_t *)((const char *)v + which->offset);
}

/* A negative @value is not known. */
void fw_value_set(struct fw_netns_values *v, const struct fw_value *which, int64_t value);

/* The value that @file has as @word; NULL: none of ours. */
const struct fw_value *fw_value_of_word(enum fw_value_file file, const char *word);

/* All values unknown. */
void fw_netns_values_init(struct fw_netns_values *v);

/* What is known, as lines "name value", and back. .netns is not in it. Other lines are ignored. */
void fw_netns_values_print(const struct fw_netns_values *v, struct fw_buf *b);
void fw_netns_values_parse(struct fw_netns_values *v, const char *text, size_t len);

/* The counters of @v become what they grew by since @before, of the same namespace. */
void fw_netns_values_since(struct fw_netns_values *v, const struct fw_netns_values *before);

#endif
