#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""bash completion: it offers what finwait takes, and finwait takes what it offers. One case presses Tab
in a real interactive shell.
"""

import os
import pty
import re
import select
import subprocess
import tempfile
import time

from common import DIST, FINWAIT, check, commands, run, run_cases, said

SCRIPT = os.path.join(DIST, "completion", "finwait.bash")
ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_finwait
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(*words):
    """For a line that readline has split into @words, the cursor behind the last."""
    return said(["bash", "-c", ASK, "bash", SCRIPT, FINWAIT, *words]).split()


def takes(*words):
    """--help is behind them: they must be right to reach it."""
    return run([FINWAIT, *words, "--help"]).returncode == 0


def commands_are_those_of_help():
    check(offered("") == [*commands(), "--help", "--version"], offered(""))
    check(offered("ti") == ["timeline"], offered("ti"))


def options_are_those_of_usage():
    for command in commands():
        usage = " ".join(said([FINWAIT, command, "--usage"]).split())
        want = {option.partition("=")[0] for option in re.findall(r"\[(--[^\]]+)\]", usage)}
        have = {option.rstrip("=") for option in offered(command, "--")}
        check(have == want, f"{command}: offered {sorted(have - want)}, not {sorted(want - have)}")
    check({"-4", "-6"} <= set(offered("trace", "-")), offered("trace", "-"))


def options_that_take_a_value_end_in_an_equals_sign():
    check(offered("trace", "--form") == ["--format="], offered("trace", "--form"))
    check(offered("trace", "--wi") == ["--wide"], offered("trace", "--wi"))


def values_are_accepted():
    """All that is offered for an option whose values are words; and there are some."""
    for command, option, least in [("trace", "format", 2), ("report", "format", 3), ("leaks", "format", 2),
                                   ("trace", "hooks", 3), ("timeline", "state", 11), ("states", "by", 5)]:
        values = offered(command, f"--{option}", "=", "")
        check(len(values) >= least, f"{command} --{option}: {values}")
        for value in values:
            check(takes(command, f"--{option}={value}"), f"{command} --{option}={value} is refused")
    check(not takes("states", "--by=nothing"), "a wrong value is accepted: this shows nothing")


def values_are_found_for_every_spelling():
    for words in [["--format", "=", "j"], ["--format", "j"], ["-f", "j"]]:
        check(offered("trace", *words) == ["json"], f"{words}: {offered('trace', *words)}")
    # The equals sign has just been typed.
    check(offered("trace", "--format", "=") == ["text", "json"], offered("trace", "--format", "="))


def lists_go_on_behind_their_last_comma():
    have = offered("trace", "--state", "=", "time_wait,fin")
    check(have == ["time_wait,fin_wait_1", "time_wait,fin_wait_2"], have)


def files_and_folders_are_offered():
    with tempfile.TemporaryDirectory() as directory:
        os.mkdir(f"{directory}/folder")
        open(f"{directory}/file", "w", encoding="ascii").close()
        files = offered("trace", "-o", f"{directory}/f")
        check(set(files) == {f"{directory}/folder", f"{directory}/file"}, files)
        folders = offered("serve", "--spool-dir", "=", f"{directory}/f")
        check(folders == [f"{directory}/folder"], folders)


def command_of_record_is_any():
    check("sleep" in offered("record", "-o", "x", "--", "slee"), offered("record", "-o", "x", "--", "slee"))
    check("--keep=" in offered("record", "--ke"), "options of record's own are gone")


def explain_has_topics():
    topics = offered("explain", "")
    check({"fin_wait_2", "close-wait-leak"} <= set(topics) and len(topics) > 20, topics)
    for topic in topics:
        check(run([FINWAIT, "explain", topic]).returncode == 0, f"finwait explain {topic} fails")


def namespaces_and_processes_are_those_of_the_host():
    name = f"finwait-completion-{os.getpid()}"
    said(["ip", "netns", "add", name])
    try:
        check(offered("trace", "--netns", "finwait-comp") == [name], offered("trace", "--netns", ""))
    finally:
        said(["ip", "netns", "del", name])
    check(str(os.getpid()) in offered("trace", "-p", ""), "this process is not offered")


NAMED = """
with open("/proc/self/comm", "w") as file:
    file.write("`touch x`")
print(flush=True)
input()
"""


def hostile_names_are_not_expanded():
    program = subprocess.Popen(["python3", "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        program.stdout.readline()
        with tempfile.TemporaryDirectory() as directory:
            text = said(["bash", "-c", ASK, "bash", SCRIPT, FINWAIT, "trace", "--comm", "`"], cwd=directory)
            check(text.strip() == r"\`touch\ x\`", text)
            check(not os.listdir(directory), "the name of a process was executed")
    finally:
        program.kill()
        program.communicate()


def read_until(terminal, what, seconds=10):
    text, end = "", time.monotonic() + seconds
    while what not in text:
        left = end - time.monotonic()
        check(left > 0 and select.select([terminal], [], [], left)[0], f"no {what!r} in {text!r}")
        text += os.read(terminal, 4096).decode("utf-8", "replace")
    return text


def tab_completes_in_a_shell():
    pid, terminal = pty.fork()
    if not pid:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    try:
        os.write(terminal, f"PS1='$ '; PATH={os.path.dirname(FINWAIT)}:$PATH; source {SCRIPT}; echo rea''dy\n"
                 .encode())
        read_until(terminal, "ready")
        os.write(terminal, b"finwait tim\t--form\tj\t")
        read_until(terminal, "finwait timeline --format=json")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    raise SystemExit(run_cases([
        commands_are_those_of_help, options_are_those_of_usage,
        options_that_take_a_value_end_in_an_equals_sign, values_are_accepted,
        values_are_found_for_every_spelling, lists_go_on_behind_their_last_comma,
        files_and_folders_are_offered, command_of_record_is_any, explain_has_topics,
        namespaces_and_processes_are_those_of_the_host, hostile_names_are_not_expanded,
        tab_completes_in_a_shell,
    ]))
