#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""100,000 connections that exist when finwait starts are merged in, while others come and go.

    sudo tests/live/merge.py

Budget: 2 s, of which finwait's own CPU time is judged (the machine may be busy with other things), and
64 MB of resident memory, of which 32 MiB are the ring buffer: its pages are mapped twice, so that a record
is never split, and count as resident from the beginning.

Both ends of 50,000 connections are on this host: 100,000 to finwait. Meanwhile movers close one
connection and open the next, all the time from before finwait attaches until after the merge: each of
them must be told once, and right. One case a line, then "N passed, N failed".
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from real import Results
from real_host import Netns, check, wait_until
from real_tracer import FINWAIT, FINWAIT_ARGS, READY_S

IDLE = 50_000
PER_PROCESS = 9_000  # two descriptors each; RLIMIT_NOFILE often is 20,000
MERGE_CPU_S = 2.0
RESIDENT_BYTES = 64 << 20
MOVED_DURING_MERGE = 50

HOLDER = """
import socket, sys
address, count = sys.argv[1], int(sys.argv[2])
listener = socket.create_server((address, 8080), backlog=1000)
kept = []
for _ in range(count):
    kept.append(socket.create_connection((address, 8080)))
    kept.append(listener.accept()[0])
print("ready", flush=True)
sys.stdin.read()
"""

# Closes the oldest of 1,000 connections (the client first), opens a new one, and so on. In the end it
# says of each port when its connection was closed and when it was opened.
MOVER = """
import collections, json, select, socket, sys, time
listener = socket.create_server(("127.0.0.1", 9090), backlog=1000)
pairs, opened, closed = collections.deque(), {}, {}
def open_one():
    before = time.monotonic()
    client = socket.create_connection(("127.0.0.1", 9090))
    server = listener.accept()[0]
    opened[client.getsockname()[1]] = before
    pairs.append((client, server))
for _ in range(1000):
    open_one()
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.0005)[0]:
    client, server = pairs.popleft()
    port = client.getsockname()[1]
    before = time.monotonic()
    client.close()
    server.recv(1)
    server.close()
    closed[port] = (before, time.monotonic())
    open_one()
print(json.dumps({"opened": opened, "closed": closed}), flush=True)
sys.stdin.read()
"""


class Program:
    """Python code in a namespace, that says "ready" and ends with its standard input."""

    def __init__(self, netns, code, *args):
        argv = netns.argv([sys.executable, "-c", code, *args])
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self):
        check(self.process.stdout.readline() == "ready\n", "the program did not get ready")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Finwait:
    """A timeline into a file, and when it said what."""

    def __init__(self, output):
        self.messages = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            [FINWAIT, "timeline", "-f", "json", "-o", output, *FINWAIT_ARGS],
            stdin=subprocess.DEVNULL, stderr=self.messages,
        )

    def said(self):
        return os.pread(self.messages.fileno(), 1 << 16, 0).decode()

    def wait_for(self, words):
        """The moment at which it was seen to have said so."""
        wait_until(lambda: words in self.said() or self.process.poll() is not None, READY_S, words)
        check(words in self.said(), f"finwait ended: {self.said()}")
        return time.monotonic()

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s*(\d+) kB", file.read())[1]) * 1024

    def stop(self):
        self.process.terminate()
        check(self.process.wait(60) == 0, self.said())


def path_of(row):
    return [step["state"] for step in row["states"]]


def check_idle(rows):
    """All of them are there once, in ESTABLISHED, and older than the trace."""
    idle = [row for row in rows if 8080 in (row.get("lport"), row.get("rport")) and
            path_of(row) == ["ESTABLISHED"]]
    check(len(idle) == 2 * IDLE, f"{len(idle)} instead of {2 * IDLE}")
    ends = {(row["laddr"], row["lport"], row["raddr"], row["rport"]) for row in idle}
    check(len(ends) == len(idle), "some are told twice")
    wrong = [row for row in idle if row["start_exact"] or not row.get("open") or row["gap"] or
             "ns_min" not in row["states"][0]]
    check(not wrong, f"{len(wrong)} are wrong: {wrong[:2]}")


def check_server_end(row, is_closed, was_open):
    """A mover's server: it closes after its client, and has no TIME_WAIT."""
    path = path_of(row)
    check(not row["gap"], f"a gap: {row}")
    if is_closed:
        check(row.get("end") == "last_ack" and path[-2:] == ["CLOSE_WAIT", "LAST_ACK"], str(row))
    else:
        check(row.get("open") and path[-1] == "ESTABLISHED", str(row))
    if not was_open:
        check(row["start_exact"] and path[0] == "SYN_RECV", str(row))


def check_movers(rows, moved, attached, merged):
    servers = {}
    for row in rows:
        if row.get("lport") == 9090 and row.get("rport"):
            servers.setdefault(row["rport"], []).append(row)
    during = 0
    for port, begun in moved["opened"].items():
        closed = moved["closed"].get(port)
        told = servers.get(int(port), [])
        # Before the hooks were there nobody can know of it; at the very moment one may or may not.
        if closed and closed[0] < attached:
            check(len(told) <= 1, f"told {len(told)} times: {told}")
            continue
        check(len(told) == 1, f"port {port} is told {len(told)} times: {told}")
        check_server_end(told[0], closed, begun < attached)
        during += bool(closed) and closed[1] < merged
    check(during >= MOVED_DURING_MERGE, f"only {during} were closed during the merge")
    return during


def everything_is_merged():
    with Netns() as netns, tempfile.NamedTemporaryFile() as output:
        programs = [Program(netns, HOLDER, f"127.0.0.{i + 2}", str(min(PER_PROCESS, IDLE - n)))
                    for i, n in enumerate(range(0, IDLE, PER_PROCESS))]
        mover = Program(netns, MOVER)
        try:
            for program in [*programs, mover]:
                program.wait_ready()
            finwait = Finwait(output.name)
            attached, cpu_s = finwait.wait_for("finwait: tracing"), finwait.cpu_s()
            merged = finwait.wait_for("finwait: knows")
            cpu_s = finwait.cpu_s() - cpu_s
            resident = finwait.resident_bytes()
            mover.process.stdin.write("enough\n")
            mover.process.stdin.flush()
            moved = json.loads(mover.process.stdout.readline())
            finwait.stop()
        finally:
            for program in [*programs, mover]:
                program.close()
        rows = [row for row in map(json.loads, output) if row["netns"] == netns.inum]
        check_idle(rows)
        during = check_movers(rows, moved, attached, merged)
        check("did not follow" not in finwait.said() and " 0 events lost" in finwait.said(),
              finwait.said())
        check(cpu_s <= MERGE_CPU_S, f"the merge took {cpu_s:.2f} s of CPU time")
        check(resident <= RESIDENT_BYTES, f"{resident / 1e6:.1f} MB resident")
        print(f"  {len(rows)} connections, {merged - attached:.2f} s ({cpu_s:.2f} s of CPU), "
              f"{resident / 1e6:.1f} MB resident, {during} closed during the merge")


def main():
    if os.geteuid() != 0:
        sys.exit("merge.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants([everything_is_merged]):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
