#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of finwait leaks: real programs that leak, judged by ss and /proc/PID/fd.

    sudo tests/live/leaks.py [NAME...]      only the cases whose names contain one of these words

Environment as for real.py. One case a line: "ok NAME" or "FAIL NAME: reason"; then "N passed, N
failed". The forecast waits for a leak to hit its limit (100 s), beside all others.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

from leaking import LEAK_AGE_S, Leaker, check_fds, leaks, report_of, ss_counts
from real import Results
from real_host import Netns, check, wait_until

FORECAST_NOFILE, FORECAST_PER_S = 1024, 10


def one_leak(how, n=7):
    """The only group that is left after a leak of n, and ss's lines about it."""
    with Netns() as netns, Leaker(netns, 8080, how) as leaker:
        leaker.leak(n)
        leaker.wait_for(n)
        groups = leaks(netns, "--watch", "0")
        check(len(groups) == 1, f"not one group: {groups}")
        group = groups[0]
        check(group["count"] == n, f"count {group['count']}")
        check(group["comm"] == "leaker", f"comm {group['comm']}")
        check(group["pid"] == leaker.pid, f"pid {group['pid']} instead of {leaker.pid}")
        check(group["netns"] == netns.inum, f"netns {group['netns']}")
        check(group.get("oldest_ns_min", group.get("oldest_ns", 0)) >= LEAK_AGE_S * 1e9, str(group))
        return group, leaker.in_close_wait()


def leak_never_closed():
    group, lines = one_leak("closed")
    check(group["verdict"] == "never_closed", group["verdict"])
    check(group["unread_bytes"] == 0, str(group))
    check_fds(group, lines)


def leak_never_read():
    group, lines = one_leak("read")
    check(group["verdict"] == "never_read", group["verdict"])
    # ss counts the FIN as one byte.
    check(group["unread_bytes"] == sum(int(line.split()[0]) - 1 for line in lines), str(group))
    check_fds(group, lines)


def leak_never_accepted():
    group, lines = one_leak("accepted")
    check(group["verdict"] == "never_accepted", group["verdict"])
    check(not any("pid=" in line for line in lines), "ss knows a process")
    check("fds" not in group, str(group))


def leak_shared():
    group, lines = one_leak("shared", 1)
    check(group["verdict"] == "shared", group["verdict"])
    holders = set(re.findall(r"pid=(\d+)", " ".join(lines)))
    check(len(holders) == 2, f"ss: {lines}")
    check(set(re.findall(r"/(\d+)", group["holders"])) == holders, group["holders"])


STUCK_POOL = """
import concurrent.futures, socket, threading
server = socket.create_server(("127.0.0.1", 8081))
pool = concurrent.futures.ThreadPoolExecutor(2)
stuck = threading.Event()
print("ready", flush=True)
while True:
    connection = server.accept()[0]
    pool.submit(lambda c: (stuck.wait(), c.recv(100), c.close()), connection)
"""


def leak_of_a_stuck_thread_pool():
    """A server whose two workers wait for a lock: it accepts, and nobody ever reads."""
    with Netns() as netns:
        argv = netns.argv(["/usr/bin/python3", netns.file("pool.py", STUCK_POOL)])
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
            try:
                check(server.stdout.readline() == "ready\n", "no server")
                for _ in range(5):
                    with netns.connect(8081) as client:
                        client.sendall(b"GET")
                time.sleep(LEAK_AGE_S + 0.5)
                groups = leaks(netns, "--watch", "0")
                check([(g["verdict"], g["count"], g["pid"]) for g in groups] ==
                      [("never_read", 5, server.pid)], str(groups))
            finally:
                server.kill()


POOLING = """
import socket, time
idle = [socket.create_connection(("127.0.0.1", 8082)) for _ in range(3)]
for connection in idle:
    connection.recv(1)
busy = socket.create_connection(("127.0.0.1", 8083))
print("ready", flush=True)
while True:
    busy.sendall(b"x")
    time.sleep(0.05)
"""


def idle_pool_is_no_leak():
    """A client that works, and keeps three connections that its server has closed."""
    with Netns() as netns:
        closing, other = netns.listen(8082), netns.listen(8083)
        threading.Thread(target=lambda: [closing.accept()[0].close() for _ in range(3)],
                         daemon=True).start()
        argv = netns.argv(["/usr/bin/python3", netns.file("pooling.py", POOLING)])
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
            try:
                check(client.stdout.readline() == "ready\n", "no client")
                connection = other.accept()[0]
                threading.Thread(target=lambda: [None for _ in iter(
                    lambda: connection.recv(4096), b"")], daemon=True).start()
                time.sleep(LEAK_AGE_S + 0.5)
                groups = leaks(netns, "--watch", "2s", status=0)
                check([(g["pool"], g["count"], g["pid"]) for g in groups] ==
                      [(True, 3, client.pid)], str(groups))
            finally:
                client.kill()


def no_leak_is_status_0():
    with Netns() as netns:
        pair = netns.pair(netns.listen(8080))
        check(leaks(netns, "--watch", "0", status=0) == [], "found something")
        pair[0].close()


def forecast_of_the_limit():
    """Ten a second into 1,024 descriptors: what is foreseen after a fifth of it is right to 10 %."""
    with Netns() as netns, Leaker(netns, 8080, "closed", FORECAST_NOFILE) as leaker:
        begin = time.monotonic()

        def leak():
            for i in range(FORECAST_NOFILE + 50):
                time.sleep(max(0, begin + i / FORECAST_PER_S - time.monotonic()))
                try:
                    leaker.leak(1)
                except OSError:
                    return

        client = threading.Thread(target=leak, daemon=True)
        client.start()
        time.sleep(20)
        groups = leaks(netns, "--watch", "10s")
        seen = time.monotonic()
        check(len(groups) == 1 and groups[0]["fds_limit"] == FORECAST_NOFILE, str(groups))
        word, ns = leaker.process.stdout.readline().split()
        check(word == "EMFILE", word)
        real = int(ns) / 1e9 - seen
        foreseen = groups[0]["limit_reached_in_ns"] / 1e9
        check(abs(foreseen - real) <= 0.1 * real, f"foreseen {foreseen:.1f} s, real {real:.1f} s")


NGINX_THAT_LEAKS = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory};
    proxy_temp_path {directory};
    fastcgi_temp_path {directory};
    uwsgi_temp_path {directory};
    scgi_temp_path {directory};
    server {{
        listen 127.0.0.1:8080;
        proxy_ignore_client_abort on;
        location / {{ proxy_pass http://127.0.0.1:9000; }}
    }}
}}
"""


def leak_of_nginx():
    """A stock server: clients give up, and nginx is told to go on waiting for its upstream."""
    with Netns() as netns:
        upstream = netns.listen(9000)  # never answers
        conf = netns.file("nginx.conf", NGINX_THAT_LEAKS.format(directory=netns.directory.name))
        nginx = netns.start("nginx", "-c", conf)
        wait_until(lambda: netns.is_listening(8080), 20, "nginx")
        asked = []
        for _ in range(6):
            with netns.connect(8080) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                asked.append(upstream.accept()[0])
        wait_until(lambda: ss_counts(netns).get("CLOSE_WAIT") == 6, 10, "CLOSE_WAIT")
        time.sleep(LEAK_AGE_S + 0.2)
        lines = netns.run("ss", "-Htanp", "state", "close-wait").stdout.decode().splitlines()
        groups = leaks(netns, "--watch", "0")
        check([(g["verdict"], g["count"], g["pid"], g["comm"]) for g in groups] ==
              [("never_read", 6, nginx.pid, "nginx")], str(groups))
        check_fds(groups[0], lines)
        check(groups[0]["fds_used"] == len(os.listdir(f"/proc/{nginx.pid}/fd")), str(groups))
        report = report_of("-p", nginx.pid, "--leak-age", f"{LEAK_AGE_S}s")
        found = [f for f in report["findings"] if f["id"] == "close-wait-leak"]
        check(len(found) == 1 and found[0]["evidence"]["verdict"] == "never_read" and
              found[0]["evidence"]["count"] == 6 and
              found[0]["evidence"]["fds"] == groups[0]["fds"], str(found))
        for connection in asked:
            connection.close()


CASES = [
    leak_never_closed, leak_never_read, leak_never_accepted, leak_shared,
    leak_of_a_stuck_thread_pool, idle_pool_is_no_leak, no_leak_is_status_0, leak_of_nginx,
]


def main():
    if os.geteuid() != 0:
        sys.exit("leaks.py: needs root")
    results = Results(sys.argv[1:])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = [pool.submit(results.run, case) for case in results.wants([forecast_of_the_limit])]
        for case in results.wants(CASES):
            results.run(case)
        for job in slow:
            job.result()
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
