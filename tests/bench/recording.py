#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a recording takes, and how fast it is read.

    sudo tests/bench/recording.py [--connections N] [--rounds N]

Records tests/bench/churn.c (mixed closes) in a network namespace of its own, then prints bytes per
event on disk, what other ways of writing the same records would take (tests/bench/packing.c), and
events per second of `finwait timeline -i`, by its CPU time: median, least and most. What recording
costs the traced, beside the other commands, says tests/bench/bench.py --only finwait.
"""

import argparse
import os
import resource
import statistics
import subprocess
import tempfile

from bench import CHURN, Namespace
from tracers import FINWAIT, ROOT

PACKING = os.path.join(ROOT, "build/tests/packing")


def record(path, connections):
    with Namespace() as netns:
        churn = ["ip", "netns", "exec", netns, CHURN, "-n", str(connections), "-c", "mixed"]
        subprocess.run([FINWAIT, "record", "-o", path, "--netns", netns, "--", *churn], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def info(path):
    out = subprocess.run([FINWAIT, "record", "--info", path], check=True, stdout=subprocess.PIPE)
    return dict(line.split(None, 1) for line in out.stdout.decode().splitlines())


def cpu_seconds(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def replay(path, events, rounds):
    for args in (["timeline"], ["timeline", "-f", "json"], ["trace"], ["report"]):
        argv = [FINWAIT, *args, "-i", path, "-o", "/dev/null"]
        rates = [events / cpu_seconds(argv) / 1e6 for _ in range(rounds)]
        print("%-18s %.2f million events/s (%.2f to %.2f)"
              % (" ".join(args), statistics.median(rates), min(rates), max(rates)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=60000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "churn.fwr")
        record(path, args.connections)
        said = info(path)
        events, lost = (int(said[k].replace(",", "")) for k in ("events", "lost"))
        print("%d events, %d lost; snapshots: %s; %s" % (events, lost, said["snapshots"], said["size"]))
        print("%.2f bytes per event on disk" % (os.path.getsize(path) / events))
        subprocess.run([PACKING, path], check=True)
        replay(path, events, args.rounds)


if __name__ == "__main__":
    main()
