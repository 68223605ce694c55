# SPDX-License-Identifier: GPL-2.0-only
"""What the incidents of the lab have in common.

An incident is a script with a class that has

    arguments   for finwait report, beyond the common ones
    cause(lab)  makes the trouble, and returns what it counted itself
    expect(report, counted, lab)   what finwait must say of it

Run as root without arguments it makes the trouble and keeps it until Enter or Ctrl-C, so that one can
look at it with finwait, ss and nstat. With --check it runs finwait report itself and compares.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

from real_host import Failure, Netns, check, run, wait_until  # noqa: E402 (after the path)

FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(HERE, "..", "..", "finwait")))
FINWAIT_ARGS = os.environ.get("FINWAIT_ARGS", "").split()
READY_S = 60

# The host may be busy with other things, and the checks are exact.
HOST = "10.9.1.1"
FILTER = ["--local", "10.9.0.0/16"]

# A program is known by its name: what ps, ss and finwait show of it.
PREAMBLE = """
import socket, sys, time
with open("/proc/self/comm", "w") as file:
    file.write({name!r})
"""


class Lab:
    """Namespaces and programs of one incident. close() ends the programs and deletes the namespaces."""

    def __init__(self):
        self.namespaces = []
        self.keep = []  # sockets and the like that must stay open

    def netns(self, **sysctls):
        """Its loopback has an address that no one else on this host uses: see FILTER."""
        netns = Netns(**sysctls)
        self.namespaces.append(netns)
        netns.ip("-n", netns.name, "addr", "add", f"{HOST}/32", "dev", "lo")
        return netns

    def program(self, netns, name, code):
        """Python code that runs in @netns as a process called @name. Its output can be read."""
        path = netns.file(f"{name}.py", PREAMBLE.format(name=name) + code)
        program = subprocess.Popen(
            netns.argv([sys.executable, "-u", path]), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True,
        )
        netns.programs.append(program)
        return program

    def close(self):
        for thing in self.keep:
            thing.close()
        for netns in self.namespaces:
            netns.close()


def count_in_state(netns, state, *which):
    """What ss counts."""
    output = netns.run("ss", "-Htan", "state", state, *which).stdout.decode()
    return len(output.splitlines())


class Observer:
    """A finwait report that runs until stop()."""

    def __init__(self, *args):
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [FINWAIT, "report", *args], stdin=subprocess.DEVNULL, stderr=self.messages
        )
        wait_until(self.is_ready, READY_S, "finwait report to attach")

    def said(self):
        return os.pread(self.messages.fileno(), 1 << 16, 0).decode("utf-8", "replace")

    def is_ready(self):
        check(self.process.poll() is None, f"finwait report ended: {self.said()}")
        return "finwait: watching" in self.said()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        check(status == 0, f"finwait report ended with status {status}: {self.said()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Report:
    """What finwait report -f json said, while it ran. With LAB_HTML=DIR the incident leaves its page
    there, from another one beside it, for tests/web."""

    def __init__(self, *args):
        rest = [*FILTER, *args, *FINWAIT_ARGS]
        folder = os.environ.get("LAB_HTML")
        name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
        self.document = None
        self.output = tempfile.NamedTemporaryFile(suffix=".json")
        self.observers = [Observer("-f", "json", "-o", self.output.name, *rest)]
        if folder:
            page = os.path.join(folder, f"{name}.html")
            self.observers.append(Observer("-f", "html", "-o", page, *rest))

    def stop(self):
        for observer in self.observers:
            observer.stop()
        with open(self.output.name, encoding="utf-8") as file:
            self.document = json.load(file)

    def kill(self):
        for observer in self.observers:
            observer.kill()

    # What it says

    def findings(self):
        return [finding["id"] for finding in self.document["findings"]]

    def first(self, name):
        """The finding that comes first is that one."""
        check(self.findings()[:1] == [name], f"first finding: {name}, but it says {self.findings()}")
        return self.document["findings"][0]

    def section(self, name):
        return self.document["sections"][name]

    def differences(self):
        """Of the kernel's counters to finwait's own, where both count."""
        return {
            row["counter"]: int(row["difference"])
            for row in self.section("kernel")["counters"]
            if "difference" in row
        }


def equal(what, finwait, other, whose="the script's own count"):
    check(finwait == other, f"{what}: finwait says {finwait}, {whose} is {other}")
    return f"{what} {finwait}"


def check_incident(incident, lab):
    report = Report(*incident.arguments)
    try:
        counted = incident.cause(lab)
        report.stop()
        facts = list(incident.expect(report, counted, lab))
    finally:
        report.kill()
    wrong = {name: n for name, n in report.differences().items() if n}
    check(not wrong, f"finwait's counts differ from the kernel's: {wrong}")
    print(f"  {report.document['findings'][0]['title']}")
    print(f"  {', '.join(facts)}; after it: {', '.join(report.findings()[1:]) or 'nothing'}")


def main(incident):
    lab = Lab()
    try:
        if sys.argv[1:] == ["--check"]:
            check_incident(incident, lab)
        else:
            input(f"Start: finwait report {' '.join(incident.arguments)}  Enter causes it ")
            print(f"counted: {incident.cause(lab)}")
            input("Enter ends it ")
    except Failure as failure:
        print(f"  FAIL {failure}")
        return 1
    except (KeyboardInterrupt, EOFError):
        pass
    finally:
        lab.close()
    return 0


__all__ = [
    "Failure", "HOST", "Lab", "Netns", "Report", "check", "count_in_state", "equal", "main", "run",
    "wait_until",
]
