# SPDX-License-Identifier: GPL-2.0-only
"""The tracers that tests/bench/bench.py compares: how each is started, and what it says at its end."""

import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import tty

from load import ROOT, Namespace

FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
EMPTY = os.path.join(ROOT, "build/tests/empty")
START_S = 60

BPFTRACE = ('tracepoint:sock:inet_sock_set_state { printf("%s %d %d %d -> %d\\n", '
            'comm, pid, args->dport, args->oldstate, args->newstate); }')


class Nothing:
    """Untraced; and what all others have in common."""

    name = "untraced"
    lost = events = start_s = spent_ns = rss_bytes = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def sample(self):
        pass

    @staticmethod
    def is_there():
        return True


class Tracer(Nothing):
    """A program with output to a file. It has attached when `ready` is in what it says, or, if it
    says nothing, once its BPF programs are there. After its end .events is how many it has seen,
    which is how many lines it wrote unless it counts by itself, and .lost how many not."""

    def __init__(self, name, argv, ready=None, lost=None, events=None):
        self.name, self.argv, self.ready = name, argv, ready
        self.lost_pattern, self.events_pattern = lost, events

    def is_there(self):
        return shutil.which(self.argv[0]) is not None

    def __enter__(self):
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        before = programs()
        begin = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=self.out, stderr=self.err)
        while not self.is_ready(before):
            if self.process.poll() is not None or time.monotonic() - begin > START_S:
                raise SystemExit(f"bench: {self.name} does not start: {self.said()}")
            time.sleep(0.01)
        self.start_s = time.monotonic() - begin
        time.sleep(0.5)
        self.before_ns = self.total_cpu_ns()
        return self

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def is_ready(self, before):
        if self.ready:
            return self.ready in self.said()
        return any(i not in before for i in programs())

    def total_cpu_ns(self):
        """Of all its threads, as the scheduler counts it: /proc/PID/stat has ticks of 10 ms."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def sample(self):
        """What it has taken so far, while it is there: .spent_ns of CPU time, .rss_bytes at most."""
        self.spent_ns = self.total_cpu_ns() - self.before_ns
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8", errors="replace") as file:
            self.rss_bytes = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) * 1024

    def __exit__(self, *_):
        end(self.process)
        self.lost = self.sum_of(self.lost_pattern)
        self.events = self.sum_of(self.events_pattern) or self.lines()
        self.out.close()
        self.err.close()

    def sum_of(self, pattern):
        return sum(int(n) for n in re.findall(pattern, self.said())) if pattern else None

    def lines(self):
        self.out.seek(0)
        return sum(chunk.count(b"\n") for chunk in iter(lambda: self.out.read(1 << 20), b""))

    def first_event_s(self):
        """From its start until the first connection is on the terminal; None: it shows none."""
        with Namespace() as netns:
            argv = netns.argv("-n", 1000000, "-i", 2000)
            load = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
            try:
                return self.wait_for_event()
            finally:
                load.kill()
                load.wait()

    def wait_for_event(self):
        master, slave = pty.openpty()
        tty.setraw(slave)
        begin = time.monotonic()
        process = subprocess.Popen(self.argv, stdout=slave, stderr=subprocess.DEVNULL)
        os.close(slave)
        seen, took = b"", None
        while took is None and time.monotonic() - begin < START_S:
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 1 << 16)
            if b"127.0.0.1" in seen or b"churn" in seen:
                took = time.monotonic() - begin
        os.close(master)
        end(process)
        return took


def end(process):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def programs():
    """{id: what bpftool knows}: BPF programs of tracing kinds."""
    out = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, stdout=subprocess.PIPE)
    kinds = ("tracing", "raw_tracepoint", "tracepoint", "kprobe", "perf_event")
    return {p["id"]: p for p in json.loads(out.stdout) if p.get("type") in kinds}


class Finwait(Tracer):
    def __init__(self, *args):
        super().__init__("finwait " + " ".join(args), [FINWAIT, *args], "tracing TCP",
                         r"(\d+) events lost", r"(\d+) events, ")


class Stopped(Finwait):
    """Its reader is stopped, its small ring full: what overload costs the host."""

    def __init__(self):
        super().__init__("timeline", "--ring-size=1")
        self.name = "finwait timeline, reader stopped"

    def __enter__(self):
        super().__enter__()
        self.process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        super().__exit__()

    def first_event_s(self):
        return None


class Report(Tracer):
    """It counts on its standard output, and has no line for an event."""

    def __init__(self):
        super().__init__("finwait report", [FINWAIT, "report"], "watching TCP",
                         r"events lost ([\d,]+)", r"\| events ([\d,]+)")

    def sum_of(self, pattern):
        text = os.pread(self.out.fileno(), 1 << 20, 0).decode(errors="replace")
        return int(re.search(pattern, text)[1].replace(",", ""))

    def first_event_s(self):
        return None


class Record(Tracer):
    def __init__(self):
        super().__init__("finwait record", [FINWAIT, "record", "-o", "-"], "recording TCP",
                         r"(\d+) events lost", r"(\d+) events, ")

    def first_event_s(self):
        return None


class Empty(Tracer):
    def __init__(self):
        super().__init__("empty program", [EMPTY, EMPTY + ".bpf.o"], "attached")

    def lines(self):
        return None

    def first_event_s(self):
        return None


LOST = r"[Ll]ost (\d+) events"


def all_tracers():
    return [
        Nothing(),
        Empty(),
        Finwait("trace"),
        Finwait("trace", "-f", "json"),
        Finwait("timeline"),
        Finwait("timeline", "-f", "json"),
        Report(),
        Record(),
        Stopped(),
        Tracer("tcpstates", ["tcpstates"], lost=LOST),
        Tracer("tcplife", ["tcplife"], lost=LOST),
        Tracer("bpftrace printf", ["bpftrace", "-e", BPFTRACE], lost=LOST),
    ]
