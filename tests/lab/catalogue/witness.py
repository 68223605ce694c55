# SPDX-License-Identifier: GPL-2.0-only
"""What others than finwait count: the programs themselves, ss, and the kernel's SNMP counters.

A reference is one of these, or several joined by + and -:

    client.failed       what the program "client" counted, as of the end of the span
    delta client.failed the difference between the end and the begin of the span
    ss.queue            the command of that name in [witness], as of the end
    nstat.TcpExtListenDrops     the growth of a counter, as nstat names it, over the span

Nobody can read at the very moment when finwait begins or ends. Each is read before and after it, and
what it was in between is interpolated.
"""

import bisect
import datetime
import re
import time

from catalogue.host import check


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
        self.host, self.series = host, {}

    def note(self, key, value):
        self.series.setdefault(key, []).append((time.time(), value))

    def read(self):
        for run in self.host.scenario.runs:
            for key, value in self.host.account(run.name).items():
                self.note(f"{run.name}.{key}", value)
        for key, command in self.host.scenario.witness.items():
            self.note(f"ss.{key}", read_command(self.host, command))
        for key, value in read_counters(self.host).items():
            self.note(f"nstat.{key}", value)

    def at(self, key, moment):
        """As of @moment. Before the first reading: what a counter that did not exist yet counts."""
        series = self.series.get(key)
        check(series, f"witness {key} is not known")
        times = [when for when, _ in series]
        i = bisect.bisect(times, moment)
        if i == 0:
            return series[0][1]
        if i == len(series):
            return series[-1][1]
        (before, low), (after, high) = series[i - 1], series[i]
        return low + (high - low) * (moment - before) / (after - before)

    def since(self, key, moment):
        """A key that appeared later was 0 before."""
        series = self.series.get(key)
        first = min(s[0][0] for s in self.series.values())
        if series and series[0][0] > first + 1 and moment < series[0][0]:
            return 0
        return self.at(key, moment)

    def one(self, reference, span):
        key = reference.removeprefix("delta ").strip()
        if reference.startswith("delta ") or key.startswith("nstat."):
            return self.at(key, span[1]) - self.since(key, span[0])
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
