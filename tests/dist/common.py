# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of dist/ have in common: running cases, and asking finwait for its options."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.abspath(os.path.join(HERE, "..", ".."))
DIST = os.path.join(TREE, "dist")
FINWAIT = os.path.abspath(os.environ.get("FINWAIT", os.path.join(TREE, "finwait")))
sys.path.insert(0, os.path.join(TREE, "tests", "live"))
os.environ["PATH"] += ":/usr/sbin:/sbin"

from real import Results  # noqa: E402 (after the path)
from real_host import Failure, check, run, wait_until  # noqa: E402 (after the path)


def said(argv, **options):
    """Standard output of a command that must work."""
    result = run(argv, **options)
    check(result.returncode == 0,
          f"{' '.join(map(str, argv))}: status {result.returncode}: "
          f"{result.stderr.decode('utf-8', 'replace').strip()}")
    return result.stdout.decode()


def commands():
    """The names of finwait's commands, from its --help."""
    lines = said([FINWAIT, "--help"]).splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ") and line.strip()]


def run_cases(cases):
    """One line per case, then "N passed, N failed"; returns the exit status. With arguments only the
    cases whose names contain one of them."""
    results = Results(sys.argv[1:])
    for case in results.wants(cases):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed or not results.passed else 0


__all__ = ["DIST", "FINWAIT", "Failure", "Results", "TREE", "check", "commands", "run", "run_cases", "said",
           "wait_until"]
