#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Debian package: it builds, lintian has nothing to say, it installs, finwait, man and completion are
there, the service runs with the options of /etc/default/finwait, and purging it leaves nothing.

    sudo tests/dist/deb.py [NAME...]

Needs root and a host on which finwait is not installed. KEEP=1 keeps it installed.
"""

import glob
import os
import re
import subprocess
import sys
import urllib.request

from common import Results, TREE, check, run, said, wait_until
from minisystemd import INSTALLED, MiniSystemd

DEFAULT = "/etc/default/finwait"
TOKEN = "/etc/finwait/token"
NAME = "finwait.service"
# Where packages put things, and where dpkg, systemd and their helpers remember them.
PLACES = ["/etc", "/usr", "/lib", "/var/lib", "/var/log", "/var/cache"]


def dpkg(*args):
    """Others may be installing something just now."""
    def done():
        result = run(["dpkg", *args], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, timeout=300)
        return None if b"lock" in result.stderr and result.returncode else result
    result = wait_until(done, 300, "dpkg to be free", pause=1)
    check(result.returncode == 0, f"dpkg {' '.join(args)}: {result.stderr.decode()}")


def is_installed():
    result = run(["dpkg-query", "-W", "-f=${db:Status-Abbrev}", "finwait"])
    return result.returncode == 0 and not result.stdout.startswith(b"un")


def traces():
    """Of finwait, by name, wherever a package could have left it. This tree may be in one of these places."""
    result = run(["find", *PLACES, "-path", TREE, "-prune", "-o", "-name", "*finwait*", "-print"],
                 timeout=300)
    return set(result.stdout.decode().split())


def the_package():
    found = [path for path in glob.glob(os.path.join(TREE, "build", "deb", "finwait_*.deb"))]
    check(len(found) == 1, f"packages: {found}")
    return found[0]


def builds_without_network(_state):
    result = run(["unshare", "--net", "make", "-s", "-C", TREE, "deb"], timeout=900)
    check(result.returncode == 0, result.stderr.decode()[-2000:])


def lintian_is_silent(_state):
    changes, = glob.glob(os.path.join(TREE, "build", "deb", "finwait_*.changes"))
    result = run(["lintian", "--allow-root", "--pedantic", "--fail-on=error,warning,info,pedantic", changes],
                 timeout=300)
    check(result.returncode == 0 and not result.stdout, result.stdout.decode())


def installs(state):
    check(not is_installed(), "finwait is installed already: this test would take it away")
    state["before"] = traces()
    dpkg("-i", the_package())
    check(traces() - state["before"], "nothing of it is seen: this test sees nothing")


def runs(_state):
    version = said(["dpkg-query", "-W", "-f=${Version}", "finwait"])
    check(said([INSTALLED, "--version"]) == f"finwait {version}\n", "another version")
    text = said([INSTALLED, "states"])
    check("LISTEN" in text, text)


def programs_are_hardened(_state):
    said([os.path.join(TREE, "scripts", "check-hardening"), INSTALLED, "/usr/libexec/finwait/finwait-serve"])


def man_and_completion_are_found(_state):
    check(said(["man", "-w", "1", "finwait-serve"]).startswith("/usr/share/man/man1/"), "no page")
    text = said(["bash", "-c", ". /usr/share/bash-completion/bash_completion; "
                               "_completion_loader finwait; complete -p finwait"])
    check(text.strip() == "complete -F _finwait finwait", text)


def service_is_there_and_off(_state):
    unit, = [path for path in said(["dpkg", "-L", "finwait"]).split() if path.endswith(".service")]
    check(not glob.glob(f"/etc/systemd/system/*.wants/{NAME}"), "it is enabled")
    check("finwait serve" in open(unit, encoding="utf-8").read(), unit)


def service_runs_with_the_options_of_etc_default(_state):
    """As an administrator would: edit the file, start the service."""
    unit, = [path for path in said(["dpkg", "-L", "finwait"]).split() if path.endswith(".service")]
    with open(DEFAULT, encoding="utf-8") as file:
        text, n = re.subn(r"^#(FINWAIT_OPTIONS=.*--label role=).*", r'\1test"', file.read(), flags=re.M)
    check(n == 1, f"{DEFAULT} is not as documented: {text}")
    with open(DEFAULT, "w", encoding="utf-8") as file:
        file.write(text)
    systemd = MiniSystemd(INSTALLED, unit)
    try:
        result = systemd.systemctl("start", NAME)
        check(result.returncode == 0, f"{result.stderr.decode()} {systemd.output(NAME)}")
        check(systemd.show(NAME, "ActiveState") == "active", "not active")
        with open(TOKEN, encoding="ascii") as file:
            token = file.read().strip()
        check(len(token) == 64 and os.stat(TOKEN).st_mode & 0o777 == 0o600, f"{TOKEN}: {token}")
        request = urllib.request.Request("http://127.0.0.1:9435/metrics",
                                         headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        check(os.path.isdir("/var/lib/finwait"), "it has no state directory: purge has less to do")
        check([line for line in lines if 'state="LISTEN"' in line and 'role="test"' in line], lines[:20])
    finally:
        systemd.close()


def remove_keeps_what_was_edited(_state):
    dpkg("--remove", "finwait")
    check(os.path.exists(DEFAULT), f"{DEFAULT} is gone")
    check(not os.path.exists(INSTALLED), f"{INSTALLED} is still there")


def purge_leaves_nothing(state):
    dpkg("--purge", "finwait")
    left = traces() - state["before"]
    check(not left, f"left: {sorted(left)}")
    check(not is_installed(), "dpkg still knows it")


def main():
    results = Results(sys.argv[1:])
    cases = [
        builds_without_network, lintian_is_silent, installs, runs, programs_are_hardened, man_and_completion_are_found,
        service_is_there_and_off, service_runs_with_the_options_of_etc_default,
        remove_keeps_what_was_edited, purge_leaves_nothing,
    ]
    state = {}
    try:
        for case in results.wants(cases):
            results.run(case, state)
    finally:
        if "before" in state and is_installed() and not os.environ.get("KEEP"):
            subprocess.run(["dpkg", "--purge", "finwait"], check=False)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
