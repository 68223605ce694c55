#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Claims about kernels in docs/kernels.md against what the tests saw.

    tests/vm/claims.py [KERNEL...]              check; KERNELs have fresh results in build/vm
    tests/vm/claims.py --record [KERNEL...]     put fresh results of full runs into tests/vm/results

The table of docs/kernels.md has one row per kernel that "make vm" boots, and says of each front end "all paths"
(every case of paths.cases ran with it, and passed or was refused as tests/vm/refusals says),
"minisock paths" (those that VM_QUICK runs: *wait*), "hooks fire" (no more than that, as doctor's
self-test saw) or "refused" (doctor said so). A claim stands if the recorded results say so and no
fresh ones contradict it: a quick run does less than was recorded, so it can only contradict. The row
that was tested natively is not looked at. docs/kernels.md has the differences of
bpf/compat.bpf.h, by commit.

One line a claim, "ok" or "FAIL"; then "N passed, N failed".
"""

import fnmatch
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RECORDED = os.path.join(HERE, "results")
FRONT_ENDS = ("trampoline", "kprobe", "timer")
# Which cases of paths.cases a claim stands for.
CLAIMS = {"all paths": "*", "minisock paths": "*wait*", "hooks fire": ""}
HEADER = """\
# What "make vm" saw, written by "make vm VM_RECORD=1": one line per kernel, front end and runner.
# Refused: as documented in tests/vm/refusals. Claims in docs/kernels.md are checked against this.
#
# kernel	release	front end	runner	passed	refused	failed
"""


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def known_kernels():
    lines = text("tests/vm/kernels").splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


def cases():
    return re.split(r"^case ", text("tests/live/paths.cases"), flags=re.MULTILINE)[1:]


def count_runs(names="*"):
    """How often paths.py runs a case: once a family, two unless the case says which."""
    wanted = [c for c in cases() if fnmatch.fnmatch(c.split()[0], names)]
    families = (re.search(r"^family (.*)", case, re.MULTILINE) for case in wanted)
    return sum(len(f.group(1).split()) if f else 2 for f in families)


class Results:
    """Of one kernel: counts by (front end, runner)."""

    def __init__(self, release=None):
        self.release = release
        self.counts = {}

    def ran(self, front_end, runner):
        return sum(self.counts.get((front_end, runner), (0, 0, 0)))

    def failed(self, front_end):
        return sum(c[2] for (f, _), c in self.counts.items() if f == front_end)

    def take(self, front_end, other):
        """What another has of this front end instead of its own."""
        self.counts = {k: c for k, c in self.counts.items() if k[0] != front_end}
        self.counts.update({k: c for k, c in other.counts.items() if k[0] == front_end})

    def refused(self, front_end):
        """By doctor, as documented."""
        return self.counts.get((front_end, "doctor"), (0, 0, 0))[1] > 0


def read_recorded():
    results = {}
    if not os.path.exists(RECORDED):
        return results
    for line in text("tests/vm/results").splitlines():
        if line.startswith("#"):
            continue
        kernel, release, front_end, runner, *counts = line.split("\t")
        one = results.setdefault(kernel, Results(release))
        one.counts[front_end, runner] = tuple(map(int, counts))
    return results


def read_fresh(kernel):
    """None: this kernel was not booted."""
    try:
        one = Results(text("build/vm", kernel, "release").strip())
        lines = text("build/vm", kernel, "results").splitlines()
    except OSError:
        return None
    for line in lines:
        front_end, runner, *counts = line.split()
        before = one.counts.get((front_end, runner), (0, 0, 0))
        one.counts[front_end, runner] = tuple(a + int(b) for a, b in zip(before, counts))
    return one


def record(kernels):
    """A front end's results are kept until the kernel is another, or as many paths ran with it."""
    recorded = read_recorded()
    for kernel in kernels:
        fresh, kept = read_fresh(kernel), recorded.get(kernel)
        if not fresh:
            sys.exit(f"claims.py: no results of {kernel} in build/vm")
        for front_end in FRONT_ENDS:
            if (kept and kept.release == fresh.release and
                    kept.ran(front_end, "paths") > fresh.ran(front_end, "paths")):
                fresh.take(front_end, kept)
        recorded[kernel] = fresh
    with open(RECORDED, "w", encoding="utf-8") as f:
        f.write(HEADER)
        for kernel in known_kernels():
            one = recorded.get(kernel, Results())
            for (front_end, runner), counts in sorted(one.counts.items()):
                print(kernel, one.release, front_end, runner, *counts, sep="\t", file=f)


def readme_rows():
    """{version: {front end: claim}} of the rows that "make vm" has tested."""
    rows = {}
    for line in text("docs/kernels.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 5 and "`make vm`" in cells[4]:
            rows[cells[0].split()[0]] = dict(zip(FRONT_ENDS, cells[1:4]))
    return rows


def version_of(kernel, recorded):
    """As docs/kernels.md names it: the newest one by its version."""
    if kernel != "newest":
        return kernel
    return ".".join(recorded[kernel].release.split(".")[:2]) if kernel in recorded else kernel


def judge_claim(claim, front_end, recorded, fresh):
    """Why a claim does not stand; None if it does."""
    if claim == "refused":
        return None if recorded.refused(front_end) else "finwait doctor did not say so"
    if claim not in CLAIMS:
        return f"no such claim: {claim}"
    ran, claimed = recorded.ran(front_end, "paths"), count_runs(CLAIMS[claim])
    if ran < claimed:
        return f"{ran} of {claimed} paths are recorded"
    if not recorded.counts.get((front_end, "self-test"), (0,))[0]:
        return "no hook is recorded to have fired"
    if recorded.failed(front_end):
        return f"{recorded.failed(front_end)} failures are recorded"
    if fresh and fresh.failed(front_end):
        return f"{fresh.failed(front_end)} failures now"
    return None


def check_readme(fresh):
    """Yields (claim, why it does not stand)."""
    recorded, rows = read_recorded(), readme_rows()
    versions = {version_of(kernel, recorded): kernel for kernel in known_kernels()}
    for version in sorted(set(versions) | set(rows)):
        kernel = versions.get(version)
        if version not in rows:
            yield f"docs/kernels.md, {version}", "make vm boots it, but the table has no such row"
        elif kernel not in recorded:
            yield f"docs/kernels.md, {version}", "no results of such a kernel are recorded"
        else:
            for front_end, claim in rows[version].items():
                yield (f"docs/kernels.md, {version}, {front_end}: {claim}",
                       judge_claim(claim, front_end, recorded[kernel], fresh.get(kernel)))
    number = re.search(r"All paths: (\d+) cases", text("docs/kernels.md"))
    told = int(number.group(1)) if number else 0
    yield (f"docs/kernels.md: {told} cases",
           None if told == len(cases()) else f"paths.cases has {len(cases())}")


def check_differences():
    """Every difference between kernels that the program knows is documented, and no other."""
    commits = re.compile(r"\b[0-9a-f]{12}\b")
    code = set(commits.findall(text("bpf/compat.bpf.h")))
    docs = set(commits.findall(text("docs/kernels.md")))
    for commit in sorted(code | docs):
        why = None
        if commit not in docs:
            why = "not in docs/kernels.md"
        elif commit not in code:
            why = "not in bpf/compat.bpf.h"
        yield f"kernel difference {commit}", why


def main():
    arguments = sys.argv[1:]
    if "--help" in arguments:
        print(__doc__)
        return 0
    kernels = [a for a in arguments if a != "--record"]
    if "--record" in arguments:
        record(kernels)
        return 0
    fresh = {kernel: read_fresh(kernel) for kernel in kernels}
    claims = [*check_readme(fresh), *check_differences()]
    failed = 0
    for claim, why in claims:
        failed += why is not None
        print(f"FAIL {claim}: {why}" if why else f"ok {claim}")
    print(f"{len(claims) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
