#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a recording takes, what it costs, and how fast it is read.

    sudo tests/bench/recording.py [--connections N] [--rounds N] [--only bytes|read|cost]

Records tests/bench/churn.c (mixed closes) in a network namespace of its own, and prints bytes per
event on disk, and what other ways of writing the same records would take (tests/bench/packing.c);
events per second of commands with -i, by their CPU time: median, least and most; and what a
connection costs while it is recorded or traced, as a ratio to the mean of an untraced run before and
one after.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
CHURN = os.path.join(ROOT, "build/tests/churn")
PACKING = os.path.join(ROOT, "build/tests/packing")


class Namespace:
    """Removed after every measurement: TIME_WAITs of one would burden the next."""

    def __enter__(self):
        self.name = "finwait-bench-%d" % os.getpid()
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def churn(self, connections, *args):
        return ["ip", "netns", "exec", self.name, CHURN, "-n", str(connections), *args]


def spread(values, form="%.2f"):
    return (form + " (" + form + " to " + form + ")") % (
        statistics.median(values), min(values), max(values))


# ---- Bytes -----------------------------------------------------------------------------------------


def record(path, connections):
    with Namespace() as netns:
        subprocess.run([FINWAIT, "record", "-o", path, "--netns", netns.name, "--",
                        *netns.churn(connections, "-c", "mixed")],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def info(path):
    out = subprocess.run([FINWAIT, "record", "--info", path], check=True, stdout=subprocess.PIPE)
    return dict(line.split(None, 1) for line in out.stdout.decode().splitlines())


# ---- Reading ---------------------------------------------------------------------------------------


def cpu_seconds(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def replay(path, events, rounds):
    for args in (["timeline"], ["timeline", "-f", "json"], ["trace"], ["report"]):
        argv = [FINWAIT, *args, "-i", path, "-o", "/dev/null"]
        rates = [events / cpu_seconds(argv) / 1e6 for _ in range(rounds)]
        print("%-18s %s million events/s" % (" ".join(args), spread(rates)), flush=True)


# ---- What it costs the traced ------------------------------------------------------------------------


class Finwait:
    """None: nobody watches."""

    def __init__(self, args):
        self.args = args

    def __enter__(self):
        if not self.args:
            return
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen([FINWAIT, *self.args], stdout=subprocess.DEVNULL,
                                        stderr=self.said)
        while b" TCP with the " not in os.pread(self.said.fileno(), 4096, 0):
            if self.process.poll() is not None:
                raise SystemExit("bench: %s does not start" % self.args)
            time.sleep(0.01)
        time.sleep(0.5)

    def __exit__(self, *_):
        if self.args:
            self.process.terminate()
            self.process.wait()
            self.said.close()


def one_churn(args, connections):
    with Namespace() as netns, Finwait(args):
        out = subprocess.run(netns.churn(connections, "-c", "mixed"), check=True,
                             stdout=subprocess.PIPE)
    return json.loads(out.stdout)["ns_per_connection"]


def cost(path, connections, rounds):
    ways = {"trace": ["trace", "-o", path], "record": ["record", "-o", path]}
    ratios = {name: [] for name in ways}
    before = one_churn(None, connections)
    for _ in range(rounds):
        for name, args in ways.items():
            watched = one_churn(args, connections)
            after = one_churn(None, connections)
            ratios[name].append(2 * watched / (before + after))
            before = after
    for name, values in ratios.items():
        print("%-18s %s times an unwatched connection" % (name, spread(values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=50000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("bytes", "read", "cost"), help="one part")
    args = parser.parse_args()
    parts = (args.only,) if args.only else ("bytes", "read", "cost")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "churn.fwr")
        if parts != ("cost",):
            record(path, args.connections)
            said = info(path)
            events = int(said["events"].replace(",", ""))
        if "bytes" in parts:
            print("%d events, %s lost; snapshots: %s; %s"
                  % (events, said["lost"], said["snapshots"], said["size"]))
            print("%.2f bytes per event on disk" % (os.path.getsize(path) / events), flush=True)
            subprocess.run([PACKING, path], check=True)
        if "read" in parts:
            replay(path, events, args.rounds)
        if "cost" in parts:
            cost(path, min(args.connections, 10000), args.rounds)


if __name__ == "__main__":
    main()
