#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live test of finwait report's "What the kernel says": for each way in which a connection can begin or
end, finwait's counts are exactly the kernel's own, and a difference is given a reason only if that reason
fits its sign.

    sudo tests/live/kernel_counters.py [NAME...]     only the cases whose names contain one of these words

Environment as for real.py. One case a line, then "N passed, N failed". Each way is done a different
number of times, so that a wrong counter cannot be hidden by another one.
"""

import contextlib
import errno
import json
import os
import socket
import struct
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from wire import ACK, RST, SYN, Peer, Wire  # noqa: E402 (after the path)
from real import Results
from real_host import Netns, check, close_with_reset, run
from report import Report

MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_USER_TIMEOUT = 23, 30, 18
KERNEL = ("10.9.0.1", 80)
# As finwait names them: the group in /proc, and the kernel's names.
COMPARED = {
    "ActiveOpens": ("Tcp", "ActiveOpens"), "PassiveOpens": ("Tcp", "PassiveOpens"),
    "AttemptFails": ("Tcp", "AttemptFails"), "EstabResets": ("Tcp", "EstabResets"),
    "TW + TWKilled": ("TcpExt", "TW", "TWKilled"), "TWRecycled": ("TcpExt", "TWRecycled"),
    "TCPTimeWaitOverflow": ("TcpExt", "TCPTimeWaitOverflow"),
}


def kernel_counts(netns):
    return {name: sum(netns.counter(k, group) for k in keys) for name, (group, *keys) in COMPARED.items()}


def counted(output):
    """The table of counters: name to (kernel, finwait, why)."""
    report = json.loads(output)
    rows = report["sections"]["kernel"]["counters"]
    return {row["counter"]: (row["kernel"], row.get("finwait"), row.get("why")) for row in rows}


def observed(netns, act, *args):
    before = kernel_counts(netns)
    report = Report(netns, "-f", "json", *args)
    act()
    time.sleep(0.3)
    after = kernel_counts(netns)
    return counted(report.stop()), {name: after[name] - before[name] for name in COMPARED}


def same(act, expected, **sysctls):
    """@act(netns) makes the kernel count @expected, and finwait the same."""
    with Netns(**sysctls) as netns, contextlib.ExitStack() as stack:
        netns.stack = stack
        rows, kernel = observed(netns, lambda: act(netns))
        for name, count in kernel.items():
            check(count == expected.get(name, 0), f"the kernel counted {kernel}, not {expected}")
            if name not in rows:
                continue
            check(rows[name][0] == count, f"{name}: finwait read {rows[name][0]}, not {count}")
            check(rows[name][1] == count and not rows[name][2], f"{name}: {rows[name]}, not {count}")


def unanswered(netns):
    """A peer that nothing comes back from."""
    netns.stack.callback(Wire(netns).close)
    return ("10.9.0.2", 80)


def start_connect(netns, address, **options):
    sock = netns.socket()
    for option, value in options.items():
        sock.setsockopt(socket.IPPROTO_TCP, globals()[option], value)
    sock.setblocking(False)
    sock.connect_ex(address)
    return sock


# ---- connect() that fails


def close_in_syn_sent():
    def act(netns):
        peer = unanswered(netns)
        for _ in range(7):
            start_connect(netns, peer).close()

    same(act, {"ActiveOpens": 7})


def disconnect_in_syn_sent():
    def act(netns):
        peer = unanswered(netns)
        for _ in range(6):
            sock = start_connect(netns, peer)
            sock_disconnect(sock)
            sock.close()

    same(act, {"ActiveOpens": 6})


def sock_disconnect(sock):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    check(libc.connect(sock.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16) == 0, "connect(AF_UNSPEC)")


def refused():
    def act(netns):
        for _ in range(5):
            with netns.socket() as sock:
                check(sock.connect_ex(("127.0.0.1", 81)) == errno.ECONNREFUSED, "not refused")

    same(act, {"ActiveOpens": 5, "AttemptFails": 5})


def timed_out():
    def act(netns):
        peer = unanswered(netns)
        socks = [start_connect(netns, peer, TCP_USER_TIMEOUT=600) for _ in range(4)]
        time.sleep(2.5)
        for sock in socks:
            check(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ETIMEDOUT, "no timeout")
            sock.close()

    same(act, {"ActiveOpens": 4, "AttemptFails": 4}, tcp_syn_retries=1)


def killed_in_syn_sent():
    def act(netns):
        peer = unanswered(netns)
        socks = [start_connect(netns, peer) for _ in range(3)]
        netns.run("ss", "-K", "state", "syn-sent")
        for sock in socks:
            sock.close()

    same(act, {"ActiveOpens": 3, "AttemptFails": 3})


def no_route():
    """Neither an event nor a count: connect() fails before the transition."""
    def act(netns):
        with netns.socket() as sock:
            check(sock.connect_ex(("198.51.100.1", 80)) == errno.ENETUNREACH, "there is a route")

    same(act, {})


def no_port():
    def act(netns):
        held = []
        for _ in range(2):
            sock = start_connect(netns, unanswered_once(netns))
            held.append(sock)
        for _ in range(5):
            with netns.socket() as sock:
                error = sock.connect_ex(unanswered_once(netns))
                check(error == errno.EADDRNOTAVAIL, os.strerror(error))
        for sock in held:
            sock.close()

    same(act, {"ActiveOpens": 2}, ip_local_port_range="40000 40001")


def unanswered_once(netns):
    if not hasattr(netns, "peer"):
        netns.peer = unanswered(netns)
    return netns.peer


def fast_open_not_sent():
    """TCP_FASTOPEN_CONNECT with a cookie: connect() returns, and no SYN is sent before data is."""
    def act(netns):
        listener = fast_open_listener(netns)
        with_cookie(netns, listener)
        for _ in range(4):
            sock = netns.socket()
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            sock.connect(listener.getsockname())
            sock.close()

    same(act, {"ActiveOpens": 1, "PassiveOpens": 1, "EstabResets": 2}, tcp_fastopen=3)


def fast_open_listener(netns):
    sock = netns.socket()
    sock.bind(("127.0.0.1", 80))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    sock.listen(16)
    return sock


def with_cookie(netns, listener):
    """The first connection only asks for the cookie."""
    client = netns.socket()
    client.settimeout(None)  # else it does not block, and the first one has to wait
    client.sendto(b"x", MSG_FASTOPEN, listener.getsockname())
    server = listener.accept()[0]
    server.recv(1)
    reset_both(client, server)


def reset_both(client, server):
    """ESTABLISHED -> CLOSE at both ends."""
    close_with_reset(client)
    time.sleep(0.02)
    server.close()


def fast_open():
    """The child exists, and is counted, before the handshake is over."""
    def act(netns):
        listener = fast_open_listener(netns)
        with_cookie(netns, listener)
        for _ in range(3):
            with_cookie(netns, listener)

    same(act, {"ActiveOpens": 4, "PassiveOpens": 4, "EstabResets": 8}, tcp_fastopen=3)


# ---- The server's side of a handshake


def fast_open_reset():
    """The RST is counted when it is found to be one, and once more when it ends the child."""
    def act(netns):
        wire = Wire(netns)
        netns.stack.callback(wire.close)
        listener = netns.socket()
        listener.bind(KERNEL)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        listener.listen(16)
        for port in range(1000, 1003):
            peer = Peer(wire, ("10.9.0.2", port), KERNEL)
            peer.send(SYN, b"x")
            peer.receive(SYN | ACK)
            peer.send(RST)
            time.sleep(0.01)

    same(act, {"PassiveOpens": 3, "AttemptFails": 6}, tcp_fastopen=0x202)


def half_open_reset():
    def act(netns):
        wire = Wire(netns)
        netns.stack.callback(wire.close)
        with netns.listen(80, "10.9.0.1"):
            for port in range(1000, 1006):
                peer = Peer(wire, ("10.9.0.2", port), KERNEL)
                peer.send(SYN)
                peer.receive(SYN | ACK)
                peer.send(RST)
                time.sleep(0.01)

    same(act, {"AttemptFails": 6})


def half_open_dropped():
    """The listener is closed: not an attempt that failed, for the kernel."""
    def act(netns):
        wire = Wire(netns)
        netns.stack.callback(wire.close)
        with netns.listen(80, "10.9.0.1"):
            for port in range(1000, 1004):
                peer = Peer(wire, ("10.9.0.2", port), KERNEL)
                peer.send(SYN)
                peer.receive(SYN | ACK)

    same(act, {})


# ---- Ends of what was established


def pairs(netns, count, end):
    listener = netns.listen(80)
    for _ in range(count):
        end(*netns.pair(listener))


def reset():
    same(lambda netns: pairs(netns, 5, reset_both),
         {"ActiveOpens": 5, "PassiveOpens": 5, "EstabResets": 10})


def reset_in_close_wait():
    def end(client, server):
        client.close()
        time.sleep(0.01)
        close_with_reset(server)
        time.sleep(0.01)

    same(lambda netns: pairs(netns, 4, end),
         {"ActiveOpens": 4, "PassiveOpens": 4, "EstabResets": 4, "TW + TWKilled": 4})


def closed_with_unread_data():
    def end(client, server):
        client.sendall(b"x")
        time.sleep(0.01)
        server.close()
        time.sleep(0.01)
        client.close()

    same(lambda netns: pairs(netns, 3, end),
         {"ActiveOpens": 3, "PassiveOpens": 3, "EstabResets": 6})


def close_orderly(client, server):
    client.close()
    time.sleep(0.005)
    server.close()
    time.sleep(0.005)


def time_wait():
    same(lambda netns: pairs(netns, 6, close_orderly),
         {"ActiveOpens": 6, "PassiveOpens": 6, "TW + TWKilled": 6 + 0})


def time_wait_reused():
    """Both connect() with a port of their own and the same one again."""
    def act(netns):
        listener = netns.listen(80)
        for _ in range(5):
            close_orderly(*netns.pair(listener, source_port=41000))
            time.sleep(1.1)  # tcp_tw_reuse wants a newer timestamp

    same(act, {"ActiveOpens": 5, "PassiveOpens": 5, "TW + TWKilled": 5, "TWRecycled": 4}, tcp_tw_reuse=1)


def time_wait_overflow():
    def act(netns):
        pairs(netns, 5, close_orderly)

    same(act, {"ActiveOpens": 5, "PassiveOpens": 5, "TCPTimeWaitOverflow": 5}, tcp_max_tw_buckets=0)


# ---- Reasons


def filter_explains_less_only():
    """Through a filter finwait sees less than the kernel counts; nothing is unexplained."""
    with Netns() as netns:
        def act():
            listener, other = netns.listen(80), netns.listen(81)
            for server in (listener, other, other):
                reset_both(*netns.pair(server))

        rows, _ = observed(netns, act, "-L", "80")
        check(rows["PassiveOpens"] == (3, 1, "the filter"), str(rows["PassiveOpens"]))
        check(rows["EstabResets"] == (6, 1, "the filter"), str(rows["EstabResets"]))
        check(rows["AttemptFails"] == (0, 0, None), str(rows["AttemptFails"]))


def counters_of_the_namespace_that_was_asked_for():
    """Also if nothing happened in it, and without any filter in the way."""
    with Netns() as netns, Netns() as other:
        def act():
            reset_both(*other.pair(other.listen(80)))

        rows, _ = observed(netns, act)
        check(rows["ActiveOpens"] == (0, 0, None), str(rows["ActiveOpens"]))


CASES = [
    close_in_syn_sent, disconnect_in_syn_sent, refused, timed_out, killed_in_syn_sent, no_route, no_port,
    fast_open_not_sent, fast_open, fast_open_reset, half_open_reset, half_open_dropped, reset, reset_in_close_wait,
    closed_with_unread_data, time_wait, time_wait_reused, time_wait_overflow, filter_explains_less_only,
    counters_of_the_namespace_that_was_asked_for,
]


def main():
    if os.geteuid() != 0:
        sys.exit("kernel_counters.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
