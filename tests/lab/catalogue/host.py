# SPDX-License-Identifier: GPL-2.0-only
"""The hosts of a scenario (network namespaces) and the programs on them."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from catalogue.model import LAB

sys.path.insert(0, os.path.join(LAB, "..", "live"))

from real_host import Failure, Netns, check, run, wait_until  # noqa: E402 (after the path)

ROOT = os.path.abspath(os.path.join(LAB, "..", ".."))
BUILD = os.path.join(ROOT, "build", "lab")
PROGRAMS = os.path.join(LAB, "programs")
MAIN = "main"
FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(ROOT, "finwait")))
READY_S = 60


def children_of(pid):
    """@pid and all below it."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            try:
                with open(path, encoding="ascii") as file:
                    todo.extend(int(child) for child in file.read().split())
            except OSError:
                pass
    return found


def comm_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


class Program:
    """One started program; its output is in a file."""

    def __init__(self, run_, process, log):
        self.run, self.process, self.log = run_, process, log
        self.names = {}

    def remember_names(self):
        """Which processes it is made of: asked while they live. All that ever were count."""
        for pid in children_of(self.process.pid):
            comm = comm_of(pid)
            if comm:
                self.names[pid] = comm

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def account(self):
        """What it counted itself: the last of each key in its lines of JSON, or by pattern."""
        text, result = self.text(), {}
        for line in text.splitlines():
            if line.startswith("{"):
                try:
                    result.update(json.loads(line))
                except ValueError:
                    pass  # a line that is still being written
        for key, pattern in self.run.account.items():
            found = re.findall(pattern, text)
            if found:
                result[key] = float(found[-1])
        return result


class Host:
    """Everything of one scenario that must be removed at its end."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.directory = tempfile.mkdtemp(prefix="lab-")
        os.chmod(self.directory, 0o755)
        self.netns, self.programs, self.links = {}, {}, []
        self.order = []

    def expand(self, text):
        """@W@ is the scenario's directory, @BIN@ what was compiled, @PROGRAMS@ the sources."""
        for key, value in (("@W@", self.directory), ("@BIN@", BUILD), ("@PROGRAMS@", PROGRAMS),
                           ("@FINWAIT@", FINWAIT)):
            text = text.replace(key, value)
        return text

    def shell(self, command, netns=MAIN, timeout=30):
        where = self.netns[netns]
        return where.run("bash", "-c", self.expand(command), timeout=timeout, cwd=self.directory)

    def setup(self, commands, netns=MAIN):
        for command in commands:
            result = self.shell(command, netns)
            check(result.returncode == 0, f"setup '{command}': {result.stderr.decode().strip()}")

    def set_sysctls(self, sysctls, netns=MAIN):
        for key, value in sysctls.items():
            key = key if "." in key else f"net.ipv4.{key}"
            self.setup([f"sysctl -qw {key}='{value}'"], netns)

    def make(self):
        s = self.scenario
        self.netns[MAIN] = Netns()
        for number, far in enumerate(s.far, 1):
            self.netns[far.name] = Netns()
            self.join(far, number)
        self.set_sysctls(s.sysctls)
        self.setup(s.setup)
        for far in s.far:
            self.set_sysctls(far.sysctls, far.name)
            self.setup(far.setup, far.name)
        for name, text in s.files.items():
            path = os.path.join(self.directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.expand(text))
            os.chmod(path, 0o755)

    def join(self, far, number):
        """10.77.N.1 is here, 10.77.N.2 there."""
        here, there = self.netns[MAIN], self.netns[far.name]
        net = f"10.77.{number}"
        if far.delay_ms:
            self.start_link(far, net)
        else:
            Netns.ip("-n", here.name, "link", "add", f"to{number}", "type", "veth",
                     "peer", "name", "e0", "netns", there.name)
            for netns, device, last in ((here, f"to{number}", 1), (there, "e0", 2)):
                Netns.ip("-n", netns.name, "addr", "add", f"{net}.{last}/24", "dev", device)
                Netns.ip("-n", netns.name, "link", "set", device, "up")
        Netns.ip("-n", there.name, "route", "add", "default", "via", f"{net}.1")
        if far.forward:
            self.set_sysctls({"ip_forward": 1})

    def start_link(self, far, net):
        link = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(PROGRAMS, "link.py"), self.netns[MAIN].path,
             self.netns[far.name].path, net, str(far.delay_ms)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        self.links.append(link)
        check(link.stdout.readline() == "ready\n", "the link did not start")

    def start(self, run_):
        for number in range(run_.count):
            name = run_.name if number == 0 else f"{run_.name}.{number}"
            self.start_one(run_, name)
        if run_.ready:
            netns = self.netns[run_.netns or MAIN]
            wait_until(lambda: netns.is_listening(run_.ready), READY_S, f"{run_.name} to listen", 0.1)
        if run_.until:
            wait_until(lambda: run_.until in self.account(run_.name), READY_S,
                       f"{run_.name} to count '{run_.until}'", 0.1)
        time.sleep(run_.pause_s)

    def start_one(self, run_, name):
        log = os.path.join(self.directory, f"{name}.log")
        command = "exec " + self.expand(run_.command)
        if run_.files:
            command = f"ulimit -n {run_.files}; {command}"
        if run_.nice:
            command = f"renice -n {run_.nice} $$ >/dev/null; {command}"
        with open(log, "ab") as output:
            process = subprocess.Popen(
                self.netns[run_.netns or MAIN].argv(["bash", "-c", command]),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.directory,
            )
        self.programs[name] = Program(run_, process, log)
        self.order.append(name)

    def stop(self, run_):
        """The process itself, not its children: what they hold on to may be the point."""
        self.programs[run_.name].remember_names()
        self.programs[run_.name].process.send_signal(getattr(signal, f"SIG{run_.signal}"))

    def remember_names(self):
        for program in self.programs.values():
            program.remember_names()

    def pids_of(self, name):
        """{pid: comm} of a program and of its copies and children."""
        found = {}
        for each, program in self.programs.items():
            if each.split(".")[0] == name:
                found.update(program.names)
        return found

    def account(self, name):
        """Copies of a program count together."""
        total = {}
        for each, program in self.programs.items():
            if each.split(".")[0] == name:
                for key, value in program.account().items():
                    if isinstance(value, (int, float)):
                        total[key] = total.get(key, 0) + value
        return total

    def close(self):
        """Only what lives in the scenario's own namespaces is ended."""
        for netns in self.netns.values():
            pids = run(["ip", "netns", "pids", netns.name]).stdout.decode().split()
            for pid in pids:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for program in self.programs.values():
            program.process.kill()
            program.process.wait()
        for link in self.links:
            link.kill()
            link.wait()
        for netns in self.netns.values():
            netns.close()
        shutil.rmtree(self.directory, ignore_errors=True)


__all__ = ["BUILD", "FINWAIT", "Failure", "Host", "MAIN", "PROGRAMS", "ROOT", "check", "run", "wait_until"]
