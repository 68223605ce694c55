# SPDX-License-Identifier: GPL-2.0-only
"""What others than finwait count: the programs themselves, ss, and the kernel's SNMP counters.

A reference is one of these, or several joined by + and -:

    client.failed       what the program "client" counted, as of the end of the span
    delta client.failed the difference between the end and the begin of the span
    ss.queue            the command of that name in [witness], as of the end
    nstat.TcpExtListenDrops     the growth of a counter, as nstat names it, over the span

finwait's span begins and ends at no moment that is known beforehand. So all are read again and again,
and what they were at a moment is interpolated.
"""

import bisect
import contextlib
import datetime
import re
import threading
import time

from catalogue.host import Failure, check

ACCOUNTS_S, ALL_S = 0.5, 5.0


def read_counters(host):
    """{"TcpExtListenDrops": 3, ...} of the first host, as nstat -asz names them."""
    text = host.shell("nstat -asz").stdout.decode()
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: int(row[1]) for row in rows if len(row) >= 2}


def read_command(host, command):
    output = host.shell(command).stdout.decode().split()
    check(output and re.fullmatch(r"-?\d+(\.\d+)?", output[0]),
          f"witness '{command}' printed {' '.join(output) or 'nothing'}")
    return float(output[0])


def span_of(document):
    """When finwait says that it watched: (begin, end), in seconds since 1970; None: not said."""
    about = document.get("about", {})
    if "start" not in about:
        return None
    text = about["start"].removesuffix("Z")
    whole, _, fraction = text.partition(".")
    start = datetime.datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
    return start, start + about["span_ns"] / 1e9


class Witnesses:
    """Readings at several moments: a series of (time, value) for each key."""

    def __init__(self, host):
        self.host, self.series, self.moments = host, {}, []
        self.stopping, self.thread = threading.Event(), None

    def start(self):
        self.thread = threading.Thread(target=self.read_often)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        if self.thread:
            self.thread.join()

    def read_often(self):
        """Files are cheap to read, commands are not."""
        due = time.monotonic() + ALL_S
        while not self.stopping.wait(ACCOUNTS_S):
            self.read_accounts()
            if time.monotonic() < due:
                continue
            due = time.monotonic() + ALL_S
            with contextlib.suppress(Failure):  # the last reading says so too
                self.read_rest()

    def note(self, key, value):
        self.series.setdefault(key, []).append((time.time(), value))

    def read(self):
        self.read_accounts()
        self.read_rest()

    def read_accounts(self):
        self.moments.append(time.time() - 0.001)
        for run in self.host.scenario.runs:
            for key, value in self.host.account(run.name).items():
                self.note(f"{run.name}.{key}", value)

    def read_rest(self):
        for key, command in self.host.scenario.witness.items():
            self.note(f"ss.{key}", read_command(self.host, command))
        for key, value in read_counters(self.host).items():
            self.note(f"nstat.{key}", value)

    def points(self, key):
        """The series, from the reading on at which a program had not counted such a thing yet."""
        series = sorted(self.series.get(key, []))
        check(series, f"witness {key} is not known")
        earlier = [when for when in self.moments if when < series[0][0]]
        return [(earlier[-1], 0), *series] if earlier else series

    def at(self, key, moment):
        series = self.points(key)
        i = bisect.bisect([when for when, _ in series], moment)
        if i == 0:
            return series[0][1]
        if i == len(series):
            return series[-1][1]
        (before, low), (after, high) = series[i - 1], series[i]
        return low + (high - low) * (moment - before) / (after - before)

    def one(self, reference, span):
        key = reference.removeprefix("delta ").strip()
        if reference.startswith("delta ") or key.startswith("nstat."):
            return self.at(key, span[1]) - self.at(key, span[0])
        return self.at(key, span[1])

    def span(self):
        """All that was read."""
        times = [when for series in self.series.values() for when, _ in series]
        return min(times), max(times)

    def value(self, reference, span=None):
        """The number that @reference stands for, over @span."""
        if isinstance(reference, (int, float)):
            return reference
        total, sign = 0, 1
        for part in re.split(r" ([+-]) ", reference):
            if part in "+-":
                sign = 1 if part == "+" else -1
            else:
                total += sign * self.one(part, span or self.span())
        return total
