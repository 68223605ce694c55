# SPDX-License-Identifier: GPL-2.0-only
"""Runs scenarios in parallel, as many at a time as the processors bear, and prints their checks."""

import os
import subprocess
import sys
import threading
import time
import traceback

from catalogue.host import FINWAIT, run
from catalogue.model import LAB, finding_ids
from catalogue.play import play

SLOTS = int(os.environ.get("LAB_SLOTS", "0")) or 2 * (os.cpu_count() or 1)
SCRIPT_S = 150


class Slots:
    """At most SLOTS in use. Who needs more than there are gets all of them."""

    def __init__(self):
        self.free, self.changed = SLOTS, threading.Condition()

    def take(self, weight):
        weight = min(weight, SLOTS)
        with self.changed:
            self.changed.wait_for(lambda: self.free >= weight)
            self.free -= weight
        return weight

    def give(self, weight):
        with self.changed:
            self.free += weight
            self.changed.notify_all()


class Script:
    """An incident with peers that are played by hand: a program that judges for itself."""

    weight = 1

    def __init__(self, name):
        self.name = name
        self.title = "scripted peer"

    def checks(self, _ways):
        result = subprocess.run(
            [sys.executable, os.path.join(LAB, f"{self.name}.py"), "--check"], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SCRIPT_S,
        )
        lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
        return [(result.returncode == 0, "; ".join(lines[-3:]))]


class Explained:
    """Every finding of the catalogue is a topic of finwait explain."""

    name, title, weight = "explained", "finwait explain knows every finding", 1

    def checks(self, _ways):
        lines = []
        for topic in sorted(finding_ids()):
            result = run([FINWAIT, "explain", topic])
            lines.append((result.returncode == 0 and bool(result.stdout), f"explain {topic}"))
        return lines


class Catalogued:
    def __init__(self, scenario):
        self.scenario = scenario
        self.name, self.title, self.weight = scenario.name, scenario.title, scenario.weight

    def checks(self, ways):
        return play(self.scenario, ways).lines


class Board:
    """What is printed: a scenario's lines together, in the order in which scenarios end."""

    def __init__(self, quiet):
        self.quiet, self.lock = quiet, threading.Lock()
        self.passed = self.failed = 0
        self.lines = {}

    def show(self, job, lines, seconds):
        wrong = sum(not right for right, _ in lines)
        with self.lock:
            self.passed += len(lines) - wrong
            self.failed += wrong
            self.lines[job.name] = lines
            print(f"{job.name}: {job.title} ({seconds:.0f} s)")
            for right, text in lines:
                if not right or not self.quiet:
                    print(f"  {'ok  ' if right else 'FAIL'} {text}")
            sys.stdout.flush()


def run_job(job, ways, board):
    begin = time.monotonic()
    try:
        lines = job.checks(ways)
    except Exception:  # noqa: BLE001 (a broken scenario must not end the others)
        lines = [(False, traceback.format_exc().strip().splitlines()[-1])]
    board.show(job, lines, time.monotonic() - begin)


def run_lane(jobs, ways, board, slots, weight):
    try:
        for job in jobs:
            run_job(job, ways, board)
    finally:
        slots.give(weight)


def lanes_of(jobs):
    """Scripts share an address and so run one after the other: the longest lane, so it begins first.
    Of the scenarios the heavy ones come first, and the others fill the gaps."""
    scripts = [job for job in jobs if isinstance(job, Script)]
    rest = [job for job in jobs if not isinstance(job, Script)]
    return ([scripts] if scripts else []) + [[s] for s in sorted(rest, key=lambda job: -job.weight)]


def run_all(jobs, ways, quiet):
    board, slots, threads = Board(quiet), Slots(), []
    for lane in lanes_of(jobs):
        weight = slots.take(max(job.weight for job in lane))
        thread = threading.Thread(target=run_lane, args=(lane, ways, board, slots, weight))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    print(f"{board.passed} passed, {board.failed} failed")
    return board
