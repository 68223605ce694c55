# SPDX-License-Identifier: GPL-2.0-only
"""Connections of many kinds, and finwait's lines about them.

Scripted ones (tests/live/peer), each in a namespace of its own; and some of this host's loopback, by
processes whose names try to get out of a JSON string, an SQL literal, a column.
"""

import concurrent.futures
import ctypes
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))

from real_host import check, wait_until  # noqa: E402
from real_tracer import Tracer  # noqa: E402

PEER = os.environ.get("PEER", os.path.join(ROOT, "build/tests/peer"))
CASES = os.path.join(ROOT, "tests/live/paths.cases")
FIRST_NUMBER = 300  # of the peers: their ports

SCRIPTED = (
    "connect-refused", "syn-timeout", "handshake-never-completed", "half-open-destroyed",
    "active-open-passive-close", "data-both-ways", "rst-established", "linger-0", "rst-closing",
    "closing-never-acked", "fin-timeout-3", "late-close", "linger2-negative", "data-after-close",
    "rst-time-wait", "time-wait-new-syn", "time-wait-destroyed", "time-wait-overflow",
    "time-wait-namespace-removed", "time-wait-reuse-loopback",
)

# At most 15 bytes each: what the kernel keeps.
HOSTILE_NAMES = (
    b'","end":"x', b"\\", b'\\"', b"a\tb\nc\r", b"\x1b[2J\x07", b"'; DROP TABLE", b"\xff\xfe\xc3",
    b"caf\xc3\xa9", b"`x` -- {}", b"$(id)\x1f\x1e", b"\\N", b"%s%n ,;|",
)
PR_SET_NAME = 15
LIBC = ctypes.CDLL(None, use_errno=True)


def scripted(number, name, family):
    """One case of paths.cases. Whether it came out as the table says is not asked here, so a step
    that a busy machine makes too late does not matter."""
    argv = [PEER, "--number", str(number), "--family", family, CASES, name]
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=200,
                   check=False)


def pair(family):
    """A client and a server socket, connected over loopback."""
    address = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen(1)
        client = socket.socket(family)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def live_as(name, hold):
    """The life of a child of that name: a closed connection of each kind, and then @hold open ones: of
    half of them the server keeps CLOSE_WAIT and the client, closed, FIN_WAIT_2; of the others the
    client has only shut down. Ends with its standard input."""
    LIBC.prctl(PR_SET_NAME, ctypes.create_string_buffer(name), 0, 0, 0)
    kept = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for first, second in ((0, 1), (1, 0)):
            ends = pair(family)
            ends[0].sendall(b"x" * 100)
            ends[1].recv(100)
            ends[first].close()
            ends[second].recv(1)
            ends[second].close()
        for i in range(hold):
            client, server = pair(family)
            kept.append(server)
            if i % 2:
                client.shutdown(socket.SHUT_WR)
                kept.append(client)
            else:
                client.close()
            server.recv(1)
    os.write(1, b"ready")
    os.read(0, 1)


class Hostile:
    """A child with such a name."""

    def __init__(self, index, hold):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__), str(index), str(hold)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_ready(self):
        check(self.process.stdout.read(5) == b"ready", "a child did not get ready")

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def make_all():
    """Everything at once, while somebody watches."""
    jobs = [(name, family) for name in SCRIPTED for family in ("ipv4", "ipv6")]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(scripted, FIRST_NUMBER + i, *job) for i, job in enumerate(jobs)]
        children = [Hostile(i, i) for i in range(1, len(HOSTILE_NAMES))]
        for child in children:
            child.wait_ready()
        for job in running:
            job.result()
    return children


def collect(recording):
    """finwait's lines (bytes), while it writes that recording too. Some connections are older than the
    trace."""
    children = [Hostile(0, 6)]
    try:
        children[0].wait_ready()
        with Tracer("timeline", "-f", "json", "--record", recording) as timeline:
            children += make_all()
            # What stalls has stalled for more than a second when the trace ends.
            ready = time.monotonic()
            wait_until(lambda: time.monotonic() > ready + 1.2, 5, "a second")
            check(timeline.stop() == 0, f"finwait: {timeline.stderr()}")
            return timeline.output()
    finally:
        for child in children:
            child.end()


if __name__ == "__main__":
    live_as(HOSTILE_NAMES[int(sys.argv[1])], int(sys.argv[2]))
