#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of finwait report beyond the incidents of tests/lab: how long TIME_WAIT is here and what
ended it, periodic reports, progress on a terminal, and honesty about what was not seen.

    sudo tests/live/report.py [NAME...]      only the cases whose names contain one of these words

Environment as for real.py. One case a line, then "N passed, N failed". The first takes 65 s: TIME_WAIT
does.
"""

import concurrent.futures
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from wire import ACK, FIN, RST, Peer, Wire  # noqa: E402 (after the path)
from real import Results
from real_host import Netns, check, run, wait_until
from real_tracer import CHURN, FINWAIT, FINWAIT_ARGS, READY_S

EXPIRED, RESET, REOPENED = 20, 3, 4


class Report:
    """A running finwait report of one namespace."""

    def __init__(self, netns, *args):
        self.output, self.messages = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [FINWAIT, "report", "--netns", netns.path, *args, *FINWAIT_ARGS],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.messages,
        )
        wait_until(lambda: b"watching" in self.said(self.messages), READY_S, "finwait report")

    @staticmethod
    def said(file):
        return os.pread(file.fileno(), 1 << 24, 0)

    def stop(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(status)

    def wait(self, status=0):
        check(self.process.wait(60) == status, self.said(self.messages).decode())
        return self.said(self.output).decode()


def serve_and_close(listener, count):
    """Accepts so many, and closes each first."""
    def serve():
        for _ in range(count):
            listener.accept()[0].close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def into_time_wait(wire, port, seq):
    peer = Peer(wire, ("10.9.0.2", port), ("10.9.0.1", 80), seq)
    peer.connect()
    peer.receive(FIN)
    peer.send(FIN | ACK)
    peer.receive(ACK)
    return peer


def make_time_waits(netns):
    """Each cause as often as it says above."""
    listener = netns.listen(8080)
    for _ in range(EXPIRED):
        client, server = netns.pair(listener)
        client.close()
        server.close()
    wire, web = Wire(netns), netns.listen(80, "10.9.0.1")
    serve_and_close(web, RESET + 2 * REOPENED)
    for i in range(RESET):
        peer = into_time_wait(wire, 20000 + i, 1_000_000)
        peer.send(RST)
    wait_until(lambda: netns.time_waits("sport", "=", ":80") == 0, 5, "the resets")
    for i in range(REOPENED):
        into_time_wait(wire, 30000 + i, 1_000_000)
        into_time_wait(wire, 30000 + i, 900_000_000)
    return wire, web


def time_wait_here():
    """60 s to what the timer wheel makes of it; each cause counted exactly; nothing the kernel counts
    differently."""
    with Netns(tcp_rfc1337=0) as netns:
        report = Report(netns, "-f", "json")
        kept = make_time_waits(netns)
        check(netns.time_waits() == EXPIRED + REOPENED, "the test's own")
        wait_until(lambda: netns.time_waits() == 0, 70, "the end of TIME_WAIT")
        time.sleep(0.2)
        document = json.loads(report.stop())
        for thing in kept:
            thing.close()
    section, kernel = document["sections"]["time_wait"], document["sections"]["kernel"]
    ends = {row["end"]: row["count"] for row in section["ends"]}
    check(ends == {"time_wait_expired": EXPIRED + REOPENED, "time_wait_reset": RESET,
                   "time_wait_reopened": REOPENED}, str(ends))
    check(section["entered"] == EXPIRED + RESET + 2 * REOPENED and section["now"] == 0, str(section))
    timer = [row for row in section["durations"] if row["which"] == "2MSL timer, no restart"][0]
    check(timer["ended"] == EXPIRED + REOPENED, str(timer))
    longest = 60e9 + section["wheel_bucket_ns"] + 0.5e9
    check(60e9 - 4e6 <= timer["min_ns"] and timer["max_ns"] <= longest, str(timer))
    check(any("timer wheel" in note for note in section["notes"]), str(section["notes"]))
    wrong = [row for row in kernel["counters"] if int(row.get("difference", "0"))]
    check(not wrong, str(wrong))
    print(f"  TIME_WAIT by its timer: {timer['min_ns'] / 1e9:.2f} to {timer['max_ns'] / 1e9:.2f} s")


def a_report_every_second():
    with Netns() as netns:
        listener = netns.listen(8080)
        report = Report(netns, "4s", "--interval", "1s", "-f", "json")
        for _ in range(8):
            client, server = netns.pair(listener)
            client.close()
            server.close()
            time.sleep(0.3)
        documents = [json.loads(line) for line in report.wait().splitlines()]
        check(len(documents) >= 4, f"{len(documents)} reports")
        opened = [d["sections"]["flows"]["closed"] for d in documents]
        spans = [d["about"]["span_ns"] for d in documents]
        check(opened == sorted(opened) and opened[-1] == 8 and opened[0] < 8, str(opened))
        check(spans == sorted(spans), str(spans))
        wrong = [row for d in documents for row in d["sections"]["kernel"]["counters"]
                 if int(row.get("difference", "0"))]
        check(not wrong, str(wrong))


def progress_on_a_terminal():
    """There is progress on a terminal, and Ctrl-C reports."""
    ours, theirs = pty.openpty()
    with Netns() as netns, subprocess.Popen(
            [FINWAIT, "report", "--netns", netns.path, *FINWAIT_ARGS], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        said = b""
        while b"Ctrl-C reports" not in said:
            said += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        os.close(ours)
        check(process.returncode == 0 and text.startswith("finwait report\n"), text)
        check(re.search(rb"\d+ s, \d+ events, \d+ connections", said), repr(said))


def a_quiet_host():
    """Nothing happened, and that is what it says; it does not cry wolf."""
    with Netns() as netns:
        text = Report(netns, "1s").wait()
        check("FINDINGS  none" in text and "Nothing happened: no connection changed its state" in text,
              text)
        document = json.loads(Report(netns, "1s", "-f", "json").wait())
        check(document["findings"] == [] and document["complete"], str(document["findings"]))
        check(document["sections"]["completeness"]["lost"] == 0, str(document))


def events_were_lost():
    """finwait is held while the ring overflows: the report says how much is missing, everywhere."""
    with Netns() as netns:
        report = Report(netns, "--ring-size", "1", "-f", "json")
        report.process.send_signal(signal.SIGSTOP)
        check(netns.run(CHURN, "-n", "20000").returncode == 0, "churn")
        report.process.send_signal(signal.SIGCONT)
        document = json.loads(report.stop())
        lost = document["sections"]["completeness"]["lost"]
        check(lost > 0 and document["about"]["lost"] == lost, str(document["about"]))
        finding = [f for f in document["findings"] if f["id"] == "events-lost"]
        check(len(finding) == 1 and finding[0]["evidence"]["lost"] == lost, str(document["findings"]))
        others = [f for f in document["findings"] if f["id"] != "events-lost"]
        check(all("lost: counts are lower bounds" in f["confidence"] for f in others), str(others))
        rows = [row for row in document["sections"]["kernel"]["counters"]
                if int(row.get("difference", "0"))]
        check(rows and all(row["why"] == "the filter" for row in rows), str(rows))


def not_everything_may_be_looked_at():
    """Without CAP_SYS_ADMIN other namespaces cannot be entered, and without a snapshot nothing older
    is known: the report says both."""
    with Netns() as netns:
        listener = netns.listen(8080)
        netns.pair(listener)
        argv = [FINWAIT, "report", "1s", *FINWAIT_ARGS]
        refused = run(["setpriv", "--bounding-set=-sys_admin", *argv])
        check(refused.returncode == 0, refused.stderr.decode())
        text = " ".join(refused.stdout.decode().split())
        check("could not be entered, among them" in text, text)
        older = " ".join(run([*argv, "--no-snapshot"]).stdout.decode().split())
        check("What existed before finwait was not looked at" in older, older)


SLOW = [time_wait_here]
CASES = [a_report_every_second, progress_on_a_terminal, a_quiet_host, events_were_lost,
         not_everything_may_be_looked_at]


def main():
    if os.geteuid() != 0:
        sys.exit("report.py: needs root")
    results = Results(sys.argv[1:])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = [pool.submit(results.run, case) for case in results.wants(SLOW)]
        for case in results.wants(CASES):
            results.run(case)
        for job in slow:
            job.result()
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
