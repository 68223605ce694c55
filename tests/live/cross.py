#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Two front ends at once on one kernel tell the same story, connection by connection.

    sudo tests/live/cross.py [HOOKS HOOKS]        (default: trampoline timer)

Both watch cases of paths.cases. For every connection that one of them saw begin, the other has
a connection of the same 4-tuple and start with the same path and end; each dwell agrees within two
jiffies (what the timer front end derives is exact to one) and the time the two programs take on
the same event. A front end that does not work here is a failure: this test is for kernels with two.

Environment: FINWAIT (the program), FINWAIT_TOLERANCE_MS (a quarter of it, if more than 20 ms),
FINWAIT_CASES (a glob, default *wait*: those with a minisock).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
CASES = os.environ.get("FINWAIT_CASES", "*wait*")
READY_DEADLINE_S = 90
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
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
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


def difference(a, b):
    """What is not the same in two accounts of one connection; None if they agree."""
    for what, x, y in (("path", path(a), path(b)), ("end", a.get("end"), b.get("end")),
                       ("closed_by", a.get("closed_by"), b.get("closed_by")),
                       ("role", a.get("role"), b.get("role"))):
        if x != y:
            return "%s: %s against %s" % (what, x, y)
    for s, t in zip(a["states"], b["states"]):
        if "open" not in a and "ns" in s and "ns" in t and abs(s["ns"] - t["ns"]) > TOLERANCE_NS:
            return "%s: %.3f ms against %.3f ms" % (s["state"], s["ns"] / 1e6, t["ns"] / 1e6)
        # Restarts within one bucket of the timer wheel count as one with the timer front end.
        if bool(s.get("restarts")) != bool(t.get("restarts")):
            return "restarts: %s against %s" % (s.get("restarts"), t.get("restarts"))
    return None


def compare(first, second):
    """first, second: connections that were seen from their beginning, by key, in order."""
    passed, failures = 0, []
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
    return passed, failures


def by_key(conns):
    result = {}
    for conn in sorted(conns, key=lambda c: c["start"]):
        if conn["start_exact"]:
            result.setdefault(key(conn), []).append(conn)
    return result


def main():
    hooks = sys.argv[1:3] if len(sys.argv) > 2 else ["trampoline", "timer"]
    with tempfile.TemporaryDirectory() as directory:
        tracers = [Tracer(h, directory) for h in hooks]
        for tracer in tracers:
            tracer.wait_ready()
        subprocess.run([sys.executable, os.path.join(HERE, "paths.py"), "--witness-only", "--case", CASES],
                       stdout=subprocess.DEVNULL, check=False)
        time.sleep(3)  # what is still in TIME_WAIT is compared as open
        first, second = (by_key(t.connections()) for t in tracers)
    passed, failures = compare(first, second)
    for failure in failures:
        print("FAIL cross %s/%s: %s" % (hooks[0], hooks[1], failure))
    if not passed:
        failures.append("nothing was compared")
        print("FAIL cross: no connection was seen by both")
    print("%d passed, %d failed" % (passed, len(failures)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
