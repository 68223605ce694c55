#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of overload: what is lost is counted, marked and mended, and TCP does not notice.

    sudo tests/live/losses.py [NAME...]      only the cases whose names contain one of these words

The reader is stopped (SIGSTOP) while more connections come and go than its small ring has room
for. What there was to see is known from the load generator and the kernel's own counters.
Environment and output as for real.py.
"""

import collections
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from leaking import ss_counts
from real import Results
from real_host import Netns, check, wait_until, wall_clock
from real_tracer import CHURN, FINWAIT, Tracer, check_path, describe

SMALL = "--ring-size=1"
# More than fits into a ring of 1 MiB, at 14 records of about 150 bytes a connection.
MANY, FEW = 4000, 300
STOPPED_S = 5
# Of a resynchronisation: 2 s of quiet, then the snapshot.
RESYNC_S = 5


def churn(netns, n, *args):
    done = netns.run(CHURN, "-n", n, *args)
    check(done.returncode == 0, f"churn: {done.stderr}")
    check(json.loads(done.stdout)["connections"] == n, "churn made another number")


def said(tracer):
    """(events, lost) of the summary."""
    found = re.search(r"(\d+) events, .* (\d+) events lost", tracer.stderr())
    check(found, f"no summary: {tracer.stderr()}")
    return int(found[1]), int(found[2])


class Stopped:
    """The tracer does not read meanwhile."""

    def __init__(self, tracer):
        self.pid = tracer.process.pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(lambda: self.state() == "T", 10, "the tracer to stop")

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)

    def state(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]


def records_of(n):
    """How many records n connections make, by a run that loses none of them."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "--netns", netns.path) as tracer:
        churn(netns, n)
        tracer.stop()
        events, lost = said(tracer)
        check(lost == 0, f"{lost} lost with the default ring")
        return events


def check_total(events, lost, expected):
    """None too few; the few too many are those of records_of()."""
    total = events + lost
    check(expected <= total <= expected * 1.005, f"{events} + {lost} instead of {expected}")


def loss_is_counted_to_the_record():
    # One listener, whose two records stand apart.
    each, rest = divmod(records_of(1000) - 2, 1000)
    # A completed handshake has no record of its end, unless it takes 100 us on a busy machine.
    check(rest <= 20, f"{rest} records too many for 1000 equal connections")
    with Netns() as netns:
        watch = ("timeline", "-f", "json", "--netns", netns.path, "--no-snapshot")
        with Tracer(*watch) as beside, Tracer(*watch, SMALL) as tracer:
            with Stopped(tracer):
                churn(netns, MANY)
            tracer.stop()
            beside.stop()
            events, lost = said(tracer)
            made, none = said(beside)
    check(lost > MANY, f"only {lost} lost: the ring did not overflow")
    # Who could read all the time has a few records more: of handshakes that took 100 us, and of minisocks
    # that it looked at.
    least = MANY * each + 2
    check(none == 0 and made <= least * 1.005, f"{made} records, {none} lost, instead of {least}")
    check(least <= events + lost <= made, f"{events} + {lost} instead of {least} to {made}")


def strict_tells_scripts():
    with Netns() as netns, Tracer("timeline", "-f", "json", SMALL, "--strict", "--netns",
                                  netns.path) as tracer:
        with Stopped(tracer):
            churn(netns, MANY)
        check(tracer.stop() == 3, f"status {tracer.status} after a loss")
    with Netns() as netns, Tracer("timeline", "-f", "json", "--strict", "--netns",
                                  netns.path) as tracer:
        churn(netns, FEW)
        check(tracer.stop() == 0, f"status {tracer.status} without a loss")


def is_whole(row):
    """The one path of each role that churn -c active makes, as far as it can have come."""
    names = [s["state"] for s in row["states"]]
    if row["role"] == "active":
        middle = [] if row["three_segment_close"] else ["FIN_WAIT_2"]
        return names == ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", *middle, "TIME_WAIT"]
    return names[-2:] == ["CLOSE_WAIT", "LAST_ACK"]


def what_may_be_wrong_is_marked():
    with Netns() as netns, Tracer("timeline", "-f", "json", SMALL, "--netns",
                                  netns.path) as tracer:
        churn(netns, FEW)
        before = netns.counter("PassiveOpens", "Tcp")
        with Stopped(tracer):
            churn(netns, MANY)
        time.sleep(RESYNC_S)
        mended = wall_clock()
        churn(netns, FEW)
        opened = netns.counter("PassiveOpens", "Tcp")
        tracer.stop()
        rows = tracer.rows(netns)
    check((before, opened) == (FEW, 2 * FEW + MANY), "the kernel counts other connections")
    sure = [row for row in rows if not row["gap"]]
    for row in sure:
        check(row.get("role") and is_whole(row), f"not marked: {describe(row)}")
        check_path(row)
    late = [row for row in sure if row["start"] > mended]
    check(len(late) == 2 * FEW, f"{len(late)} rows of {2 * FEW} after all was mended")
    check("1 times all connections" in tracer.stderr(), tracer.stderr())
    check(len(rows) - len(sure) > 0, "nothing is marked")


def open_rows(tracer, netns):
    rows = [row for row in tracer.rows(netns) if row.get("open")]
    return collections.Counter(row["states"][-1]["state"] for row in rows)


def five_seconds_later_all_is_right():
    with Netns() as netns, Tracer("timeline", "-f", "json", SMALL, "--netns",
                                  netns.path) as tracer:
        listener = netns.listen(80)
        old = [netns.pair(listener) for _ in range(20)]
        with Stopped(tracer):
            end = time.monotonic() + STOPPED_S
            churn(netns, MANY)
            # Unseen: ends, half ends and beginnings.
            for client, server in old[:5]:
                client.close()
                server.close()
            for client, _ in old[5:10]:
                client.close()
            new = [netns.pair(listener) for _ in range(7)]
            time.sleep(max(0, end - time.monotonic()))
        time.sleep(RESYNC_S)
        truth = ss_counts(netns)
        tracer.stop()
        truth.pop("LISTEN", None)
        found = open_rows(tracer, netns)
        for pair in old + new:
            for sock in pair:
                sock.close()
    check(found == truth, f"{dict(found)}; ss: {truth}")


def a_slow_reader_of_the_output_slows_nothing():
    """The pipe is full: finwait waits, the ring overflows, TCP goes on, and the count is right."""
    each = (records_of(1000) - 2) // 1000
    with Netns() as netns, tempfile.TemporaryFile() as messages:
        read, write = os.pipe()
        tracer = subprocess.Popen([FINWAIT, "trace", "-f", "json", SMALL, "--netns", netns.path],
                                  stdout=write, stderr=messages)
        os.close(write)

        def text():
            return os.pread(messages.fileno(), 1 << 20, 0).decode()

        try:
            wait_until(lambda: "tracing" in text(), 60, "finwait to attach")
            churn(netns, 2 * MANY)
            tracer.send_signal(signal.SIGTERM)
            lines = b""
            while chunk := os.read(read, 1 << 16):
                lines += chunk
            tracer.wait(20)
        finally:
            tracer.kill()
            tracer.wait()
            os.close(read)
        summary = text()
    found = re.search(r"(\d+) events, .* (\d+) events lost", summary)
    check(found and int(found[2]) > 0, f"nothing lost: {summary}")
    check_total(int(found[1]), int(found[2]), 2 * MANY * each + 2)
    for line in lines.splitlines():
        json.loads(line)


class SmallDisk:
    """A file system of so many KiB."""

    def __init__(self, kib):
        self.kib = kib

    def __enter__(self):
        self.directory = tempfile.mkdtemp()
        self.mount("-t", "tmpfs", "-o", f"size={self.kib}k", "tmpfs")
        return self

    def mount(self, *args):
        subprocess.run(["mount", *args, self.directory], check=True)

    def grow(self, kib):
        self.mount("-o", f"remount,size={kib}k")

    def __exit__(self, *_):
        subprocess.run(["umount", self.directory], check=True)
        os.rmdir(self.directory)


def a_full_disk_costs_lines_and_nothing_else():
    """Those that are left out are counted; what is written is whole, and goes on with the room."""
    with Netns() as netns, SmallDisk(256) as disk:
        path = os.path.join(disk.directory, "out")
        with Tracer("timeline", "-f", "json", "--strict", "-o", path, "--netns",
                    netns.path) as tracer:
            churn(netns, MANY // 2)
            wait_until(lambda: "no space left" in tracer.stderr(), 20, "the disk to be full")
            disk.grow(65536)
            churn(netns, FEW)
            check(tracer.stop() == 3, f"status {tracer.status}: {tracer.stderr()}")
        with open(path, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    check(said(tracer)[1] == 0, f"events lost: {tracer.stderr()}")
    left_out = re.search(r"(\d+) lines are left out$", tracer.stderr().strip())
    expected = 2 * (MANY // 2 + FEW)
    check(left_out and len(rows) + int(left_out[1]) == expected,
          f"{len(rows)} rows of {expected}: {tracer.stderr()}")
    check(int(left_out[1]) > 0 and len(rows) > 2 * FEW, "the disk was never full, or always")


def the_limit_of_connections_holds():
    limit, n = 50, 200
    with Netns() as netns:
        listener = netns.listen(80)
        with Tracer("timeline", "-f", "json", f"--max-connections={limit}", "--netns",
                    netns.path) as tracer:
            pairs = [netns.pair(listener) for _ in range(n)]
            tracer.stop()
        ports = {client.getsockname()[1] for client, _ in pairs[-limit // 2 + 5:]}
        for pair in pairs:
            for sock in pair:
                sock.close()
    rows = tracer.rows(netns)
    check(len(rows) <= limit, f"{len(rows)} rows")
    kept = {row["lport"] for row in rows} | {row["rport"] for row in rows}
    check(ports <= kept, f"the youngest were forgotten: {sorted(ports - kept)}")
    forgotten = re.search(r"(\d+) connections were forgotten", tracer.stderr())
    # Both ends of each, and the listener, which has no row.
    check(forgotten and int(forgotten[1]) + len(rows) == 2 * n + 1, tracer.stderr())


def who_was_idle_longest_is_forgotten_first():
    limit, n = 50, 20
    with Netns() as netns:
        listener = netns.listen(80)
        with Tracer("timeline", "-f", "json", f"--max-connections={limit}", "--netns",
                    netns.path) as tracer:
            pairs = [netns.pair(listener) for _ in range(n)]
            # The oldest of all does something.
            pairs[0][0].shutdown(socket.SHUT_WR)
            pairs[0][1].recv(1)
            pairs += [netns.pair(listener) for _ in range(n)]
            tracer.stop()
        ports = [client.getsockname()[1] for client, _ in pairs]
        for pair in pairs:
            for sock in pair:
                sock.close()
    kept = collections.Counter()
    for row in tracer.rows(netns):
        kept[row["lport"] if row["rport"] == 80 else row["rport"]] += 1
    check([kept[port] for port in ports[n:]] == [2] * n, "a new one was forgotten")
    check(kept[ports[0]] == 2, "the one that was not idle was forgotten")
    check(not [port for port in ports[1:n // 2] if kept[port]], "an idle one was kept instead")


CASES = [
    loss_is_counted_to_the_record, strict_tells_scripts, what_may_be_wrong_is_marked,
    five_seconds_later_all_is_right, a_slow_reader_of_the_output_slows_nothing,
    a_full_disk_costs_lines_and_nothing_else, the_limit_of_connections_holds,
    who_was_idle_longest_is_forgotten_first,
]


def main():
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
