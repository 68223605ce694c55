# SPDX-License-Identifier: GPL-2.0-only
"""A recording costs what it is long: no small one keeps a processor busy, and none cannot be interrupted."""

import os
import signal
import subprocess
import time

from real_host import check, run
from real_tracer import FINWAIT, TOP
from safety_files import Directory

BOMB = os.path.join(TOP, "build", "tests", "bomb")
READERS = (["timeline"], ["trace"], ["report"], ["states"], ["leaks"])


def cpu_of(argv, seconds):
    """What it said, and the processor time that it took: others may be busy."""
    before = os.times()
    done = run(argv, timeout=seconds)
    after = os.times()
    return done, (after.children_user + after.children_system -
                  before.children_user - before.children_system)


def a_small_recording_costs_little():
    with Directory(0o755) as own:
        path = own.path("bomb.fwr")
        check(run([BOMB, path, 200, 0]).returncode == 0, "no bomb")
        size = os.stat(path).st_size
        check(size < 200_000, f"the bomb has {size} bytes: it does not expand")
        for command in READERS:
            done, seconds = cpu_of([FINWAIT, *command, "-i", path], 300)
            check(seconds < 3, f"{command}: {seconds:.1f} s for {size} bytes")
            check(b"damaged" in done.stderr, done.stderr)


def reading_can_be_interrupted():
    with Directory(0o755) as own:
        path = own.path("long.fwr")
        check(run([BOMB, path, 300, 200], timeout=300).returncode == 0, "no recording")
        for command in READERS:
            process = subprocess.Popen([FINWAIT, *command, "-i", path], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            time.sleep(0.7)
            check(process.poll() is None, f"{command} is done already: the recording is too short")
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
            seconds = time.monotonic() - begin
            check(seconds < 3, f"{command}: it ended after {seconds:.1f} s")
            check(process.returncode >= 0, f"{command}: killed by {-process.returncode}: {said}")


CASES = [a_small_recording_costs_little, reading_can_be_interrupted]
