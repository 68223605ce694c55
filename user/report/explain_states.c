// SPDX-License-Identifier: GPL-2.0-only
/*
 * The eleven states, in the order of a life. What Linux does was measured: docs/linux-tcp-states.md
 * has the cases. Limits are the defaults of current kernels.
 */
#include "report/explain.h"

const struct fw_explanation fw_explained_states[] = {
	{
		.topic = "CLOSE",
		.title = "there is no connection",
		.text =
"What\tNothing is remembered about the connection: it does not exist yet, or not any more.\n"
"Normal\tAs long as nobody connects. A socket that was made and never connected is in it too.\n"
"Linux\tThe kernel's own tracepoint reports a change to CLOSE when the full socket ends. That is "
"the end only sometimes: if the connection went on as a small time-wait socket (a minisock), "
"TIME_WAIT or an orphaned FIN_WAIT_2 has only begun. finwait says CLOSE when all of it is over, "
"and how it ended: by the protocol, reset, timeout, or because connect() failed.\n"
"Look\tfinwait timeline: the last column is how each connection ended.\n"
	},
	{
		.topic = "LISTEN",
		.title = "a server waits for connections",
		.text =
"What\tThe application has called listen() on a local port. It is no connection: each one that "
"arrives gets an object of its own.\n"
"Normal\tAs long as the server runs.\n"
"Linux\tThere are two queues. Half-open connections (SYN_RECV) are request sockets of the "
"listener. Completed ones wait for accept(); there may be as many as listen() asked for, but no "
"more than net.core.somaxconn. When that queue is full, the kernel drops SYNs, and ignores the "
"ACK that would complete a handshake (tcp_abort_on_overflow=0): clients see slow connects and "
"silence, not errors.\n"
"Look\tss -ltn: Recv-Q is how many wait for accept(), Send-Q how many may. nstat -az "
"TcpExtListenOverflows TcpExtListenDrops: have any been turned away?\n"
	},
	{
		.topic = "SYN_SENT",
		.title = "we want a connection and wait for the answer",
		.text =
"What\tconnect() has sent a SYN. The next thing should be the peer's SYN+ACK.\n"
"Normal\tOne round trip.\n"
"Linux\tWithout an answer the SYN is sent again after 1 s, and later ever more rarely; after "
"tcp_syn_retries (6) it gives up, with ETIMEDOUT after a good two minutes. An RST or ICMP port "
"unreachable ends it at once with ECONNREFUSED. connect() enters SYN_SENT before it has a local "
"port: if none is left it is over within microseconds, with EADDRNOTAVAIL.\n"
"Look\tAbout 1 s means that one SYN or its answer was lost: a full accept queue, a firewall that "
"drops, a NAT that reuses ports too early. ss -tnp state syn-sent shows who is waiting for whom.\n"
	},
	{
		.topic = "SYN_RECV",
		.title = "half open: we have answered a SYN and wait for the ACK",
		.text =
"What\tRFC 9293 calls it SYN-RECEIVED. Our SYN+ACK is on its way; the peer's ACK completes the "
"handshake.\n"
"Normal\tOne round trip.\n"
"Linux\tOn a server it is a request socket: small, without process or file descriptor, and not "
"seen by the tracepoint, which shows SYN_RECV for an instant when the handshake is complete. The "
"SYN+ACK is repeated tcp_synack_retries (5) times, so that a peer that never answers is forgotten "
"after about a minute. When too many are half open, SYN cookies take over and there is no object "
"at all. Fast Open and simultaneous open have a full socket in SYN_RECV.\n"
"Look\tss -tn state syn-recv; nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDrop "
"TcpExtListenDrops. Many peers that never complete: a scan or a flood, or answers that get lost.\n"
	},
	{
		.topic = "ESTABLISHED",
		.title = "both sides can send",
		.text =
"What\tThe handshake is complete and nobody has closed.\n"
"Normal\tAs long as the applications want.\n"
"Linux\tAn idle connection has no limit, not even when the peer is long gone: only keepalive "
"finds out, and only if the application asked for it (SO_KEEPALIVE: first probe after "
"tcp_keepalive_time, 2 hours). Data that is never acknowledged is sent again until tcp_retries2 "
"(15) is used up: a quarter of an hour or more, then ETIMEDOUT. TCP_USER_TIMEOUT sets a limit of "
"one's own. A connection that the kernel has completed is ESTABLISHED even before anybody called "
"accept().\n"
"Look\tss -tnoi: timers, retransmissions, unacknowledged data. One without a process is waiting "
"for accept().\n"
	},
	{
		.topic = "FIN_WAIT_1",
		.title = "we closed first and wait for the ACK of our FIN",
		.text =
"What\tThe application has called close() or shutdown(). Our FIN is on its way, or still queued "
"behind data that the peer has not taken.\n"
"Normal\tOne round trip.\n"
"Linux\tAfter close() the connection is an orphan: no process owns it any more. It is given up "
"after tcp_orphan_retries (0 stands for 8) retransmissions, some minutes, or sooner when there "
"are too many orphans (tcp_max_orphans). After shutdown() with the descriptor still open "
"tcp_retries2 applies, which is longer. A peer that has closed its receive window keeps it here "
"as well: the FIN cannot be sent before the data.\n"
"Look\tss -tno state fin-wait-1: Send-Q is what is not acknowledged, the FIN counts as 1; the "
"timer says whether it is sent again (on) or the window is shut (persist).\n"
	},
	{
		.topic = "FIN_WAIT_2",
		.title = "we have closed, the peer has not",
		.text =
"What\tThe peer has acknowledged our FIN. Now its application has to close too.\n"
"Normal\tAs long as the peer's application takes to notice: milliseconds.\n"
"Linux\tThere are two kinds. Half-closed (shutdown(), the descriptor is open): a full socket, "
"data can still arrive, no time limit. Orphaned (close()): it moves to a minisock at once, which "
"the tracepoint does not see, and is dropped after tcp_fin_timeout (60 s, never below 3.5 times "
"the retransmission timeout) or what TCP_LINGER2 says. Data that reaches an orphan is answered "
"with an RST and ends it without TIME_WAIT. FIN and ACK in one segment skip this state.\n"
"Look\tss -tnp state fin-wait-2: with a process it is half-closed and ours to end; without, the "
"peer is the one that does not close. Over there it is CLOSE_WAIT.\n"
	},
	{
		.topic = "CLOSING",
		.title = "both sides closed at the same time",
		.text =
"What\tOur FIN and the peer's crossed on the wire. We have acknowledged theirs, and wait for the "
"ACK of ours; then comes TIME_WAIT, on both sides.\n"
"Normal\tLess than one round trip. It is rare: both applications must close within that time.\n"
"Linux\tIt stays in the full socket, with or without a descriptor. If the ACK never comes, it is "
"given up like FIN_WAIT_1.\n"
"Look\tfinwait trace --state closing. Two programs that close on the same event (a timeout of "
"equal length, the end of a protocol exchange) do it again and again. One that lasts is packet "
"loss.\n"
	},
	{
		.topic = "TIME_WAIT",
		.title = "we closed first; it is over, and remembered for a while",
		.text =
"What\tBoth FINs are acknowledged. The pair of addresses and ports is kept, to answer the peer's "
"FIN if our last ACK was lost, and so that late segments cannot enter a new connection.\n"
"Normal\tTwice the maximum segment lifetime (2MSL). In Linux 60 s, fixed when the kernel was "
"built; the timer wheel makes 60-62 s of it (HZ=250) or 60-64 s (HZ=1000).\n"
"Linux\tA minisock of 256 bytes; no process. It ends early by RST (tcp_rfc1337=0), by a newer "
"SYN, by connect() from here (tcp_tw_reuse; by default only on loopback), by ss -K. A repeated "
"FIN or a bare ACK starts the 60 s anew. It never begins when tcp_max_tw_buckets is reached. "
"tcp_fin_timeout has no influence on it.\n"
"Look\tIt costs a client ports, one for each connection to the same destination; on a server it "
"costs nearly nothing. ss -tn state time-wait; finwait report says how long it really takes.\n"
	},
	{
		.topic = "CLOSE_WAIT",
		.title = "the peer has closed; our application has not",
		.text =
"What\tThe peer's FIN has come and was acknowledged. Everything now waits for the local "
"application to call close().\n"
"Normal\tUntil the application has read to the end: milliseconds.\n"
"Linux\tThere is no limit at all: the kernel cannot know whether the application still has "
"something to send. Only close(), the end of the process, or an RST ends it. No sysctl helps.\n"
"Look\tss -tnp state close-wait. Recv-Q 0: the application has read the end and forgot close(). "
"1: it has not even read the end. More: it does not read at all. No process: it never called "
"accept(). Several processes: a child inherited the descriptor. finwait report tells these "
"apart.\n"
	},
	{
		.topic = "LAST_ACK",
		.title = "both have closed, the peer first; our FIN waits for its ACK",
		.text =
"What\tThe application closed after the peer had. With the ACK of our FIN the connection is gone, "
"without TIME_WAIT: that is with the peer.\n"
"Normal\tOne round trip.\n"
"Linux\tA full socket, as a rule an orphan without a process. If the ACK never comes the FIN is "
"repeated tcp_orphan_retries times (0 stands for 8): some minutes. A peer that has forgotten the "
"connection answers with RST, which ends it at once.\n"
"Look\tss -tno state last-ack: the timer shows the retransmissions. Many to one peer: it "
"vanished, or a firewall or NAT has dropped its entry and lets nothing through any more.\n"
	},
	{ 0 },
};
