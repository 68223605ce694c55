# SPDX-License-Identifier: GPL-2.0-only
"""Making recordings, and reading them back."""

import json
import os
import tempfile
import time

from real_host import check, run
from real_tracer import CHURN, FINWAIT, Tracer


def churn(netns, n, *args):
    done = netns.run(CHURN, "-n", n, *args)
    check(done.returncode == 0, f"churn: {done.stderr}")


def finwait(*args, status=0, prefix=(), **options):
    """(what it wrote, what it said)"""
    done = run([*prefix, FINWAIT, *args], **options)
    said = done.stderr.decode()
    check(done.returncode == status, f"finwait {args}: status {done.returncode}: {said}")
    return done.stdout, said


def rows_of(*args, **options):
    out, said = finwait("timeline", "-f", "json", *args, **options)
    return [json.loads(line) for line in out.splitlines()], said


def info(path):
    out, _ = finwait("record", "--info", path)
    return dict(line.split(None, 1) for line in out.decode().splitlines())


def events_of(path):
    return int(info(path)["events"].replace(",", ""))


class Scratch(tempfile.TemporaryDirectory):
    def file(self, name):
        return os.path.join(self.name, name)

    def __enter__(self):
        super().__enter__()
        os.chmod(self.name, 0o755)
        return self


def recorded(scratch, netns, n, *args, seconds=0.3):
    """A recording of n connections."""
    path = scratch.file("one.fwr")
    with Tracer("record", "-o", path, "--netns", netns.path, *args) as tracer:
        churn(netns, n, "-c", "mixed")
        time.sleep(seconds)
        check(tracer.stop() == 0, tracer.stderr())
    return path
