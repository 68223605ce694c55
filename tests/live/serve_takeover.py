# SPDX-License-Identifier: GPL-2.0-only
"""What an attacker gets who runs code in finwait serve: the real process is made to try (takeover.c).

Each case starts the service in one of its configurations, makes its HTTP thread call the kernel in every way
that must fail, and afterwards asks the service for its metrics: it must not have noticed.
"""

import os
import re
import tempfile

from real_host import check, run
from real_tracer import TOP
from serve_host import Service

TAKEOVER = os.path.join(TOP, "build", "tests", "takeover")
LINE = re.compile(r"^(\w+) (-?\d+) (-?\d+)$", re.M)
CONTROLS = ("control_getpid", "control_open", "control_mmap", "control_close", "control_address",
            "control_rings")
# The ring, whose reader it is, and the programs' own variables; the timer front end asks one program.
ALWAYS = ("bpf_map_mmap_write", "bpf_run_program")
OUTGOING = ("socket_tcp", "socket_udp", "socket_unix")
# With CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, as docs/service.md says.
READING = ("read_passwd", "read_cmdline", "read_environ", "read_library", "read_root")


def take_over(service, *allowed):
    """Fails unless all calls but those named are refused, and the controls are not."""
    result = run([TAKEOVER, service.process.pid])
    said = result.stdout.decode()
    check(result.returncode == 0, f"status {result.returncode}: {result.stderr.decode()}")
    calls = [(name, int(number), int(value)) for name, number, value in LINE.findall(said)]
    names = {name for name, _, _ in calls}
    check(set(CONTROLS) <= names and len(names) > 60, f"only {sorted(names)} were tried")
    for name, number, value in calls:
        if name in CONTROLS:
            check(value >= 0, f"{name} fails ({value}): nothing is proven")
        elif name not in allowed + ALWAYS:
            check(value < 0, f"{name} {number} is possible: {value}")
    for name, most in (("bpf_map_mmap_write", 3), ("bpf_run_program", 1)):
        possible = [number for called, number, value in calls if called == name and value >= 0]
        check(len(possible) <= most, f"{name}: {possible}")
    check("bpf_run_program" in names and "bpf_map_update" in names, "it holds no BPF objects")
    return calls


def goes_on(service, before):
    """The same metrics, with the kernel's counters among them."""
    check(set(service.metrics()) >= set(before), f"gone: {set(before) - set(service.metrics())}")
    check("cannot" not in service.stderr(), service.stderr())


def nothing_is_possible_after_a_takeover():
    with Service() as service:
        before = service.metrics()
        calls = take_over(service)
        goes_on(service, before)
        service.stop()


def a_store_and_a_spool_add_only_what_they_need():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        with Service("--clickhouse", "http://127.0.0.1:9/", "--spool-dir", f"{directory}/spool",
                     "--listen", f"unix:{directory}/http") as service:
            before = service.metrics()
            take_over(service, *OUTGOING)
            goes_on(service, before)
            service.stop()


def a_named_store_adds_reading_of_configuration():
    with Service("--clickhouse", "http://localhost:9/") as service:
        take_over(service, "read_passwd", *OUTGOING)
        service.stop()


def all_namespaces_add_reading_and_nothing_else():
    with Service("--all-namespaces") as service:
        before = service.metrics()
        calls = take_over(service, "setns_net", "open_by_handle", *READING)
        setns = {name: value for name, _, value in calls if name.startswith("setns")}
        check(setns == {"setns_net": 0, "setns_any": -1}, setns)
        goes_on(service, before)
        service.stop()


CASES = [
    nothing_is_possible_after_a_takeover, a_store_and_a_spool_add_only_what_they_need,
    a_named_store_adds_reading_of_configuration, all_namespaces_add_reading_and_nothing_else,
]
