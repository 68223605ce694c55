#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The man pages say what finwait does: every command has one, with exactly the options of its --usage
(not of the --help that they are made from), their examples are accepted, and they are free of faults.
"""

import glob
import os
import re

from common import DIST, FINWAIT, TREE, check, commands, run, run_cases, said

PAGES = sorted(glob.glob(os.path.join(DIST, "man", "*.1")))


def usage_options(command):
    """From "Usage: finwait trace [-46lT?] [-D PORTS] [--cgroup=PATH]": {"-4", "-D PORTS", ...}"""
    found = set()
    for option in re.findall(r"\[(-[^\]]+)\]", " ".join(said([FINWAIT, command, "--usage"]).split())):
        if option.startswith("--") or " " in option:
            found.add(option)
        else:
            found.update(f"-{letter}" for letter in option[1:])
    return found


def page_options(page):
    """From the heads of the list in OPTIONS, as one reads them."""
    text = said(["mandoc", "-Tascii", "-Owidth=200", page])
    text = re.sub(".\b", "", text)  # bold
    section = re.search(r"^OPTIONS\n(.*?)^(?=[A-Z])", text, re.M | re.S)
    check(section, f"{page} has no OPTIONS")
    heads = re.findall(r"^ {5}(-\S.*?)(?: {2,}.*)?$", section[1], re.M)
    return {form for head in heads for form in head.split(", ")}


def every_command_has_a_page_and_every_page_a_command():
    have = {os.path.basename(page) for page in PAGES}
    want = {"finwait.1"} | {f"finwait-{name}.1" for name in commands()}
    check(have == want, f"missing {want - have}, too many {have - want}")


def options_are_those_of_usage():
    total = 0
    for name in commands():
        usage = usage_options(name)
        page = page_options(os.path.join(DIST, "man", f"finwait-{name}.1"))
        check(usage == page, f"{name}: only --usage has {sorted(usage - page)}, "
                             f"only the page {sorted(page - usage)}")
        total += len(page)


def pages_are_as_generated():
    result = run([os.path.join(DIST, "man", "generate"), "--check"])
    check(result.returncode == 0, result.stderr.decode().strip())


def examples_are_accepted():
    """Each finwait in them, with --help behind: a wrong option before it would be complained about."""
    total = 0
    for page in PAGES:
        with open(page, encoding="ascii") as file:
            lines = [line.replace("\\-", "-") for line in file if line.startswith(".Dl ")]
        for call in re.findall(r"\bfinwait ([^|;>\n]*)", "\n".join(lines)):
            if call.split()[0] not in commands():
                continue
            # Not of a command that finwait runs.
            call = call.partition(" -- ")[0].strip()
            result = run(["sh", "-c", f'exec "$0" {call} --help', FINWAIT])
            check(result.returncode == 0, f"{page}: finwait {call}: {result.stderr.decode()}")
            total += 1
    check(total >= len(PAGES), f"only {total} examples were found")


def mandoc_finds_no_fault():
    """Pages that are referred to are looked for in the folder; of others, not installed here, no word."""
    result = run(["mandoc", "-Tlint", "-Wall", *map(os.path.basename, PAGES)],
                 cwd=os.path.join(DIST, "man"))
    lines = (result.stdout + result.stderr).decode().splitlines()
    faults = [line for line in lines if "outdated mandoc.db" not in line
              and not re.search(r"referenced manual not found: Xr (?!finwait)", line)]
    check(not faults, "\n".join(faults))


def groff_finds_no_fault():
    for page in PAGES:
        result = run(["man", "--warnings=all", "-l", page],
                     env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MAN_KEEP_STDERR": "1"})
        check(result.returncode == 0 and not result.stderr,
              f"{os.path.relpath(page, TREE)}: {result.stderr.decode()}")


if __name__ == "__main__":
    raise SystemExit(run_cases([
        every_command_has_a_page_and_every_page_a_command, options_are_those_of_usage,
        pages_are_as_generated, examples_are_accepted, mandoc_finds_no_fault, groff_finds_no_fault,
    ]))
