// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terms that are neither a state nor a finding, and that people look for.
 */
#include "report/explain.h"

const struct fw_explanation fw_explained_terms[] = {
	{
		.topic = "2MSL",
		.title = "twice the maximum segment lifetime: how long TIME_WAIT lasts",
		.text =
"What\tRFC 9293 lets a segment live for two minutes (MSL) and keeps TIME_WAIT for twice that. Linux "
"has one constant for both, TCP_TIMEWAIT_LEN, 60 s, fixed when the kernel was built.\n"
"Really\t60 to 62 s (HZ=250) or 60 to 64 s (HZ=1000): the timer wheel rounds up. A repeated FIN, or "
"an ACK without data, starts it again; an RST or a new SYN can end it early.\n"
"Look\tfinwait report has the measured durations, and what ended them.\n"
"Not\ttcp_fin_timeout is the time of an orphan in FIN_WAIT_2. It happens to be 60 s too, and does "
"not change TIME_WAIT.\n"
	},
	{
		.topic = "accept-queue",
		.title = "completed connections that wait for accept()",
		.text =
"What\tEach listener has a queue of connections whose handshake is complete. accept() takes the "
"oldest. Its limit is the backlog of listen(), but not more than net.core.somaxconn (4096).\n"
"Full\tThe kernel drops the SYN, or the ACK that would complete the handshake, and sends nothing: "
"clients try again after 1 s and see slow connects or timeouts, not errors. "
"tcp_abort_on_overflow=1 sends an RST instead.\n"
"Why\tThe process is busy, stuck, out of descriptors (accept() fails with EMFILE), or accepts more "
"slowly than connections come. A longer queue helps against bursts only.\n"
"Look\tss -ltn: Recv-Q is how many wait, Send-Q how many may. nstat -az TcpExtListenOverflows. "
"finwait report names the listener, its process and how long connections waited.\n"
	},
	{
		.topic = "EADDRNOTAVAIL",
		.title = "connect() or bind(): cannot assign requested address",
		.text =
"connect\tNo local port is free for that destination: all of ip_local_port_range are in use or in "
"TIME_WAIT. finwait explain time-wait-port-exhaustion. Also: the source address that bind() gave it "
"is not one of this host, or there is no IPv6 here.\n"
"bind\tThe address is not one of this network namespace: a typing error, a container that has its "
"own addresses, an interface that is not up yet. net.ipv4.ip_nonlocal_bind=1 allows it.\n"
"Alike\tEADDRINUSE is bind() to a port that is taken. After bind() to a source address and port 0 it "
"means that this address has no free port: IP_BIND_ADDRESS_NO_PORT leaves the choice to connect().\n"
"Look\tfinwait report names the process, the address and which of these it is; ip -br address.\n"
	},
	{
		.topic = "orphan",
		.title = "a connection that no process has open any more",
		.text =
"What\tAfter close() the kernel finishes the connection alone: it sends what is left and the FIN, "
"and waits for the answers. In ss such a socket has no process.\n"
"States\tFIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK. TIME_WAIT has no process either, but does not "
"count as an orphan.\n"
"Ends\tWithout an ACK after tcp_orphan_retries (0 stands for 8) retransmissions, minutes; in "
"FIN_WAIT_2 after tcp_fin_timeout (60 s). Above tcp_max_orphans, or when TCP is out of memory, at "
"once, with an RST.\n"
"Memory\tWhat was not sent stays in memory, which counts against tcp_mem.\n"
"Look\tss -tan -o state fin-wait-1; /proc/net/sockstat (orphan); finwait states.\n"
	},
	{ 0 },
};
