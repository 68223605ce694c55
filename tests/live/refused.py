#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of refusal and of death: a clear error, and nothing left in the kernel.

    sudo tests/live/refused.py [NAME...]      only the cases whose names contain one of these words

Without BTF (hidden by a mount of our own), without the capabilities, as nobody: every command says
what is missing and what to do, and ends with status 1. After SIGTERM, SIGINT and SIGKILL no program,
map, link or kprobe of finwait is left. Judged by bpftool. Environment and output as for real.py.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from real import Results
from real_host import Netns, check, run, wait_until
from real_tracer import FINWAIT, FINWAIT_ARGS, Tracer

COMMANDS = [["trace"], ["timeline"], ["report", "1s"], ["states"], ["leaks"], ["doctor"]]
COMMANDS_THAT_LOAD = [c for c in COMMANDS if c != ["doctor"]]
CAPS = "-bpf,-perfmon,-sys_admin"
# Emulated machines take seconds to load programs, and to give them back.
SECONDS = 180
HIDE_BTF = 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
KPROBES = "mount -t tracefs none /sys/kernel/tracing && cat /sys/kernel/tracing/kprobe_events"


def bpf_objects():
    """What the kernel holds of finwait: every name of ours begins with fw_."""
    path = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    things = {kind: json.loads(run(["bpftool", "-j", kind, "show"], env=path).stdout or b"[]")
              for kind in ("prog", "map", "link")}
    programs = {p["id"] for p in things["prog"] if p.get("name", "").startswith("fw_")}
    return ({("prog", number) for number in programs} |
            {("map", m["id"]) for m in things["map"] if m.get("name", "").startswith("fw_")} |
            {("link", l["id"]) for l in things["link"] if l.get("prog_id") in programs})


def kprobes():
    out = run(["unshare", "-m", "sh", "-c", KPROBES])
    return [line for line in out.stdout.decode().splitlines() if "twsk" in line or "reqsk" in line]


def check_refusal(prefix, words):
    before = bpf_objects()
    for command in COMMANDS:
        result = run([*prefix, FINWAIT, *command], timeout=SECONDS)
        said = result.stderr.decode()
        name = " ".join(command)
        check(result.returncode == 1, f"{name}: status {result.returncode}: {said}")
        check_short(said, words)
        left = bpf_objects() - before
        check(not left, f"{name}: left in the kernel: {left}")


def without_btf():
    prefix = ["unshare", "-m", "sh", "-c", HIDE_BTF]
    check_refusal(prefix, ["no BTF type information", "CONFIG_DEBUG_INFO_BTF"])


def without_capabilities():
    prefix = ["setpriv", "--bounding-set", CAPS, "--inh-caps", CAPS]
    check_refusal(prefix, ["privileges", "uid 0", "CAP_BPF"])


def as_nobody():
    prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    check_refusal(prefix, ["privileges", "uid 65534", "sudo"])


def check_short(said, words):
    """One sentence and a hint, whatever libbpf and the verifier had to say."""
    for word in words:
        check(word in said, f"no word of {word}: {said}")
    check(said.count("\n") == 2, f"not a sentence and a hint: {said}")
    check(max(map(len, said.splitlines())) < 400, f"not short: {said}")


def with_too_few_descriptors():
    """Programs that cannot be loaded: one sentence about it, not what libbpf would print."""
    before = bpf_objects()
    for command in COMMANDS_THAT_LOAD:
        result = run(["prlimit", "--nofile=8", FINWAIT, *command], timeout=SECONDS)
        check(result.returncode == 1, f"{command}: status {result.returncode}")
        check_short(result.stderr.decode(), ["Too many open files"])
    # The kernel frees what was loaded before the failure a moment later.
    wait_until(lambda: not bpf_objects() - before, SECONDS, "the BPF objects to go")


def with_the_capabilities_it_names():
    """They are enough, and what a snapshot then lacks is said."""
    names = "-all,+bpf,+perfmon,+syslog"
    if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 11):
        names += ",+sys_resource"
    prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
              "--inh-caps", names, "--ambient-caps", names, "--bounding-set", names]
    with Netns():
        for command in ("doctor", "states"):
            result = run([*prefix, FINWAIT, command], timeout=SECONDS)
            check(result.returncode == 0, f"{command}: {result}")
        check("namespaces could not be entered" in result.stderr.decode(), f"{result}")
    result = run([FINWAIT, "states"], timeout=SECONDS)
    check(not result.stderr, f"as root: {result.stderr}")


def with_an_unknown_front_end():
    result = run([FINWAIT, "trace", "--hooks", "psychic"])
    said = result.stderr.decode()
    check(result.returncode == 2, f"status {result.returncode}: {said}")
    check("trampoline, kprobe" in said, said)


def check_death(sig, status):
    before, probes = bpf_objects(), kprobes()
    with Tracer("trace") as tracer:
        there = bpf_objects() - before
        check({kind for kind, _ in there} >= {"prog", "map"}, f"bpftool sees only {there}")
        tracer.process.send_signal(sig)
        check(tracer.process.wait(SECONDS) == status, f"status {tracer.process.returncode}")
    # The kernel frees what a dead process held a moment later.
    wait_until(lambda: not bpf_objects() & there, SECONDS, "the BPF objects to go")
    wait_until(lambda: kprobes() == probes, SECONDS, "the kprobes to go")


def sigterm_leaves_nothing():
    check_death(signal.SIGTERM, 0)


def two_at_once_are_one_wish():
    """timeout(1) sends its signal to finwait, and then to the process group, finwait in it again."""
    for _ in range(3):
        with Tracer("trace") as tracer:
            sent = time.monotonic()
            tracer.process.send_signal(signal.SIGTERM)
            # Time for the first to be taken: two that wait are one anyway.
            time.sleep(0.002)
            tracer.process.send_signal(signal.SIGTERM)
            took = time.monotonic() - sent
            status = tracer.process.wait(SECONDS)
            # An emulated processor may be away for longer than that; then it was another wish.
            check(status == 0 or took > 0.2, f"status {status} after {took:.3f} s")
            check(status or "events lost" in tracer.stderr(), f"no summary: {tracer.stderr()}")


def sigint_leaves_nothing():
    check_death(signal.SIGINT, 0)


def sigkill_leaves_nothing():
    check_death(signal.SIGKILL, -signal.SIGKILL)


def a_closed_pipe_leaves_nothing():
    before = bpf_objects()
    with tempfile.TemporaryFile() as messages:
        tracer = subprocess.Popen([FINWAIT, "states", *FINWAIT_ARGS], stdout=subprocess.PIPE,
                                  stderr=messages)
        tracer.stdout.close()
        check(tracer.wait(SECONDS) == 0, f"status {tracer.returncode}")
        said = os.pread(messages.fileno(), 4096, 0)
    check(not said, f"a closed pipe is no reason to complain: {said}")
    wait_until(lambda: not bpf_objects() - before, SECONDS, "the BPF objects to go")


CASES = [
    without_btf, without_capabilities, as_nobody, with_too_few_descriptors,
    with_the_capabilities_it_names, with_an_unknown_front_end,
    sigterm_leaves_nothing, two_at_once_are_one_wish, sigint_leaves_nothing, sigkill_leaves_nothing,
    a_closed_pipe_leaves_nothing,
]


def main():
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
