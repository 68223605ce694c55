# SPDX-License-Identifier: GPL-2.0-only
"""What a terminal is sent: nothing of what a recording, or a name, contains that it would obey."""

import glob
import os
import re

from real_host import check, run
from real_tracer import FINWAIT, TOP
from safety_files import Directory

HOSTILE = os.path.join(TOP, "build", "tests", "hostile")
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\x9b|\xc2[\x80-\x9f]")
READERS = (["trace"], ["timeline"], ["report"], ["report", "-f", "json"], ["report", "-f", "html"],
           ["timeline", "-f", "json"], ["trace", "-f", "json"], ["leaks"], ["states"], ["leaks", "-f", "json"])


def clean(done, what):
    for name, text in (("stdout", done.stdout), ("stderr", done.stderr)):
        found = CONTROL.search(text)
        check(not found, f"{what}: {name} has {found and text[max(0, found.start() - 40):found.end() + 40]!r}")


def recordings_obey_no_terminal():
    with Directory(0o755) as own:
        path = own.path("hostile.fwr")
        escaped = 0
        for recording in sorted(glob.glob(os.path.join(TOP, "tests", "replay", "*.fwr"))):
            if run([HOSTILE, recording, path]).returncode:
                continue  # one that is damaged on purpose
            for command in READERS:
                done = run([FINWAIT, *command, "-i", path])
                clean(done, f"{command} of {os.path.basename(recording)}")
                escaped += b"\\x1b" in done.stdout + done.stderr
            done = run([FINWAIT, "record", "--info", path])
            clean(done, "record --info")
            check(b"\\x1b" in done.stdout, f"record --info: {done.stdout}")
        check(escaped > 20, f"only {escaped} outputs show what was in the recordings")


def messages_obey_no_terminal():
    bad = "\x1b]0;owned\x07\x1b[31m\n<0>fake"
    for argv in (["timeline", "-i", f"/{bad}"], ["trace", "-i", "/dev/null", "-o", f"/nowhere/{bad}"],
                 ["record", "-o", f"/nowhere/{bad}", "1s"], ["states", "--netns", bad],
                 ["timeline", "-p", bad], ["timeline", "--comm", "x", "-L", bad], [bad],
                 ["serve", "--listen", bad], ["serve", "--token-file", f"/{bad}"],
                 ["serve", "--listen", "127.0.0.1:0", "--user", bad], ["explain", bad],
                 ["record", "-o", "/dev/null", "--", f"/{bad}"]):
        done = run([FINWAIT, *argv], timeout=90)
        check(done.returncode, f"{argv} succeeded")
        clean(done, f"{argv}")
        check(b"\n<0>" not in done.stderr, f"{argv}: a line of its own")


CASES = [recordings_obey_no_terminal, messages_obey_no_terminal]
