#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live test of names and times: a row has the name of the namespace in which the connection lived, although
the kernel gives a namespace's number to the next one, and the time of day that it was then, although the
time of day is set while finwait runs, and in a time namespace.

    sudo tests/live/names_and_clocks.py [NAME...]    only the cases whose names contain one of these words

Environment as for real.py. One case a line, then "N passed, N failed". The clock of the machine is left
alone: a library in front of clock_gettime() steps finwait's.
"""

import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from real import Results
from real_host import Netns, check, reset_pair, run, wait_until
from real_tracer import ATTACHED, FINWAIT, FINWAIT_ARGS, READY_S

STEP_S = 3600
SHIM = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The time of day is an hour later as soon as the file exists. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_REALTIME && !access(STEP_FILE, F_OK))
		ts->tv_sec += STEP_S;
	return ret;
}
"""


class Finwait:
    """A running finwait. @argv_before: what it is started by."""

    def __init__(self, *args, argv_before=(), env=None):
        self.output, self.messages = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*argv_before, FINWAIT, *args, *FINWAIT_ARGS], stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.messages, env={**os.environ, **(env or {})})
        wait_until(lambda: any(word in self.said() for word in ATTACHED), READY_S, f"finwait {args}")

    def said(self):
        return os.pread(self.messages.fileno(), 1 << 20, 0).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(60) == 0, self.said())
        return os.pread(self.output.fileno(), 1 << 24, 0).decode()

    def rows(self, *netns):
        numbers = [ns.inum for ns in netns]
        rows = [json.loads(line) for line in self.stop().splitlines()]
        return sorted((r for r in rows if r["netns"] in numbers), key=lambda r: r["start"])


class SteppedClock:
    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.directory.name, "step")
        source, self.library = (os.path.join(self.directory.name, n) for n in ("shim.c", "shim.so"))
        with open(source, "w", encoding="ascii") as f:
            f.write(f'#define STEP_FILE "{self.file}"\n#define STEP_S {STEP_S}\n{SHIM}')
        result = run(["gcc", "-shared", "-fPIC", "-o", self.library, source])
        check(result.returncode == 0, result.stderr.decode())
        self.env = {"LD_PRELOAD": self.library}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def step(self):
        with open(self.file, "w", encoding="ascii"):
            pass
        time.sleep(0.3)


def seconds(text):
    """Of RFC 3339, which Python wants without its nanoseconds."""
    return datetime.datetime.fromisoformat(text[:26] + "+00:00").timestamp()


def is_close(text, expected):
    return abs(seconds(text) - expected) < 0.3


def connect_and_reset(netns, listener, wait_s=0.0):
    begin = time.time()
    pair = netns.pair(listener)
    time.sleep(wait_s)
    reset_pair(*pair)
    return begin, time.time()


def check_stepped(rows, before, after):
    check(len(rows) == 4, f"{len(rows)} rows")
    for row in rows[:2]:
        check(is_close(row["start"], before[0]), f"{row['start']} before the step")
    for row in rows[2:]:
        check(is_close(row["start"], after[0] + STEP_S), f"{row['start']} after the step")
        check(is_close(row["ended"], after[1] + STEP_S), f"{row['ended']} after the step")
        dwell = sum(step["ns"] for step in row["states"])
        check(0.09e9 < dwell < 0.5e9, f"it lasted {dwell}")


def time_of_day_is_stepped():
    """What was before the step keeps its time; the recording says the same."""
    with Netns() as netns, SteppedClock() as clock, tempfile.TemporaryDirectory() as directory:
        recording = os.path.join(directory, "a.fwr")
        listener = netns.listen(80)
        with Finwait("timeline", "-f", "json", "--netns", netns.path, "--record", recording,
                     env=clock.env) as finwait:
            before = connect_and_reset(netns, listener)
            time.sleep(0.2)
            clock.step()
            after = connect_and_reset(netns, listener, 0.1)
            time.sleep(0.2)
            rows = finwait.rows(netns)
        check_stepped(rows, before, after)
        result = run([FINWAIT, "timeline", "-f", "json", "-i", recording])
        replayed = [json.loads(line) for line in result.stdout.splitlines()]
        check(sorted(replayed, key=lambda row: row["start"]) == rows, "the recording says something else")


def time_of_day_is_stepped_between_files():
    """Each file of a recording begins with the offset of its time."""
    with Netns() as netns, SteppedClock() as clock, tempfile.TemporaryDirectory() as directory:
        listener = netns.listen(80)
        with Finwait("record", "--netns", netns.path, "-o", os.path.join(directory, "a.fwr"),
                     "--max-age", "1s", env=clock.env) as finwait:
            before = connect_and_reset(netns, listener)
            time.sleep(0.2)
            clock.step()
            time.sleep(1.5)
            after = connect_and_reset(netns, listener, 0.1)
            time.sleep(0.2)
            finwait.stop()
        files = sorted(os.path.join(directory, name) for name in os.listdir(directory))
        check(len(files) > 1, f"one file only: {files}")
        inputs = [word for name in files for word in ("-i", name)]
        result = run([FINWAIT, "timeline", "-f", "json", *inputs])
        check(result.returncode == 0, result.stderr.decode())
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        check_stepped(sorted(rows, key=lambda r: r["start"]), before, after)
        last = run([FINWAIT, "timeline", "-f", "json", "-i", files[-1]])
        for row in map(json.loads, last.stdout.splitlines()):
            check(seconds(row["ended"]) > before[1] + STEP_S, f"{row['ended']} in the last file alone")


def at_a_time_of_day_after_the_step():
    with Netns() as netns, SteppedClock() as clock, tempfile.TemporaryDirectory() as directory:
        recording = os.path.join(directory, "a.fwr")
        listener = netns.listen(80)
        kept = []
        with Finwait("record", "--netns", netns.path, "-o", recording, env=clock.env) as finwait:
            kept.append(netns.pair(listener))
            clock.step()
            moment = time.time() + STEP_S + 0.5
            time.sleep(1.5)
            kept.append(netns.pair(listener))
            finwait.stop()
        text = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        result = run([FINWAIT, "states", "-f", "json", "-i", recording, "--at", text])
        check(result.returncode == 0, result.stderr.decode())
        established = sum(row.get("count", row.get("now", 0)) for row in states_in(json.loads(result.stdout))
                          if row["state"] == "ESTABLISHED")
        check(established == 2, f"{established} ESTABLISHED at {text}")


def states_in(document):
    """Every table row that has a state, wherever it stands."""
    if isinstance(document, dict):
        if isinstance(document.get("state"), str):
            yield document
        for value in document.values():
            yield from states_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from states_in(value)


def in_a_time_namespace():
    """A day ahead of the host's monotonic clock: rows, reports and recordings are right."""
    before = ["unshare", "--time", "--monotonic", "86400"]
    with Netns() as netns, tempfile.TemporaryDirectory() as directory:
        recording = os.path.join(directory, "a.fwr")
        listener = netns.listen(80)
        kept = netns.pair(listener)
        with Finwait("timeline", "-f", "json", "--netns", netns.path, "--record", recording,
                     argv_before=before) as finwait:
            begin, end = connect_and_reset(netns, listener, 0.1)
            time.sleep(0.3)
            rows = finwait.rows(netns)
        ended = [row for row in rows if not row.get("open")]
        check(len(ended) == 2 and len(rows) == 4, f"{len(rows)} rows")
        for row in ended:
            check(is_close(row["start"], begin) and is_close(row["ended"], end), f"{row['start']}, not {begin}")
            check(0.09e9 < sum(s["ns"] for s in row["states"]) < 0.5e9, str(row["states"]))
        for row in rows:
            check(abs(seconds(row["start"]) - begin) < 60, f"{row['start']}: {row}")
        result = run([FINWAIT, "timeline", "-f", "json", "-i", recording])
        check(len(result.stdout.splitlines()) == 4, result.stderr.decode())
        with Finwait("report", "-f", "json", "--netns", netns.path, argv_before=before) as finwait:
            begin = time.time()
            for _ in range(3):
                connect_and_reset(netns, listener)
            time.sleep(0.3)
            report = json.loads(finwait.stop())
        check(abs(seconds(report["about"]["start"]) - begin) < 5, report["about"]["start"])
        counters = {row["counter"]: row for row in report["sections"]["kernel"]["counters"]}
        check(counters["ActiveOpens"].get("finwait") == 3, str(counters["ActiveOpens"]))
        check("why" not in counters["ActiveOpens"], str(counters["ActiveOpens"]))
        kept[0].close()


def reused_numbers(lifetime_s):
    """Namespaces of one number, one after the other: (them, how often one was reused)."""
    spaces = []
    for _ in range(6):
        with Netns() as netns:
            listener = netns.listen(80)
            connect_and_reset(netns, listener)
            listener.close()
            time.sleep(lifetime_s)
            spaces.append(netns)
        time.sleep(0.3)  # until it is really gone
    return spaces


def check_names(rows, spaces):
    """Each namespace has two rows, and those that have the same number come in the order of their time."""
    of_number = {}
    for netns in spaces:
        of_number.setdefault(netns.inum, []).append(netns)
    check(len(of_number) < len(spaces), "no number was used twice")
    for inum, lives in of_number.items():
        mine = [row for row in rows if row["netns"] == inum]
        check(len(mine) == 2 * len(lives), f"{len(mine)} rows of {len(lives)} namespaces")
        for i, row in enumerate(mine):
            name = lives[i // 2].name
            check(row.get("netns_name") == name, f"{row.get('netns_name')} instead of {name}")


def names_of(lifetime_s):
    with tempfile.TemporaryDirectory() as directory:
        recording = os.path.join(directory, "a.fwr")
        with Finwait("timeline", "-f", "json", "--record", recording) as finwait:
            spaces = reused_numbers(lifetime_s)
            rows = finwait.rows(*spaces)
        check_names(rows, spaces)
        # As text: the recording has the names at their places.
        result = run([FINWAIT, "timeline", "-f", "json", "-i", recording, "--netns", spaces[-1].name])
        replayed = [json.loads(line) for line in result.stdout.splitlines()]
        check([row["netns_name"] for row in replayed] == [spaces[-1].name] * 2,
              f"--netns {spaces[-1].name} of the recording: {replayed}")


def a_number_is_reused():
    names_of(0.5)


def a_number_is_reused_at_once():
    """The namespaces are gone before a reader that looks twenty times a second has seen them."""
    names_of(0.0)


def a_report_names_all_lives_of_a_number():
    with Finwait("report", "-f", "json", "-L", "80", "--top", "100") as finwait:
        spaces = reused_numbers(0.3)
        text = finwait.stop()
    number = max({ns.inum for ns in spaces}, key=lambda n: sum(ns.inum == n for ns in spaces))
    lives = [ns.name for ns in spaces if ns.inum == number]
    check(len(lives) > 1, "no number was used twice")
    check(", ".join(lives) in text, f"not '{', '.join(lives)}'")


def a_filter_does_not_follow_the_number():
    """--netns NAME: the next namespace of that number is another one."""
    first = Netns()
    with Finwait("timeline", "-f", "json", "--netns", first.name) as finwait:
        connect_and_reset(first, first.listen(80))
        first.close()
        spaces = []
        for _ in range(8):
            time.sleep(0.3)
            with Netns() as netns:
                listener = netns.listen(80)
                connect_and_reset(netns, listener)
                listener.close()
                time.sleep(0.2)
                spaces.append(netns)
        reused = [ns for ns in spaces if ns.inum == first.inum]
        check(reused, "the number was not used again")
        rows = finwait.rows(first)
    check([row.get("netns_name") for row in rows] == [first.name] * 2, f"{rows}")
    check("is gone, and its number belongs to another one" in finwait.said(), finwait.said())


def its_own_number_is_a_namespace():
    """The number of the host's namespace is below PROC_DYNAMIC_FIRST since Linux 6.18."""
    own = os.stat("/proc/self/ns/net").st_ino
    result = run([FINWAIT, "states", "-f", "json", "--netns", own, "--no-such-option"])
    check("there is no network namespace" not in result.stderr.decode(), result.stderr.decode())


CASES = [
    time_of_day_is_stepped, time_of_day_is_stepped_between_files, at_a_time_of_day_after_the_step,
    in_a_time_namespace, a_number_is_reused, a_number_is_reused_at_once,
    a_report_names_all_lives_of_a_number, a_filter_does_not_follow_the_number,
    its_own_number_is_a_namespace,
]


def main():
    if os.geteuid() != 0:
        sys.exit("names_and_clocks.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
