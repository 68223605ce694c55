#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Front ends that run at once on one kernel tell the same story, connection by connection.

    sudo tests/live/cross.py [HOOKS HOOKS...]        (default: trampoline timer)

All watch cases of paths.cases, and each is compared with the first. For every connection that one
of them saw begin, the other has a connection of the same 4-tuple and start with the same path, end,
roles, bytes and retransmits. How long it was in each state agrees to one jiffy in the median, which is
what the timer front end promises for what it derives, and always within two jiffies and the time
that both programs take on the same event. As many connections are compared as cases ran, at least.
A front end that does not work here is a failure: this test is for kernels with two.

Environment: FINWAIT (the program), FINWAIT_TOLERANCE_MS (a quarter of it, if more than 20 ms),
FINWAIT_CASES (a glob, default *wait*: those with a minisock).
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
CASES = os.environ.get("FINWAIT_CASES", "*wait*")
READY_DEADLINE_S = 240
JIFFY_NS = 1_000_000_000 // int(os.environ.get("FINWAIT_HZ", "250"))  # Debian's kernels
BUCKET_NS = 512 * JIFFY_NS  # of the timer wheel, for 60 s
# Two jiffies at the lowest HZ there is; under emulation the two programs take longer than that.
TOLERANCE_NS = max(20, int(os.environ.get("FINWAIT_TOLERANCE_MS") or 0) // 4) * 1_000_000


class Tracer:
    def __init__(self, hooks, directory):
        self.hooks = hooks
        self.path = os.path.join(directory, hooks)
        with open(self.path, "wb") as out, open(self.path + ".err", "wb") as err:
            self.process = subprocess.Popen(
                [FINWAIT, "timeline", "-f", "json", "--hooks=" + hooks, "--strict"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def said(self):
        with open(self.path + ".err", encoding="utf-8") as f:
            return f.read()

    def wait_ready(self):
        deadline = time.monotonic() + READY_DEADLINE_S
        while "finwait: tracing" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("cross.py: %s does not trace: %s\n0 passed, 1 failed"
                         % (self.hooks, self.said().strip()))
            time.sleep(0.05)

    def connections(self):
        """After SIGTERM."""
        status = self.process.wait(timeout=240)
        if status:
            sys.exit("cross.py: %s ended with %d: %s\n0 passed, 1 failed"
                     % (self.hooks, status, self.said().strip()))
        with open(self.path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]


def key(conn):
    """The same event makes the first record of both, so they differ by the time of two programs."""
    return (conn["netns"], conn.get("laddr"), conn.get("lport"), conn.get("raddr"),
            conn.get("rport"))


def path(conn):
    return [(s["state"], s.get("orphaned", False)) for s in conn["states"]]


def describe(conn):
    states = " > ".join("%s %.3f ms" % (s["state"], s.get("ns", s.get("ns_min")) / 1e6)
                        for s in conn["states"])
    return "%s, %s" % (states, conn.get("end", "open"))


SAME = ("end", "closed_by", "role", "three_segment_close", "bytes_sent", "bytes_received",
        "retransmits")


def dwells(a, b):
    """(state, ns, ns) of each state of which both know how long it lasted. The last state of a
    connection that is still open has lasted until finwait ended."""
    pairs = list(zip(a["states"], b["states"]))
    if "open" in a or "open" in b:
        pairs.pop()
    return [(s["state"], s["ns"], t["ns"]) for s, t in pairs if "ns" in s and "ns" in t]


def difference(a, b):
    """What is not the same in two accounts of one connection; None if they agree."""
    if path(a) != path(b):
        return "path: %s against %s" % (path(a), path(b))
    for what in SAME:
        if a.get(what) != b.get(what):
            return "%s: %s against %s" % (what, a.get(what), b.get(what))
    for state, x, y in dwells(a, b):
        if abs(x - y) > TOLERANCE_NS:
            return "%s: %.3f ms against %.3f ms" % (state, x / 1e6, y / 1e6)
    # With the timer front end restarts within one bucket of the timer wheel count as one, and as none
    # if TIME_WAIT began in it too.
    for s, t in zip(a["states"], b["states"]):
        short = max(s.get("ns", 0), t.get("ns", 0)) < BUCKET_NS
        if bool(s.get("restarts")) != bool(t.get("restarts")) and not short:
            return "restarts: %s against %s" % (s.get("restarts"), t.get("restarts"))
    return None


def compare(first, second):
    """first, second: connections that were seen from their beginning, by key, in order. Returns how
    many agree, what does not, and by how much the times differ."""
    passed, failures, apart = 0, [], []
    for k in sorted(set(first) | set(second), key=str):
        pairs = list(zip(first.get(k, []), second.get(k, [])))
        if len(first.get(k, [])) != len(second.get(k, [])):
            failures.append("%s: %d connections against %d"
                            % (k, len(first.get(k, [])), len(second.get(k, []))))
        for a, b in pairs:
            reason = difference(a, b)
            if reason:
                failures.append("%s: %s\n  %s\n  %s" % (k, reason, describe(a), describe(b)))
            else:
                passed += 1
                apart += [abs(x - y) for _, x, y in dwells(a, b)]
    return passed, failures, apart


def judge(names, first, second, nr_cases):
    """Compares two front ends' connections; prints what is wrong, returns (passed, failed)."""
    passed, failures, apart = compare(first, second)
    if passed < max(nr_cases, 1):
        failures.append("%d connections agree, but %d cases ran" % (passed, nr_cases))
    if apart:
        median = statistics.median(apart)
        print("%s: %d connections, %d times: %.3f ms apart in the median, %.3f ms at most"
              % (names, passed, len(apart), median / 1e6, max(apart) / 1e6))
        if median > JIFFY_NS:
            failures.append("the median is more than a jiffy (%.0f ms)" % (JIFFY_NS / 1e6))
    for failure in failures:
        print("FAIL cross %s: %s" % (names, failure))
    return passed, len(failures)


def by_key(conns):
    result = {}
    for conn in sorted(conns, key=lambda c: c["start"]):
        if conn["start_exact"]:
            result.setdefault(key(conn), []).append(conn)
    return result


def run_cases():
    """How many ran as they should: what paths.py's own witness says."""
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "paths.py"), "--witness-only", "--case", CASES],
        stdout=subprocess.PIPE, universal_newlines=True, check=False)
    counts = re.search(r"^(\d+) passed, \d+ failed", done.stdout, re.MULTILINE)
    return int(counts.group(1)) if counts else 0


def main():
    hooks = sys.argv[1:] if len(sys.argv) > 2 else ["trampoline", "timer"]
    with tempfile.TemporaryDirectory() as directory:
        tracers = [Tracer(h, directory) for h in hooks]
        for tracer in tracers:
            tracer.wait_ready()
        nr_cases = run_cases()
        time.sleep(3)  # what is still in TIME_WAIT is compared as open
        for tracer in tracers:
            tracer.process.send_signal(signal.SIGTERM)
        seen = [by_key(t.connections()) for t in tracers]
    counts = [judge("%s/%s" % (hooks[0], other), seen[0], conns, nr_cases)
              for other, conns in zip(hooks[1:], seen[1:])]
    if not nr_cases:
        counts.append((0, 1))
        print("FAIL cross: no case ran")
    passed, failed = (sum(column) for column in zip(*counts))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
