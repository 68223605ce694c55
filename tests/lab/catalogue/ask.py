# SPDX-License-Identifier: GPL-2.0-only
"""Ways to ask finwait about a scenario: report on the running kernel, a recording that is read
afterwards, and the report of finwait serve. All three watch the same seconds."""

import json
import os
import subprocess
import tempfile
import threading
import time

from catalogue.host import FINWAIT, check, run, wait_until

FINWAIT_ARGS = os.environ.get("FINWAIT_ARGS", "").split()
READY_S = 60
WAYS = ("live", "recording", "serve")


def netns_args(scenario, host):
    if scenario.everywhere:
        return []
    return ["--netns", host.netns["main"].name]


class Way:
    """A finwait process that watches from begin() until document()."""

    def __init__(self, name, scenario, host):
        self.name, self.scenario, self.host = name, scenario, host
        self.directory = tempfile.TemporaryDirectory(prefix="lab-way-")
        self.errors = os.path.join(self.directory.name, "stderr")
        self.output = os.path.join(self.directory.name, "output")
        self.options = [*scenario.options.split(), *netns_args(scenario, host), *FINWAIT_ARGS]
        self.process = None

    def start(self, *args):
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [FINWAIT, *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def finish(self):
        """The end of the span."""
        self.process.wait(timeout=self.scenario.span_s + 60)

    def check_status(self):
        status = self.process.returncode
        check(status == 0, f"finwait ended with status {status}: {self.said()}")

    def wait_for(self, word):
        def ready():
            check(self.process.poll() is None, f"finwait ended: {self.said()}")
            return word in self.said()

        wait_until(ready, READY_S, f"finwait {self.name}", 0.05)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


class Live(Way):
    def begin(self):
        self.start("report", f"{self.scenario.span_s}s", "-f", "json", "-o", self.output,
                   *self.options)

    def ready(self):
        self.wait_for("finwait: watching")

    def document(self):
        self.check_status()
        with open(self.output, encoding="utf-8") as file:
            return json.load(file)


class Recording(Way):
    def begin(self):
        self.start("record", "-o", self.output, f"{self.scenario.span_s}s",
                   *netns_args(self.scenario, self.host), *FINWAIT_ARGS)

    def ready(self):
        wait_until(lambda: os.path.exists(self.output) and os.path.getsize(self.output), READY_S,
                   "finwait record", 0.05)

    def document(self):
        self.check_status()
        result = run([FINWAIT, "report", "-i", self.output, "-f", "json",
                      *self.scenario.options.split(), *netns_args(self.scenario, self.host)])
        check(result.returncode == 0, f"report -i: {result.stderr.decode().strip()}")
        return json.loads(result.stdout)


class Serve(Way):
    """Its socket is a file: parallel scenarios need no ports. What it is asked about is in another
    namespace, as containers are."""

    def begin(self):
        self.socket = os.path.join(self.directory.name, "socket")
        self.start("serve", "--listen", f"unix:{self.socket}", "--user", "root",
                   "--all-namespaces", *self.options)

    def ready(self):
        wait_until(self.is_ready, READY_S, "finwait serve", 0.05)

    def is_ready(self):
        check(self.process.poll() is None, f"finwait serve ended: {self.said()}")
        return os.path.exists(self.socket) and self.get("/healthz") is not None

    def get(self, path):
        result = run(["curl", "-sf", "--unix-socket", self.socket, f"http://localhost{path}"])
        return result.stdout.decode() if result.returncode == 0 else None

    def finish(self):
        self.answer = self.get("/report.json")

    def document(self):
        check(self.answer, f"no /report.json: {self.said()}")
        return json.loads(self.answer)


KINDS = {"live": Live, "recording": Recording, "serve": Serve}


def make_way(name, scenario, host):
    return KINDS[name](name, scenario, host)


class Asked:
    """A finwait command that is asked beside the report."""

    def __init__(self, ask, scenario, host):
        self.ask, self.scenario, self.host = ask, scenario, host
        self.begin = self.end = self.thread = self.result = None
        self.argv = [FINWAIT, *ask.command.split(), *netns_args(scenario, host)]

    def start(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        self.begin = time.time()
        self.result = run(self.argv)
        self.end = time.time()

    def finish(self):
        self.thread.join()
        check(self.result, f"finwait {self.ask.command} did not end")

    def document(self):
        return json.loads(self.result.stdout)

    def close(self):
        if self.thread:
            self.thread.join()


__all__ = ["Asked", "FINWAIT", "WAYS", "make_way"]
