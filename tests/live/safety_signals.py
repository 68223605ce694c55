# SPDX-License-Identifier: GPL-2.0-only
"""Signals, limits, and what is inherited: a run ends when it is told to, and leaves nothing behind."""

import contextlib
import fcntl
import os
import re
import resource
import signal
import subprocess
import time

from real_host import Netns, check, run, wait_until
from real_tracer import CHURN, FINWAIT
from refused import bpf_objects
from safety_files import REPLAY, Directory, content

# An idle machine needs half of it; others may be busy.
SECONDS = 3
PIPE_BYTES = 4096


def held(pid):
    """The BPF objects that a process has descriptors of: other finwaits may run on this host."""
    objects = set()
    for number in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{number}",
                                                          encoding="ascii") as file:
            objects |= set(re.findall(r"^(prog|map|link)_id:\s+(\d+)$", file.read(), re.M))
    return {(kind, int(number)) for kind, number in objects}


class Blocked:
    """A finwait whose output goes into a pipe that nobody reads, and that is full."""

    def __init__(self, netns, *args, stderr=False):
        self.read, write = os.pipe()
        # As small as the kernel allows: full at once.
        fcntl.fcntl(write, 1031, PIPE_BYTES)  # F_SETPIPE_SZ
        self.errors = open(os.devnull, "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([FINWAIT, *args], stdout=write,
                                        stderr=write if stderr else self.errors)
        os.close(write)
        wait_until(lambda: {kind for kind, _ in held(self.process.pid)} == {"prog", "map", "link"}, 90,
                   "finwait to attach", 0.2)
        time.sleep(1)
        for _ in range(3):
            netns.run(CHURN, "-n", "400")
        wait_until(self.is_blocked, 30, "finwait to be blocked by its pipe", 0.2)

    def is_blocked(self):
        """In write(1, ...), twice in a row: that is not the one that has just begun."""
        def call():
            with open(f"/proc/{self.process.pid}/syscall", encoding="ascii") as file:
                return file.read().split()[:2]

        first = call()
        time.sleep(0.3)
        return first == call() and first in (["1", "0x1"], ["64", "0x1"])

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        self.errors.close()


def one_signal_ends_what_is_blocked():
    commands = (["trace"], ["timeline"], ["trace", "-f", "json", "-l"], ["record", "-o", "-"])
    for number in (signal.SIGTERM, signal.SIGINT):
        for command in commands:
            with Netns() as netns:
                blocked = Blocked(netns, *command, "--netns", netns.name)
                try:
                    objects = held(blocked.process.pid)
                    begin = time.monotonic()
                    blocked.process.send_signal(number)
                    status = blocked.process.wait(20)
                    seconds = time.monotonic() - begin
                    check(status >= 0, f"{command}: it was killed by signal {-status}")
                    check(seconds < SECONDS, f"{command}: it took {seconds:.1f} s")
                    wait_until(lambda objects=objects: not objects & bpf_objects(), SECONDS,
                               f"{command}: the kernel to forget its programs")
                finally:
                    blocked.close()


def a_slow_reader_gets_everything():
    """It is no reason to give up that the reader takes its time, as long as it takes."""
    with Netns() as netns:
        blocked = Blocked(netns, "timeline", "-f", "json", "--netns", netns.name)
        try:
            blocked.process.send_signal(signal.SIGTERM)
            data = b""
            while True:
                time.sleep(0.05)
                piece = os.read(blocked.read, 2048)
                if not piece:
                    break
                data += piece
            check(blocked.process.wait(20) == 0, "it says that something is missing")
            check(data.endswith(b"\n") and data.count(b"\n") >= 1200, f"{data.count(bytes([10]))} lines")
        finally:
            blocked.close()


def limited(bytes_):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
    return limit


def a_limit_of_file_size_is_an_error():
    with Directory(0o755) as own, Netns() as netns:
        for args, words in ((("timeline", "-o", own.path("out")), "no space left"),
                            (("record", "-o", own.path("out.fwr"), "--compress-level", "1"), "too large")):
            with open(own.path("stderr"), "wb") as errors:
                process = subprocess.Popen([FINWAIT, *args, "--netns", netns.name], stderr=errors,
                                           preexec_fn=limited(32768))
                wait_until(lambda: b"TCP with the" in content(own.path("stderr")), 90, "it to begin", 0.2)
                time.sleep(1)
                for _ in range(6):
                    netns.run(CHURN, "-n", "1000")
                time.sleep(3)
                process.send_signal(signal.SIGTERM)
                status = process.wait(30)
            said = content(own.path("stderr")).decode()
            check(status == 1, f"{args}: status {status}: {said}")
            check(words in said, said)
        done = run([FINWAIT, "record", "--info", own.path("out.fwr")])
        check(done.returncode == 0 and b"events" in done.stdout, done.stderr)


def descriptors(pid):
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
    return found


def descriptors_of_the_parent_are_closed():
    with open("/etc/shadow", "rb") as secret, Netns() as netns:
        for command in (["trace", "--netns", netns.name], ["serve", "--listen", "127.0.0.1:0"]):
            process = subprocess.Popen([FINWAIT, *command], pass_fds=[secret.fileno()],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: any("bpf" in what for what in descriptors(process.pid).values()), 90,
                           "finwait to attach", 0.2)
                have = descriptors(process.pid)
                check("/etc/shadow" not in have.values(), f"{command}: {have}")
            finally:
                process.terminate()
                process.wait(60)


def descriptors_that_are_named_stay():
    with open(REPLAY, "rb") as file:
        done = run([FINWAIT, "timeline", "-i", f"/dev/fd/{file.fileno()}"], pass_fds=[file.fileno()])
        check(done.returncode == 0 and len(done.stdout) > 50, done.stderr)
    with Directory(0o755) as own, open(own.path("fd"), "wb") as file:
        done = run([FINWAIT, "record", "-o", own.path("x.fwr"), "--", "sh", "-c", f"echo kept >&{file.fileno()}"],
                   pass_fds=[file.fileno()], timeout=120)
        check(done.returncode == 0 and content(own.path("fd")) == b"kept\n", done.stderr)


def a_closed_stderr_is_not_the_output():
    with Directory(0o755) as own:
        done = run(["sh", "-c", 'exec "$0" timeline -i "$1" -o "$2" 2>&-', FINWAIT, REPLAY, own.path("out")])
        check(done.returncode == 0, f"status {done.returncode}")
        check(b"finwait:" not in content(own.path("out")), "messages are in the output")


def dumps_core(argv, directory):
    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    process = subprocess.Popen(argv, cwd=directory, preexec_fn=unlimited, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    process.stdin.close()
    check(os.WIFSIGNALED(status), f"{argv}: {status}")
    return os.WCOREDUMP(status)


def nothing_dumps_core():
    with Directory(0o777) as own, Netns() as netns:
        check(dumps_core(["sleep", "60"], own.name), "this host writes no core dumps: nothing is proven")
        for command in (["trace", "--netns", netns.name], ["timeline", "-i", "-"],
                        ["serve", "--listen", "127.0.0.1:0"]):
            check(not dumps_core([FINWAIT, *command], own.name), f"{command} dumps core")


CASES = [
    one_signal_ends_what_is_blocked, a_slow_reader_gets_everything, a_limit_of_file_size_is_an_error,
    descriptors_of_the_parent_are_closed, descriptors_that_are_named_stay,
    a_closed_stderr_is_not_the_output, nothing_dumps_core,
]
