#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: tests/replay/broken.py [NAME...]		no broken recording is read as if it were whole

Cuts a recording (half_open of the newest version of the format) at every byte, changes one bit in every
byte, and changes the version of each block (of half_open of all versions), and lets finwait timeline read
the result. The output is that of
the blocks before that place: no more, no less, nothing else. finwait says that the recording is broken,
and with --strict its exit status does. Without a header there is no recording. A bit that changes nothing
(zstd does not use them all; what is decompressed has a checksum) may change nothing. Needs no root.
"""

import concurrent.futures
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(ROOT, "finwait")))
HEAD_BYTES = 24
NEWEST = "v2/half_open"
ALL = (NEWEST, "half_open")
LOST = 3  # the status of --strict
TIMEOUT_S = 20


def block_ends(data):
    """Where blocks end: docs/recording-format.md."""
    ends, at = [], 0
    while at < len(data):
        at += HEAD_BYTES + int.from_bytes(data[at + 16:at + 20], "little")
        ends.append(at)
    return ends


class Reader:
    """What finwait says of some bytes: (status, lines, messages)."""

    def __init__(self, directory):
        self.directory = directory

    def read(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as f:
            f.write(data)
        done = subprocess.run([FINWAIT, "timeline", "-i", path, "-f", "json", "--strict"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        os.unlink(path)
        return done.returncode, done.stdout, done.stderr.decode()


def judge(result, whole_blocks, wanted, flipped):
    """None, or what is wrong. @wanted: the lines by the number of whole blocks."""
    status, lines, messages = result
    if flipped and status == 0 and lines == wanted[max(wanted)]:
        return None
    if not whole_blocks:
        ok = status == 1 and not lines and "finwait: " in messages
        return None if ok else f"without a header: status {status}, {len(lines)} bytes: {messages}"
    if status != LOST:
        return f"status {status}"
    if lines != wanted[whole_blocks]:
        return f"other lines than those of {whole_blocks} blocks"
    if "what follows is not known" not in messages:
        return f"does not say that it is broken: {messages}"
    return None


def cut(data):
    for n in range(len(data)):
        yield n, data[:n]


def changed(data):
    for n in range(len(data)):
        broken = bytearray(data)
        broken[n] ^= 1 << n % 8
        yield n, bytes(broken)


def checksum(data):
    """FNV-1a, 32 bits."""
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xffffffff
    return value.to_bytes(4, "little")


def another_version(data):
    """Blocks whose head is whole but of another version: a known one, and one of the future."""
    begins = [0] + block_ends(data)
    for begin, end in zip(begins, begins[1:]):
        for version in (3 - data[3], 99):
            head = data[begin:begin + 3] + bytes((version,)) + data[begin + 4:begin + 20]
            # A header of a known version is read; what follows is not of this version.
            place = end if not begin and version != 99 else begin
            yield place, data[:begin] + head + checksum(head) + data[begin + 24:]


class Recording:
    def __init__(self, data, reader):
        self.data, self.reader = data, reader
        self.ends = block_ends(data)
        self.wanted = {i + 1: reader.read("wanted", data[:end])[1]
                       for i, end in enumerate(self.ends)}

    def problem_of(self, number, place, broken, flipped):
        """None, or what is wrong with what is said of it."""
        try:
            result = self.reader.read(f"broken-{number}", broken)
        except (OSError, subprocess.SubprocessError) as error:
            return repr(error)
        return judge(result, sum(end <= place for end in self.ends), self.wanted, flipped)

    def check(self, make, flipped):
        """One case: all the ways to break it that @make makes."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            made = list(make(self.data))
            problems = pool.map(lambda m: self.problem_of(m[0], *m[1], flipped), enumerate(made))
            wrong = [(place, p) for (place, _), p in zip(made, problems) if p]
        for place, problem in wrong[:10]:
            print(f"FAIL {make.__name__} at byte {place}: {problem}")
        print(f"{'FAIL' if wrong else 'ok'} {make.__name__} at each of {len(made)} places", flush=True)
        return not wrong


def main():
    passed = failed = 0
    for name in sys.argv[1:] or ALL:
        with open(os.path.join(HERE, name + ".fwr"), "rb") as f:
            data = f.read()
        with tempfile.TemporaryDirectory(prefix="finwait-broken-") as directory:
            reader = Reader(directory)
            whole = reader.read("whole", data)[0] == 0
            print(f"{'ok' if whole else 'FAIL'} {name} whole", flush=True)
            recording = Recording(data, reader)
            done = [whole, recording.check(another_version, False)]
            if name == NEWEST or sys.argv[1:]:
                done += [recording.check(cut, False), recording.check(changed, True)]
        passed += sum(done)
        failed += len(done) - sum(done)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
