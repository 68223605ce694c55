#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What tracing costs, tracer by tracer, side by side in one run.

    sudo tests/bench/bench.py [--rounds N] [--connections N] [--threads N] [--only WORD]...
                              [--part PART]... [--write FILE]

One thread opens and closes loopback connections to itself (tests/bench/churn.c), both ends traced, in
a network namespace of its own. Every round goes through all tracers, each between two untraced
measurements, and what counts is the ratio to the mean of those two: the machine's mood cancels out.
The cost of a connection is taken from slices of 20: "undisturbed" is that of a slice which only one in
twenty is faster than, what is left when other programs run; "median" of the one in the middle.

    cost    the ratio, and the tracer's own CPU time and memory
    kinds   the ratio for other ends of connections than an active close
    speed   connections per second with several threads, and what is lost
    kernel  the time of the BPF programs (kernel.bpf_stats_enabled, which costs by itself)
    start   from the tracer's start until it shows the first connection
    hooks   the ratio with each of finwait's front ends that works here (only if asked for)

Each part prints a table (Markdown). --write FILE puts it into FILE, between the lines
"<!-- bench PART -->" and "<!-- end -->".
"""

import argparse
import collections
import os
import platform
import re
import statistics
import subprocess
import sys

from load import churn
from tracers import Finwait, all_tracers, programs

# What a connection of each kind is, in options of churn.
KINDS = {
    "active close": [],
    "passive close": ["-c", "passive"],
    "reset": ["-c", "reset"],
    "4096 addresses": ["-a", "4096"],
    "1 KiB of payload": ["-b", "1024"],
}
AVERAGED = ("undisturbed_ns", "median_ns", "per_s")
FOR_KERNEL = ("empty program", "finwait timeline -f json", "tcpstates", "tcplife", "bpftrace printf")
FOR_KINDS = ("empty program", "finwait timeline -f json", "finwait report", "tcpstates", "tcplife")


def spread(values, form="%.2f"):
    """median (least to most)"""
    if not values:
        return "-"
    numbers = (statistics.median(values), min(values), max(values))
    return (form + " (" + form + " to " + form + ")") % numbers


def median(values, form):
    return form % statistics.median(values) if values else "-"


def measure(tracers, rounds, args, what):
    """Every tracer in every round: yields (tracer, what churn says beside it, and without)."""
    for number in range(rounds):
        print("bench: %s, round %d of %d" % (what, number + 1, rounds), file=sys.stderr, flush=True)
        before = churn(*args)
        for tracer in tracers:
            with tracer:
                traced = churn(*args)
                tracer.sample()
            after = churn(*args)
            yield tracer, traced, {k: (before[k] + after[k]) / 2 for k in AVERAGED}
            before = after


def lists():
    return collections.defaultdict(list)


# ---- Parts: each returns the rows of its table ---------------------------------------------------


def cost(tracers, args):
    ratio, middle, cpu, per_event, rss, attach = (lists() for _ in range(6))
    for t, traced, untraced in measure(tracers, args.rounds, [args.connections], "cost"):
        ratio[t].append(traced["undisturbed_ns"] / untraced["undisturbed_ns"])
        middle[t].append(traced["median_ns"] / untraced["median_ns"])
        if t.spent_ns is None:
            continue
        cpu[t].append(t.spent_ns / args.connections / 1000)
        rss[t].append(t.rss_bytes / 2**20)
        attach[t].append(t.start_s)
        if t.events:
            per_event[t].append(t.spent_ns / t.events)
    rows = [["tracer", "traced / untraced, undisturbed", "median", "its CPU, us a connection",
             "its CPU, ns an event", "MiB", "attached after, s"]]
    return rows + [[t.name, spread(ratio[t]), spread(middle[t]), median(cpu[t], "%.1f"), median(per_event[t], "%.0f"),
                    median(rss[t], "%.0f"), median(attach[t], "%.2f")] for t in tracers]


def kinds(tracers, args):
    chosen = [t for t in tracers if t.name in FOR_KINDS]
    rows = [["connection"] + [t.name for t in chosen]]
    for kind, options in KINDS.items():
        ratio = lists()
        load = [args.connections, *options]
        for t, traced, untraced in measure(chosen, args.rounds, load, kind):
            ratio[t].append(traced["undisturbed_ns"] / untraced["undisturbed_ns"])
        rows.append([kind] + [spread(ratio[t]) for t in chosen])
    return rows


def speed(tracers, args):
    ratio, per_s, lost, events = (lists() for _ in range(4))
    load = [args.threads * args.connections, "-t", args.threads]
    for t, traced, untraced in measure(tracers, args.rounds, load, "speed"):
        ratio[t].append(traced["per_s"] / untraced["per_s"])
        per_s[t].append(traced["per_s"])
        if t.events:
            events[t].append(t.events)
        if t.lost is not None:
            lost[t].append(t.lost)
    rows = [["tracer", "connections/s", "traced / untraced", "events", "lost"]]
    return rows + [[t.name, median(per_s[t], "%.0f"), spread(ratio[t]),
                    str(sum(events[t])) if events[t] else "-",
                    str(sum(lost[t])) if lost[t] else "-"] for t in tracers]


def program_times(tracer, args):
    """[(name, ns, runs)] of the tracer's programs, for args.connections."""
    old = programs()
    with tracer:
        start = {i: p for i, p in programs().items() if i not in old}
        churn(args.connections)
        now = programs()
    return [(p.get("name", "?"), now[i].get("run_time_ns", 0) - p.get("run_time_ns", 0),
             now[i].get("run_cnt", 0) - p.get("run_cnt", 0)) for i, p in start.items() if i in now]


def kernel(tracers, args):
    sysctl = "kernel.bpf_stats_enabled=%d"
    rows = [["tracer", "program", "runs a connection", "ns a run", "us a connection"]]
    subprocess.run(["sysctl", "-q", sysctl % 1], check=True)
    try:
        for tracer in (t for t in tracers if t.name in FOR_KERNEL):
            times = [x for x in program_times(tracer, args) if x[2] > args.connections / 10]
            for name, ns, runs in times + [("all", sum(x[1] for x in times), 0)]:
                if name == "all" and len(times) < 2:
                    continue
                rows.append([tracer.name, name, "%.1f" % (runs / args.connections) if runs else "",
                             "%.0f" % (ns / runs) if runs else "",
                             "%.2f" % (ns / args.connections / 1000)])
    finally:
        subprocess.run(["sysctl", "-q", sysctl % 0], check=True)
    return rows


def start(tracers, args):
    rows = [["tracer", "first connection shown after, s"]]
    took = lists()
    for number in range(args.rounds):
        print("bench: start, round %d of %d" % (number + 1, args.rounds), file=sys.stderr, flush=True)
        for tracer in tracers[1:]:
            seconds = tracer.first_event_s()
            if seconds is not None:
                took[tracer].append(seconds)
    return rows + [[t.name, spread(took[t])] for t in tracers if took[t]]


def works(tracer):
    try:
        with tracer:
            return True
    except SystemExit:
        return False


def hooks(_, args):
    names = ("trampoline", "kprobe", "timer")
    found = [t for t in (Finwait("timeline", "-f", "json", "--hooks=" + n) for n in names) if works(t)]
    ratio = lists()
    for t, traced, untraced in measure(found, args.rounds, [args.connections], "hooks"):
        ratio[t].append(traced["undisturbed_ns"] / untraced["undisturbed_ns"])
    return [["tracer", "traced / untraced, undisturbed"]] + [[t.name, spread(ratio[t])] for t in found]


PARTS = {part.__name__: part for part in (cost, kinds, speed, kernel, start, hooks)}

# ---- Output --------------------------------------------------------------------------------------


def table(rows):
    rows = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |\n"
                   for row in rows)


def write(path, part, text):
    """Between the part's marks in a document."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    marks = re.compile(rf"(<!-- bench {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    new, n = marks.subn(lambda m: m[1] + text + m[2], old)
    if n != 1:
        raise SystemExit(f"bench: {path} has {n} places for '{part}', not one")
    with open(path, "w", encoding="utf-8") as file:
        file.write(new)


def with_tracefs():
    """Others than finwait need it mounted: for us alone."""
    events = "/sys/kernel/tracing/events"
    if os.path.isdir(events) or "FINWAIT_BENCH" in os.environ:
        return
    os.environ["FINWAIT_BENCH"] = "mounted"
    script = 'mount -t tracefs tracefs /sys/kernel/tracing; exec "$0" "$@"'
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, *sys.orig_argv])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", action="append", help="tracers whose name contains this word")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--write", metavar="FILE", help="put the tables into this document")
    return parser.parse_args()


def main():
    with_tracefs()
    args = parse()
    tracers = [t for t in all_tracers() if not args.only or t.name == "untraced" or
               any(word in t.name for word in args.only)]
    for tracer in tracers:
        if not tracer.is_there():
            print(f"bench: {tracer.name} is not installed (scripts/deps bench): left out")
    tracers = [t for t in tracers if t.is_there()]
    churn(args.connections)
    for part in args.part or [part for part in PARTS if part != "hooks"]:
        text = ("Linux %s, %d processors, %d rounds of %d connections; load %.1f at the end\n\n%s"
                % (platform.release().split("-")[0], os.cpu_count(), args.rounds, args.connections,
                   os.getloadavg()[0], table(PARTS[part](tracers, args))))
        print(f"\n{part}: {text}", flush=True)
        if args.write:
            write(args.write, part, text)


if __name__ == "__main__":
    main()
