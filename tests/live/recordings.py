#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of recordings: what is read from one is what was seen live, and whatever happens to the
file is said, not guessed.

    sudo tests/live/recordings.py [NAME...]      only the cases whose names contain one of these words

Environment and output as for real.py.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time

import recordings_ends
from leaking import Leaker
from real import Results
from real_host import Netns, check, run, wait_until, wall_clock
from real_tracer import CHURN, FINWAIT, FINWAIT_ARGS, Tracer, check_path
from recordings_files import Scratch, churn, events_of, finwait, info, recorded, rows_of

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set",
          "-all", "--inh-caps", "-all"]


# ---- Live and recorded ---------------------------------------------------------------------------


def same(command, *args):
    """The same run, live and from the recording that was made of it meanwhile."""
    with Netns() as netns, Scratch() as scratch:
        live, again, path = (scratch.file(name) for name in ("live", "again", "rec.fwr"))
        with Leaker(netns, 7400, "closed") as leaker:
            leaker.leak(5)
            with Tracer(command, *args, "-o", live, "--record", path) as tracer:
                churn(netns, 1000, "-c", "mixed", "-b", 100)
                churn(netns, 300, "-6")
                leaker.leak(3)
                time.sleep(1.2)  # what is settled once a second is among it
                churn(netns, 300, "-c", "reset")
                check(tracer.stop() == 0, tracer.stderr())
        finwait(command, *args, "-i", path, "-o", again)
        with open(live, "rb") as one, open(again, "rb") as other:
            live, again = one.read(), other.read()
        check(live.count(b"\n") >= 1 and len(live) > 5000, f"only {len(live)} bytes")
        check(live == again, f"{command} differs: {first_difference(live, again)}")


def first_difference(one, other):
    for a, b in zip(one.splitlines(), other.splitlines()):
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), 0)
            return f"{a[max(0, at - 60):at + 60]} and {b[max(0, at - 60):at + 60]}"
    return f"{len(one)} and {len(other)} bytes"


def timeline_json_is_the_same():
    same("timeline", "-f", "json")


def timeline_text_is_the_same():
    same("timeline", "-T")


def trace_json_is_the_same():
    same("trace", "-f", "json")


def report_json_is_the_same():
    same("report", "-f", "json")


def report_text_is_the_same():
    same("report")


# ---- Filters ---------------------------------------------------------------------------------------


def shapes(rows):
    """What two tracers of the same connections have in common: not their clocks."""
    return sorted((row["laddr"], row["lport"], row["raddr"], row["rport"],
                   [s["state"] for s in row["states"]], row.get("end", "open")) for row in rows)


def filters_offline_equal_filters_live():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("all.fwr")
        filters = [["-4"], ["-6"], ["--local", "127.0.0.1"], ["--remote", "::1"], ["-L", "7401"],
                   ["-D", "7401"], ["--comm", "churn"], ["--state", "last_ack"]]
        with Leaker(netns, 7401, "closed") as leaker:
            tracers = [Tracer("timeline", "-f", "json", "--netns", netns.path, *f) for f in filters]
            with Tracer("record", "-o", path, "--netns", netns.path) as recorder:
                churn(netns, 200, "-c", "mixed")
                churn(netns, 100, "-6")
                leaker.leak(5)
                time.sleep(0.3)
                check(recorder.stop() == 0, recorder.stderr())
                for tracer in tracers:
                    check(tracer.stop() == 0, tracer.stderr())
        for tracer, f in zip(tracers, filters):
            offline, _ = rows_of("-i", path, *f)
            live = tracer.objects()
            # A second tracer is attached, and detached, a moment before or after.
            ended = f[0] not in ("-L", "-D")
            live, offline = (shapes(r for r in rows if r.get("end") or not ended)
                             for rows in (live, offline))
            check(len(live) >= 5, f"{f}: {len(live)} connections")
            check(live == offline, f"{f}: {len(live)} live, {len(offline)} offline")


def names_of_namespaces_are_in_it():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("two.fwr")
        with Netns() as other, Tracer("record", "-o", path) as tracer:
            churn(netns, 20)
            churn(other, 30)
            time.sleep(0.3)
            check(tracer.stop() == 0, tracer.stderr())
        for wanted, n in ((netns, 20), (other, 30)):
            for name in (wanted.name, str(wanted.inum)):
                rows, _ = rows_of("-i", path, "--netns", name)
                check(len(rows) >= 2 * n, f"{name}: {len(rows)} connections")
                check({row["netns"] for row in rows} == {wanted.inum}, f"{name}: others too")
        check(not rows_of("-i", path, "--netns", "nowhere")[0], "a name that is not in it")
        finwait("timeline", "-i", path, "--netns", "1", status=2)


# ---- Files, pipes, commands -------------------------------------------------------------------------


def rotation():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("tcp.fwr")
        with Tracer("record", "-o", path, "--netns", netns.path, "--max-size", "64k",
                    "--keep", "4") as tracer:
            for _ in range(12):
                churn(netns, 1500, "-c", "mixed")
                time.sleep(2.1)
            check(tracer.stop() == 0, tracer.stderr())
        files = sorted(glob.glob(scratch.file("tcp-*.fwr")))
        check(len(files) == 4, f"{files}")
        check(not os.path.exists(path), "one without a number")
        inputs = [arg for file in files for arg in ("-i", file)]
        for file in files:
            check(os.path.getsize(file) < 400_000, f"{file}: {os.path.getsize(file)} bytes")
            check(info(file)["end"] == "complete", f"{file}: {info(file)}")
            rows, said = rows_of("-i", file)
            check("not known" not in said and rows, f"{file}: {said}")
            for row in rows:
                check_path(row)
        rows, said = rows_of(*inputs)
        check("not known" not in said, said)
        check(sum(events_of(f) for f in files) == summary(said)[0], said)
        check(not [r for r in rows if r["gap"]], "a gap between files")
        rows, said = rows_of(*inputs[:2], *inputs[4:])
        check([r for r in rows if r["gap"]], "a file is missing and nothing is marked")


def summary(said):
    found = re.search(r"(\d+) events, .* (\d+) events lost", said)
    check(found, f"no summary: {said}")
    return int(found[1]), int(found[2])


def through_a_pipe():
    with Netns() as netns:
        record = subprocess.Popen([FINWAIT, "record", "-o", "-", "--netns", netns.path, "4",
                                   *FINWAIT_ARGS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        report = subprocess.Popen([FINWAIT, "report", "-f", "json", "-i", "-"], stdin=record.stdout,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        record.stdout.close()
        wait_until(lambda: record.stderr.readline().startswith(b"finwait: recording"), 60, "record")
        churn(netns, 200)
        out, said = report.communicate(timeout=60)
        check(report.returncode == 0, said.decode())
        check(record.wait(10) == 0, f"record: status {record.returncode}")
        about = json.loads(out)
        text = json.dumps(about)
        check('"ended": 200' in text, text[:300])
        record.stderr.close()


def whoever_reads_the_pipe_may_go():
    with Netns() as netns:
        record = subprocess.Popen([FINWAIT, "record", "-o", "-", "--netns", netns.path,
                                   *FINWAIT_ARGS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        record.stdout.read(10)
        record.stdout.close()
        churn(netns, 10)
        check(record.wait(30) == 0, f"status {record.returncode}: {record.stderr.read()}")
        record.stderr.close()


def as_long_as_a_command_runs():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("command.fwr")
        command = ["ip", "netns", "exec", netns.name, CHURN, "-n", "50"]
        finwait("record", "-o", path, "--netns", netns.path, *FINWAIT_ARGS, "--", *command)
        rows, _ = rows_of("-i", path)
        check(len(rows) == 100, f"{len(rows)} connections")
        for words, status in ((["sh", "-c", "exit 7"], 7), (["/nowhere"], 127),
                              (["sh", "-c", "kill -9 $$"], 137), (["true"], 0)):
            finwait("record", "-o", path, *FINWAIT_ARGS, "--", *words, status=status)
            check(info(path)["end"] == "complete", f"{words}: {info(path)}")


def usage_errors():
    with Scratch() as scratch:
        path = scratch.file("x.fwr")
        for args in ([], ["-o", path, "-p", "1"], ["-o", path, "--state", "time_wait"],
                     ["-o", path, "--keep", "3"], ["-o", "-", "--max-size", "1M"],
                     ["-o", path, "--max-size", "1"], ["-o", path, "0"], ["-o", path, "--"],
                     ["-o", path, "1s", "--", "true"], ["-o", "-", "--", "true"], ["-o", path, "--compress-level", "99"],
                     ["-i", path, "-o", path]):
            finwait("record", *args, status=2)
            check(not os.path.exists(path), f"{args}: made a file")
        _, said = finwait("record", "-o", "/nowhere/x.fwr", status=1)
        check("No such file" in said, said)


# ---- Without the kernel -----------------------------------------------------------------------------


def without_privileges():
    with Netns() as netns, Scratch() as scratch:
        path = recorded(scratch, netns, 50)
        os.chmod(path, 0o644)
        mine, _ = rows_of("-i", path)
        binary = scratch.file("finwait")
        run(["cp", FINWAIT, binary])
        done = run([*NOBODY, binary, "timeline", "-f", "json", "-i", path])
        check(done.returncode == 0, done.stderr.decode())
        theirs = [json.loads(line) for line in done.stdout.splitlines()]
        check(mine == theirs and len(mine) == 100, f"{len(mine)}, {len(theirs)}")
        done = run(["ldd", FINWAIT]).stdout.decode()
        check("libbpf" not in done and "libelf" not in done, done)


def leaks_and_states_of_a_recording():
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("leak.fwr")
        with Leaker(netns, 7402, "closed") as leaker:
            leaker.leak(6)
            leaker.wait_for(6)
            with Tracer("record", "-o", path, "--netns", netns.path) as tracer:
                wait_until(lambda: info(path)["snapshots"].startswith("1 "), 20, "a snapshot", 0.2)
                early = wall_clock()
                leaker.leak(4)
                leaker.wait_for(10)
                time.sleep(0.5)
                check(tracer.stop() == 0, tracer.stderr())
            live, _ = finwait("states", "-f", "json", "--netns", netns.path)
        args = ["-f", "json", "-i", path]
        report = json.loads(finwait("leaks", *args, "--leak-age", "0", status=4)[0])
        found = report["findings"][0]["evidence"]
        check(found["count"] == 10, f"{found}")
        check(found["verdict"] == "never_closed", f"{found}")
        check(found["growth_per_s"] > 0, f"{found}")
        for at in (early, "3000s"):
            then = json.loads(finwait("leaks", *args, "--at", at, "--leak-age", "0", status=4)[0])
            n = 6 if at == early else 10
            check(then["findings"][0]["evidence"]["count"] == n, f"{at}: {then['findings']}")
        finwait("leaks", *args, "--at", "2001-01-01T00:00:00Z", status=1)
        states = {json.dumps(json.loads(text)["sections"]) for text in
                  (live, finwait("states", *args)[0])}
        check(len(states) == 1, f"{states}")
        finwait("leaks", "-i", path, "--watch", "1s", status=2)
        finwait("states", "--at", "1s", status=2)


def idle_costs_little():
    """A host on which nothing happens: hardly a byte, and still as of when it was."""
    with Netns() as netns, Scratch() as scratch:
        path = scratch.file("idle.fwr")
        with Tracer("record", "-o", path, "--netns", netns.path) as tracer:
            time.sleep(5)
            check(tracer.stop() == 0, tracer.stderr())
        check(os.path.getsize(path) < 8192, f"{os.path.getsize(path)} bytes")
        span = float(info(path)["span"].split()[0])
        check(4.5 < span < 8, f"{span} s")


CASES = [
    timeline_json_is_the_same, timeline_text_is_the_same, trace_json_is_the_same,
    report_json_is_the_same, report_text_is_the_same, filters_offline_equal_filters_live,
    names_of_namespaces_are_in_it, *recordings_ends.CASES, rotation,
    through_a_pipe, whoever_reads_the_pipe_may_go, as_long_as_a_command_runs, usage_errors,
    without_privileges, leaks_and_states_of_a_recording, idle_costs_little,
]


def main():
    if os.geteuid() != 0:
        sys.exit("recordings.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
