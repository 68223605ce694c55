# SPDX-License-Identifier: GPL-2.0-only
"""The two sides that the live tests compare: finwait, and the witness that knows nothing of it."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from real_host import Failure, check, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(TOP, "finwait")))
FINWAIT_ARGS = os.environ.get("FINWAIT_ARGS", "").split()
WITNESS = os.environ.get("WITNESS", os.path.join(TOP, "build/tests/witness"))
CHURN = os.environ.get("CHURN", os.path.join(TOP, "build/tests/churn"))
TOLERANCE_NS = int(os.environ.get("FINWAIT_TOLERANCE_MS", "50")) * 1_000_000
# Loading BPF programs takes seconds on an emulated machine.
READY_S = 180

# RFC 9293's transitions that a life can show, with what Linux adds: a FIN can be queued before
# SYN_RECV has become ESTABLISHED.
NEXT_STATES = {
    "SYN_SENT": {"ESTABLISHED", "SYN_RECV"},
    "SYN_RECV": {"ESTABLISHED", "FIN_WAIT_1", "CLOSE_WAIT"},
    "ESTABLISHED": {"FIN_WAIT_1", "CLOSE_WAIT"},
    "FIN_WAIT_1": {"FIN_WAIT_2", "CLOSING", "TIME_WAIT"},
    "FIN_WAIT_2": {"TIME_WAIT"},
    "CLOSING": {"TIME_WAIT"},
    "CLOSE_WAIT": {"LAST_ACK"},
    "LAST_ACK": set(),
    "TIME_WAIT": set(),
}


ATTACHED = ("finwait: tracing", "finwait: recording", "finwait: watching")


class Tracer:
    """A running finwait. stop() is SIGTERM; its status is then in .status."""

    def __init__(self, command, *args):
        argv = [FINWAIT, command, *args, *FINWAIT_ARGS]
        self.name = " ".join(argv[1:])
        self.lines = []
        self.status = None
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.messages
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            wait_until(self.is_ready, READY_S, f"finwait {self.name} to attach")
        except Failure:
            self.process.kill()
            raise

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def stderr(self):
        # pread: the child writes through the same file description, whose position is shared
        return os.pread(self.messages.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def is_ready(self):
        if self.process.poll() is not None:
            raise Failure(f"finwait {self.name}: status {self.process.returncode}: {self.stderr()}")
        return any(line.startswith(ATTACHED) for line in self.stderr().splitlines())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.status is None:
            self.process.send_signal(sig)
            try:
                self.status = self.process.wait(seconds)
            except subprocess.TimeoutExpired as error:
                raise Failure(f"finwait {self.name}: still there after {sig.name}") from error
            self.reader.join()
        return self.status

    def output(self):
        return b"".join(self.lines)

    def objects(self):
        """Every JSON line so far, whole lines only."""
        try:
            return [json.loads(line) for line in list(self.lines) if line.endswith(b"\n")]
        except ValueError as error:
            raise Failure(f"finwait {self.name}: not JSON: {error}") from error

    def objects_of(self, netns):
        """The lines about one namespace, in the time that it was there."""
        rows = [row for row in self.objects() if row.get("netns") == netns.inum]
        times = [row["start"] if "start" in row else row["ts"] for row in rows]
        end = netns.gone or "9999"
        return [row for row, ts in zip(rows, times) if netns.born <= ts < end]

    def rows(self, netns, **fields):
        """Connections of one namespace, the oldest first, whose fields have these values."""
        rows = self.objects_of(netns)
        rows = [row for row in rows if all(row.get(k) == v for k, v in fields.items())]
        return sorted(rows, key=lambda row: row["start"])

    def wait_rows(self, netns, count, seconds, **fields):
        what = f"{count} rows with {fields}"
        try:
            wait_until(lambda: len(self.rows(netns, **fields)) >= count, seconds, what)
        except Failure as error:
            found = [describe(row) for row in self.rows(netns)]
            raise Failure(f"{error}; rows there: {found}") from error
        rows = self.rows(netns, **fields)
        check(len(rows) == count, f"{len(rows)} instead of {what}")
        return rows


def span_ns(step):
    """A state entered before the trace has only a lower bound."""
    return step["ns"] if "ns" in step else step["ns_min"]


def describe(row):
    path = " > ".join(f"{s['state']} {span_ns(s) / 1e6:.1f}ms" for s in row["states"])
    ends = f"{row.get('laddr')}:{row.get('lport')} {row.get('raddr')}:{row.get('rport')}"
    return f"{ends} {path} [{'open' if row.get('open') else row.get('end')}]"


def dwell(row, state):
    return sum(span_ns(s) for s in row["states"] if s["state"] == state)


def state_of(row, name):
    found = [s for s in row["states"] if s["state"] == name]
    check(len(found) == 1, f"{len(found)} times {name} in {describe(row)}")
    return found[0]


def check_path(row):
    names = [s["state"] for s in row["states"]]
    for before, after in zip(names, names[1:]):
        check(after in NEXT_STATES.get(before, ()), f"{before} > {after} in {describe(row)}")


class Witness:
    """The witness binary, watching one namespace until stop()."""

    def __init__(self, netns):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [WITNESS, "--netns", netns.path], stdout=self.output, stdin=subprocess.DEVNULL
        )
        time.sleep(0.2)

    def stop(self):
        """All lives that it saw, in the order of their beginning."""
        self.process.terminate()
        check(self.process.wait(20) == 0, "the witness failed")
        text = os.pread(self.output.fileno(), 1 << 24, 0).decode()
        return [json.loads(line) for line in text.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def key_of(row):
    return row["laddr"], row["lport"], row["raddr"], row["rport"]


def disagreement(row, life):
    """What differs by more than the tolerance, and than the witness itself is uncertain by."""
    for state in {s["state"] for s in row["states"] + life["states"]}:
        seen = [s for s in life["states"] if s["state"] == state]
        slack = sum(s["slack_ns"] for s in seen)
        difference = dwell(row, state) - sum(s["ns"] for s in seen)
        if abs(difference) > TOLERANCE_NS + slack:
            return f"{state} off by {difference / 1e6:.1f} ms"
    return None


def check_against_witness(rows, lives):
    """Every row has its life, in order, and their dwells agree. Very short lives can be missed."""
    rest = {}
    for life in lives:
        rest.setdefault(key_of(life), []).append(life)
    for row in rows:
        mine = rest.get(key_of(row))
        if not mine and sum(map(span_ns, row["states"])) < TOLERANCE_NS:
            continue
        check(mine, f"the witness did not see {describe(row)}")
        life = mine.pop(0)
        problem = disagreement(row, life)
        check(not problem, f"{problem}: {describe(row)}; the witness: {life['states']}")
    left = [life for lives in rest.values() for life in lives]
    check(not left, f"seen by the witness, not by finwait: {left}")
