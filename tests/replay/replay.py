#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of each version of the format give the output that they gave: NAME.fwr beside NAME.txt and
NAME.json. Those in tests/replay itself are of version 1, and are never recorded again. Those of version N
are in vN (NAME is then vN/...).

    tests/replay/replay.py [NAME...]           compares; needs no root and no BPF
    tests/replay/replay.py --golden [NAME...]  writes down what they say now: read the difference

Every command reads every recording, as text and as JSON, in an environment of its own making: another
time zone, terminal or language must not change a byte. The middle of long output (of timeline and trace)
is replaced by its digest. capture.py makes the recordings.
"""

import difflib
import glob
import hashlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(ROOT, "finwait")))

COMMANDS = (
    ("timeline",), ("trace",), ("report", "--stall", "1s", "--leak-age", "1s"),
    ("leaks", "--leak-age", "1s"), ("states", "--by", "process"),
)
ENVIRONMENTS = (
    {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"},
    {"PATH": os.environ["PATH"], "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "TERM": "xterm",
     "COLUMNS": "40"},
)
# What the commands may return: leaks has found some, or all is well.
STATUSES = {0, 4}


# Of output with more lines than that so many are shown.
LONG, FIRST, LAST = 150, 40, 20


class Wrong(Exception):
    pass


def finwait(argv, environment):
    done = subprocess.run([FINWAIT, *argv], cwd=HERE, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode not in STATUSES:
        raise Wrong(f"finwait {' '.join(argv)}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode(), done.stderr.decode()


def shortened(command, out):
    lines = out.splitlines(True)
    if len(lines) <= LONG or command not in ("timeline", "trace"):
        return lines
    middle = lines[FIRST:-LAST]
    digest = hashlib.sha256("".join(middle).encode()).hexdigest()
    return lines[:FIRST] + [f"... {len(middle)} lines, sha256 {digest} ...\n"] + lines[-LAST:]


def as_json(command, line):
    if line.startswith("..."):
        return line
    return json.dumps({"command": command, "says": json.loads(line)}, ensure_ascii=False) + "\n"


def say(name, form, environment):
    """All that the recording says in that format. What comes on stderr is part of the text."""
    texts = []
    for command, *args in COMMANDS:
        argv = [command, "-i", name + ".fwr", *args, *(("-f", "json") if form == "json" else ())]
        out, err = finwait(argv, environment)
        if form == "json":
            texts += [as_json(command, line) for line in shortened(command, out)]
        else:
            texts += [f"$ finwait {' '.join(argv)}\n", err, *shortened(command, out), "\n"]
    return "".join(texts)


def golden_path(name, form):
    return os.path.join(HERE, f"{name}.{form}")


def compare(name, form):
    said = say(name, form, ENVIRONMENTS[0])
    if say(name, form, ENVIRONMENTS[1]) != said:
        raise Wrong("says something else in another environment")
    with open(golden_path(name, form), encoding="utf-8") as f:
        golden = f.read()
    if said != golden:
        diff = difflib.unified_diff(golden.splitlines(), said.splitlines(), "golden", "now",
                                    lineterm="", n=0)
        raise Wrong("says something else:\n" + "\n".join(list(diff)[:20]))


def write_golden(name, form):
    with open(golden_path(name, form), "w", encoding="utf-8") as f:
        f.write(say(name, form, ENVIRONMENTS[0]))


def main():
    args = sys.argv[1:]
    golden = args[:1] == ["--golden"]
    names = args[1:] if golden else args
    names = names or sorted(os.path.relpath(f, HERE)[:-4] for f in
                            glob.glob(os.path.join(HERE, "*.fwr")) +
                            glob.glob(os.path.join(HERE, "v*", "*.fwr")))
    failed = 0
    for name in names:
        for form in ("txt", "json"):
            try:
                (write_golden if golden else compare)(name, form)
                print(f"ok {name} {form}")
            except (Wrong, OSError, ValueError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAIL {name} {form}: {error}")
    print(f"{2 * len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
