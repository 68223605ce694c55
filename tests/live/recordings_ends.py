# SPDX-License-Identifier: GPL-2.0-only
"""How recordings end: closed, cut off, damaged, on a full disk; and what is no recording."""

import os
import time

from real_host import Netns, check, run, wait_until
from real_tracer import Tracer, check_path
from recordings_files import Scratch, churn, events_of, finwait, info, recorded, rows_of

HEAD_BYTES = 24


def sigterm_closes_it():
    with Netns() as netns, Scratch() as scratch:
        path = recorded(scratch, netns, 300)
        rows, said = rows_of("-i", path)
        check("not known" not in said, said)
        check(info(path)["end"] == "complete", str(info(path)))
        check(len(rows) == 600, f"{len(rows)} connections")
        for row in rows:
            check_path(row)
        check(os.stat(path).st_mode & 0o777 == 0o600, "others may read it")


def sigkill_leaves_what_was_written():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("killed.fwr")
        with Tracer("record", "-o", path, "--netns", netns.path) as tracer:
            churn(netns, 500)
            wait_until(lambda: events_of(path) >= 500 * 8, 20, "a block", 0.2)
            churn(netns, 500)
            tracer.process.kill()
            tracer.process.wait()
        rows, said = rows_of("-i", path)
        check("what follows is not known" in said, said)
        check("cut off" in info(path)["end"], str(info(path)))
        check(len(rows) >= 1000, f"{len(rows)} connections")
        rows_of("-i", path, "--strict", status=3)


def a_full_disk_is_said():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("full.fwr")
        check(run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", scratch.name]).returncode == 0,
              "mount")
        try:
            with Tracer("record", "-o", path, "--netns", netns.path) as tracer:
                for _ in range(300):
                    if tracer.process.poll() is not None:
                        break
                    churn(netns, 200, "-c", "mixed")
                    time.sleep(0.2)
                check(tracer.process.wait(20) == 1, f"status {tracer.process.returncode}")
                said = tracer.stderr()
            check("No space left on device" in said and path in said, said)
            check("can be read" in said, said)
            rows, said = rows_of("-i", path)
            check(len(rows) > 100, f"{len(rows)} connections")
            check("what follows is not known" in said, said)
        finally:
            run(["umount", scratch.name])


def many_blocks(scratch):
    """A small recording of several blocks."""
    with Netns() as netns:
        path = scratch.file("small.fwr")
        with Tracer("record", "-o", path, "--netns", netns.path, "--no-host") as tracer:
            for _ in range(3):
                churn(netns, 4, "-c", "mixed")
                time.sleep(2.2)
            check(tracer.stop() == 0, tracer.stderr())
    check("host" not in info(path), "the host's name")
    return path


def truncated_at_every_byte():
    with Scratch() as scratch:
        path = many_blocks(scratch)
        with open(path, "rb") as file:
            whole = file.read()
        rows, _ = rows_of("-i", path)
        ended = [r for r in rows if "end" in r]
        first = HEAD_BYTES + int.from_bytes(whole[16:20], "little")
        most = 0
        for length in range(len(whole)):
            with open(path, "wb") as file:
                file.write(whole[:length])
            status = 1 if length < first else 0
            got, said = rows_of("-i", path, status=status, timeout=20)
            check("no recording" in said or "not known" in said, f"{length}: {said}")
            got = [r for r in got if "end" in r]
            check(got == ended[:len(got)], f"{length}: not what the whole file says")
            check(len(got) >= most, f"{length}: less than with less")
            most = len(got)
        check(0 < most < len(ended) + 1, f"{most} of {len(ended)}")


def damaged_in_the_middle():
    with Scratch() as scratch:
        path = many_blocks(scratch)
        with open(path, "rb") as file:
            whole = file.read()
        whole_rows, _ = rows_of("-i", path)
        for at in range(HEAD_BYTES * 2 + int.from_bytes(whole[16:20], "little"), len(whole), 97):
            with open(path, "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
            rows, said = rows_of("-i", path, timeout=20)
            rows = [r for r in rows if "end" in r]
            if "not known" not in said:
                check(rows == [r for r in whole_rows if "end" in r], f"{at}: accepted")
            check(rows == [r for r in whole_rows if "end" in r][:len(rows)], f"{at}: wrong")


def refusals():
    with Netns() as netns, Scratch() as scratch:
        path = recorded(scratch, netns, 10)
        with open(path, "rb") as file:
            whole = file.read()
        cases = [
            (b"", ["no recording"]), (b"\0" * 5000, ["no recording"]), (b"#!/bin/sh\n" * 99, ["no recording"]),
            (whole[:3] + b"\x63" + whole[4:], ["format 99", "formats 1 to 2", "newer"]),
        ]
        other = scratch.file("other.fwr")
        for content, words in cases:
            with open(other, "wb") as file:
                file.write(content)
            for command in ("trace", "timeline", "report", "leaks", "states"):
                _, said = finwait(command, "-i", other, status=1)
                for word in words:
                    check(word in said, f"{command}: no word of {word}: {said}")
        _, said = finwait("timeline", "-i", scratch.file("missing"), status=1)
        check("No such file" in said, said)
        for option in ("--hooks=timer", "--ring-size=1", "--no-snapshot", "--half-open-limit=1"):
            _, said = finwait("timeline", "-i", path, option, status=2)
            check("running kernel" in said, said)
        later = scratch.file("later.fwr")
        os.rename(path, later)
        first = recorded(scratch, netns, 10)
        _, said = finwait("timeline", "-i", first, "-i", later, status=1)
        check("order of their time" in said, said)


CASES = [
    sigterm_closes_it, sigkill_leaves_what_was_written, a_full_disk_is_said,
    truncated_at_every_byte, damaged_in_the_middle, refusals,
]
