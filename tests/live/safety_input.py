# SPDX-License-Identifier: GPL-2.0-only
"""What is not a number, an address or a namespace is refused, and the same thing is not counted twice."""

import os
import shutil
import time

from real_host import Netns, check, run
from real_tracer import CHURN, FINWAIT
from safety_files import REPLAY, Directory


def refused(words, *argv, status=(1, 2)):
    done = run([FINWAIT, *argv], timeout=60)
    said = done.stderr.decode()
    check(done.returncode in status, f"{argv}: status {done.returncode}: {said}")
    check(words in said, f"{argv}: {said}")
    check(not done.stdout, f"{argv}: {done.stdout[:200]}")


def addresses_are_numbers_within_their_range():
    for where in ("127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80", "127.0.0.1: 80",
                  "127.0.0.1:80x", "127.0.0.1:0x50", "127.1:9435", "0x7f.0.0.1:9435", "2130706433:9435",
                  "0177.0.0.1:9435", "[::1]:99999", "localhost:9435"):
        refused("is not a numeric address and port", "serve", "--listen", where)
    for where in ("127.0.0.1:", ":9435", "127.0.0.1", "", "::1:9435", "[::1]"):
        refused("is not ADDRESS:PORT", "serve", "--listen", where)


def a_namespace_is_one():
    with Directory(0o755) as own:
        os.mkfifo(own.path("fifo"))
        for path in ("/etc/passwd", "/dev/null", "/", own.path("fifo"), "/proc/self/ns/mnt",
                     "/proc/self/ns/user", "/proc/self/stat"):
            for command in (["states"], ["leaks"], ["trace"], ["report", "1s"]):
                refused("is no network namespace", *command, "--netns", path)
    for name in ("nonexistent", "0", "-1", "99999999", "4026531840x", "99999999999999999999", "/nonexistent",
                 "../../etc/passwd"):
        refused("network namespace", "states", "--netns", name)
    for command in ("states", "leaks", "trace", "report"):
        refused("missing", command, "--netns", "")
        refused("missing", command, "-i", REPLAY, "--netns", "")


def numbers_are_digits():
    for option, values in (
            ("--ring-size", ("8x", "0x8", "+8", " 8", "8 ", "", "3", "-8", "1e1", "8.0")),
            ("--max-connections", ("1e3", "-1", "", "99999999999999999999")),
            ("--half-open-limit", ("-1", "4294967296", "")),
            ("--pid", ("0", "-1", "4294967296", "self", "")),
            ("--localport", ("0", "65536", "80,", ",80", "80-90", "")),
            ("--min-duration", ("1e3", "1e3s", "0x10s", "inf", "-1", "", "1.5.5s"))):
        for value in values:
            refused(option, "timeline", "-i", REPLAY, option, value, status=(2,))
    for at in ("1e3", "2026-1-2T3:4:5Z", " 2026-11-22T19:08:14Z", "2026-11-22T19:08:14.5e3Z", "now", ""):
        refused("--at", "states", "-i", REPLAY, "--at", at)


def recorded(path, netns, seconds="2s"):
    done = run([FINWAIT, "record", "-o", path, "--netns", netns.path, "--", "ip", "netns", "exec",
                netns.name, CHURN, "-n", "50"], timeout=120)
    check(done.returncode == 0, f"{seconds}: {done.stderr}")


def a_recording_is_counted_once():
    with Directory(0o755) as own, Netns() as netns:
        one, two, copy = own.path("one.fwr"), own.path("two.fwr"), own.path("copy.fwr")
        recorded(one, netns)
        time.sleep(0.3)
        recorded(two, netns)
        shutil.copy(one, copy)
        os.symlink(one, own.path("link.fwr"))
        for again in (one, copy, own.path("link.fwr")):
            for command in ("timeline", "report", "trace"):
                done = run([FINWAIT, command, "-i", one, "-i", again], timeout=60)
                check(done.returncode == 1 and b"counted twice" in done.stderr, done.stderr)
        done = run([FINWAIT, "timeline", "-i", one, "-i", two], timeout=60)
        check(done.returncode == 0, done.stderr)


CASES = [
    addresses_are_numbers_within_their_range, a_namespace_is_one, numbers_are_digits,
    a_recording_is_counted_once,
]
