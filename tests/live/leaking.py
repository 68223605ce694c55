# SPDX-License-Identifier: GPL-2.0-only
"""A server that leaks in the way that it is told to, and what finwait, ss and /proc say of it."""

import collections
import json
import os
import re
import subprocess
import time

from real_host import check, run, wait_until
from real_tracer import FINWAIT

LEAKER = os.environ.get("FINWAIT_LEAKER", "build/tests/leaker")
LEAK_AGE_S = 1


def finwait(*args, status=0):
    result = run([FINWAIT, *args])
    check(result.returncode == status,
          f"finwait {' '.join(args)}: status {result.returncode}: {result.stderr.decode()}")
    return result.stdout.decode()


def leaks(netns, *args, status=4):
    text = finwait("leaks", "-f", "json", "--netns", netns.path, "--leak-age", f"{LEAK_AGE_S}s",
                   *args, status=status)
    return [f["evidence"] for f in json.loads(text)["findings"]]


def counts(*args):
    """{"ESTABLISHED": 3, ...} of finwait states."""
    rows = json.loads(finwait("states", "-f", "json", *args))["sections"]["states"]["states"]
    return {row["state"]: row["count"] for row in rows if row["count"]}


SS_STATES = {
    "ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "LISTEN": "LISTEN",
    "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "TIME-WAIT": "TIME_WAIT",
    "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK", "CLOSING": "CLOSING",
}


def ss_counts(netns):
    lines = netns.run("ss", "-Htan").stdout.decode().splitlines()
    return dict(collections.Counter(SS_STATES[line.split()[0]] for line in lines))


class Leaker:
    """The leaking server, and clients that close what they open."""

    def __init__(self, netns, port, how, *args, cgroup=None):
        self.netns, self.port = netns, port
        argv = [os.path.abspath(LEAKER), port, how, *args]
        if cgroup:  # from the beginning, as in a container: a socket keeps the one it was made in
            argv = ["sh", "-c", f"echo $$ >{cgroup}/cgroup.procs; exec \"$@\"", "sh", *argv]
        self.process = subprocess.Popen(
            netns.argv(argv),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.process.stdout.readline() == "ready\n", "the leaker does not listen")
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)

    def leak(self, n, data=b"x" * 100):
        for _ in range(n):
            client = self.netns.connect(self.port)
            client.sendall(data)
            client.close()

    def in_close_wait(self):
        return [line for line in self.netns.run("ss", "-Htanp", "state", "close-wait")
                .stdout.decode().splitlines() if f":{self.port} " in line]

    def wait_for(self, n):
        wait_until(lambda: len(self.in_close_wait()) == n, 20, f"{n} in CLOSE_WAIT")
        time.sleep(LEAK_AGE_S + 0.2)


def numbers(text):
    """The set that "4-9,11" stands for."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def check_fds(group, lines):
    expected = {int(fd) for line in lines for fd in
                re.findall(rf"pid={group['pid']},fd=(\d+)", line)}
    check(numbers(group["fds"]) == expected, f"fds {group['fds']} instead of {sorted(expected)}")


def report_of(*args):
    return json.loads(finwait("report", "1s", "-f", "json", *map(str, args)))
