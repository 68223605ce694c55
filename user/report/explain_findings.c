// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the report can find, in the order of the questions people come with. The meaning and the
 * advice stand in the report itself; the text is for whoever asks on.
 */
#include "report/explain.h"

const struct fw_explanation fw_explained_findings[] = {
	{
		.topic = "close-wait-leak",
		.title = "an application does not close what its peers have closed",
		.meaning =
"The peers have closed, and the kernel waits without limit for this application to call close(): "
"the sockets pile up until it runs out of file descriptors.",
		.advice =
"Find the path in the application that forgets close() (an error branch, a pool that keeps dead "
"connections, a worker that hangs); a restart only buys time.",
		.text =
"How\tnever closed: it read the end and dropped the descriptor without close(). never read: it is "
"stuck or waits for something else. never accepted: the accept loop has stopped. shared: a child "
"process inherited the descriptor and holds it open (set O_CLOEXEC).\n"
"Check\tss -tnp state close-wait; ls /proc/PID/fd | wc -l against the limit in /proc/PID/limits. "
"The growth in the report says when it is reached.\n"
"Not\tNo sysctl ends CLOSE_WAIT. Keepalive and ss -K can end the connection, but the descriptor "
"stays open until close(): the leak goes on, and nobody sees it any more.\n"
	},
	{
		.topic = "fin-wait-2-peer-stall",
		.title = "a peer does not close after we have",
		.meaning =
"The peer has acknowledged our FIN but its application does not close, so the connections stay in "
"FIN_WAIT_2: at the peer they are in CLOSE_WAIT.",
		.advice =
"Look for a CLOSE_WAIT leak in the peer's application; here, close() rather than shutdown() what "
"nobody reads any more, so that tcp_fin_timeout applies.",
		.text =
"How\torphaned: we called close(), the kernel gives up after tcp_fin_timeout (60 s). half-closed: "
"we called shutdown() and kept the descriptor: no limit, and ours to end.\n"
"Check\tAt the peer: ss -tnp state close-wait. Here: ss -tnp state fin-wait-2.\n"
"Help\tA smaller tcp_fin_timeout, or TCP_LINGER2 for one socket, shortens the orphans. It does "
"not change TIME_WAIT. What the peer sends after that is answered by RST.\n"
	},
	{
		.topic = "time-wait-port-exhaustion",
		.title = "connections to one destination use up the local ports",
		.meaning =
"Each connection that we close first blocks its local port towards that destination for 60 s of "
"TIME_WAIT; when no port is left connect() fails with EADDRNOTAVAIL.",
		.advice =
"Keep connections open and reuse them (keepalive, a pool); until then widen ip_local_port_range "
"or allow tcp_tw_reuse=1 on this client.",
		.text =
"How\tPorts in use = connections a second x seconds that each blocks its port. With 28,232 ports "
"(the default range) and 61 s that is about 460 connections a second to one address and port.\n"
"Check\tss -Htn state time-wait dst ADDRESS | wc -l; sysctl net.ipv4.ip_local_port_range. For "
"nginx: proxy_http_version 1.1, an empty Connection header, and keepalive in the upstream block.\n"
"Help\tMore destination or source addresses each bring a range of their own. bind() before "
"connect() makes it worse, unless IP_BIND_ADDRESS_NO_PORT is set. tcp_tw_reuse works from one "
"second on and needs timestamps on both sides.\n"
"Not\ttcp_fin_timeout does not shorten TIME_WAIT. tcp_tw_recycle is gone since Linux 4.12.\n"
	},
	{
		.topic = "time-wait-table-full",
		.title = "the kernel's limit of TIME_WAIT sockets is reached",
		.meaning =
"tcp_max_tw_buckets is used up: connections end without TIME_WAIT, so late segments can reach a "
"new connection, and a lost last ACK ends in an RST.",
		.advice =
"Raise net.ipv4.tcp_max_tw_buckets (256 bytes each) and make fewer short connections.",
		.text =
"How\tThe limit is per network namespace. An orphan's FIN_WAIT_2 needs a place in the same table: "
"it is skipped too, and nothing is sent.\n"
"Check\tnstat -az TcpExtTCPTimeWaitOverflow counts them, the kernel log says \"time wait bucket "
"table overflow\"; sysctl net.ipv4.tcp_max_tw_buckets; ss -s for how many there are.\n"
"Not\tLowering the limit to get rid of TIME_WAIT takes its protection away; it frees a little "
"memory and no descriptor.\n"
	},
	{
		.topic = "time-wait-reset",
		.title = "resets from peers cut TIME_WAIT short",
		.meaning =
"The peer answered with RST while we were in TIME_WAIT, and with tcp_rfc1337=0 that ends it at "
"once, before late segments have died out.",
		.advice =
"Find out why the peer resets after a proper close (unread data, SO_LINGER 0, a firewall, a NAT "
"that reuses ports); tcp_rfc1337=1 makes TIME_WAIT ignore it.",
		.text =
"How\tAs a rule the peer's socket was gone when our last ACK came. A client whose new SYN looks "
"old to us is another: it gets an ACK, answers with RST, and gets in with its next SYN; with "
"tcp_rfc1337=1 it would not: see time-wait-behind-nat.\n"
"Check\ttcpdump 'tcp[tcpflags] & tcp-rst != 0' and that peer. finwait timeline --state "
"time_wait.\n"
"Harm\tMostly none: it frees the port early. The danger, old data in a new connection between the "
"same ports, is RFC 1337's and needs a busy pair of hosts.\n"
	},
	{
		.topic = "time-wait-behind-nat",
		.title = "SYNs meet our TIME_WAIT, look old and come again",
		.meaning =
"Clients come back with ports that are still in TIME_WAIT here, and their SYN looks old, as it does when "
"several hosts share one address, so they get in with the next SYN, a second later.",
		.advice =
"Let the clients close first or keep connections open, and give the NAT more addresses or a "
"longer pause before it reuses a port.",
		.text =
"How\tA SYN for a pair in TIME_WAIT opens a new connection at once if its timestamp is newer or, without "
"timestamps, its sequence number: that is harmless, and does not count. Behind a NAT they come from hosts "
"with unrelated clocks, so about half look old. Those get an ACK; the client answers with RST, which ends TIME_WAIT, and "
"its next SYN after 1 s gets through. With tcp_rfc1337=1 the RST is ignored and it does not.\n"
"Check\tnstat -az TcpExtPAWSTimewait (older kernels: TcpExtPAWSEstab) and resets in TIME_WAIT. "
"Connect times at the clients of just over 1 s.\n"
"Not\ttcp_tw_reuse is for outgoing connections only and does not help a server.\n"
	},
	{
		.topic = "short-connections",
		.title = "a program opens a connection for every request",
		.meaning =
"Each connection carries a few exchanges at most, so a handshake, a close and 60 s of TIME_WAIT come with "
"every request, which costs latency and, at higher rates, ports.",
		.advice =
"Let it keep connections open and reuse them: HTTP keepalive on both sides, upstream keepalive in "
"a proxy, a pool for a database that keeps as many idle connections as requests run at a time.",
		.text =
"How\tOften a pool that keeps too few idle connections per host (Go: MaxIdleConnsPerHost is 2), a proxy "
"that speaks HTTP/1.0 to its upstream, a client library without a session object, or a server that "
"answers Connection: close.\n"
"Check\tfinwait timeline: ESTABLISHED for milliseconds, again and again, the same process and "
"destination. The side with the TIME_WAIT closes first, and is the one to configure.\n"
"Harm\tOne round trip more for each request (two or three with TLS), and one port a minute for "
"each.\n"
	},
	{
		.topic = "server-closes-first",
		.title = "a server closes its connections before the clients do",
		.meaning =
"The server ends connections after a few exchanges, so their TIME_WAIT collects on its side, where it costs "
"memory and meets returning clients.",
		.advice =
"Let connections carry more (keep-alive, a longer idle timeout than that of the clients or of the load "
"balancer before it), or let the clients close.",
		.text =
"How\tConnection: close, HTTP/1.0, keepalive switched off or limited to a few requests, an idle "
"timeout shorter than the client's, or a protocol in which the server ends the exchange.\n"
"Check\tss -tn state time-wait sport = :PORT. finwait report, who closed first.\n"
"Harm\tOn the server no ports are used up: all have the same one. But a client that comes back "
"with the same port can be refused for a second (time-wait-behind-nat), and a server that "
"restarts without SO_REUSEADDR cannot bind (bind-in-use).\n"
	},
	{
		.topic = "simultaneous-close",
		.title = "both sides closed at the same moment (CLOSING)",
		.meaning =
"The two FINs crossed on the wire; the protocol has a path for that, and it leaves TIME_WAIT on "
"both sides.",
		.advice =
"Nothing is broken; if it happens often, give the two sides different timeouts or let one of them "
"close first by agreement.",
		.text =
"How\tBoth react to the same event: equal idle timeouts, a shutdown command sent to both, a "
"protocol in which both hang up after the last message. With both ends on this host two processes "
"that are stopped together are enough.\n"
"Check\tfinwait trace --state closing: who, with whom, how long. Longer than a round trip is "
"loss.\n"
"Harm\tA request that was sent just before such a close is lost, and the client has to repeat "
"it.\n"
	},
	{
		.topic = "last-ack-stall",
		.title = "the ACK of our last FIN does not come",
		.meaning =
"The peer closed first and does not acknowledge our FIN, which is sent again and again, for minutes.",
		.advice =
"Look at the way to that peer: a firewall or NAT that forgets a connection after the first FIN, a "
"host that went away, or packet loss.",
		.text =
"How\tA peer that has forgotten the connection would answer with RST, which ends it at once. "
"Silence means that our FIN does not arrive, or that its answer does not.\n"
"Check\tss -tno state last-ack: the timer and the number of retransmissions. tcpdump on both "
"sides.\n"
"Linux\tIt is an orphan: tcp_orphan_retries (0 stands for 8) bounds it, and tcp_max_orphans all "
"of them together.\n"
	},
	{
		.topic = "fin-wait-1-stall",
		.title = "our FIN, or data before it, is not acknowledged",
		.meaning =
"We have closed, but the peer does not acknowledge: it is gone, the network loses the segments, "
"or it does not read and its window is shut.",
		.advice =
"See with ss -tno whether the timer says on (loss, or a dead peer) or persist (the peer's "
"application does not read), and look there.",
		.text =
"How\tThe FIN comes after all data. A peer that does not read holds the data in our send queue, "
"and with it the FIN.\n"
"Check\tss -tno state fin-wait-1: Send-Q 1 is the FIN alone, more is data too.\n"
"Linux\tOrphans are given up after tcp_orphan_retries (0 stands for 8), minutes; their memory "
"counts against tcp_mem and their number against tcp_max_orphans. A socket that is still open "
"(shutdown()) follows tcp_retries2, or TCP_USER_TIMEOUT.\n"
	},
	{
		.topic = "syn-stall",
		.title = "connections take a second or more to open",
		.meaning =
"The first SYN, or its answer, was lost or ignored: Linux sends it again after 1 s, so every such "
"connect() is late by a second, or by several.",
		.advice =
"Check the destination's accept queue (ss -ltn and nstat TcpExtListenDrops there) and the "
"firewalls on the way; a refused connection would have failed at once.",
		.text =
"How\tA full accept queue drops SYNs silently. So do firewalls, full connection tracking tables, "
"and hosts that are down. 1 s, 3 s and 7 s are one, two and three lost SYNs; newer kernels begin "
"with several tries one second apart.\n"
"Check\tss -tno state syn-sent; nstat -az TcpExtTCPSynRetrans here; at the destination nstat -az "
"TcpExtListenOverflows TcpExtListenDrops.\n"
"Help\tA longer backlog (listen() and net.core.somaxconn) only helps if accept() keeps up on "
"average.\n"
	},
	{
		.topic = "half-open-flood",
		.title = "many handshakes are begun and not completed",
		.meaning =
"Peers send SYNs and do not answer our SYN-ACK, not even with an RST: a flood with false addresses, or a "
"network that loses our answers or theirs.",
		.advice =
"Keep tcp_syncookies=1, and look where they come from (the table): many addresses with one connection each "
"are a flood, one network is more likely a routing or filter error.",
		.text =
"How\tEach is a request socket, which lives for about a minute while the SYN+ACK is repeated "
"(tcp_synack_retries=5). The queue of each listener is limited; when it is full SYN cookies "
"answer without any memory, or SYNs are dropped.\n"
"Check\tss -tn state syn-recv; nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDrop "
"TcpExtTCPReqQFullDoCookies.\n"
"Not\tA handshake that the client ends with an RST is a health check (HAProxy's default) or a client that "
"gave up, and does not count. One that was answered, and waits for room in the accept queue, neither.\n"
"Sure\tWith SYN cookies there is no object in the kernel: finwait then sees the completed "
"connections only, and the counters say more than its list.\n"
	},
	{
		.topic = "bind-in-use",
		.title = "bind() failed: the address is in use, often by TIME_WAIT",
		.meaning =
"A server could not take its port (EADDRINUSE) although nothing listens on it: connections that it "
"closed before its restart still hold it.",
		.advice =
"Set SO_REUSEADDR before bind(): in the server that starts, and also in the one that runs before "
"it, because TIME_WAIT remembers how its socket was set.",
		.text =
"How\tWithout SO_REUSEADDR every TIME_WAIT with that local port is in the way, for up to 60 s "
"after the last one began. Only the side that closes first has TIME_WAIT: see "
"server-closes-first.\n"
"Check\tss -tan sport = :PORT. A line in LISTEN is another program that has the port: "
"SO_REUSEADDR does not help against that, and should not.\n"
"Not\ttcp_tw_reuse is for connect(). SO_REUSEPORT is for several servers on one port; it is not "
"needed here. Killing TIME_WAIT with ss -K is for emergencies.\n"
	},
	{
		.topic = "events-lost",
		.title = "finwait did not see everything",
		.meaning =
"Events came faster than finwait could take them, or a table was full: counts are too low, and "
"some connections have gaps in their path.",
		.advice =
"Give it a larger --ring-size or --max-connections, filter for what matters (-L, -D, --remote), "
"or write to a file instead of a terminal.",
		.text =
"How\tThe kernel writes into a ring of fixed size and never waits for finwait. When the ring is "
"full the event is counted and dropped. A connection with a gap is marked; its durations are then "
"lower bounds (>=) or unknown.\n"
"Check\tfinwait doctor says which hooks work. Where the kernel's own counters are in the report, "
"the difference is how much was missed.\n"
"Sure\tWhat was seen is right. What is missing was lost when it was busiest, so rates and peaks "
"are the most wrong. --strict makes the exit status 3 when anything was lost.\n"
	},
	{ 0 },
};
