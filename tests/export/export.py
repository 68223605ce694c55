#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""finwait's JSON Lines in other people's tools: jq, ClickHouse, SQLite. Needs root.

    sudo tests/export/export.py [NAME...]     only the cases whose names contain one of these words

The lines of real connections go into a real ClickHouse server and into sqlite3, as docs/export says and
by the files there, with nothing in between. What comes out again must be what finwait printed, and the
views must say what jq says. FINWAIT_SKIP_OK=1: what is not installed is skipped, not failed.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from traffic import HOSTILE_NAMES, ROOT, collect
from clickhouse import ClickHouse, find_clickhouse
from real_host import Failure, check
from real_tracer import FINWAIT

DOCS = os.path.join(ROOT, "docs", "export")
SKIP_OK = os.environ.get("FINWAIT_SKIP_OK") == "1"
QUERIES = ("close_wait_holders", "time_wait_by_cause", "fin_wait_2_stalls")
# The traffic is made so that there is something to export.
ENDS = {"last_ack", "time_wait_reset", "time_wait_reopened", "time_wait_reused",
        "time_wait_overflow", "fin_wait_2_timeout", "refused", "timed_out", "reset_received",
        "reset_sent", "half_open_expired", "half_open_dropped"}


def tool(argv, data=b"", said=False):
    """What it prints; @said: it may say something on stderr."""
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False)
    errors = done.stderr.decode("utf-8", "replace")
    check(done.returncode == 0 and (said or not errors), f"{argv[0]}: status {done.returncode}: {errors}")
    return done.stdout


def rows_of(output):
    return [json.loads(line) for line in output.splitlines() if line]


def read(name):
    with open(os.path.join(DOCS, name), "rb") as f:
        return f.read()


class Export:
    """What finwait printed, live and from its recording, and what jq makes of it."""

    def __init__(self, directory):
        recording = os.path.join(directory, "export.fwr")
        self.lines = collect(recording)
        self.replayed = os.path.join(directory, "lines.json")
        tool([FINWAIT, "timeline", "-i", recording, "-f", "json", "-o", self.replayed], said=True)
        self.rows = rows_of(self.lines)
        self.truth = {q: rows_of(tool(["jq", "-s", "-c", "-f", os.path.join(DOCS, q + ".jq")],
                                      self.lines)) for q in QUERIES}


# ---- Comparing ------------------------------------------------------------------------------------


def norm(value):
    """What engines write differently: booleans are numbers, numbers may have a fraction, and of a
    point in time the separators differ."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
        return value.replace(" ", "T") + "Z"
    return value


def same(a, b):
    a, b = norm(a), norm(b)
    if isinstance(a, float) or isinstance(b, float):
        return None not in (a, b) and math.isclose(a, b, rel_tol=1e-12)
    return a == b


def compare_query(query, truth, rows):
    """As sets: rows of the same rank have no order."""
    def key(row):
        return json.dumps([norm(v) for v in row.values() if not isinstance(v, float)])

    check(len(truth) == len(rows), f"{query}: {len(rows)} rows, jq has {len(truth)}")
    for want, got in zip(sorted(truth, key=key), sorted(rows, key=key)):
        check(list(want) == list(got), f"{query}: columns {list(got)}, jq has {list(want)}")
        wrong = [k for k in want if not same(want[k], got[k])]
        check(not wrong, f"{query}: {wrong}: {got}, jq has {want}")
    # The first has the first place in any order.
    for column in list(truth[0])[-4:] if truth else ():
        if column in ("still_held", "stalls"):
            check(rows[0][column] == truth[0][column], f"{query}: not in order")


def compare_fields(rows, got, columns):
    """Every field of every line that is one of @columns (None: that is not an array), and nothing that
    finwait did not say."""
    check(len(rows) == len(got), f"{len(got)} rows of {len(rows)} lines")
    key = lambda row: (row["conn"], row["start"])  # noqa: E731
    for want, have in zip(sorted(rows, key=key), sorted(got, key=key)):
        names = columns or set(want) | set(have)
        for name in names - {"states"}:
            value = have.get(name)
            if name in want:
                check(same(want[name], value), f"conn {want['conn']}: {name} is {value!r}, "
                                               f"not {want[name]!r}")
            else:
                check(value in (None, 0), f"conn {want['conn']}: {name} is {value!r}, not unknown")


# ---- Cases ----------------------------------------------------------------------------------------


def lines_are_worth_it(export):
    """The traffic has what the schemas and queries are about, or the rest would prove little."""
    ends = {row.get("end") for row in export.rows}
    check(ENDS <= ends, f"no connection ended by {sorted(ENDS - ends)}")
    names = {row.get("comm") for row in export.rows}
    wanted = {name.decode("utf-8", "replace") for name in HOSTILE_NAMES}
    check(wanted <= names, f"no process of the name {sorted(wanted - names)}")
    check({row["family"] for row in export.rows} == {"ipv4", "ipv6"}, "one family only")
    for state in ("CLOSE_WAIT", "FIN_WAIT_2"):
        check(any(row.get("state") == state for row in export.rows), f"no open {state}")
    check(any("close_wait_ns_min" in row for row in export.rows), "nothing older than the trace")
    for query in QUERIES:
        check(len(export.truth[query]) > 2, f"{query} has {len(export.truth[query])} rows")


def a_recording_says_the_same(export):
    with open(export.replayed, "rb") as f:
        replayed = f.read()
    check(replayed == export.lines, f"{len(replayed.splitlines())} other lines from the recording "
                                    f"of {len(export.lines.splitlines())}")


def jq_reads_every_line(export):
    count = tool(["jq", "-s", "length"], export.lines)
    check(int(count) == len(export.lines.splitlines()), f"jq read {count} lines")
    ended = tool(["jq", "-r", "select(.end) | .end"], export.lines).decode().split()
    check(sorted(ended) == sorted(row["end"] for row in export.rows if "end" in row), "other ends")


def flat_fields_are_the_states(export):
    """fin_wait_2_ns and the like say what "states" says."""
    for row in export.rows:
        want = {}
        for state in row["states"]:
            for key, value in state.items():
                if key != "state":
                    name = f"{state['state'].lower()}_{key}"
                    check(name not in want, f"{name} twice in {row}")
                    want[name] = value
        prefixes = tuple(s["state"].lower() + "_" for s in row["states"])
        got = {k: v for k, v in row.items() if k.startswith(prefixes)}
        check(got == want, f"{got} instead of {want}")


def clickhouse_takes_the_lines(export):
    with ClickHouse() as server:
        # The schema may be loaded again.
        for _ in range(2):
            tool([*server.client, "-n"], read("clickhouse.sql"))
        tool([*server.client, "--input_format_skip_unknown_fields=1",
              "-q", "INSERT INTO finwait FORMAT JSONEachRow"], export.lines)
        client = [*server.client, "--output_format_json_quote_64bit_integers=0", "-q"]
        columns = {row["name"] for row in rows_of(tool(
            [*client, "SELECT name FROM system.columns WHERE table = 'finwait' AND database = "
             "currentDatabase() AND default_kind = '' FORMAT JSONEachRow"]))}
        unknown = {k for row in export.rows for k in row} - columns - {"states"}
        check(not unknown, f"clickhouse.sql has no columns for {sorted(unknown)}")
        got = rows_of(tool([*client, "SELECT * FROM finwait FORMAT JSONEachRow"]))
        compare_fields(export.rows, got, columns)
        for query in QUERIES:
            rows = rows_of(tool([*client, f"SELECT * FROM finwait_{query} FORMAT JSONEachRow"]))
            compare_query(query, export.truth[query], rows)


def sqlite_takes_the_lines(export):
    directory = tempfile.mkdtemp(prefix="finwait-export-")
    try:
        db = os.path.join(directory, "finwait.db")
        for _ in range(2):
            tool(["sqlite3", db], read("sqlite.sql"))
        tool(["sqlite3", db, ".mode ascii", '.separator "\\037" "\\n"',
              ".import /dev/stdin finwait_lines"], export.lines)
        lines = json.loads(tool(["sqlite3", "-json", db, "SELECT line FROM finwait_lines"]))
        compare_fields(export.rows, [json.loads(row["line"]) for row in lines], None)
        got = json.loads(tool(["sqlite3", "-json", db, "SELECT * FROM finwait"]))
        # Three of the columns are bounds where there is nothing better.
        compare_fields(export.rows, got, set(got[0]) & {k for row in export.rows for k in row} -
                       {"established_ns", "close_wait_ns", "fin_wait_2_ns"})
        for query in QUERIES:
            out = tool(["sqlite3", "-json", db, f"SELECT * FROM finwait_{query}"])
            compare_query(query, export.truth[query], json.loads(out))
    finally:
        shutil.rmtree(directory)


# What each needs, and how it is found.
CASES = (
    (lines_are_worth_it, "jq", lambda: shutil.which("jq")),
    (a_recording_says_the_same, "jq", lambda: shutil.which("jq")),
    (jq_reads_every_line, "jq", lambda: shutil.which("jq")),
    (flat_fields_are_the_states, "jq", lambda: shutil.which("jq")),
    (clickhouse_takes_the_lines, "clickhouse-server and clickhouse-client", find_clickhouse),
    (sqlite_takes_the_lines, "sqlite3", lambda: shutil.which("sqlite3")),
)


def run_case(case, needs, find, export):
    if not find():
        word = "skip" if SKIP_OK else "FAIL"
        print(f"{word} {case.__name__}: {needs} is not installed", flush=True)
        return word
    try:
        case(export)
    except (Failure, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        reason = str(error) if isinstance(error, Failure) else repr(error)
        print(f"FAIL {case.__name__}: {' '.join(reason.split())[:1000]}", flush=True)
        return "FAIL"
    print(f"ok {case.__name__}", flush=True)
    return "ok"


def main():
    if os.geteuid() != 0:
        sys.exit("export.py: needs root")
    names = sys.argv[1:]
    cases = [c for c in CASES if not names or any(n in c[0].__name__ for n in names)]
    with tempfile.TemporaryDirectory(prefix="finwait-export-") as directory:
        try:
            export = Export(directory)
        except (Failure, OSError, ValueError) as error:
            print(f"FAIL traffic: {error}\n0 passed, {len(cases)} failed")
            return 1
        words = [run_case(*case, export) for case in cases]
    print(f"{words.count('ok')} passed, {words.count('FAIL')} failed")
    return 1 if "FAIL" in words or not words else 0


if __name__ == "__main__":
    sys.exit(main())
