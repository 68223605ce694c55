#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""finwait.service in a real systemd: it starts, is ready when it answers, gives up its privileges, reloads,
is restarted when it hangs or dies, and stops; after each of these the kernel holds nothing of it.

The one of dist/, with this tree's finwait; or, with UNIT=/lib/systemd/system/finwait.service, the installed
one as it is. Needs root, cgroup2, and no systemd of the host. Port 9435 must be free.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request

from common import DIST, FINWAIT, Failure, Results, check, run, said, wait_until
from minisystemd import INSTALLED, MiniSystemd, PROGRAM

UNIT = os.environ.get("UNIT", os.path.join(DIST, "finwait.service"))
NAME = "finwait.service"
STATE = "finwait"
URL = "http://127.0.0.1:9435"
SECONDS = 60
CAPS_NONE = "0000000000000000"
TOKEN = "open-sesame"


def get(url):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


class Service:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.token = os.path.join(self.folder.name, "token")
        with open(os.open(self.token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(f"{TOKEN}\n")
        if os.path.lexists(f"/var/lib/{STATE}"):
            raise SystemExit(f"/var/lib/{STATE} is there already: this test would take it away")
        self.systemd = MiniSystemd(FINWAIT, UNIT)

    def start(self, settings=""):
        """Anew, with a drop-in."""
        self.systemd.systemctl("stop", NAME)
        self.systemd.drop_in(NAME, f"[Service]\nLoadCredential=\nLoadCredential=token:{self.token}\n"
                                   f"{settings}\n")
        self.systemd.systemctl("daemon-reload")
        self.systemd.systemctl("reset-failed", NAME)
        result = self.systemd.systemctl("start", NAME)
        check(result.returncode == 0, f"{result.stderr.decode()} {self.systemd.output(NAME)}")

    def close(self):
        """systemd makes the state directory on the host's own /var/lib."""
        self.systemd.close()
        self.folder.cleanup()
        shutil.rmtree(f"/var/lib/private/{STATE}", ignore_errors=True)
        if os.path.islink(f"/var/lib/{STATE}"):
            os.unlink(f"/var/lib/{STATE}")

    def pid(self):
        return self.systemd.main_pid(NAME)

    def holds(self):
        """{("prog", 17), ("map", 4), ...}: BPF objects by its descriptors. Numbers are not used again."""
        found = set()
        for path in glob.glob(f"/proc/{self.pid()}/fdinfo/*"):
            # A connection may be closed meanwhile, and its descriptor with it.
            with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as file:
                found |= {(kind, int(n)) for kind, n in
                          re.findall(r"^(prog|map|link)_id:\s+(\d+)$", file.read(), re.M)}
        return found

    def waits_for(self, state, seconds=SECONDS):
        wait_until(lambda: self.systemd.show(NAME, "ActiveState") == state, seconds,
                   f"the service to be {state}")


def still_in_the_kernel(objects):
    """Those of @objects. Other finwaits may run on this host, and are not meant."""
    return {(kind, thing["id"]) for kind in ("prog", "map", "link")
            for thing in json.loads(said(["bpftool", "-j", kind, "show"]) or "[]")} & objects


def caps(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(re.findall(r"^(Cap\w+|NoNewPrivs|Seccomp|Uid):\s+(\S+)", file.read(), re.M))


def unit_is_well_formed(_service):
    """The program is where the package puts it, not here: nothing else may be said."""
    result = run(["systemd-analyze", "verify", "--man=no", UNIT])
    lines = [line for line in (result.stdout + result.stderr).decode().splitlines()
             if "/usr/bin/finwait" not in line]
    check(not lines, "\n".join(lines))


def exposure_is_what_the_documentation_says(_service):
    overall = said(["systemd-analyze", "security", "--offline=true", UNIT]).splitlines()[-1]
    score = re.search(r"Overall exposure level .*: (\d+\.\d) ", overall)[1]
    with open(os.path.join(DIST, "..", "docs", "service.md"), encoding="utf-8") as file:
        check(f"exposure level {score}" in " ".join(file.read().split()),
              f"docs/service.md does not say {score}")


def is_ready_when_it_answers(service):
    service.start()
    check(service.systemd.show(NAME, "ActiveState") == "active", "not active")
    check("finwait_connections" in get(f"{URL}/metrics"), "no metrics")


def keeps_no_privileges(service):
    """What the bounding set has left is of no use: no_new_privs."""
    service.start()
    have = caps(service.pid())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        check(have[kind] == CAPS_NONE, f"{kind} is {have[kind]}")
    check(have["NoNewPrivs"] == "1" and have["Seccomp"] == "2" and have["Uid"] != "0", have)


def drop_in(name):
    with open(os.path.join(DIST, name), encoding="utf-8") as file:
        return file.read().split("[Service]", 1)[1].replace(INSTALLED, service_program())


def service_program():
    return INSTALLED if UNIT.startswith("/lib/") else PROGRAM


def keeps_what_all_namespaces_needs(service):
    service.start(drop_in("all-namespaces.conf"))
    have = caps(service.pid())
    check(int(have["CapEff"], 16) == 1 << 21 | 1 << 19 | 1 << 2, have)
    check(have["CapInh"] == have["CapAmb"] == CAPS_NONE, have)
    check("network namespaces could not be entered" not in service.systemd.output(NAME),
          service.systemd.output(NAME))


def sandbox_lets_all_hooks_fire(service):
    """finwait doctor --self-test in the service's sandbox, before privileges are given up."""
    service.start("Type=oneshot\nWatchdogSec=0\nRestart=no\nExecStart=\n"
                  f"ExecStart={service.systemd.show(NAME, 'ExecStart').split()[1].removeprefix('path=')} "
                  "doctor --self-test")
    text = service.systemd.output(NAME)
    # Where only the timer front end works, accept() and bind() are seen through tracefs: CAP_DAC_READ_SEARCH.
    missing = re.findall(r"^ +(.*?) +DID NOT FIRE", text, re.M)
    timer = re.search(r"^timer +works, chosen", text, re.M)
    check(not missing or (timer and set(missing) <= {"connection accepted", "address in use"}), text)
    check(text.count(" fires") >= 4, text)


def status_of(headers):
    request = urllib.request.Request(f"{URL}/metrics", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def token_is_a_credential(service):
    """As docs/service.md has it. The file is root's alone, and the service is not root."""
    service.start()
    check(status_of({}) == 401, f"without a token: {status_of({})}")
    check(status_of({"Authorization": "Bearer open-barley"}) == 401, "any token will do")
    check(status_of({"Authorization": f"Bearer {TOKEN}"}) == 200, "the right token is refused")


def does_not_start_without_a_token(service):
    os.rename(service.token, f"{service.token}.away")
    try:
        service.start()
    except Failure:
        return
    finally:
        os.rename(f"{service.token}.away", service.token)
    check(False, "it runs without its token")


def make_token_makes_one_for_root(_service):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "etc", "token")
        words = set()
        for _ in range(2):
            said([os.path.join(DIST, "make-token"), path])
            check(os.stat(path).st_mode & 0o777 == 0o600, oct(os.stat(path).st_mode))
            with open(path, encoding="ascii") as file:
                words.add(file.read())
        check(len(words) == 1 and re.fullmatch(r"[0-9a-f]{64}\n", words.pop()), "not one token")
        os.unlink(path)
        said([os.path.join(DIST, "make-token"), path])


def spool_survives_a_restart(service):
    """There is no ClickHouse: what ends is kept in the state directory, by a user that changes."""
    options = ('Environment="FINWAIT_OPTIONS=--clickhouse http://127.0.0.1:9/ '
               '--spool-dir /var/lib/finwait/spool"')
    service.start(options)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(20):
            client = socket.create_connection(listener.getsockname())
            server = listener.accept()[0]
            server.close()
            client.close()
    wait_until(lambda: glob.glob("/var/lib/finwait/spool/*"), SECONDS, "the spool to be written")
    service.start(options)
    check(glob.glob("/var/lib/finwait/spool/*"), "the spool is empty")
    rows = re.search(r"^finwait_push_waiting_rows (\d+)", get(f"{URL}/metrics"), re.M)
    check(rows and int(rows[1]) >= 20, f"after the restart: {rows}")


def reload_keeps_it_running(service):
    service.start()
    pid = service.pid()
    result = service.systemd.systemctl("reload", NAME)
    check(result.returncode == 0, result.stderr.decode())
    wait_until(lambda: "reloaded" in service.systemd.output(NAME), SECONDS, "the reload to be logged")
    check(service.pid() == pid and json.loads(get(f"{URL}/healthz"))["status"] == "ok", "another process")


def watchdog_kills_what_hangs(service):
    """Stopped, it gives no sign of life: systemd ends it and starts another."""
    service.start("WatchdogSec=2s\nRestartSec=1s")
    time.sleep(5)
    pid = service.pid()
    check(service.systemd.show(NAME, "NRestarts") == "0", "it was restarted although it is well")
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: service.systemd.show(NAME, "NRestarts") == "1", SECONDS, "the watchdog")
    service.waits_for("active")
    check(service.pid() != pid and "finwait_connections" in get(f"{URL}/metrics"), "nothing answers")


def restarts_when_killed(service):
    service.start("RestartSec=1s")
    os.kill(service.pid(), signal.SIGKILL)
    wait_until(lambda: service.systemd.show(NAME, "NRestarts") == "1", SECONDS, "the restart")
    service.waits_for("active")


def answers():
    try:
        return get(f"{URL}/healthz")
    except (urllib.error.URLError, OSError):
        return None


def stops_and_leaves_nothing(service):
    service.start()
    held = service.holds()
    check({kind for kind, _ in still_in_the_kernel(held)} == {"prog", "map", "link"} and answers(),
          f"it holds only {held}: this test sees nothing")
    result = service.systemd.systemctl("stop", NAME)
    check(result.returncode == 0, result.stderr.decode())
    check(service.systemd.show(NAME, "Result") == "success", service.systemd.show(NAME, "Result"))
    wait_until(lambda: not still_in_the_kernel(held), 20, "the kernel to forget its programs, maps and links")
    check(not answers(), "something still answers")


def main():
    results = Results(sys.argv[1:])
    cases = [
        unit_is_well_formed, exposure_is_what_the_documentation_says, is_ready_when_it_answers,
        keeps_no_privileges, keeps_what_all_namespaces_needs, sandbox_lets_all_hooks_fire,
        token_is_a_credential, does_not_start_without_a_token, make_token_makes_one_for_root, spool_survives_a_restart, reload_keeps_it_running,
        watchdog_kills_what_hangs, restarts_when_killed, stops_and_leaves_nothing,
    ]
    service = Service()
    try:
        for case in results.wants(cases):
            results.run(case, service)
    finally:
        service.close()
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
