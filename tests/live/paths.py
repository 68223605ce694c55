#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every path of the TCP state machine: finwait against the truth table and a witness.

Starts finwait once, runs all cases of paths.cases side by side, each in a network namespace of its
own, and compares what finwait printed about each connection with
  - the table: path, end and further fields, exactly;
  - the witness of that case: the dwell in each state, within a tolerance.
Prints one line per case and family, and at last "N passed, N failed". Needs root.

Environment: FINWAIT (the program), FINWAIT_ARGS (more arguments), PEER (the test peer),
FINWAIT_TOLERANCE_MS (60), FINWAIT_SKIP_OK=1 (a case that cannot run here is skipped, not failed),
FINWAIT_HIDDEN_RUNS (2; 0 where the kernel hides no task from BPF programs).
"""

import argparse
import fnmatch
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from paths_compare import Failure, blind_ns, check_strays, compare, TOLERANCE_NS, tuple_key

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = os.path.join(HERE, "paths.cases")
SKIP_OK = os.environ.get("FINWAIT_SKIP_OK") == "1"

PEER_DEADLINE_S = 240
READY_DEADLINE_S = 180
PRINT_DEADLINE_S = 15
ATTEMPTS = 3  # see Run.worth_repeating()
# Some kernels run no BPF program on top of certain tasks (such as an agent of their hypervisor): a
# softirq that interrupts one is seen by no tracer at all (measured: by none of two independent ones),
# and a connection may seem to be still open, or, if it was a minisock that was then looked at, to have
# ended somehow. So few runs may show that, and must not show it again.
HIDDEN_RUNS = int(os.environ.get("FINWAIT_HIDDEN_RUNS", "2"))


def default_program(variable, *candidates):
    if os.environ.get(variable):
        return os.environ[variable]
    for path in candidates:
        if os.access(os.path.join(ROOT, path), os.X_OK):
            return os.path.join(ROOT, path)
    return sys.exit("paths.py: no %s; build it or set %s" % (candidates[0], variable))


class Run:
    """One case in one family: a process, and later what it printed."""

    def __init__(self, name, family, length_ms, number):
        self.name, self.family, self.length_ms, self.number = name, family, length_ms, number
        self.process = self.output = self.result = None
        self.attempts = self.deadline = 0

    def start(self, peer, directory):
        """Every attempt has ports of its own, so that finwait's lines are never mixed up."""
        self.number += 1000 if self.attempts else 0
        self.attempts += 1
        self.output = os.path.join(directory, "%s.%s.json" % (self.name, self.family))
        command = [peer, "--number", str(self.number), "--family", self.family, CASES, self.name]
        with open(self.output, "wb") as out, open(self.output[:-4] + "err", "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err)
        self.deadline = time.monotonic() + PEER_DEADLINE_S

    def finished(self):
        if self.process.poll() is None:
            if time.monotonic() < self.deadline:
                return False
            self.process.kill()
            self.process.wait()
        self.load()
        return True

    def load(self):
        try:
            with open(self.output, encoding="utf-8") as f:
                self.result = json.load(f)
        except (OSError, ValueError) as e:
            self.result = {"error": "the peer printed no result: %s" % e}

    def worth_repeating(self):
        """On a busy machine a step may come too late for the next one, the script may not be on time,
        or the witness not get to look for longer than the tolerance. None of it says anything about
        finwait: so once more."""
        if self.attempts == ATTEMPTS or self.cannot_run():
            return False
        if self.result["error"]:
            return True
        try:
            compare(self.result, None)
        except Failure:
            return True
        return blind_ns(self.result) > TOLERANCE_NS

    def keys(self):
        """The 4-tuples this run must find in finwait's output, with how often."""
        wanted = {}
        for conn in self.result.get("conns", []):
            key = tuple_key(conn, self.result["netns"])
            wanted[key] = wanted.get(key, 0) + conn["times"]
        return wanted

    def cannot_run(self):
        """The kernel or the privileges lack something, as opposed to a step that went wrong."""
        error = self.result.get("error") or ""
        lacking = not error.startswith("line ") or "sysctl" in error or "SOCK_DESTROY" in error
        return bool(error) and lacking


class Finwait:
    """The program under test: started once, its lines indexed by namespace and 4-tuple."""

    def __init__(self, directory):
        program = default_program("FINWAIT", "finwait", "build/finwait")
        command = [program, "timeline", "-f", "json"]
        command += shlex.split(os.environ.get("FINWAIT_ARGS", ""))
        self.stdout = os.path.join(directory, "finwait.out")
        self.stderr = os.path.join(directory, "finwait.err")
        with open(self.stdout, "wb") as out, open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err)
        self.conns = {}
        self.offset = 0

    def messages(self):
        with open(self.stderr, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_ready(self):
        deadline = time.monotonic() + READY_DEADLINE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if any(s.startswith("finwait: tracing") for s in self.messages().splitlines()):
                return
            time.sleep(0.05)
        self.stop()
        sys.exit("paths.py: finwait did not start:\n" + self.messages())

    def read(self):
        with open(self.stdout, "rb") as f:
            f.seek(self.offset)
            data = f.read()
        end = data.rfind(b"\n") + 1
        self.offset += end
        for line in data[:end].splitlines():
            conn = json.loads(line)
            self.conns.setdefault(tuple_key(conn, conn.get("netns")), []).append(conn)

    def wait_for(self, runs):
        """The last connections have just ended: give finwait the time to say so."""
        deadline = time.monotonic() + PRINT_DEADLINE_S
        wanted = {}
        for run in runs:
            wanted.update(run.keys())
        while time.monotonic() < deadline and self.process.poll() is None:
            self.read()
            if all(len(self.conns.get(key, [])) >= n for key, n in wanted.items()):
                return
            time.sleep(0.2)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            print("paths.py: finwait did not end on SIGTERM", file=sys.stderr)


def list_runs(peer, pattern):
    lines = subprocess.run([peer, "--list", CASES], check=True, stdout=subprocess.PIPE,
                           universal_newlines=True).stdout.splitlines()
    runs = []
    for number, line in enumerate(lines):
        name, family, length_ms = line.split()
        if fnmatch.fnmatch(name, pattern):
            runs.append(Run(name, family, int(length_ms), number))
    return runs


def run_all(runs, peer, directory, args):
    """Longest first, at most args.jobs at a time, and not all in the same moment: dwells are being
    measured while others start."""
    waiting = sorted(runs, key=lambda run: -run.length_ms)
    active = []
    while waiting or active:
        if waiting and len(active) < args.jobs:
            run = waiting.pop(0)
            run.start(peer, directory)
            active.append(run)
        time.sleep(args.pause_ms / 1000)
        for run in [run for run in active if run.finished()]:
            active.remove(run)
            if run.worth_repeating():
                waiting.append(run)


def verdict(run, finwait, final):
    """Prints the line of one run. Returns "ok", "FAIL", "skip" or, if not final, "hidden"."""
    again = " (attempt %d)" % run.attempts if run.attempts > 1 else ""
    try:
        compare(run.result, finwait.conns if finwait else None)
        if finwait:
            check_strays(run.result, run.number, run.keys(), finwait.conns)
    except Failure as e:
        word = "skip" if SKIP_OK and run.cannot_run() else "FAIL"
        if not final and str(e).endswith(("still open", "found gone")):
            word = "hidden"
        print("%s %s %s: %s%s" % (word, run.name, run.family, e, again))
        return word
    print("ok %s %s%s" % (run.name, run.family, again))
    return "ok"


def parse_arguments():
    parser = argparse.ArgumentParser(description="TCP state paths: finwait against the truth.")
    parser.add_argument("--case", default="*", metavar="GLOB", help="only cases that match")
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    parser.add_argument("--keep", action="store_true", help="keep all outputs and say where")
    parser.add_argument("--witness-only", action="store_true",
                        help="check the cases themselves, without finwait")
    parser.add_argument("--jobs", type=int, default=100, help="cases at a time (default 100)")
    parser.add_argument("--pause-ms", type=int, default=150,
                        help="between two starts (default 150)")
    return parser.parse_args()


def run_and_judge(runs, peer, directory, args, final):
    finwait = None
    try:
        if not args.witness_only:
            finwait = Finwait(directory)
            finwait.wait_ready()
        run_all(runs, peer, directory, args)
        if finwait:
            finwait.wait_for(runs)
            finwait.stop()
            finwait.read()
        return [verdict(run, finwait, final) for run in runs]
    finally:
        for run in runs:
            if run.process and run.process.poll() is None:
                run.process.kill()
        if finwait and finwait.process.poll() is None:
            finwait.stop()


def main():
    args = parse_arguments()
    peer = default_program("PEER", "build/tests/peer")
    runs = list_runs(peer, args.case)
    if args.list:
        print("\n".join("%s %s" % (run.name, run.family) for run in runs))
        return 0
    directory = tempfile.mkdtemp(prefix="finwait-paths-")
    try:
        verdicts = run_and_judge(runs, peer, directory, args, False)
        hidden = [run for run, word in zip(runs, verdicts) if word == "hidden"]
        if len(hidden) > HIDDEN_RUNS:
            print("FAIL: the ends of %d connections were not seen" % len(hidden))
            verdicts = ["FAIL" if word == "hidden" else word for word in verdicts]
        elif hidden:
            verdicts = [word for word in verdicts if word != "hidden"]
            for run in hidden:
                run.attempts = max(run.attempts, 1)
            verdicts += run_and_judge(hidden, peer, directory, args, True)
    finally:
        if args.keep:
            print("outputs are in " + directory, file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    skipped = ", %d skipped" % verdicts.count("skip") if "skip" in verdicts else ""
    print("%d passed, %d failed%s" % (verdicts.count("ok"), verdicts.count("FAIL"), skipped))
    return 1 if "FAIL" in verdicts or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
