// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about connections that a process holds and does not use.
 */
#include "report/explain.h"

const struct fw_explanation fw_explained_held[] = {
	{
		.topic = "idle-pool",
		.title = "a pool holds idle connections that the server has closed",
		.meaning =
"The server closed these idle connections, and the client has not looked at them since: it notices "
"when it next takes one from its pool.",
		.advice =
"Nothing is urgent; give idle connections in the pool a shorter life than the server's idle timeout, "
"or let the pool test a connection before it uses one.",
		.text =
"How\tA few connections in CLOSE_WAIT, none added while finwait watched, nothing to read but the "
"end, in a process whose other connections work. Clients with blocking sockets look at a connection "
"only when they use it.\n"
"Names\twait_timeout (MySQL), idle_session_timeout (PostgreSQL), timeout (Redis), keepalive_timeout "
"(nginx); in the client maxLifetime, idleTimeout, keepaliveTime (HikariCP), IdleConnTimeout (Go).\n"
"Harm\tThe first request on such a connection fails if the client does not try again. Each keeps a "
"descriptor, and the server's end is in FIN_WAIT_2 for up to 60 s.\n"
"Not\tA leak has the same sockets but becomes more: close-wait-leak.\n"
	},
	{
		.topic = "connection-leak",
		.title = "a client opens connections and neither uses nor closes them",
		.meaning =
"Established connections of this process to one service only become more, and those it has are not "
"used again: it will run out of descriptors, and the server of places.",
		.advice =
"Find where the client gets a response or a connection and does not close it: the body of an HTTP "
"response, a result set, a connection that does not go back to its pool on an error.",
		.text =
"How\tNew connections came in both halves of the time watched, none of those before has gone, and "
"nothing was sent or received on them since. Unread data on them says that responses are not read "
"to their end: a Go client that forgets resp.Body.Close(), a Python client without a with block.\n"
"Check\tss -tnp dst ADDRESS: Recv-Q is what was not read. ls /proc/PID/fd | wc -l against the "
"limit in /proc/PID/limits.\n"
"Next\tWhen the server's idle timeout ends them they are in CLOSE_WAIT here (close-wait-leak), and "
"later dead (closed-socket-held). The descriptors stay.\n"
"Not\tA pool that fills up does so in one half, or stops at its size.\n"
	},
	{
		.topic = "closed-socket-held",
		.title = "descriptors of connections that are over are still open",
		.meaning =
"The connections have ended, by an RST or because keepalive found that the peer has gone, but the "
"process has not called close(): the descriptors stay, and no list of sockets shows them.",
		.advice =
"Find the code that does not close a connection after an error, or never looks at it again; the "
"descriptors listed are the ones it holds.",
		.text =
"How\tThe kernel takes a dead socket out of its tables, so ss and netstat show nothing. finwait "
"finds it through the process's descriptors: a TCP socket in state CLOSE that was connected.\n"
"Check\tls -l /proc/PID/fd: socket:[INODE] without a line in /proc/PID/net/tcp. lsof says "
"\"protocol: TCP\" or \"can't identify protocol\".\n"
"From\tAs a rule a connection-leak or close-wait-leak: keepalive (15 s in Go) asks the peer, which "
"has forgotten the connection and answers with RST.\n"
"Harm\tAt the limit accept(), connect() and open() fail with EMFILE (\"too many open files\").\n"
	},
	{
		.topic = "inherited-sockets",
		.title = "child processes hold connections that they do not use",
		.meaning =
"Processes hold these connections that did not accept or open them, or several do: they end only when "
"the last of these processes closes its copy, and the peers have closed and wait.",
		.advice =
"Open sockets with close-on-exec (SOCK_CLOEXEC, accept4(), O_CLOEXEC) in the parent, and after "
"fork() close in each process what it does not use.",
		.text =
"How\tfork() copies all descriptors, and exec() keeps those without close-on-exec. A child that "
"runs another program (a shell, a helper, sleep) holds the sockets of its parent for as long as it "
"runs. A listening socket that was inherited keeps the port: bind-in-use.\n"
"But\tA server that hands its connections to another program on purpose (inetd) has nothing to "
"close: then see why that program does not.\n"
"Check\tls -l /proc/CHILD/fd; the flags in /proc/PID/fdinfo/FD (02000000 is close-on-exec).\n"
"Help\tPython's subprocess closes them (close_fds=True), os.spawn* and fork() do not. Node, Go and "
"Java set close-on-exec themselves; in C it is yours to set.\n"
	},
	{ 0 },
};
