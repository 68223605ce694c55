#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Load and faults for as long as you like: nothing grows, nothing goes wrong, every count is right.

    sudo tests/soak/soak.py [DURATION]		10m by default; 90s, 2h

In turn: connections of every end, all the time; namespaces come and go; the reader is stopped while
more happens than its small ring has room for; the load is killed in the middle of what it does. Four
tracers watch, of this test's addresses only:

    whole       timeline, never disturbed: it must report every connection that the kernel counts
    disturbed   timeline, stopped again and again: losses are counted, and mended afterwards
    sanitized   trace of an ASan and UBSan build, disturbed likewise: no report, no leak
    report      report --interval

Judged by /proc/net/snmp, ss and /proc/PID. FINWAIT and FINWAIT_SANITIZED name the binaries;
FINWAIT_HIDDEN is how many ends no tracer may have seen (2; 0 where the kernel hides no task from BPF
programs). One line a round, then "ok NAME" or "FAIL NAME: reason", then "N passed, N failed".
"""

import collections
import contextlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live"))

from leaking import ss_counts  # noqa: E402
from real import Results  # noqa: E402
from real_host import Netns, check, wait_until  # noqa: E402
from real_tracer import CHURN, TOP  # noqa: E402
from watchers import Counting, Reporting  # noqa: E402

SANITIZED = os.environ.get("FINWAIT_SANITIZED", os.path.join(TOP, "build/san/finwait"))
ADDRESS = "127.77.0.1"
OURS = ("--local", "127.77.0.0/16")
SMALL = "--ring-size=1"
# In a namespace of its own that is then deleted; while the reader is stopped (14 records of about
# 150 bytes each: more than a ring of 1 MiB has room for); open all the time, both ends.
CLEAN, BURST, HELD = 1000, 4000, 50
STOPPED_S = 2
# Quiet, then a snapshot: as long as a loss may take to be mended.
RESYNC_S = 5
# After so many rounds what can grow has grown: tables keep their memory.
WARM = 2
GROWTH_PCT = 2
# No more of the kernel's minisocks than a round makes: the table has its size from the beginning.
TIME_WAITS = 2000
# Some kernels run no BPF program on top of tasks of their own. A second tracer misses the same ends.
HIDDEN = int(os.environ.get("FINWAIT_HIDDEN", "2"))


def seconds_of(text):
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if not found:
        sys.exit(f"soak.py: '{text}' is no duration: 90s, 10m, 2h")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


class Soak:
    def __init__(self, stack):
        self.stack = stack
        self.netns = stack.enter_context(Netns(tcp_max_tw_buckets=TIME_WAITS))
        listener = self.netns.listen(80, ADDRESS)
        self.held = [self.netns.pair(listener, ADDRESS, 20000 + i) for i in range(HELD)]
        self.whole = self.start(Counting, "timeline", "-f", "json", *OURS)
        self.disturbed = self.start(Counting, "timeline", "-f", "json", "--strict", SMALL, *OURS)
        self.sanitized = self.start(Counting, "trace", "-f", "json", "--strict", SMALL, *OURS,
                                    binary=SANITIZED)
        self.report = self.start(Reporting, "report", "-f", "json", "--interval", "3s", *OURS)
        self.tracers = [self.whole, self.disturbed, self.sanitized, self.report]
        self.memory = collections.defaultdict(list)
        self.files = collections.defaultdict(list)
        self.clean_faults = []
        self.rounds = self.resyncs = 0

    def start(self, kind, *args, **options):
        return self.stack.enter_context(kind(*args, **options))

    def burst(self, netns, n, *args):
        done = netns.run(CHURN, "-n", n, "-s", ADDRESS, "-c", "mixed", *args)
        check(done.returncode == 0, f"churn: {done.stderr}")

    def clean(self):
        """A namespace comes and goes: both ends of all that was in it are rows, and none other."""
        with Netns() as netns:
            before = self.whole.of(netns.inum)
            self.burst(netns, CLEAN, "-a", 100)
            opened = netns.counter("ActiveOpens", "Tcp"), netns.counter("PassiveOpens", "Tcp")
        check(opened == (CLEAN, CLEAN), f"the kernel counts {opened}")

        def all_are_there():
            rows = self.whole.of(netns.inum) - before
            return rows.total() >= 2 * CLEAN and rows

        rows = wait_until(all_are_there, 20, f"{2 * CLEAN} rows of a namespace that is gone")
        time.sleep(0.1)
        rows = self.whole.of(netns.inum) - before
        if rows != {("active", False): CLEAN, ("passive", False): CLEAN}:
            self.clean_faults.append(dict(rows))

    def overflow(self):
        for tracer in (self.disturbed, self.sanitized):
            tracer.pause()
        self.burst(self.netns, BURST)
        time.sleep(STOPPED_S)
        for tracer in (self.disturbed, self.sanitized):
            tracer.resume()

    def round(self):
        load = self.netns.start(CHURN, "-n", 1000000, "-s", ADDRESS, "-c", "mixed", "-i", 2000)
        self.clean()
        self.overflow()
        load.kill()
        load.wait()
        self.netns.programs.remove(load)
        time.sleep(RESYNC_S)
        for tracer in self.tracers:
            self.memory[tracer].append(tracer.memory_bytes())
            self.files[tracer].append(tracer.files())
        self.rounds += 1
        print(f"soak: round {self.rounds}: {self.whole.rows.total()} connections; KiB:",
              *(self.memory[t][-1] // 1024 for t in self.tracers), flush=True)

    def finish(self):
        """What there is when all is quiet, by ss, and what the tracers say then."""
        self.counted = {role: self.netns.counter(name, "Tcp")
                        for role, name in (("active", "ActiveOpens"), ("passive", "PassiveOpens"))}
        before = ss_counts(self.netns)
        for tracer in self.tracers:
            tracer.stop()
        after = ss_counts(self.netns)
        # TIME_WAITs go on ending meanwhile.
        self.open = {state: (min(before.get(state, 0), after.get(state, 0)),
                             max(before.get(state, 0), after.get(state, 0)))
                     for state in {*before, *after} - {"LISTEN"}}


# ---- Cases ---------------------------------------------------------------------------------------


def namespaces_that_come_and_go_are_whole(soak):
    check(not soak.clean_faults, f"{len(soak.clean_faults)} of {soak.rounds}: {soak.clean_faults}")


def every_connection_of_the_kernel_is_reported(soak):
    rows = soak.whole.of(soak.netns.inum)
    lost = soak.whole.lost()
    missing = sum(soak.counted.values()) - rows.total()
    check(abs(missing) <= lost, f"{missing} of {soak.counted} missing: {rows}; {lost} events lost")
    for role, there in soak.counted.items():
        found = sum(n for (r, _), n in rows.items() if r == role)
        # Those that are held are older than the tracer: their role may not be known.
        check(there - HELD - lost <= found <= there + lost, f"{found} of {there} {role} rows: {rows}")


def losses_are_counted_and_mended(soak):
    for tracer in (soak.disturbed, soak.sanitized):
        check(tracer.lost() > 0, f"{tracer.name}: nothing lost: {tracer.stderr()}")
        found = re.search(r"(\d+) times all connections were looked at", tracer.stderr())
        check(found and int(found[1]) >= soak.rounds, f"{tracer.name}: {tracer.stderr()}")


def check_open(soak, tracer):
    found = tracer.open_in(soak.netns.inum)
    hidden = 0
    for state in {*found, *soak.open}:
        least, most = soak.open.get(state, (0, 0))
        rows = found.get(state, [])
        hidden += max(0, len(rows) - most)
        check(least <= len(rows) <= most + HIDDEN, f"{tracer.name}: {len(rows)} in {state}; ss: {least} "
              f"to {most}; {rows[:3]}; {tracer.stderr()}")
    check(hidden <= HIDDEN, f"{tracer.name}: {hidden} ends not seen: {dict(found)}")
    return f"{hidden} ends unseen" if hidden else None


def in_the_end_the_table_equals_ss(soak):
    said = [check_open(soak, tracer) for tracer in (soak.whole, soak.disturbed)]
    return ", ".join(filter(None, said))


def memory_is_flat(soak):
    for tracer in (soak.whole, soak.disturbed, soak.report):
        kib = [n // 1024 for n in soak.memory[tracer]]
        warm, last = max(kib[:WARM]), kib[-1]
        check(last <= warm * (1 + GROWTH_PCT / 100), f"{tracer.name}: KiB {kib}")


def descriptors_are_flat(soak):
    for tracer in soak.tracers:
        files = soak.files[tracer]
        # A snapshot that is not yet complete has some of its own.
        check(min(files[-WARM:]) <= max(files[:WARM]), f"{tracer.name}: {files}")


def exit_statuses_tell(soak):
    expected = {soak.whole: 0, soak.disturbed: 3, soak.sanitized: 3, soak.report: 0}
    for tracer, status in expected.items():
        check(tracer.status == status, f"{tracer.name}: {tracer.status}: {tracer.stderr()}")


def nothing_for_the_sanitizers(soak):
    said = soak.sanitized.stderr()
    check("Sanitizer" not in said and "runtime error" not in said, said)


CASES = [
    namespaces_that_come_and_go_are_whole, every_connection_of_the_kernel_is_reported,
    losses_are_counted_and_mended, in_the_end_the_table_equals_ss, memory_is_flat,
    descriptors_are_flat, exit_statuses_tell, nothing_for_the_sanitizers,
]


def main():
    seconds = seconds_of(sys.argv[1] if len(sys.argv) > 1 else "10m")
    if os.geteuid() != 0:
        sys.exit("soak.py: needs root")
    results = Results([])

    def observe():
        with contextlib.ExitStack() as stack:
            soak = Soak(stack)
            end = time.monotonic() + seconds
            while time.monotonic() < end or soak.rounds <= WARM:
                soak.round()
            soak.finish()
            return soak

    results.run_on(CASES, observe)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
