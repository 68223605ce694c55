# SPDX-License-Identifier: GPL-2.0-only
"""As many connections as one thread can make: all of them are reported, and nothing is lost."""

import collections
import json
import os
import re

from real_host import Netns, check
from real_tracer import CHURN, NEXT_STATES, Tracer, check_path, describe, key_of

CONNECTIONS = int(os.environ.get("FINWAIT_CHURN", "20000"))
MIXED = CONNECTIONS // 10


class Load:
    """One run of the load generator under timeline and trace. Both ends of each are rows."""

    def __init__(self):
        with Netns() as netns, Tracer("timeline", "-f", "json") as timeline:
            with Tracer("trace", "-f", "json") as trace:
                self.churn(netns, "-n", CONNECTIONS)
                self.churn(netns, "-n", MIXED, "-c", "mixed", "-t", "2", "-6", "-b", "100")
                self.time_waits = netns.time_waits()
                self.reused = netns.counter("TWRecycled")
                timeline.stop(seconds=60)
                trace.stop(seconds=60)
            self.rows = timeline.rows(netns)
            self.events = trace.objects_of(netns)
        self.timeline, self.trace = timeline, trace

    @staticmethod
    def churn(netns, *args):
        done = netns.run(CHURN, *args)
        check(done.returncode == 0, f"churn {args}: {done.stderr}")
        check(json.loads(done.stdout)["connections"] == args[1], "churn made another number")


def check_nothing_lost(tracer):
    check(tracer.status == 0, f"status {tracer.status}: {tracer.stderr()}")
    lost = re.search(r"\b([1-9][\d,]*)\s+(\w+\s+)?(lost|dropped|evicted)", tracer.stderr())
    check(not lost, tracer.stderr())


def timeline_reports_every_connection(load):
    check_nothing_lost(load.timeline)
    expected = 2 * (CONNECTIONS + MIXED)
    check(len(load.rows) == expected, f"{len(load.rows)} rows for {expected} ends")
    check(len({row["conn"] for row in load.rows}) == expected, "a conn number occurs twice")
    roles = collections.Counter(row["role"] for row in load.rows)
    check(roles["active"] == roles["passive"] == expected // 2, f"{roles}")
    pairs = {key_of(row) for row in load.rows}
    lonely = [key for key in pairs if (key[2], key[3], key[0], key[1]) not in pairs]
    check(not lonely, f"one end only: {lonely[:3]}")


def timeline_paths_are_legal(load):
    for row in load.rows:
        check_path(row)
        check(row["gap"] is False, f"gap: {describe(row)}")
    ends = collections.Counter(row.get("end", "open") for row in load.rows)
    # mixed takes turns (active, passive, reset) in each of its two threads
    resets = sum(n // 3 for n in (MIXED // 2, MIXED - MIXED // 2))
    expected = {
        "open": load.time_waits,
        # After a second connect() may take a port over; the kernel counts that.
        "time_wait_reused": load.reused,
        "last_ack": CONNECTIONS + MIXED - resets,
        "reset_sent": resets,
        "reset_received": resets,
    }
    check(ends == +collections.Counter(expected), f"{dict(ends)} instead of {expected}")


def trace_reports_every_transition(load):
    check_nothing_lost(load.trace)
    lives = collections.defaultdict(list)
    for event in load.events:
        if event["to"] != "LISTEN" and (event["from"], event["to"]) != ("LISTEN", "CLOSE"):
            lives[event["conn"]].append(event)
    check(len(lives) == len(load.rows), f"{len(lives)} connections for {len(load.rows)} rows")
    for events in lives.values():
        for before, after in zip(events, events[1:]):
            check(before["to"] == after["from"], f"{before} is followed by {after}")
            known = after["to"] in NEXT_STATES.get(after["from"], ()) or after["to"] == "CLOSE"
            check(known or after["from"] == "CLOSE", f"{after}")
    illegal = [event for event in load.events if event.get("illegal")]
    check(not illegal, f"{illegal[:3]}")


CASES = [
    timeline_reports_every_connection,
    timeline_paths_are_legal,
    trace_reports_every_transition,
]
