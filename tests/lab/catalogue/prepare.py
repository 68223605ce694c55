# SPDX-License-Identifier: GPL-2.0-only
"""Compiles the programs of the scenarios once, into build/lab: Go, Java and C."""

import os
import subprocess

from catalogue.host import BUILD, PROGRAMS, Failure, check

GO_ENV = {"GO111MODULE": "off", "GOCACHE": os.path.join(BUILD, "go-cache"), "GOFLAGS": "",
          "CGO_ENABLED": "0"}
COMMANDS = {
    ".go": lambda source, target: ["go", "build", "-o", target, source],
    ".java": lambda source, target: ["javac", "-d", os.path.dirname(target), source],
    ".c": lambda source, target: ["gcc", "-O2", "-Wall", "-o", target, source],
}


def target_of(source):
    base, kind = os.path.splitext(os.path.basename(source))
    return os.path.join(BUILD, f"{base}.class" if kind == ".java" else base)


def compile_one(source):
    target = target_of(source)
    if os.path.exists(target) and os.path.getmtime(target) >= os.path.getmtime(source):
        return
    argv = COMMANDS[os.path.splitext(source)[1]](source, target)
    try:
        result = subprocess.run(argv, check=False, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.STDOUT, env={**os.environ, **GO_ENV})
    except FileNotFoundError as error:
        raise Failure(f"{argv[0]} is not installed: run scripts/deps lab") from error
    check(result.returncode == 0, f"{' '.join(argv)}: {result.stdout}")


def compile_programs(scenarios):
    """Only those that @scenarios name as @BIN@/NAME, or as a Java class."""
    os.makedirs(BUILD, exist_ok=True)
    commands = " ".join(run.command for s in scenarios for run in s.runs) + " "
    for name in sorted(os.listdir(PROGRAMS)):
        base, kind = os.path.splitext(name)
        wanted = f"@BIN@ {base} " if kind == ".java" else f"@BIN@/{base} "
        if kind in COMMANDS and wanted in commands:
            compile_one(os.path.join(PROGRAMS, name))
