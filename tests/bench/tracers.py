# SPDX-License-Identifier: GPL-2.0-only
"""The tracers that tests/bench/bench.py compares: how each is started, and what it says at its end."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FINWAIT = os.environ.get("FINWAIT", os.path.join(ROOT, "finwait"))
EMPTY = os.path.join(ROOT, "build/tests/empty")
TICKS = os.sysconf("SC_CLK_TCK")

BPFTRACE = ('tracepoint:sock:inet_sock_set_state { '
            'printf("%s %d %d -> %d\\n", comm, pid, args->oldstate, args->newstate); }')


class Nothing:
    """Untraced; and what all others have in common."""

    name = "untraced"
    lost = None
    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cpu_seconds(self):
        return None

    def rss_bytes(self):
        return None

    @staticmethod
    def is_there():
        return True


class Tracer(Nothing):
    """A program with output to a file. It has attached when `ready` is in what it says, or, if it
    says nothing, once its BPF programs are there and some time has passed."""

    def __init__(self, name, argv, ready=None, lost=None, stdout=None):
        self.name, self.argv, self.ready, self.pattern = name, argv, ready, lost
        self.stdout = stdout

    def is_there(self):
        return any(os.access(os.path.join(d, self.argv[0]), os.X_OK)
                   for d in os.environ["PATH"].split(":") + ["/usr/sbin", "/"])

    def __enter__(self):
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        self.lost = None
        before = programs()
        begin = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=self.stdout or self.out, stderr=self.err)
        while not self.is_ready(before):
            if self.process.poll() is not None or time.monotonic() - begin > 30:
                raise SystemExit(f"bench: {self.name} does not start: {self.said()}")
            time.sleep(0.01)
        self.start_s = time.monotonic() - begin
        time.sleep(0.5)
        self.before = self.total_cpu()
        return self

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def is_ready(self, before):
        if self.ready:
            return self.ready in self.said()
        return any(p["id"] not in before for p in programs().values())

    def total_cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def cpu_seconds(self):
        return self.total_cpu() - self.before

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8", errors="replace") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) * 1024

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        found = [int(n) for n in re.findall(self.pattern, self.said())] if self.pattern else []
        self.lost = sum(found) if self.pattern else None
        # Lines say what was seen.
        self.out.seek(0)
        self.lines = sum(chunk.count(b"\n") for chunk in iter(lambda: self.out.read(1 << 20), b""))
        self.out.close()
        self.err.close()


def programs():
    """{id: what bpftool knows}: BPF programs of tracing kinds."""
    out = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, stdout=subprocess.PIPE)
    kinds = ("tracing", "raw_tracepoint", "tracepoint", "kprobe", "perf_event")
    return {p["id"]: p for p in json.loads(out.stdout) if p.get("type") in kinds}


def finwait(*args):
    ready = "watching TCP" if args[0] == "report" else "tracing TCP"
    return Tracer("finwait " + " ".join(args), [FINWAIT, *args], ready, r"(\d+) events lost")


def all_tracers():
    return [
        Nothing(),
        Tracer("empty program", [EMPTY, EMPTY + ".bpf.o"], "attached"),
        finwait("trace"),
        finwait("trace", "-f", "json"),
        finwait("timeline"),
        finwait("timeline", "-f", "json"),
        finwait("report"),
        Tracer("tcpstates", ["tcpstates"], lost=r"[Ll]ost (\d+) events"),
        Tracer("tcplife", ["tcplife"], lost=r"[Ll]ost (\d+) events"),
        Tracer("bpftrace printf", ["bpftrace", "-e", BPFTRACE], lost=r"Lost (\d+) events"),
    ]
