# SPDX-License-Identifier: GPL-2.0-only
"""Which privileges finwait serve goes on with, and that nothing of it outlives it."""

import os
import pwd
import re
import signal

from real_host import Netns, check, run, wait_until
from real_tracer import CHURN, FINWAIT
from refused import SECONDS, bpf_objects, kprobes
from serve_host import Service

CAPS = {"DAC_READ_SEARCH": 2, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "PERFMON": 38, "BPF": 39}


def statuses(pid):
    """/proc/PID/status of every thread, as dictionaries."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            yield {key: value.strip() for key, value in (line.split(":", 1) for line in file)}


def kept(service):
    """(user, capabilities as a number) that the log says."""
    said = re.search(r"going on as user (\S+) with (.*)", service.stderr())
    check(said, service.stderr())
    return said[1], sum(1 << CAPS[name] for name in re.findall(r"CAP_(\w+)", said[2]))


def check_rights(service, user, allowed):
    name, caps = kept(service)
    check(name == user, f"{name} instead of {user}")
    check(caps & ~allowed == 0, f"{caps:x} is more than {allowed:x}")
    uid = pwd.getpwnam(user).pw_uid
    threads = list(statuses(service.process.pid))
    check(len(threads) >= 2, "the HTTP thread is missing")
    for status in threads:
        check({int(n) for n in status["Uid"].split()} == {uid}, status["Uid"])
        check(not status["Groups"] or uid == 0, f"groups {status['Groups']}")
        for kind, want in (("CapEff", caps), ("CapPrm", caps), ("CapInh", 0), ("CapBnd", 0),
                           ("CapAmb", 0)):
            check(int(status[kind], 16) == want, f"{kind} {status[kind]} instead of {want:x}")
        check(status["NoNewPrivs"] == "1", "it may gain privileges")
        check(status["Seccomp"] == "2", "its system calls are not restricted")


def little_is_left_of_its_privileges():
    with Service() as service:
        check_rights(service, "nobody" if "finwait" not in users() else "finwait",
                     1 << CAPS["BPF"] | 1 << CAPS["PERFMON"])
        service.stop()


def users():
    return {entry.pw_name for entry in pwd.getpwall()}


def more_is_kept_when_asked_for():
    with Service("--all-namespaces", "--user", "daemon") as service:
        wanted = sum(1 << CAPS[name] for name in ("DAC_READ_SEARCH", "SYS_PTRACE", "SYS_ADMIN"))
        _, caps = kept(service)
        check(caps & wanted == wanted, f"{caps:x}")
        check_rights(service, "daemon", wanted | 1 << CAPS["BPF"] | 1 << CAPS["PERFMON"])


def what_is_left_is_enough_after_a_loss():
    """Stopped while more happens than the ring holds: it looks at all sockets again, as nobody."""
    with Netns() as netns, Service("--netns", netns.name, "--ring-size", "1") as service:
        # A snapshot sees the namespace of who takes it: so the sockets that matter are there.
        service.process.send_signal(signal.SIGSTOP)
        try:
            done = netns.run(CHURN, "-n", "12000")
            check(done.returncode == 0, f"{done.stderr}")
        finally:
            service.process.send_signal(signal.SIGCONT)
        # Until the event loop has come by again there is no answer.
        wait_until(lambda: service.ask("/metrics")[0] == 200, 20, "it to go on", 0.1)
        wait_until(lambda: service.value("finwait_events_lost_total") > 0, 20, "losses", 0.3)
        wait_until(lambda: service.value("finwait_resyncs_total") > 0, 40, "a resync", 0.3)
        check("cannot" not in service.stderr(), service.stderr())
        service.stop()


CGROUPS = "/sys/fs/cgroup/unified", "/sys/fs/cgroup"


def a_control_group_that_appears_later_has_its_name():
    root = next(path for path in CGROUPS if os.path.exists(f"{path}/cgroup.procs"))
    name = f"finwait-serve-{os.getpid()}"
    with Netns() as netns, Service("--netns", netns.name) as service:
        os.mkdir(f"{root}/{name}")
        try:
            script = f"echo $$ >{root}/{name}/cgroup.procs && exec {CHURN} -n 1"
            done = netns.run("sh", "-c", script)
            check(done.returncode == 0, f"{done.stderr}")
            wait_until(lambda: f"/{name}".encode() in service.ask("/")[2], 30, "its name", 1)
        finally:
            os.rmdir(f"{root}/{name}")
        service.stop()


def check_death(sig, status):
    before, probes = bpf_objects(), kprobes()
    with Service() as service:
        there = bpf_objects() - before
        check({kind for kind, _ in there} >= {"prog", "map"}, f"bpftool sees only {there}")
        service.process.send_signal(sig)
        check(service.process.wait(SECONDS) == status, f"status {service.process.returncode}")
    wait_until(lambda: not bpf_objects() & there, SECONDS, "the BPF objects to go")
    wait_until(lambda: kprobes() == probes, SECONDS, "the kprobes to go")


def sigkill_leaves_nothing_of_serve():
    check_death(signal.SIGKILL, -signal.SIGKILL)


def sigterm_leaves_nothing_of_serve():
    check_death(signal.SIGTERM, 0)


def doctor_says_what_is_kept():
    result = run([FINWAIT, "doctor"])
    said = result.stdout.decode()
    check(re.search(r"^serve +goes on as user \S+ with ", said, re.M), said)


CASES = [
    little_is_left_of_its_privileges, more_is_kept_when_asked_for,
    what_is_left_is_enough_after_a_loss, a_control_group_that_appears_later_has_its_name, sigkill_leaves_nothing_of_serve,
    sigterm_leaves_nothing_of_serve, doctor_says_what_is_kept,
]
