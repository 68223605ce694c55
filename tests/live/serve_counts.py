# SPDX-License-Identifier: GPL-2.0-only
"""That finwait serve counts what the script did, what ss shows, and what the kernel counted."""

import collections
import json
import socket
import struct

from real_host import Failure, Netns, check, wait_until
from real_tracer import CHURN
from serve_host import Service

# As ss names them.
STATES = {
    "LISTEN": "LISTEN", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "ESTAB": "ESTABLISHED",
    "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "CLOSING": "CLOSING",
    "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
}


def states_of(netns):
    lines = netns.run("ss", "-Htan").stdout.decode().splitlines()
    return collections.Counter(STATES[line.split()[0]] for line in lines)


def gauge_of(metrics):
    return +collections.Counter({key[2]: int(value) for key, value in metrics.items()
                                 if key[0] == "finwait_connections"})


def wait_same(service, netns, seconds=30):
    """ss and the gauge agree; both are looked at until they do."""
    seen = {}

    def same():
        seen["ss"], seen["finwait"] = states_of(netns), gauge_of(service.metrics())
        return seen["ss"] == seen["finwait"]

    try:
        wait_until(same, seconds, "ss and finwait_connections to agree", 0.5)
    except Failure as error:
        raise Failure(f"{error}: {seen}") from error
    return seen["ss"]


def check_values(service, wanted):
    metrics = service.metrics()
    wrong = [f"{key} is {metrics.get(key)}, not {want}" for key, want in wanted.items()
             if metrics.get(key) != want]
    check(not wrong, "; ".join(wrong))


class Deeds:
    """Some of everything, each a known number of times."""

    CLEAN, REFUSED, RESET, LEAKED = 12, 3, 2, 4

    def __init__(self, netns):
        self.held = [listener := netns.listen(80)]
        for _ in range(self.CLEAN):
            client, server = netns.pair(listener)
            client.close()
            check(server.recv(1) == b"", "no end of file")
            server.close()
        for _ in range(self.REFUSED):
            try:
                netns.connect(81)
                raise Failure("connect() to a port where nobody listens")
            except ConnectionRefusedError:
                pass
        for _ in range(self.RESET):
            client, server = netns.pair(listener)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            self.held.append(server)
        for _ in range(self.LEAKED):
            client, server = netns.pair(listener)
            client.close()
            self.held.append(server)
        client, server = netns.pair(listener)
        client.shutdown(socket.SHUT_WR)
        self.held += [client, server]


def counts_are_the_scripts_and_the_kernels():
    with Netns() as netns, Service("--netns", netns.name, "--leak-age", "1s") as service:
        deeds = Deeds(netns)
        tried = deeds.CLEAN + deeds.REFUSED + deeds.RESET + deeds.LEAKED + 1
        made = tried - deeds.REFUSED
        leaks = deeds.LEAKED + 1
        comm = open("/proc/self/comm", encoding="utf-8").read().strip()
        service.wait_value(leaks, "finwait_close_wait_leaked", "process", comm)
        now = wait_same(service, netns)
        check(now == {"LISTEN": 1, "TIME_WAIT": deeds.CLEAN, "CLOSE_WAIT": leaks,
                      "FIN_WAIT_2": leaks}, f"{now}")

        def edge(a, b):
            return ("finwait_transitions_total", "from", a, "to", b)

        def ended(how):
            return ("finwait_connections_ended_total", "end", how)

        check_values(service, {
            edge("CLOSE", "SYN_SENT"): tried,
            edge("CLOSE", "SYN_SENT"): netns.counter("ActiveOpens", "Tcp"),
            edge("SYN_RECV", "ESTABLISHED"): made,
            edge("SYN_RECV", "ESTABLISHED"): netns.counter("PassiveOpens", "Tcp"),
            edge("SYN_SENT", "CLOSE"): netns.counter("AttemptFails", "Tcp"),
            edge("ESTABLISHED", "CLOSE"): netns.counter("EstabResets", "Tcp"),
            edge("ESTABLISHED", "CLOSE_WAIT"): deeds.CLEAN + leaks,
            edge("LAST_ACK", "CLOSE"): deeds.CLEAN,
            ended("last_ack"): deeds.CLEAN,
            ended("refused"): deeds.REFUSED,
            ended("reset_sent"): deeds.RESET,
            ended("reset_received"): deeds.RESET,
            ended("time_wait_expired"): 0,
            ("finwait_resets_total", "direction", "received"): deeds.RESET + deeds.REFUSED,
            ("finwait_resets_total", "direction", "sent"): deeds.RESET,
            ("finwait_fin_wait_2_stalled", "kind", "orphaned"): deeds.LEAKED,
            ("finwait_fin_wait_2_stalled", "kind", "half_closed"): 1,
            ("finwait_half_open_ended_total", "end", "completed"): made,
            ("finwait_state_duration_seconds_count", "state", "LAST_ACK"): deeds.CLEAN,
            ("finwait_events_lost_total",): 0,
        })
        check(service.value("finwait_close_wait_oldest_seconds", "process", comm) >= 1, "age")
        service.stop()


def what_was_there_before_is_counted_too():
    with Netns() as netns:
        deeds = Deeds(netns)
        with Service("--netns", netns.name) as service:
            now = wait_same(service, netns)
            check(now["TIME_WAIT"] == deeds.CLEAN and now["CLOSE_WAIT"] == deeds.LEAKED + 1,
                  f"{now}")
            for sock in deeds.held:
                sock.close()
            wait_same(service, netns)
            service.stop()


def gauges_agree_with_ss_after_churn():
    with Netns() as netns, Service("--netns", netns.name) as service:
        done = netns.run(CHURN, "-n", "3000", "-c", "mixed", "-t", "2")
        check(done.returncode == 0, f"{done.stderr}")
        check(json.loads(done.stdout)["connections"] == 3000, f"{done.stdout}")
        wait_same(service, netns)
        metrics = service.metrics()
        ends = sum(value for key, value in metrics.items()
                   if key[0] == "finwait_connections_ended_total")
        there = sum(gauge_of(metrics).values())
        # Both ends of each have ended or are there.
        check(ends + there == 6000, f"{ends} ended, {there} are there")
        check(metrics[("finwait_events_lost_total",)] == 0, "events were lost")
        service.stop()


def port_pressure_is_of_the_destination():
    # 1000 ports; TIME_WAIT is not reused.
    with Netns(ip_local_port_range="20000 20999", tcp_tw_reuse="0") as netns:
        with Service("--netns", netns.name) as service:
            listener = netns.listen(80)
            held = [netns.pair(listener) for _ in range(250)]
            key = ("finwait_port_pressure_ratio", "local", "127.0.0.1", "remote", "127.0.0.1",
                   "port", "80")
            service.wait_value(0.25, *key)
            for pair in held:
                for sock in pair:
                    sock.close()
            service.stop()


def a_bind_that_fails_is_counted():
    with Netns() as netns, Service("--netns", netns.name) as service:
        listener = netns.listen(80)
        for _ in range(3):
            try:
                netns.listen(80)
                raise Failure("a second listener")
            except OSError:
                pass
        service.wait_value(3, "finwait_bind_failures_total")
        listener.close()
        service.stop()


CASES = [
    counts_are_the_scripts_and_the_kernels, what_was_there_before_is_counted_too,
    gauges_agree_with_ss_after_churn, port_pressure_is_of_the_destination,
    a_bind_that_fails_is_counted,
]
