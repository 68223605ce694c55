#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests with real programs, judged by the witness, /proc and ss, never by finwait itself.

    sudo tests/live/real.py [NAME...]      only the cases whose names contain one of these words

    FINWAIT=./finwait          the binary
    FINWAIT_ARGS=              options for timeline and trace, such as --hooks=timer
    FINWAIT_TOLERANCE_MS=50    how far a dwell may be from the witness's
    FINWAIT_CHURN=20000        connections of the load test

One case a line: "ok NAME" or "FAIL NAME: reason"; then "N passed, N failed". The load comes first
and alone, since it disturbs what the others measure. Those that wait for TIME_WAIT run beside the
rest.
"""

import concurrent.futures
import os
import sys

import real_ends
import real_load
import real_minute
import real_words
from real_host import Failure
from real_tracer import CHURN, FINWAIT, WITNESS, Tracer


class Results:
    def __init__(self, names):
        self.names = names
        self.passed = 0
        self.failed = 0

    def wants(self, cases):
        return [c for c in cases if not self.names or any(n in c.__name__ for n in self.names)]

    def add(self, name, error):
        if error is None:
            self.passed += 1
            print(f"ok {name}", flush=True)
        else:
            self.failed += 1
            reason = str(error) if isinstance(error, Failure) else repr(error)
            print(f"FAIL {name}: {' '.join(reason.split())[:1000]}", flush=True)

    def run(self, case, *args):
        try:
            case(*args)
            self.add(case.__name__, None)
        except Exception as error:  # whatever it was, the other cases go on
            self.add(case.__name__, error)

    def run_on(self, cases, make):
        """Cases that look at the same observation, which make() makes."""
        if not cases:
            return
        try:
            observation = make()
        except Exception as error:
            for case in cases:
                self.add(case.__name__, error)
            return
        for case in cases:
            self.run(case, observation)


def run_beside_each_other(results, pool):
    minute, ends = results.wants(real_minute.CASES), results.wants(real_ends.CASES)
    if not minute and not ends:
        run_words(results)
        return
    with Tracer("timeline", "-f", "json", "-l") as timeline:
        jobs = [pool.submit(results.run_on, minute, lambda: real_minute.Minute(timeline))]
        jobs += [pool.submit(results.run, case, timeline) for case in ends]
        jobs.append(pool.submit(run_words, results))
        for job in jobs:
            job.result()
        results.run(json_lines_until_sigterm, timeline)


def json_lines_until_sigterm(timeline):
    """The stream that all of these shared is whole, and ends well."""
    if timeline.stop() != 0:
        raise Failure(f"status {timeline.status}: {timeline.stderr()}")
    real_words.check_json_lines(timeline)


def run_words(results):
    for case in results.wants(real_words.CASES):
        results.run(case)


def main():
    if os.geteuid() != 0:
        sys.exit("real.py: needs root")
    for path in (FINWAIT, WITNESS, CHURN):
        if not os.access(path, os.X_OK):
            print(f"FAIL real.py: {path} is not there")
            print("0 passed, 1 failed")
            sys.exit(1)
    results = Results(sys.argv[1:])
    results.run_on(results.wants(real_load.CASES), real_load.Load)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        run_beside_each_other(results, pool)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
