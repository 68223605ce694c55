# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces that no process is in: a thread is, or only sockets are left."""

import contextlib
import json
import subprocess
import time

from leaking import LEAK_AGE_S, finwait, report_of
from real_host import check, run
from real_tracer import FINWAIT, Tracer

NR = 5

# A thread of it makes a namespace, in which NR connections are left in CLOSE_WAIT.
LEAK_IN_A_THREAD = """
import ctypes, os, socket, subprocess, sys, threading
libc = ctypes.CDLL(None)
keep = []
left = threading.Event()
def work():
    assert libc.unshare(0x40000000) == 0
    home = os.open(f"/proc/{os.getpid()}/ns/net", os.O_RDONLY)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listener = socket.create_server(("127.0.0.1", 8080))
    keep.append(listener)
    for _ in range(%d):
        client = socket.create_connection(("127.0.0.1", 8080))
        server = listener.accept()[0]
        client.close()
        assert server.recv(1) == b""
        keep.append(server)
    print(os.stat("/proc/thread-self/ns/net").st_ino, flush=True)
    %s
threading.Thread(target=work).start()
sys.stdin.read()
os._exit(0)
"""
STAYS = "threading.Event().wait()"
LEAVES = "assert libc.setns(home, 0x40000000) == 0"


@contextlib.contextmanager
def leaker(how):
    """(pid, number of the namespace) of a process that has such connections."""
    argv = ["/usr/bin/python3", "-c", LEAK_IN_A_THREAD % (NR, how)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        inum = int(program.stdout.readline())
        time.sleep(LEAK_AGE_S + 0.2)
        try:
            yield program.pid, inum
        finally:
            program.stdin.close()


def expect_seen(how):
    """By every command that shows what is older than finwait."""
    with leaker(how) as (pid, inum):
        age = ("--leak-age", f"{LEAK_AGE_S}s", "-p", pid)
        found = json.loads(finwait("leaks", "-f", "json", "--watch", "0", *map(str, age), status=4))
        found = [(f["evidence"]["count"], f["evidence"]["netns"]) for f in found["findings"]]
        check(found == [(NR, inum)], f"leaks: {found}")
        groups = json.loads(finwait("states", "--by", "process", "-f", "json", "--netns", str(inum)))
        groups = groups["sections"]["states"]["groups"]
        check([(g["process"].split("/")[1], g["CLOSE_WAIT"]) for g in groups if g.get("CLOSE_WAIT")] ==
              [(str(pid), NR)], f"states: {groups}")
        with Tracer("timeline", "-f", "json", "-l", "-p", str(pid)) as timeline:
            time.sleep(0.3)
            timeline.stop()
        rows = [row for row in timeline.objects() if row["netns"] == inum and row.get("pid") == pid]
        check(len(rows) == NR, f"timeline: {rows}")
        report = report_of(*map(str, age))
        found = [f["evidence"]["count"] for f in report["findings"] if f["id"] == "close-wait-leak"]
        check(found == [NR], f"report: {found}")


def that_only_a_thread_is_in():
    expect_seen(STAYS)


def that_only_sockets_are_in():
    expect_seen(LEAVES)


def that_cannot_be_entered_are_not_none():
    """Without CAP_SYS_ADMIN nothing is found there: that is said, and is not the status of "none"."""
    for how in (STAYS, LEAVES):
        with leaker(how) as (pid, _):
            result = run(["setpriv", "--bounding-set=-sys_admin", FINWAIT, "leaks", "--watch", "0",
                          "--leak-age", f"{LEAK_AGE_S}s", "-p", str(pid)])
            check(result.returncode == 5, f"status {result.returncode}")
            check(b"could not be entered" in result.stderr, result.stderr.decode())


def that_is_not_there_is_not_none():
    """A number that no namespace has: all that could show it was looked at, and that is said."""
    result = run([FINWAIT, "leaks", "--watch", "0", "--netns", "4026999999"])
    check(result.returncode == 5, f"status {result.returncode}")
    check(b"there is no network namespace 4026999999" in result.stderr, result.stderr.decode())


CASES = [
    that_only_a_thread_is_in, that_only_sockets_are_in, that_cannot_be_entered_are_not_none,
    that_is_not_there_is_not_none,
]
