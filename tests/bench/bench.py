#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What tracing costs, tracer by tracer, side by side in one run.

    sudo tests/bench/bench.py [--rounds N] [--connections N] [--threads N] [--only WORD]...

One thread opens and closes loopback connections to itself (tests/bench/churn.c), both ends traced, in
a network namespace of its own. Every round goes through all tracers, each between two untraced
measurements, and what counts is the ratio to the mean of those two: the machine's mood cancels
out. Printed as a table (Markdown): the ratio's median and spread, connections per second with two
threads, events lost there, CPU time of the tracer per connection, its memory, the kernel time of its
BPF programs per connection (in a round of its own: kernel.bpf_stats_enabled costs), and the time
from its start until it was attached.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

from tracers import ROOT, Tracer, all_tracers, programs

CHURN = os.path.join(ROOT, "build/tests/churn")


class Namespace:
    """Removed after every measurement: TIME_WAITs of one would burden the next."""

    def __init__(self):
        self.name = "finwait-bench-%d" % os.getpid()

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self.name

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def churn(connections, threads=1):
    """(ns per connection, connections per second)"""
    with Namespace() as netns:
        argv = ["ip", "netns", "exec", netns, CHURN, "-n", connections, "-t", threads]
        out = subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.PIPE)
        result = json.loads(out.stdout)
        time.sleep(0.3)  # for the tracer to catch up, as far as it counts
    return result["ns_per_connection"], 1e9 * connections / result["wall_ns"]


class Figures:
    def __init__(self, tracer):
        self.name = tracer.name
        self.ratios, self.cpu_ns, self.rss, self.start = [], [], [], []
        self.per_s, self.lost, self.kernel_ns = None, None, None


def one_round(tracers, figures, args):
    before = churn(args.connections)[0]
    for tracer, f in zip(tracers, figures):
        with tracer:
            cost = churn(args.connections)[0]
            cpu, rss = tracer.cpu_seconds(), tracer.rss_bytes()
        after = churn(args.connections)[0]
        f.ratios.append(2 * cost / (before + after))
        if cpu is not None:
            f.cpu_ns.append(1e9 * cpu / args.connections)
            f.rss.append(rss)
        if isinstance(tracer, Tracer):
            f.start.append(tracer.start_s)
        before = after


def full_speed(tracers, figures, args):
    """With as many threads as there are processors: what gets through, what is lost."""
    for tracer, f in zip(tracers, figures):
        with tracer:
            f.per_s = churn(args.threads * args.connections, args.threads)[1]
        f.lost = tracer.lost


def kernel_time(tracers, figures, args):
    subprocess.run(["sysctl", "-q", "kernel.bpf_stats_enabled=1"], check=True)
    try:
        for tracer, f in zip(tracers, figures):
            old = programs()
            with tracer:
                start = {i: p for i, p in programs().items() if i not in old}
                churn(args.connections)
                spent = sum(p.get("run_time_ns", 0) - start[i].get("run_time_ns", 0)
                            for i, p in programs().items() if i in start)
            f.kernel_ns = spent / args.connections
    finally:
        subprocess.run(["sysctl", "-q", "kernel.bpf_stats_enabled=0"], check=True)


def median(values, form):
    return form % statistics.median(values) if values else "-"


def row(f):
    ratio = "%.2f (%.2f to %.2f)" % (statistics.median(f.ratios), min(f.ratios), max(f.ratios))
    return [
        f.name, ratio, "%.0f" % f.per_s, "-" if f.lost is None else str(f.lost),
        median([ns / 1000 for ns in f.cpu_ns], "%.1f"),
        median([rss / 2**20 for rss in f.rss], "%.0f"),
        "%.1f" % (f.kernel_ns / 1000) if f.kernel_ns else "-", median(f.start, "%.2f"),
    ]


def print_table(figures):
    head = ["tracer", "connection, traced / untraced", "connections/s", "lost",
            "CPU us/connection", "MiB", "BPF us/connection", "start s"]
    lines = [head, ["---"] * len(head)] + [row(f) for f in figures]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |")


def with_tracefs():
    """Others than finwait need it mounted: for us alone."""
    events = "/sys/kernel/tracing/events"
    if os.path.isdir(events) or "FINWAIT_BENCH" in os.environ:
        return
    os.environ["FINWAIT_BENCH"] = "mounted"
    script = 'mount -t tracefs tracefs /sys/kernel/tracing; exec "$0" "$@"'
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, *sys.orig_argv])


def main():
    with_tracefs()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", action="append", help="tracers whose name contains this word")
    args = parser.parse_args()
    tracers = [t for t in all_tracers()
               if not args.only or any(word in t.name for word in args.only)]
    for tracer in tracers:
        if not tracer.is_there():
            print(f"bench: {tracer.name} is not installed: left out")
    tracers = [t for t in tracers if t.is_there()]
    figures = [Figures(t) for t in tracers]
    churn(args.connections)
    for number in range(args.rounds):
        print("bench: round %d of %d" % (number + 1, args.rounds), flush=True)
        one_round(tracers, figures, args)
    full_speed(tracers, figures, args)
    kernel_time(tracers, figures, args)
    print("Linux %s, %d processors, %d rounds of %d connections, %d threads for connections/s"
          % (platform.release(), os.cpu_count(), args.rounds, args.connections, args.threads))
    print_table(figures)


if __name__ == "__main__":
    main()
