#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a loopback connection costs traced and untraced, in one run, interleaved A B A B.

    sudo tests/bench/cost.py [--rounds N] [--connections N] [-- FINWAIT ARGUMENT...]

One thread opens and closes connections to itself in a namespace of its own (tests/bench/churn.c),
both ends traced. Prints the cost of a connection untraced and traced, their ratio with its spread,
and from the traced rounds: events lost, user and system time of finwait per event, and kernel time
per program run (kernel.bpf_stats_enabled).
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHURN = os.path.join(ROOT, "build/tests/churn")
FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
TICKS = os.sysconf("SC_CLK_TCK")


class Namespace:
    """Removed after every round: TIME_WAITs of one would burden the next."""

    def __init__(self):
        self.name = "finwait-bench-%d" % os.getpid()

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self.name

    def __exit__(self, *error):
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def churn(connections):
    with Namespace() as netns:
        out = subprocess.run(["ip", "netns", "exec", netns, CHURN, "-n", str(connections)],
                             check=True, stdout=subprocess.PIPE)
        return json.loads(out.stdout)["ns_per_connection"]


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def programs():
    """Kernel time and runs of finwait's BPF programs."""
    out = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, stdout=subprocess.PIPE)
    result = {}
    for p in json.loads(out.stdout):
        if p.get("name", "").startswith("fw_") and p.get("run_cnt"):
            ns, runs = result.get(p["name"], (0, 0))
            result[p["name"]] = (ns + p["run_time_ns"], runs + p["run_cnt"])
    return result


class Traced:
    def __init__(self, arguments):
        self.err = tempfile.TemporaryFile("w+")
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen([FINWAIT] + arguments, stdout=self.out, stderr=self.err)
        while "tracing" not in self.said():
            if self.process.poll() is not None:
                raise SystemExit("finwait: " + self.said())
            time.sleep(0.02)
        time.sleep(0.3)  # let HZ be measured and the first tick pass
        self.cpu_before = cpu_seconds(self.process.pid)

    def said(self):
        self.err.seek(0)
        return self.err.read()

    def end(self):
        """(events, lost, user seconds, system seconds)"""
        time.sleep(0.3)
        user, system = (now - before for now, before in
                        zip(cpu_seconds(self.process.pid), self.cpu_before))
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        events, lost = re.search(r"(\d+) events, .* (\d+) events lost", self.said()).groups()
        return int(events), int(lost), user, system


def spread(values):
    return "%.3f (%.3f to %.3f)" % (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("arguments", nargs="*", default=["timeline", "-f", "json"])
    args = parser.parse_args()
    plain, traced, totals = [], [], []
    churn(args.connections)
    for _ in range(args.rounds):
        plain.append(churn(args.connections))
        finwait = Traced(args.arguments)
        traced.append(churn(args.connections))
        totals.append(finwait.end())
    ratios = [t / p for p, t in zip(plain, traced)]
    events = sum(t[0] for t in totals)
    print("connection untraced      %.1f us" % (statistics.median(plain) / 1000))
    print("connection traced        %.1f us" % (statistics.median(traced) / 1000))
    print("traced / untraced        %s" % spread(ratios))
    print("events                   %d, lost %d" % (events, sum(t[1] for t in totals)))
    print("finwait user per event   %.0f ns" % (1e9 * sum(t[2] for t in totals) / events))
    print("finwait system per event %.0f ns" % (1e9 * sum(t[3] for t in totals) / events))

    subprocess.run(["sysctl", "-q", "kernel.bpf_stats_enabled=1"], check=True)
    try:
        finwait = Traced(args.arguments)
        churn(args.connections)
        for name, (ns, runs) in sorted(programs().items()):
            print("%-24s %.0f ns a run, %.2f runs a connection"
                  % (name, ns / runs, runs / args.connections))
        finwait.end()
    finally:
        subprocess.run(["sysctl", "-q", "kernel.bpf_stats_enabled=0"], check=True)


if __name__ == "__main__":
    main()
