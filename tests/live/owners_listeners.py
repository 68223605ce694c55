# SPDX-License-Identifier: GPL-2.0-only
"""Whose a connection is that waits to be accepted: the process that holds its listener now, or none."""

import contextlib
import os
import socket
import subprocess
import time

from real_host import Netns, check, wait_until
from real_tracer import Tracer

LISTEN = """
import array, os, socket, sys, time
def listen(port=8080, backlog=64):
    l = socket.socket()
    l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    l.bind(("127.0.0.1", port))
    l.listen(backlog)
    return l
def call(name):
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
def say(*pids):
    print(*pids, flush=True)
def wait():
    sys.stdin.read()
    os._exit(0)
"""

DAEMON = LISTEN + """
l = listen()
if os.fork():
    os._exit(0)
call("daemon")
say(os.getpid())
wait()
"""

# The starter lives on, without the socket.
CLOSED_BY_STARTER = LISTEN + """
l = listen()
child = os.fork()
if not child:
    call("worker")
    wait()
l.close()
say(child)
os.waitpid(child, 0)
"""

HANDED_OVER = LISTEN + """
here, there = socket.socketpair()
child = os.fork()
if not child:
    call("heir")
    here.close()
    fds = socket.recv_fds(there, 1, 1)[1]
    there.send(b"x")
    wait()
l = listen()
socket.send_fds(here, [b"x"], [l.fileno()])
l.close()
here.recv(1)
say(child)
os.waitpid(child, 0)
"""

# As systemd does: the supervisor keeps the socket, and the service has it as well.
ACTIVATED = LISTEN + """
l = listen()
child = os.fork()
if not child:
    call("service")
    wait()
say(os.getpid(), child)
os.waitpid(child, 0)
"""

PREFORK = LISTEN + """
l = listen()
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        call("worker")
        wait()
    children.append(child)
say(os.getpid(), *children)
for child in children:
    os.waitpid(child, 0)
"""


@contextlib.contextmanager
def server(netns, source):
    """A program that prints the pids of those that hold its listener. It ends with its stdin."""
    argv = netns.argv(["/usr/bin/python3", "-c", source])
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield [int(pid) for pid in program.stdout.readline().split()]
        program.stdin.close()


def held_by_ss(netns, port=8080):
    words = netns.run("ss", "-Hltnp", "sport", "=", f":{port}").stdout.decode()
    return {int(word.split(",")[0]) for word in words.split("pid=")[1:]}


def waits_for(source, comm):
    """What comes in while no process accepts: first just after the start, then later."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
        with server(netns, source) as pids:
            check(held_by_ss(netns) == set(pids), f"{held_by_ss(netns)} hold it, not {pids}")
            clients = [netns.connect(8080)]
            time.sleep(1.2)
            clients.append(netns.connect(8080))
            time.sleep(0.3)
            timeline.stop()
            rows = timeline.rows(netns, lport=8080)
            check(len(rows) == 2, str(rows))
            for row in rows:
                check(row.get("pid") == pids[0] and row.get("comm") == comm and
                      row.get("pid_of_listener"), str(row))
                holders = row.get("listener_holders", 1)
                check(holders == len(pids), f"{holders} holders, not {len(pids)}: {row}")
            for client in clients:
                client.close()


def a_daemon_not_its_starter():
    waits_for(DAEMON, "daemon")


def a_worker_not_the_starter_that_closed():
    waits_for(CLOSED_BY_STARTER, "worker")


def who_was_handed_the_listener():
    waits_for(HANDED_OVER, "heir")


def a_supervisor_and_its_service():
    waits_for(ACTIVATED, "python3")


def the_master_of_several():
    waits_for(PREFORK, "python3")


def text_says_that_several_hold_it():
    with Netns() as netns, server(netns, PREFORK) as pids:
        with Tracer("timeline", "-l", "--netns", netns.path) as timeline:
            with netns.connect(8080):
                time.sleep(0.5)
                timeline.stop()
        check(f"python3/{pids[0]}+3 " in timeline.output().decode(), timeline.output().decode())


def a_holder_that_has_ended_is_not_named():
    """It held the listener when finwait looked; then it hands it over and ends, and a client comes at once."""
    source = HANDED_OVER.replace("say(child)\nos.waitpid(child, 0)", """say(os.getpid(), child)
sys.stdin.readline()
os._exit(0)""").replace("l.close()\n", "").replace("    wait()", "    time.sleep(100)")
    with Netns() as netns, server(netns, source) as pids:
        with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
            time.sleep(0.3)
            netns.run("kill", str(pids[0]))
            wait_until(lambda: held_by_ss(netns) == {pids[1]}, 5, "the end")
            client = netns.connect(8080)
            client.close()
            with netns.connect(8080):
                time.sleep(0.8)
                timeline.stop()
        netns.run("kill", str(pids[1]))
        rows = timeline.rows(netns, lport=8080)
        check(rows and all(row.get("pid") in (None, pids[1]) for row in rows), str(rows))
        check(rows[-1].get("pid") == pids[1], str(rows))


REUSEPORT = LISTEN + """
l = listen()
say(os.getpid())
wait()
"""


def each_listener_of_a_reuseport_group():
    """The kernel chooses one by a hash; the connection is that one's, as its accept queue says."""
    with Netns() as netns, contextlib.ExitStack() as stack:
        pids = [stack.enter_context(server(netns, REUSEPORT))[0] for _ in range(3)]
        older = [netns.connect(8080) for _ in range(20)]
        with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
            newer = [netns.connect(8080) for _ in range(20)]
            time.sleep(0.5)
            queues = {}
            lines = netns.run("ss", "-Hltnp", "sport", "=", ":8080").stdout.decode().splitlines()
            for line in lines:
                queues[int(line.split("pid=")[1].split(",")[0])] = int(line.split()[1])
            timeline.stop()
        rows = timeline.rows(netns, lport=8080)
        found = {pid: sum(row.get("pid") == pid for row in rows) for pid in pids}
        check(found == queues and len(rows) == 40, f"{found}, and ss says {queues}")
        for client in older + newer:
            client.close()


def beside_a_transparent_listener():
    """TPROXY hands what goes to port 80 to a listener on 7777; another process listens on 80."""
    with Netns() as netns:
        rules = netns.file("rules", "table ip t { chain p { type filter hook prerouting priority mangle; "
                           "ip daddr 198.51.100.0/24 tcp dport 80 tproxy to :7777 meta mark set 1\n}\n}\n")
        for words in ("ip rule add fwmark 1 lookup 100", "ip route add local default dev lo table 100",
                      "ip addr add 192.0.2.9/32 dev lo",
                      "ip route add 198.51.100.0/24 dev lo src 192.0.2.9", f"nft -f {rules}"):
            result = netns.run(*words.split())
            check(result.returncode == 0, f"{words}: {result.stderr.decode()}")
        with netns.inside():
            proxy = socket.socket()
        proxy.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
        proxy.bind(("0.0.0.0", 7777))
        proxy.listen(16)
        source = REUSEPORT.replace("listen()\nsay", "listen(80)\nsay").replace(
            '("127.0.0.1", port)', '("0.0.0.0", port)')
        with server(netns, source) as pids:
            older = netns.connect(80, "198.51.100.7")
            with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
                newer, other = netns.connect(80, "198.51.100.7"), netns.connect(80)
                time.sleep(0.5)
                timeline.stop()
            rows = timeline.rows(netns, lport=80)
            owners = sorted((row["laddr"], row.get("pid", 0)) for row in rows)
            check(owners == [("127.0.0.1", pids[0])] + [("198.51.100.7", os.getpid())] * 2,
                  f"{owners}, not {pids[0]} and {os.getpid()}: {rows}")
            for thing in (older, newer, other, proxy):
                thing.close()


def connected_from_a_port_that_listens():
    """SO_REUSEPORT, as for hole punching: connect() from the listener's port. It was not accepted."""
    with Netns() as netns:
        sink = netns.listen(9000)
        with netns.inside():
            listener, client = socket.socket(), socket.socket()
        for one in (listener, client):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", 8080))
        listener.listen(16)
        client.connect(("127.0.0.1", 9000))
        server_side = sink.accept()[0]
        with Tracer("timeline", "-f", "json", "-l", "--netns", netns.path) as timeline:
            time.sleep(0.3)
            timeline.stop()
        rows = {row["lport"]: row.get("role") for row in timeline.rows(netns)}
        check(rows == {8080: None, 9000: "passive"}, str(rows))
        for one in (listener, client, server_side):
            one.close()


CASES = [
    a_daemon_not_its_starter, a_worker_not_the_starter_that_closed, who_was_handed_the_listener,
    a_supervisor_and_its_service, the_master_of_several, text_says_that_several_hold_it,
    a_holder_that_has_ended_is_not_named, each_listener_of_a_reuseport_group,
    beside_a_transparent_listener, connected_from_a_port_that_listens,
]
