#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of MPTCP, judged by ss -M, ss and the pids of the programs that they start.

    sudo tests/live/mptcp.py [NAME...]      only the cases whose names contain one of these words

Environment as for real.py. One case a line: "ok NAME" or "FAIL NAME: reason"; then "N passed, N
failed". A kernel without MPTCP fails.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

from leaking import LEAK_AGE_S, finwait, leaks, report_of
from real import Results
from real_host import Netns, check, run, wait_until
from real_tracer import Tracer

MPTCP = 262

SERVER = """
import os, socket, sys
def call(name):
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
how = sys.argv[1]
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[2], 8080))
listener.listen(64)
if how == "forks" and os.fork():
    listener.close()
    sys.stdin.read()
    os._exit(0)
call("worker")
print(os.getpid(), flush=True)
kept = []
while how != "stuck":
    conn = listener.accept()[0]
    kept.append(conn)
    if how in ("reads", "forks"):
        while conn.recv(4096):
            pass
    if how == "forks":
        conn.close()
    if how == "shared" and len(kept) == 1 and not os.fork():
        listener.close()
        call("child")
        sys.stdin.read()
        os._exit(0)
sys.stdin.read()
os._exit(0)
"""


@contextlib.contextmanager
def server(netns, how, address="127.0.0.1"):
    """The pid of the one that accepts. "reads" and "unread" close nothing, "stuck" does not even accept."""
    argv = netns.argv(["/usr/bin/python3", "-c", SERVER, how, address])
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        pid = int(program.stdout.readline())
        try:
            yield pid
        finally:
            program.stdin.close()
            run(["kill", str(pid)])


def connect(netns, protocol=MPTCP, address="127.0.0.1"):
    with netns.inside():
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.settimeout(20)
    client.connect((address, 8080))
    return client


def leave(netns, n, data=b"x" * 100):
    """n clients that send, and close."""
    for _ in range(n):
        with connect(netns) as client:
            client.sendall(data)


def in_close_wait(netns):
    return netns.run("ss", "-HnaM").stdout.decode().count("CLOSE-WAIT")


def old_leak(netns, n):
    wait_until(lambda: in_close_wait(netns) == n, 10, f"{n} in CLOSE_WAIT")
    time.sleep(LEAK_AGE_S + 0.2)


def one_leak(how, n=6):
    with Netns() as netns, server(netns, how) as pid:
        leave(netns, n)
        old_leak(netns, n)
        groups = leaks(netns, "--watch", "0")
        check(len(groups) == 1, str(groups))
        group = groups[0]
        check((group["count"], group.get("pid"), group["mptcp"]) == (n, pid, True), str(group))
        return group, pid


def owners_and_marks():
    """Accepted by a forked worker, from clients with and without MPTCP; closed by both ends."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
        with server(netns, "forks") as pid:
            ports = {}
            for protocol in (socket.IPPROTO_TCP, MPTCP):
                with connect(netns, protocol) as client:
                    client.sendall(b"x")
                    ports[protocol] = client.getsockname()[1]
                    time.sleep(0.2)
            wait_until(lambda: len([r for r in timeline.rows(netns, lport=8080) if r.get("end")]) == 2,
                       10, "both ends")
            timeline.stop()
        for protocol, port in ports.items():
            mine, theirs = timeline.rows(netns, lport=port), timeline.rows(netns, rport=port)
            check(len(mine) == len(theirs) == 1, f"{mine} and {theirs}")
            check((mine[0]["pid"], mine[0]["role"]) == (os.getpid(), "active"), str(mine))
            check((theirs[0]["pid"], theirs[0]["comm"], theirs[0]["role"]) == (pid, "worker", "passive")
                  and not theirs[0].get("pid_of_listener"), str(theirs))
            for row in mine + theirs:
                check(("mptcp_token" in row) == (protocol == MPTCP), str(row))


def client_that_falls_back():
    """A client with MPTCP and a server without: one TCP connection, and the client's."""
    with Netns() as netns:
        listener = netns.listen(8080)
        older = connect(netns)
        with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
            newer = connect(netns)
            kept = [listener.accept()[0] for _ in range(2)]
            time.sleep(0.3)
            timeline.stop()
        rows = timeline.rows(netns)
        check(len(rows) == 4 and all(row.get("pid") == os.getpid() for row in rows), str(rows))
        for thing in (older, newer, *kept):
            thing.close()


@contextlib.contextmanager
def two_paths():
    """Two hosts with two networks between them; the client makes a second subflow over the second."""
    with Netns() as client, Netns() as server_side:
        for i in range(2):
            ip = Netns.ip
            ip("-n", client.name, "link", "add", f"v{i}", "type", "veth", "peer", f"v{i}", "netns",
               server_side.name)
            for netns, last in ((client, 1), (server_side, 2)):
                ip("-n", netns.name, "addr", "add", f"10.9.{i}.{last}/24", "dev", f"v{i}")
                ip("-n", netns.name, "link", "set", f"v{i}", "up")
        for netns in (client, server_side):
            ip("-n", netns.name, "mptcp", "limits", "set", "subflow", "2", "add_addr_accepted", "2")
        ip("-n", client.name, "mptcp", "endpoint", "add", "10.9.1.1", "dev", "v1", "subflow")
        yield client, server_side


def open_two_subflows(client_side, server_side):
    client = connect(client_side, MPTCP, "10.9.0.2")
    client.sendall(b"x")
    wait_until(lambda: server_side.run("ss", "-Htn", "state", "established").stdout.count(b"8080") == 2,
               10, "the second subflow")
    return client


def subflows_that_join():
    """Made by a worker, on both hosts: of the connection's process, with its token; also if older."""
    with two_paths() as (client_side, server_side), server(server_side, "reads", "10.9.0.2") as pid:
        # The worker reads one connection at a time.
        with Tracer("timeline", "-f", "json", "-l") as timeline:
            client = open_two_subflows(client_side, server_side)
            with Tracer("timeline", "-f", "json", "-l") as later:
                time.sleep(0.3)
                later.stop()
            time.sleep(0.3)
            timeline.stop()
        for tracer in (timeline, later):
            for netns, owner in ((client_side, os.getpid()), (server_side, pid)):
                rows = tracer.rows(netns)
                check(len(rows) == 2 and {row.get("pid") for row in rows} == {owner} and
                      len({row["mptcp_token"] for row in rows}) == 1, f"{netns.name}: {rows}")
        client.close()


def subflow_removed_by_an_administrator():
    """ip mptcp endpoint delete closes a subflow in the name of ip: it stays the application's."""
    with two_paths() as (client_side, server_side), server(server_side, "reads", "10.9.0.2"):
        with Tracer("timeline", "-f", "json", "-l", "--netns", client_side.path) as timeline:
            client = open_two_subflows(client_side, server_side)
            ident = re.search(r"id (\d+)", client_side.run("ip", "mptcp", "endpoint").stdout.decode())
            Netns.ip("-n", client_side.name, "mptcp", "endpoint", "delete", "id", ident.group(1))
            time.sleep(1)
            timeline.stop()
        rows = timeline.rows(client_side)
        check(len(rows) == 2 and all(row.get("pid") == os.getpid() for row in rows), str(rows))
        paths = [[step["state"] for step in row["states"]] for row in rows]
        check("FIN_WAIT_1" in paths[1] and "FIN_WAIT_1" not in paths[0], f"{paths}")
        client.close()


def text_marks_subflows():
    with Netns() as netns, server(netns, "reads"):
        client = connect(netns)
        with Tracer("timeline", "-l", "--netns", netns.path) as timeline:
            time.sleep(0.3)
            timeline.stop()
        token = re.search(r"token:(\w+)", netns.run("ss", "-nMi").stdout.decode())
        lines = [line for line in timeline.output().decode().splitlines() if "[mptcp " in line]
        check(len(lines) == 2, timeline.output().decode())
        check(not token or any(f"[mptcp {token.group(1):>08}]" in line for line in lines), str(lines))
        client.close()


def leak_never_closed():
    group, pid = one_leak("reads", 1)
    check(group["verdict"] == "never_closed" and group["unread_bytes"] == 0, str(group))
    check(re.fullmatch(r"\d+", group["fds"]), f"{group['fds']} of {pid}")


def leak_never_read():
    group, _ = one_leak("unread")
    check(group["verdict"] == "never_read" and group["unread_bytes"] >= 600, str(group))


def leak_never_accepted():
    """In the accept queue: no descriptor shows it, its first subflow does."""
    group, _ = one_leak("stuck")
    check(group["verdict"] == "never_accepted" and "fds" not in group, str(group))


def leak_shared():
    with Netns() as netns, server(netns, "shared"):
        leave(netns, 1)
        old_leak(netns, 1)
        groups = leaks(netns, "--watch", "0")
        check([(g["count"], g["verdict"]) for g in groups] == [(1, "shared")], str(groups))
        check("worker/" in groups[0]["holders"] and "child/" in groups[0]["holders"], str(groups))


def no_leak_is_none():
    with Netns() as netns, server(netns, "unread"):
        with connect(netns):
            check(leaks(netns, "--watch", "0", status=0) == [], "found something")


def states_and_report():
    """CLOSE_WAIT of the MPTCP sockets beside the subflows' states, as ss -M and ss show them."""
    with Netns() as netns, server(netns, "unread") as pid:
        leave(netns, 4)
        old_leak(netns, 4)
        section = json.loads(finwait("states", "--by", "process", "-f", "json", "--netns", netns.path))
        section = section["sections"]["states"]
        mine = [g for g in section["groups"] if g["process"] == f"worker/{pid}"]
        check([(g["LISTEN"], g["ESTABLISHED"]) for g in mine] == [(1, 4)], str(section))
        mine = [g for g in section["mptcp_groups"] if g["process"] == f"worker/{pid}"]
        check([(g["LISTEN"], g["CLOSE_WAIT"]) for g in mine] == [(1, 4)], str(section))
        report = report_of("-p", pid, "--leak-age", f"{LEAK_AGE_S}s")
        found = [f["evidence"] for f in report["findings"] if f["id"] == "close-wait-leak"]
        check([f["count"] for f in found] == [4], str(report["findings"]))


def age_is_a_bound():
    """Of one that is older than finwait: not more than its age, and not much less."""
    with Netns() as netns, server(netns, "unread"):
        begin = time.monotonic()
        leave(netns, 1)
        wait_until(lambda: in_close_wait(netns) == 1, 10, "CLOSE_WAIT")
        since = time.monotonic()
        time.sleep(3)
        least = time.monotonic() - since
        group = leaks(netns, "--watch", "0")[0]
        most = time.monotonic() - begin
        age = group["oldest_ns_min"] / 1e9
        check(least - 0.3 <= age <= most, f"{age:.2f} s, not {least:.2f} to {most:.2f}")


def a_go_server():
    """Go's runtime accepts in any of its threads; from 1.24 on it listens with MPTCP unasked."""
    with tempfile.TemporaryDirectory() as directory, Netns() as netns:
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mptcp.go")
        environment = {**os.environ, "GOCACHE": f"{directory}/cache", "HOME": directory}
        built = run(["go", "build", "-o", f"{directory}/server", source], env=environment)
        check(built.returncode == 0, built.stderr.decode())
        with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
            argv = netns.argv([f"{directory}/server"])
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as program:
                pid = int(program.stdout.readline())
                clients = [connect(netns, protocol) for protocol in (MPTCP, socket.IPPROTO_TCP)]
                leave(netns, 3)
                old_leak(netns, 3)
                groups = leaks(netns, "--watch", "0")
                program.kill()
            timeline.stop()
        check([(g["count"], g["pid"], g["verdict"]) for g in groups] == [(3, pid, "never_closed")],
              str(groups))
        rows = timeline.rows(netns, lport=8080)
        check(len(rows) == 5 and all(row.get("pid") == pid and not row.get("pid_of_listener")
                                     for row in rows), str(rows))
        for client in clients:
            client.close()


CASES = [
    owners_and_marks, client_that_falls_back, subflows_that_join, subflow_removed_by_an_administrator,
    text_marks_subflows, leak_never_closed, leak_never_read, leak_never_accepted, leak_shared,
    no_leak_is_none, states_and_report, age_is_a_bound, a_go_server,
]


def main():
    if os.geteuid() != 0:
        sys.exit("mptcp.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
