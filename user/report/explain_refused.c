// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explanations of findings about connections that are refused, dropped or cut off.
 */
#include "report/explain.h"

const struct fw_explanation fw_explained_refused[] = {
	{
		.topic = "accept-queue-full",
		.title = "a server does not accept its connections fast enough",
		.meaning =
"More connections are established than the listener's backlog allows to wait for accept(), so the "
"kernel drops SYNs without an answer, and clients wait for a second or more.",
		.advice =
"Let the server accept faster (workers, threads, no slow work between two accept() calls); a larger "
"backlog only bridges bursts.",
		.text =
"How\tThe limit is the smaller one of listen()'s backlog and net.core.somaxconn; the queue is full when it "
"holds one more. Why it fills: the thread that accepts is stuck or busy, the process has no descriptor "
"left (accept() fails with EMFILE), or more comes in than is accepted.\n"
"Check\tss -ltn: Recv-Q is the queue, Send-Q its limit. nstat -az TcpExtListenOverflows TcpExtListenDrops. "
"The counts here are of the listening socket itself, from two looks at it.\n"
"Help\tRaise backlog and somaxconn together if only bursts overflow. tcp_abort_on_overflow=1 answers with "
"RST instead of silence, which clients notice at once.\n"
"Not\tIt is no SYN flood, and tcp_max_syn_backlog has nothing to do with it.\n"
	},
	{
		.topic = "stale-connection-reuse",
		.title = "a client uses connections that the server has closed",
		.meaning =
"The server closes connections that are idle for its keep-alive timeout while the client still keeps them "
"for its next request, which is answered with an RST and fails.",
		.advice =
"Make the server's idle timeout longer than that of the client or of the load balancer before it, or let "
"the client drop idle connections sooner and repeat requests.",
		.text =
"How\tThe client's pool looks at a connection only when it needs one, or its request crosses the server's "
"FIN on the way. \"Connection reset by peer\", \"socket hang up\" and 502 of a proxy are the usual signs.\n"
"Check\tThe time that connections were idle is the server's timeout: nginx keepalive_timeout, Node "
"server.keepAliveTimeout (5 s), gunicorn keepalive (2 s), Tomcat keepAliveTimeout.\n"
"Help\tThe one that sends requests should be the one that gives up first: a margin of some seconds is "
"enough. A pool that checks before use only narrows the gap.\n"
"Sure\tOnly what was proved counts: data that came after close(), or an RST after the server's FIN and "
"data of the client.\n"
	},
	{
		.topic = "bind-port-exhaustion",
		.title = "no local port is left for a source address",
		.meaning =
"A client binds its source address with port 0 before connect(), so the kernel needs a port that no "
"connection of that address has, whatever its destination, and none is left.",
		.advice =
"Set IP_BIND_ADDRESS_NO_PORT before bind(), or do not bind where the routing table chooses the same "
"address; until then widen ip_local_port_range or add source addresses.",
		.text =
"How\tWithout bind(), connect() chooses the port, and connections to different destinations share it: each "
"destination has the whole range. bind() with port 0 does not know the destination yet, so all of them "
"share one range. TIME_WAIT counts too.\n"
"Check\tss -Htan src ADDRESS | wc -l against sysctl net.ipv4.ip_local_port_range.\n"
"Help\tEnvoy, HAProxy (source), nginx (proxy_bind) and curl --interface set IP_BIND_ADDRESS_NO_PORT in "
"newer versions. SO_REUSEADDR before bind() shares ports as well, but connect() can then fail.\n"
	},
	{
		.topic = "address-not-local",
		.title = "EADDRNOTAVAIL that has nothing to do with ports",
		.meaning =
"A program binds to an address that its network namespace does not have, or connects where it has no "
"address to start from, and the kernel answers \"Cannot assign requested address\".",
		.advice =
"Compare the address that the program is set to with those of its network namespace (ip addr there), or "
"set net.ipv4.ip_nonlocal_bind for an address that comes later (keepalived).",
		.text =
"How\tbind(): a wrong address in a configuration, a virtual IP that is on the other node, a host's address "
"in a container. connect(): IPv6 is switched off or has no address, and localhost is ::1 first.\n"
"Check\tip addr and ip -6 addr in the namespace of the process (nsenter -n -t PID); sysctl "
"net.ipv6.conf.all.disable_ipv6; getent ahosts localhost.\n"
"Not\tMore ports do not help: see time-wait-port-exhaustion for that.\n"
	},
	{
		.topic = "connect-failures",
		.title = "connect() of a program fails",
		.meaning =
"A program tries to connect and fails, again and again: the table has the error, how long each attempt "
"waited, and how many there were in all.",
		.advice =
"Look at the destination first: refused means that nothing listens there, no answer means a firewall, a "
"host that is down or a full accept queue.",
		.text =
"How\trefused: an RST came back. timed out: no answer to any SYN (tcp_syn_retries=6 takes 127 s). "
"unreachable: an ICMP error came back. given up: the application closed before an answer. no route and "
"forbidden: the kernel of this host said no before it sent anything.\n"
"Check\tAt the destination ss -ltn and nstat TcpExtListenDrops; on the way the firewalls; here ip route "
"get ADDRESS.\n"
"Left out\tA program that gets through at the next address of a name (::1, then 127.0.0.1), and a server "
"that was away for the moment of its restart.\n"
	},
	{
		.topic = "orphans-hold-memory",
		.title = "closed connections keep data for peers that do not read",
		.meaning =
"The application has closed, but the peer does not read, so the kernel keeps the unsent data of each "
"connection in memory until it gives up, minutes later.",
		.advice =
"See why the peer does not read; bound it with TCP_USER_TIMEOUT or a smaller tcp_orphan_retries, and send "
"less to one that falls behind.",
		.text =
"How\tAn orphan has no process: ss -tnp shows FIN_WAIT_1, LAST_ACK or CLOSING without users. Its send "
"queue counts against tcp_mem. Beyond tcp_max_orphans, or out of memory, the kernel resets orphans.\n"
"Check\tss -tnoe state fin-wait-1: Send-Q, and the timer (persist: the window is shut). cat "
"/proc/net/sockstat: orphan, mem (pages).\n"
"Linux\tWith a shut window an orphan is given up after tcp_orphan_retries probes (0 stands for 8).\n"
	},
	{ 0 },
};
