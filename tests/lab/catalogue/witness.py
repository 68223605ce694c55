# SPDX-License-Identifier: GPL-2.0-only
"""What others than finwait count: the programs themselves, ss, and the kernel's SNMP counters.

A reference is one of these, or several joined by + and -:

    client.failed       what the program "client" counted, as of the end of the span
    delta client.failed the difference between the end and the begin of the span
    ss.queue            the command of that name in [witness], as of the end
    nstat.TcpExtListenDrops     the growth of a counter, as nstat names it, over the span
"""

import re

from catalogue.host import check

COUNTERS = ("netstat", "snmp")


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


class Reading:
    """All witnesses at one moment."""

    def __init__(self, host):
        self.counters = read_counters(host)
        self.commands = {k: read_command(host, c) for k, c in host.scenario.witness.items()}
        self.accounts = {run.name: host.account(run.name) for run in host.scenario.runs}

    def value(self, source, key):
        if source == "ss":
            return self.commands.get(key)
        return self.accounts.get(source, {}).get(key)


class Witnesses:
    """Readings at the begin and at the end of the span."""

    def __init__(self, host):
        self.host = host
        self.begin = self.end = None

    def read_begin(self):
        self.begin = Reading(self.host)

    def read_end(self):
        self.end = Reading(self.host)

    def one(self, reference):
        delta = reference.startswith("delta ")
        source, _, key = reference.removeprefix("delta ").strip().partition(".")
        if source == "nstat":
            check(key in self.end.counters, f"there is no counter {key}")
            return self.end.counters[key] - self.begin.counters[key]
        after = self.end.value(source, key)
        check(after is not None, f"witness {source}.{key} is not known")
        return after - (self.begin.value(source, key) or 0) if delta else after

    def value(self, reference):
        """The number that @reference stands for."""
        if isinstance(reference, (int, float)):
            return reference
        total, sign = 0, 1
        for part in re.split(r" ([+-]) ", reference):
            if part in "+-":
                sign = 1 if part == "+" else -1
            else:
                total += sign * self.one(part)
        return total
