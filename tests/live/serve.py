#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of finwait serve: real clients, a real Prometheus, judged by ss, /proc and bpftool.

    sudo tests/live/serve.py [NAME...]      only the cases whose names contain one of these words

What it answers and to whom; that its counts are the script's own and the kernel's; that clients
who idle, are slow or many change nothing; which privileges are left; that nothing is left of it
after any death. Environment and output as for real.py.
"""

import sys

import serve_answers
import serve_clients
import serve_counts
import serve_files
import serve_rights
import serve_scrape
import serve_store
import serve_takeover
from real import Results

CASES = [*serve_answers.CASES, *serve_clients.CASES, *serve_counts.CASES, *serve_files.CASES,
         *serve_rights.CASES, *serve_scrape.CASES, *serve_store.CASES, *serve_takeover.CASES]


def main():
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
