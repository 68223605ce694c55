#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: sudo tests/replay/capture.py [NAME...]		records into tests/replay/v2 (all, or these)

Each recording is of real connections: cases of tests/live/paths.cases, a server that forgets to close, a
reader that is stopped until its ring has overflowed. replay.py --golden v2/NAME writes down their output.
Read the difference: times and numbers differ each time, paths and ends do not. Recordings of older versions
(tests/replay itself: version 1) cannot be made again.

All of it runs in a process and a mount namespace of its own, where no other network namespace of this host is
found: recordings hold the settings and names of all that they find.
"""

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VERSION = 2  # what finwait writes
OUT = os.path.join(HERE, f"v{VERSION}")
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))

from real_host import Netns, check, wait_until  # noqa: E402
from real_tracer import CHURN, FINWAIT, FINWAIT_ARGS  # noqa: E402

PEER = os.environ.get("PEER", os.path.join(ROOT, "build/tests/peer"))
LEAKER = os.environ.get("LEAKER", os.path.join(ROOT, "build/tests/leaker"))
CASES = os.path.join(ROOT, "tests/live/paths.cases")
# The kernel's side of every scripted case: nothing else on this host has these addresses.
SCRIPTED = ("--local", "192.0.2.1", "--local", "2001:db8::1")

PATHS = {
    "ends": ("active-open-passive-close", "passive-open-passive-close", "data-both-ways",
             "rst-syn-sent", "syn-timeout", "linger-0", "rst-established", "close-unread",
             "simultaneous-open", "last-ack-never-acked", "keepalive-timeout", "destroyed"),
    "fin_wait_2": ("fin-timeout-3", "late-close", "data-after-close", "linger2-negative",
                   "fin-wait-2-overflow", "rst-fin-wait-2-orphaned", "fin-wait-2-destroyed",
                   "keepalive-timeout-fin-wait-2"),
    "time_wait": ("active-close", "active-close-fin-ack", "passive-open-active-close",
                  "rst-time-wait", "time-wait-new-syn", "time-wait-destroyed", "time-wait-overflow",
                  "time-wait-namespace-removed", "time-wait-reuse"),
    "closing": ("simultaneous-close", "rst-closing", "closing-never-acked", "time-wait-overflow-closing"),
    "half_open": ("handshake-never-completed", "half-open-destroyed", "handshake-slow",
                  "listener-closed-half-open", "syn-cookies", "rst-syn-recv"),
}


class Recorder:
    """finwait record, from when it has attached until stop()."""

    def __init__(self, name, *args):
        self.path = os.path.join(OUT, name + ".fwr")
        argv = [FINWAIT, "record", "-o", self.path, "--no-host", "--compress-level", "19", *args,
                *FINWAIT_ARGS]
        self.errors = open(self.path + ".err", "w+b")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=self.errors)

    def said(self):
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def is_ready(self):
        check(self.process.poll() is None, f"finwait record: {self.said()}")
        return "recording TCP" in self.said()

    def __enter__(self):
        wait_until(self.is_ready, 60, "finwait record to attach")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        said = self.said()
        self.errors.close()
        os.unlink(self.path + ".err")
        check(status == 0, f"finwait record: status {status}: {said}")
        print(f"{os.path.basename(self.path)}: {os.path.getsize(self.path)} bytes", flush=True)


def scripted(job):
    number, name, family = job
    argv = [PEER, "--number", str(number), "--family", family, CASES, name]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240,
                          check=False)
    check(done.returncode == 0, f"{name} {family} went wrong: run it again: "
                                f"{done.stdout.decode()[-300:]}")


def record_paths(name):
    jobs = [(i, *job) for i, job in enumerate((case, family) for case in PATHS[name]
                                              for family in ("ipv4", "ipv6"))]
    with Recorder(name, *SCRIPTED):
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(scripted, jobs))
        time.sleep(1)


def record_leaks():
    """Four ways to leak, eight sockets each, and a snapshot every second."""
    with Netns() as netns:
        leakers = {port: subprocess.Popen(netns.argv((LEAKER, port, how)), stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE)
                   for port, how in ((7001, "closed"), (7002, "read"), (7003, "accepted"),
                                     (7004, "shared"))}
        for process in leakers.values():
            check(process.stdout.readline() == b"ready\n", "a leaker did not get ready")
        with Recorder("leaks", "--netns", netns.path, "--snapshot-interval", "1s"):
            for _ in range(8):
                for port in leakers:
                    with netns.connect(port) as s:
                        s.sendall(b"x" if port == 7002 else b"")
                time.sleep(0.3)
            time.sleep(2)
        for process in leakers.values():
            process.stdin.close()
            process.wait(20)
            process.stdout.close()


def record_older():
    """What was there before."""
    with Netns() as netns:
        listener = netns.listen(7010)
        pairs = [netns.pair(listener) for _ in range(6)]
        pairs[0][0].close()
        pairs[1][1].close()
        pairs[2][0].shutdown(socket.SHUT_WR)
        pairs[3][0].close()
        pairs[3][1].close()
        with Recorder("older", "--netns", netns.path):
            time.sleep(1)  # for the first snapshot
            pairs[4][0].close()
            pairs[0][1].close()
            pairs[4][1].close()
            time.sleep(1)
        for pair in pairs:
            for s in pair:
                s.close()
        listener.close()


def record_losses():
    """A ring of 1 MiB that is not read while 1200 connections come and go, and the snapshots after it."""
    with Netns() as netns, Recorder("losses", "--netns", netns.path, "--ring-size=1") as recorder:
        netns.run(CHURN, "-n", 20)
        os.kill(recorder.process.pid, signal.SIGSTOP)
        netns.run(CHURN, "-n", 1200, "-c", "mixed")
        os.kill(recorder.process.pid, signal.SIGCONT)
        time.sleep(4)
        netns.run(CHURN, "-n", 20)
        time.sleep(1)


def run_alone():
    """Runs this program again in namespaces of its own, without the names in /run/netns."""
    if os.getpid() == 1:
        return
    os.makedirs("/run/netns", exist_ok=True)
    os.execvp("unshare", ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc",
                          "sh", "-c", 'mount -t tmpfs none /run/netns && exec "$@"', "sh",
                          sys.executable, *sys.argv])


def main():
    run_alone()
    makers = {name: lambda name=name: record_paths(name) for name in PATHS}
    makers.update(leaks=record_leaks, older=record_older, losses=record_losses)
    os.makedirs(OUT, exist_ok=True)
    for name in sys.argv[1:] or makers:
        makers[name]()


if __name__ == "__main__":
    main()
