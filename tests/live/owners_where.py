# SPDX-License-Identifier: GPL-2.0-only
"""Where a socket is: its network namespace, control group and container."""

import json
import os
import time

from leaking import LEAK_AGE_S, Leaker, counts, finwait, leaks, report_of
from real_host import Netns, check, run, wait_until
from real_tracer import FINWAIT, Tracer


def namespaces_are_kept_apart():
    """The same addresses and ports in two namespaces, both named."""
    with Netns() as one, Netns() as two:
        listeners = [one.listen(8080), two.listen(8080)]
        pairs = [one.pair(listeners[0], source_port=40000),
                 two.pair(listeners[1], source_port=40000),
                 two.pair(listeners[1], source_port=40001)]
        for netns, n in ((one, 2), (two, 4)):
            check(counts("--netns", netns.name)["ESTABLISHED"] == n, f"{netns.name}")
        rows = json.loads(finwait("states", "--by", "netns", "-f", "json"))
        rows = {row["netns"]: row for row in rows["sections"]["states"]["groups"]}
        check(rows[one.name]["ESTABLISHED"] == 2 and rows[two.name]["ESTABLISHED"] == 4, str(rows))
        with Tracer("timeline", "-f", "json", "-l") as timeline:
            pairs[0][0].close()
            pairs[0][1].close()
            pairs[1][0].close()
            time.sleep(0.3)
            timeline.stop()
        paths = {netns.name: sorted(tuple(s["state"] for s in row["states"])
                                    for row in timeline.rows(netns)) for netns in (one, two)}
        check(paths[one.name] != paths[two.name], str(paths))
        check(all(row.get("netns_name") == netns.name for netns in (one, two)
                  for row in timeline.rows(netns)), "not named")
        check(len(timeline.rows(one)) == 2 and len(timeline.rows(two)) == 4, str(paths))


def a_namespace_of_its_time():
    """One that is born while finwait watches has its name, also when it is gone with its connections;
    and the next one, which the kernel may give the same number, has its own."""
    with Tracer("timeline", "-f", "json", "-l") as timeline:
        names = []
        for _ in range(3):
            with Netns() as netns:
                client, server = netns.pair(netns.listen(8080))
                client.close()
                server.close()
                wait_until(lambda n=netns: n.time_waits() == 1, 5, "TIME_WAIT")
                time.sleep(0.3)
                names.append(netns.name)
            wait_until(lambda: [row for row in timeline.objects() if row.get("netns_name") == names[-1] and
                                row.get("end") == "time_wait_purged"], 10, f"{names[-1]} to be told")
        timeline.stop()
        rows = [row for row in timeline.objects() if row.get("netns_name") in names]
        check([sum(row["netns_name"] == name for row in rows) for name in names] == [2, 2, 2], str(rows))


def cgroup_base():
    """Where the control groups of version 2 are."""
    return "/sys/fs/cgroup" if os.path.exists("/sys/fs/cgroup/cgroup.procs") \
        else "/sys/fs/cgroup/unified"


def cgroups_are_kept_apart():
    base = cgroup_base()
    paths = [f"{base}/finwait-test-{os.getpid()}-{i}" for i in range(2)]
    for path in paths:
        os.mkdir(path)
    try:
        with Netns() as netns, Leaker(netns, 8080, "closed") as one, \
                Leaker(netns, 8081, "closed") as two:
            for path, leaker in zip(paths, (one, two)):
                with open(f"{path}/cgroup.procs", "w", encoding="ascii") as procs:
                    procs.write(str(leaker.pid))
            one.leak(2)
            two.leak(3)
            one.wait_for(2)
            two.wait_for(3)
            for path, n in zip(paths, (2, 3)):
                groups = leaks(netns, "--watch", "0", "--cgroup", path[len(base):])
                check([(g["count"], g["cgroup"]) for g in groups] == [(n, path[len(base):])],
                      str(groups))
    finally:
        for path in paths:
            wait_until(lambda p=path: not open(f"{p}/cgroup.procs", encoding="ascii").read(), 10,
                       "the control group to be empty")
            os.rmdir(path)


CONTAINER = "0123456789abcdef" * 4


def the_same_addresses_in_two_containers():
    """Two namespaces and two control groups, the same addresses, ports and program: every command
    keeps them apart, for people and for programs."""
    base = cgroup_base()
    paths = [f"{base}/finwait-test-{os.getpid()}.slice", f"{base}/docker-{CONTAINER}.scope"]
    words = [os.path.basename(paths[0]), CONTAINER[:12]]
    for path in paths:
        os.mkdir(path)
    try:
        with Netns() as a, Netns() as b, Leaker(a, 8080, "closed", cgroup=paths[0]) as one, \
                Leaker(b, 8080, "closed", cgroup=paths[1]) as two:
            pairs = ((a, one, 3, words[0]), (b, two, 4, words[1]))
            with Tracer("trace", "-f", "json", "-l") as trace, Tracer("trace", "-l") as text, \
                    Tracer("timeline", "-l") as timeline:
                one.leak(3)
                two.leak(4)
                one.wait_for(3)
                two.wait_for(4)
                for tracer in (trace, text, timeline):
                    tracer.stop()
            for netns, leaker, n, word in pairs:
                entered = [row for row in trace.objects_of(netns) if
                           row["to"] == "CLOSE_WAIT" and row["lport"] == 8080]
                check(len(entered) == n and all(
                    (row["pid"], row["netns_name"], word in row["cgroup"]) ==
                    (leaker.pid, netns.name, True) for row in entered), str(entered))
                for tracer in (text, timeline):
                    lines = [line for line in tracer.output().decode().splitlines()
                             if f"leaker/{leaker.pid} " in line and "CLOSE_WAIT" in line]
                    check(len(lines) == n and all(f"[netns {netns.name}" in line for line in lines),
                          f"{tracer.name}: {lines}")
            check(f"container {words[1]}]" in text.output().decode(), "no container")
            check_looks(pairs, words)
            check_report(pairs)
    finally:
        for path in paths:
            wait_until(lambda p=path: not open(f"{p}/cgroup.procs", encoding="ascii").read(), 10,
                       "the control group to be empty")
            os.rmdir(path)


def check_looks(pairs, words):
    args = ("--comm", "leaker", "--leak-age", f"{LEAK_AGE_S}s", "--watch", "0")
    groups = {f["evidence"]["netns_name"]: f["evidence"] for f in json.loads(
        finwait("leaks", "-f", "json", *args, status=4))["findings"]}
    text = finwait("leaks", *args, status=4)
    for netns, leaker, n, word in pairs:
        group = groups[netns.name]
        check((group["count"], group["pid"]) == (n, leaker.pid) and word in group["cgroup"], str(group))
        check(f"network namespace {netns.name}" in " ".join(text.split()), text)
    check(groups[pairs[1][0].name]["container"] == CONTAINER, str(groups))
    for by, names in (("netns", [p[0].name for p in pairs]), ("process", [f"leaker/{p[1].pid}" for p in
                                                                            pairs]),
                      ("cgroup", [f"/{words[0]}", f"/docker-{CONTAINER}.scope"])):
        rows = json.loads(finwait("states", "--by", by, "--comm", "leaker", "-f", "json"))
        found = {row[by]: row.get("CLOSE_WAIT", 0) for row in rows["sections"]["states"]["groups"]}
        check(found == dict(zip(names, (3, 4))), f"--by {by}: {found}")


def check_report(pairs):
    report = report_of("--comm", "leaker", "--leak-age", f"{LEAK_AGE_S}s")
    leak = [f for f in report["findings"] if f["id"] == "close-wait-leak"][0]
    rows = {row["netns_name"]: row for row in leak["offenders"]}
    check(len(rows) == 2, str(leak))
    for netns, leaker, n, word in pairs:
        row = rows[netns.name]
        check((row["count"], row["process"]) == (n, f"leaker/{leaker.pid}") and word in row["cgroup"],
              str(row))
    text = finwait("report", "1s", "--wide", "--comm", "leaker", "--leak-age", f"{LEAK_AGE_S}s")
    for netns, leaker, _, word in pairs:
        check([line for line in text.splitlines() if f"leaker/{leaker.pid} " in line and
               netns.name in line and word in line], text)


def namespaces_that_cannot_be_entered():
    """Without CAP_SYS_ADMIN others' namespaces are closed to finwait: it says so."""
    with Netns() as netns:
        netns.listen(8080)
        result = run(["setpriv", "--bounding-set=-sys_admin", FINWAIT, "states", "--by", "netns"])
        check(result.returncode == 0, result.stderr.decode())
        said = result.stderr.decode()
        check("could not be entered" in said and "CAP_SYS_ADMIN" in said, said)


CASES = [
    namespaces_are_kept_apart, a_namespace_of_its_time, cgroups_are_kept_apart,
    the_same_addresses_in_two_containers, namespaces_that_cannot_be_entered,
]
