# SPDX-License-Identifier: GPL-2.0-only
"""Everything that ends TIME_WAIT before its time, or keeps it from beginning."""

import contextlib
import os
import re
import socket
import time

from real_host import Netns, check, close_after_peer, close_with_reset, reset_pair, wait_until
from real_tracer import (
    TOLERANCE_NS, Witness, check_against_witness, check_path, describe, dwell
)

PORT = 7000
CLIENT_PORT = 40000


def leave_time_wait(netns, listener, address="127.0.0.1", source_port=None):
    """A connection whose client closes first."""
    client, server = netns.pair(listener, address, source_port)
    time.sleep(0.1)
    client.close()
    close_after_peer(server)


def leave_time_wait_on_server(netns, listener, address, source_port):
    client, server = netns.pair(listener, address, source_port)
    time.sleep(0.1)
    server.close()
    close_after_peer(client)


def one_with_end(timeline, netns, end, count=1):
    """All rows of the namespace are plausible, and so many of them have this end."""
    timeline.wait_rows(netns, count, 20, end=end)
    rows = timeline.rows(netns)
    for row in rows:
        check_path(row)
    found = [row for row in rows if row.get("end", "").startswith("time_wait")]
    check(len(found) == count, f"not only {end}: {[describe(row) for row in rows]}")
    return rows


def check_reuse(timeline, tw_reuse, address, source_port):
    """connect() takes a port over from TIME_WAIT once its timestamp is a second old."""
    sysctls = {"tcp_tw_reuse": tw_reuse, "ip_local_port_range": f"{CLIENT_PORT} {CLIENT_PORT}"}
    with Netns(own_table=True, **sysctls) as netns, Witness(netns) as witness:
        with netns.listen(PORT, address) as listener:
            leave_time_wait(netns, listener, address, source_port)
            check(netns.time_waits() == 1, "no TIME_WAIT to be reused")
            time.sleep(2.2)
            client, server = netns.pair(listener, address, source_port)
            check(client.getsockname()[1] == CLIENT_PORT, "another port")
            check(netns.time_waits() == 0, "the TIME_WAIT is still there")
            time.sleep(0.1)
            reset_pair(client, server)
        rows = one_with_end(timeline, netns, "time_wait_reused")
        wait_until(lambda: len(timeline.rows(netns)) == 4, 10, "rows of both connections")
        check_against_witness(timeline.rows(netns), witness.stop())
    first = [row for row in rows if row.get("end") == "time_wait_reused"][0]
    check(dwell(first, "TIME_WAIT") > 2_100_000_000, describe(first))


def time_wait_reused_on_loopback(timeline):
    check_reuse(timeline, 2, "127.0.0.1", None)


def time_wait_reused_by_bound_socket(timeline):
    check_reuse(timeline, 1, "127.0.0.1", CLIENT_PORT)


def time_wait_reused_ipv6(timeline):
    check_reuse(timeline, 1, "::1", None)


def check_reopened(timeline, address):
    """The server closed first and is in TIME_WAIT when the same client port connects again."""
    with Netns(own_table=True) as netns, Witness(netns) as witness:
        with netns.listen(PORT, address) as listener:
            leave_time_wait_on_server(netns, listener, address, CLIENT_PORT)
            check(netns.time_waits("sport", "=", f":{PORT}") == 1, "no TIME_WAIT on the server")
            time.sleep(0.7)
            client, server = netns.pair(listener, address, CLIENT_PORT)
            time.sleep(0.1)
            reset_pair(client, server)
        one_with_end(timeline, netns, "time_wait_reopened")
        wait_until(lambda: len(timeline.rows(netns)) == 4, 10, "rows of both connections")
        check_against_witness(timeline.rows(netns), witness.stop())


def time_wait_reopened_by_syn(timeline):
    check_reopened(timeline, "127.0.0.1")


def time_wait_reopened_by_syn_ipv6(timeline):
    check_reopened(timeline, "::1")


def time_wait_purged_with_namespace(timeline):
    with Netns() as netns:
        with netns.listen(PORT) as listener:
            leave_time_wait(netns, listener)
        began = time.monotonic_ns()
        check(netns.time_waits() == 1, "no TIME_WAIT to be purged")
        time.sleep(0.5)
    rows = one_with_end(timeline, netns, "time_wait_purged")
    # The kernel takes its time with the cleaning up, so the end is known only within limits.
    longest = time.monotonic_ns() - began + 2 * TOLERANCE_NS
    row = [row for row in rows if row["end"] == "time_wait_purged"][0]
    check(500_000_000 <= dwell(row, "TIME_WAIT") <= longest, describe(row))


def time_wait_destroyed_by_ss(timeline):
    with Netns(own_table=True) as netns, Witness(netns) as witness:
        with netns.listen(PORT) as listener:
            leave_time_wait(netns, listener)
        check(netns.time_waits() == 1, "no TIME_WAIT to be destroyed")
        time.sleep(0.4)
        netns.run("ss", "-K", "-n", "state", "time-wait")
        if netns.time_waits() == 1:
            version = tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])
            check(version < (6, 1), "ss -K does not end TIME_WAIT: no INET_DIAG_DESTROY?")
            return
        one_with_end(timeline, netns, "time_wait_destroyed")
        check_against_witness(timeline.wait_rows(netns, 2, 10), witness.stop())


def time_wait_overflow(timeline):
    """tcp_max_tw_buckets is reached: TIME_WAIT never begins. nstat's counter is the witness."""
    with Netns(tcp_max_tw_buckets=0) as netns:
        with netns.listen(PORT) as listener:
            client, server = netns.pair(listener)
            client.shutdown(socket.SHUT_WR)
            close_after_peer(server, 0.2)
            client.recv(1)
            client.close()
        check(netns.counter("TCPTimeWaitOverflow") == 1, "the kernel did not count an overflow")
        rows = one_with_end(timeline, netns, "time_wait_overflow")
    check(not any(dwell(row, "TIME_WAIT") for row in rows), "TIME_WAIT without a minisock")


def reset_ends_at_once(timeline):
    """The ends without TIME_WAIT, for contrast: RST, and a connection that is refused."""
    with Netns(own_table=True) as netns, Witness(netns) as witness:
        with netns.listen(PORT) as listener:
            client, server = netns.pair(listener)
            time.sleep(0.3)
            close_with_reset(client)
            with contextlib.suppress(ConnectionResetError):
                server.recv(1)
            server.close()
        with contextlib.suppress(ConnectionRefusedError):
            netns.connect(PORT + 1)
        rows = timeline.wait_rows(netns, 3, 10)
        ends = sorted((row["role"], row["end"]) for row in rows)
        expected = [("active", "refused"), ("active", "reset_sent"), ("passive", "reset_received")]
        check(ends == expected, f"{[describe(row) for row in rows]}")
        check(all("lport" in row or row["end"] == "refused" for row in rows), f"{rows}")
        rows = [row for row in rows if row["end"] != "refused"]
        check_against_witness(rows, [x for x in witness.stop() if x["rport"] != PORT + 1])


CASES = [
    time_wait_reused_on_loopback,
    time_wait_reused_by_bound_socket,
    time_wait_reused_ipv6,
    time_wait_reopened_by_syn,
    time_wait_reopened_by_syn_ipv6,
    time_wait_purged_with_namespace,
    time_wait_destroyed_by_ss,
    time_wait_overflow,
    reset_ends_at_once,
]
