#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live tests of owners, snapshots, finwait states and bind() failures, judged by ss and /proc.

    sudo tests/live/owners.py [NAME...]      only the cases whose names contain one of these words

Environment as for real.py. One case a line: "ok NAME" or "FAIL NAME: reason"; then "N passed, N
failed".
"""

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from wire import SYN, Peer, Wire  # noqa: E402 (after the path)
import owners_listeners
import owners_netns
import owners_where
from leaking import LEAK_AGE_S, Leaker, counts, finwait, report_of, ss_counts
from real import Results
from real_host import Failure, Netns, check, wait_until
from real_tracer import FINWAIT, Tracer


def half_open_ones(netns):
    """One whose SYN is not answered, and one whose SYN-ACK is not; and what must be kept for them."""
    wire = Wire(netns)
    listener = netns.listen(8081, "10.9.0.1")
    client = netns.socket()
    client.setblocking(False)
    client.connect_ex(("10.9.0.2", 7000))
    Peer(wire, ("10.9.0.2", 5000), ("10.9.0.1", 8081)).send(SYN)
    return wire, listener, client


def states_equal_ss():
    with Netns() as netns:
        listener = netns.listen(8080)
        half_open = half_open_ones(netns)
        closed_first = [netns.pair(listener) for _ in range(4)]
        for client, server in closed_first:
            client.close()
            server.close()
        kept = [netns.pair(listener) for _ in range(3)]
        half = [netns.pair(listener) for _ in range(2)]
        for client, _ in half:
            client.close()
        kept[0][1].shutdown(socket.SHUT_WR)
        wait_until(lambda: ss_counts(netns).get("TIME_WAIT") == 4, 10, "TIME_WAIT")
        time.sleep(0.2)
        found, expected = counts("--netns", netns.path), ss_counts(netns)
        check(found == expected, f"{found} instead of {expected}")
        check(set(expected) >= {"LISTEN", "ESTABLISHED", "FIN_WAIT_2", "TIME_WAIT", "CLOSE_WAIT",
                                "SYN_SENT", "SYN_RECV"}, f"the test made only {expected}")
        rows = json.loads(finwait("states", "--by", "netns", "-f", "json"))
        rows = [row for row in rows["sections"]["states"]["groups"] if row["netns"] == netns.name]
        check({state: n for state, n in rows[0].items() if n and state.isupper()} == expected, str(rows))
        for thing in half_open:
            thing.close()


def accepted_by_whom():
    """The owner of a connection that is still open is who accepted it, not who listens."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l") as timeline:
        with Leaker(netns, 8080, "read") as leaker:
            client = netns.connect(8080)
            time.sleep(0.3)
            timeline.stop()
            server = [row for row in timeline.rows(netns) if row.get("lport") == 8080]
            check(len(server) == 1 and server[0]["pid"] == leaker.pid and
                  not server[0].get("pid_of_listener"), str(server))
            client.close()


def unaccepted_is_its_listeners():
    with Netns() as netns, Leaker(netns, 8080, "accepted") as leaker:
        before = netns.connect(8080)
        with Tracer("timeline", "-f", "json", "-l") as timeline:
            after = netns.connect(8080)
            time.sleep(0.3)
            timeline.stop()
        server = [row for row in timeline.rows(netns) if row.get("lport") == 8080]
        check(len(server) == 2 and all(row.get("pid") == leaker.pid and
                                       row.get("pid_of_listener") for row in server), str(server))
        before.close()
        after.close()


def time_wait_names_a_process_that_is_gone():
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l") as timeline:
        listener = netns.listen(8080)
        program = netns.start("/usr/bin/python3", "-c",
                              "import socket; socket.create_connection(('127.0.0.1', 8080)).close()")
        server = listener.accept()[0]
        program.wait()
        server.close()
        wait_until(lambda: netns.time_waits() == 1, 10, "TIME_WAIT")
        time.sleep(0.2)
        timeline.stop()
        rows = [row for row in timeline.rows(netns) if row["states"][-1]["state"] == "TIME_WAIT"]
        check(len(rows) == 1 and rows[0]["pid"] == program.pid and rows[0]["comm"] == "python3",
              str(rows))


def ages_from_before_the_trace():
    """Known as a lower bound that is close; exact for TIME_WAIT, whose timer tells."""
    with Netns() as netns:
        listener = netns.listen(8080)
        begin = time.monotonic()
        idle, waiting, closed = (netns.pair(listener) for _ in range(3))
        waiting[0].close()
        closed[0].close()
        closed[1].close()
        wait_until(lambda: ss_counts(netns).get("TIME_WAIT") == 1, 10, "TIME_WAIT")
        since = time.monotonic()
        time.sleep(3)
        with Tracer("timeline", "-f", "json", "-l") as timeline:
            time.sleep(0.3)
            age = time.monotonic() - since
            timeline.stop()
            late = time.monotonic() - begin
        rows = {row["states"][-1]["state"]: row["states"][-1] for row in timeline.rows(netns)}
        for state, key in (("ESTABLISHED", "ns_min"), ("CLOSE_WAIT", "ns_min"), ("TIME_WAIT", "ns")):
            seconds = rows[state][key] / 1e9
            check(age - 0.3 <= seconds <= late + 0.3, f"{state}: {seconds} s, not {age} to {late}")
        idle[0].close()


def what_moves_during_the_snapshot():
    """Connections that close while they are being merged in: each ends once, and right."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    with Netns() as netns:
        listener = netns.listen(8080)
        pairs = [netns.pair(listener) for _ in range(600)]
        go = threading.Event()

        def close_all():
            go.wait()
            for client, server in pairs:
                client.close()
                server.close()

        closer = threading.Thread(target=close_all)
        closer.start()
        threading.Timer(0.15, go.set).start()
        with Tracer("timeline", "-f", "json", "-l") as timeline:
            go.set()
            closer.join()
            time.sleep(0.5)
            timeline.stop()
        servers = [row for row in timeline.rows(netns) if row.get("lport") == 8080]
        check(len({row["rport"] for row in servers}) == len(servers), "a connection twice")
        wrong = [row for row in servers if row.get("gap") or row.get("end") != "last_ack"]
        check(not wrong, f"{len(wrong)} of {len(servers)}: {wrong[:2]}")
        check("did not follow" not in timeline.stderr(), timeline.stderr())
        check(netns.time_waits() == 600, "the test's own")


def bind_meets_time_wait():
    with Netns() as netns, Tracer("trace", "-f", "json", "-l") as trace:
        listener = netns.listen(8080)
        client, server = netns.pair(listener)
        server.close()
        client.close()
        wait_until(lambda: netns.time_waits("sport", "=", ":8080") == 1, 10, "TIME_WAIT")
        listener.close()
        again = netns.socket()
        try:
            again.bind(("127.0.0.1", 8080))
            raise Failure("bind() did not fail")
        except OSError:
            pass
        wait_until(lambda: [r for r in trace.objects() if r.get("event") == "bind_failed"
                            and r["netns"] == netns.inum], 5, "the failure")
        trace.stop()
        row = [r for r in trace.objects() if r.get("event") == "bind_failed"
               and r["netns"] == netns.inum][0]
        check((row["lport"], row["error"], row["pid"], row["held_by_time_wait"]) ==
              (8080, "EADDRINUSE", os.getpid(), 1), str(row))
        check(50e9 < row["time_wait_ns"] <= 60e9, str(row))


def filters_by_owner():
    with Netns() as netns, Leaker(netns, 8080, "closed") as one, Leaker(netns, 8081, "closed") as two:
        one.leak(2)
        two.leak(3)
        one.wait_for(2)
        for args, n in ((("-p", one.pid), 2), (("-p", two.pid), 3), (("--comm", "leak*"), 5),
                        (("--comm", "nobody"), 0)):
            found = counts("--netns", netns.path, "--state", "close_wait", *map(str, args))
            check(found.get("CLOSE_WAIT", 0) == n, f"{args}: {found}")


def report_heeds_filters_on_owners():
    with Netns() as netns, Leaker(netns, 8080, "closed") as one, Leaker(netns, 8081, "closed") as two:
        one.leak(3)
        two.leak(4)
        one.wait_for(3)
        two.wait_for(4)
        for args, n in ((("-p", one.pid), 3), (("-p", two.pid), 4), (("--comm", "leak*"), 7),
                        (("--comm", "nobody"), 0)):
            report = report_of("--netns", netns.path, "--leak-age", f"{LEAK_AGE_S}s", *args)
            found = [(f["id"], f["evidence"]["count"]) for f in report["findings"]
                     if f["id"] == "close-wait-leak"]
            check(found == ([("close-wait-leak", n)] if n else []), f"{args}: {found}")
            check(report["sections"]["close_wait"]["now"] == n, f"{args}: {report}")


IN_FLIGHT = """
import array, socket, time
tcp = socket.create_connection(("127.0.0.1", 8080))
print(tcp.getsockname()[1], flush=True)
a, b = socket.socketpair(socket.AF_UNIX)
fds = array.array("i", [tcp.fileno(), b.fileno()])
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
for thing in (tcp, a, b):
    thing.close()
for _ in range(100):  # what is left refers to itself only: the kernel's garbage collector closes it
    c, d = socket.socketpair(socket.AF_UNIX)
    c.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    c.close()
    d.close()
    time.sleep(0.02)
"""


def closed_by_the_kernel():
    """A kernel thread that closes what was in flight over a unix socket is nobody's owner."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l") as timeline:
        listener = netns.listen(8080)
        argv = netns.argv([sys.executable, "-c", IN_FLIGHT])
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            port = int(program.stdout.readline())
            server = listener.accept()[0]
            check(server.recv(1) == b"", "the garbage collector did not close it")
            server.close()
            program.wait()
        time.sleep(0.2)
        timeline.stop()
        row = timeline.rows(netns, lport=port)[0]
        check((row["comm"], row["pid"]) == ("python3", program.pid), str(row))


PASSING = """
import os, socket, sys
here, there = socket.socketpair(socket.AF_UNIX)
child = os.fork()
if not child:
    with open("/proc/self/comm", "w") as comm:
        comm.write("receiver")
    data, fds, _, _ = socket.recv_fds(there, 1, 1)
    sys.stdin.readline()
    os.close(fds[0])
    sys.stdin.readline()
    os._exit(0)
tcp = socket.create_connection(("127.0.0.1", 8080))
socket.send_fds(here, [b"x"], [tcp.fileno()])
tcp.close()
print(child, flush=True)
os.waitpid(child, 0)
"""


def passed_to_another_process():
    """Whoever was given the descriptor and closes it is the owner then."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l") as timeline:
        listener = netns.listen(8080)
        argv = netns.argv([sys.executable, "-c", PASSING])
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            server = listener.accept()[0]
            child = int(program.stdout.readline().split()[0])
            program.stdin.write("close\n")
            program.stdin.flush()
            check(server.recv(1) == b"", "not closed")
            server.close()
            program.stdin.write("end\n")
            program.stdin.close()
            program.wait()
        time.sleep(0.2)
        timeline.stop()
        row = timeline.rows(netns, rport=8080)[0]
        check((row["comm"], row["pid"]) == ("receiver", child), str(row))


def executed_another_program():
    """exec() keeps the connection and the process; the name that closes it is the new one."""
    with Netns() as netns, Tracer("timeline", "-f", "json", "-l") as timeline:
        listener = netns.listen(8080)
        program = netns.start(
            sys.executable, "-c", "import os, socket; s = socket.create_connection(('127.0.0.1', 8080)); "
            "os.set_inheritable(s.fileno(), True); os.execv('/bin/sleep', ['sleep', '1'])")
        server = listener.accept()[0]
        check(server.recv(1) == b"", "not closed")
        server.close()
        time.sleep(0.2)
        timeline.stop()
        row = timeline.rows(netns, rport=8080)[0]
        check((row["comm"], row["pid"]) == ("sleep", program.pid), str(row))


def bind_meets_a_listener():
    """trace names who listens there; report has the finding, and when TIME_WAIT will let go."""
    with Netns() as netns, Leaker(netns, 8080, "closed") as leaker:
        report = subprocess.Popen([FINWAIT, "report", "-f", "json", "--netns", netns.path],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(b"watching" in report.stderr.readline(), "no report")
        with Tracer("trace", "-l", "--netns", netns.path) as text:
            wait_until(lambda: "finwait: knows" in text.stderr(), 20, "what existed to be known")
            for port in (8080, 8090):
                if port == 8090:
                    listener = netns.listen(port)
                    client, server = netns.pair(listener)
                    server.close()
                    client.close()
                    wait_until(lambda: netns.time_waits("sport", "=", ":8090") == 1, 10, "TIME_WAIT")
                    listener.close()
                with netns.socket() as again:
                    try:
                        again.bind(("127.0.0.1", port))
                        raise Failure("bind() did not fail")
                    except OSError:
                        pass
                time.sleep(0.2)  # the holders are looked for at most ten times a second
            text.stop()
        lines = [line for line in text.output().decode().splitlines() if "bind() failed" in line]
        check(len(lines) == 2 and f"held by a listener, leaker/{leaker.pid}" in lines[0], str(lines))
        check("held by 1 in TIME_WAIT, for " in lines[1] and "SO_REUSEADDR" in lines[1], str(lines))
        report.terminate()
        document = json.loads(report.communicate()[0])
        found = [f for f in document["findings"] if f["id"] == "bind-in-use"]
        rows = {row["address"]: row for row in found[0]["offenders"]}
        check(found[0]["evidence"] == {"count": 2, "of_time_wait": 1}, str(found))
        check(rows["127.0.0.1:8080"]["held_by"] == f"leaker/{leaker.pid}", str(rows))
        check(rows["127.0.0.1:8090"]["held_by"] == "TIME_WAIT" and
              50e9 < rows["127.0.0.1:8090"]["free_in_ns"] < 60e9, str(rows))
        check("SO_REUSEADDR" in found[0]["advice"], found[0]["advice"])


CASES = [
    states_equal_ss, accepted_by_whom, unaccepted_is_its_listeners, time_wait_names_a_process_that_is_gone,
    ages_from_before_the_trace, what_moves_during_the_snapshot, bind_meets_time_wait, filters_by_owner,
    report_heeds_filters_on_owners, closed_by_the_kernel, passed_to_another_process,
    executed_another_program, bind_meets_a_listener, *owners_where.CASES, *owners_listeners.CASES,
    *owners_netns.CASES,
]


def main():
    if os.geteuid() != 0:
        sys.exit("owners.py: needs root")
    results = Results(sys.argv[1:])
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
