# SPDX-License-Identifier: GPL-2.0-only
"""The tracers of tests/soak/soak.py. Their output is counted as it comes, not kept."""

import collections
import json
import os
import re
import signal

import real_tracer
from real_host import check, wait_until
from real_tracer import Tracer


class Watcher(Tracer):
    ready = "finwait: tracing"

    def __init__(self, command, *args, binary=None):
        self.rows = collections.Counter()
        self.open = collections.defaultdict(list)
        self.bad = 0
        argv0, real_tracer.FINWAIT = real_tracer.FINWAIT, binary or real_tracer.FINWAIT
        try:
            super().__init__(command, *args)
        finally:
            real_tracer.FINWAIT = argv0

    def is_ready(self):
        check(self.process.poll() is None, f"finwait {self.name}: {self.stderr()}")
        return self.ready in self.stderr()

    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="utf-8") as file:
            return file.read()

    def memory_bytes(self):
        """Its own: neither files nor the ring."""
        return int(re.search(r"RssAnon:\s+(\d+) kB", self.proc("status"))[1]) * 1024

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.proc("stat").rsplit(")", 1)[1].split()[0] == "T", 10, "SIGSTOP")

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def lost(self):
        found = re.search(r"(\d+) events lost", self.stderr())
        check(found, f"{self.name}: no summary: {self.stderr()}")
        return int(found[1])


class Counting(Watcher):
    """timeline or trace as JSON Lines: how many rows of what, and what is still open at the end."""

    def read(self):
        for line in self.process.stdout:
            row = json.loads(line)
            if "states" not in row:
                continue
            self.rows[row["netns"], row.get("role"), row["gap"]] += 1
            if row.get("open"):
                self.open[row["netns"], row["states"][-1]["state"]].append(row)

    def of(self, inum):
        """{(role, gap): rows} of one namespace."""
        rows = self.rows.copy()
        return collections.Counter({(r, g): n for (i, r, g), n in rows.items() if i == inum})

    def open_in(self, inum):
        """{state: rows} of what was open in the end."""
        return {state: rows for (i, state), rows in self.open.items() if i == inum}


class Reporting(Watcher):
    """report: one JSON document after the other."""

    ready = "finwait: watching"

    def read(self):
        for line in self.process.stdout:
            self.rows["bytes"] += len(line)
