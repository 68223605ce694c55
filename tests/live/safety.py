#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of what a program that runs as root must not do.

    sudo tests/live/safety.py [NAME...]      only the cases whose names contain one of these words

Files are not written where others have put a link, and not readable to others; lenient input is refused; one
signal ends a run; what a hostile recording contains reaches no terminal raw. Environment and output as for real.py.
"""

import sys

import safety_files
import safety_input
import safety_signals
import safety_text
from real import Results

CASES = [*safety_files.CASES, *safety_input.CASES, *safety_signals.CASES,
         *safety_text.CASES]


def main():
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
