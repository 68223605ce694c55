#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Live test of the filters: what trace and timeline show through a filter is what the same condition picks
from their unfiltered JSON, of the running kernel and of a recording, and no filter makes finwait say that
events were lost.

    sudo tests/live/filters.py [NAME...]     only the filters that contain one of these words

Environment as for real.py. One filter a line, then "N passed, N failed".

In three namespaces connections of each kind are made, some of them older than the tracers: IPv4, IPv6 and
IPv4-mapped, in and out of a dual-stack listener, refused, abandoned, half-open, reset, half-closed, ended
through TIME_WAIT, with a port that was chosen by the kernel, by bind(), or given to both ends.
"""

import collections
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from wire import ACK, FIN, SYN, Peer, Wire  # noqa: E402 (after the path)
from real import Results
from real_host import Failure, Netns, check, close_with_reset, run
from real_tracer import FINWAIT, FINWAIT_ARGS, Tracer

OTHER = """
import socket, sys, time
open("/proc/self/comm", "w").write("other-proc")
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 7300))
listener.listen(9)
print("up", flush=True)
sys.stdin.readline()
for _ in range(2):
    client = socket.create_connection(("127.0.0.1", 7300))
    server = listener.accept()[0]
    time.sleep(0.1)
    client.close()
    server.close()
sys.stdin.readline()
"""

V6 = socket.AF_INET6


def states_of(row):
    return [step["state"] for step in row["states"]] if "states" in row else [row["from"], row["to"]]


def dwells_of(row):
    if "states" in row:
        return [(s["state"], s.get("ns", s.get("ns_min", s.get("ns_max", 0)))) for s in row["states"]]
    return [(row["from"], row.get("ns", row.get("ns_min", row.get("ns_max", 0))))]


def has(field, *values):
    return lambda row: row.get(field) in values


def within(field, *networks):
    nets = [ipaddress.ip_network(n) for n in networks]
    return lambda row: field in row and any(ipaddress.ip_address(row[field]) in net for net in nets)


def both(*conditions):
    return lambda row: all(condition(row) for condition in conditions)


class Host:
    """The namespaces, and what happens in them: before the tracers, and while they run."""

    def __init__(self):
        self.spaces = [Netns(), Netns(), Netns()]
        self.a, self.b, self.c = self.spaces
        run(["ip", "-n", self.a.name, "link", "add", "v0", "type", "veth", "peer", "name", "v0",
             "netns", self.b.name])
        for ns, host in ((self.a, 1), (self.b, 2)):
            run(["ip", "-n", ns.name, "addr", "add", f"10.77.0.{host}/24", "dev", "v0"])
            run(["ip", "-n", ns.name, "addr", "add", f"fd00::{host}/64", "dev", "v0", "nodad"])
            run(["ip", "-n", ns.name, "link", "set", "v0", "up"])
        self.wire = Wire(self.c)
        self.v4 = self.b.listen(7100, "10.77.0.2")
        self.v6 = self.b.listen(7101, "fd00::2")
        self.dual = self.b.listen(7102, "::")
        self.local = self.c.listen(7100, "10.9.0.1")
        self.loopback = self.a.listen(7103)
        self.older = [self.pair(self.v4, "10.77.0.2"), self.pair(self.v6, "fd00::2"),
                      self.pair(self.dual, "10.77.0.2"), self.pair(self.dual, "fd00::2")]
        self.other = subprocess.Popen(
            self.a.argv([sys.executable, "-c", OTHER]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.other.stdout.readline()
        self.kept = []

    def close(self):
        self.other.kill()
        self.other.wait()
        self.wire.close()
        for ns in self.spaces:
            ns.close()

    def pair(self, listener, address, family=None):
        client = self.a.socket(family or (V6 if ":" in address else socket.AF_INET))
        client.connect((address, listener.getsockname()[1]))
        return client, listener.accept()[0]

    def happen(self):
        self.other.stdin.write(b"\n")
        self.other.stdin.flush()
        self.ends()
        self.failures()
        self.half_open()
        self.both_on_this_host()
        for client, server in self.older:
            client.close()
            time.sleep(0.02)
            server.close()
        time.sleep(0.5)

    def ends(self):
        mapped = "::ffff:10.77.0.2"
        for listener, address, family in (
                (self.v4, "10.77.0.2", None), (self.v6, "fd00::2", None), (self.dual, "10.77.0.2", None),
                (self.dual, "fd00::2", None), (self.v4, mapped, V6), (self.dual, mapped, V6)):
            for how in range(4):
                client, server = self.pair(listener, address, family)
                self.end(how, client, server)

    def end(self, how, client, server):
        first, second = (client, server) if how % 2 else (server, client)
        if how == 2:
            close_with_reset(client)
            return
        if how == 3:
            self.kept.append((client, server))
            return
        first.close()
        time.sleep(0.05)
        second.close()

    def failures(self):
        for port in (7999, 7998):
            for family, address in ((socket.AF_INET, "10.77.0.2"), (V6, "fd00::2"),
                                    (V6, "::ffff:10.77.0.2")):
                with self.a.socket(family) as sock:
                    sock.connect_ex((address, port))
        for _ in range(2):
            with self.a.socket() as sock:
                sock.setblocking(False)
                sock.connect_ex(("10.77.0.99", 7997))
        with self.a.socket() as sock:
            sock.bind(("10.77.0.1", 20077))
            sock.connect(("10.77.0.2", 7100))
            self.v4.accept()[0].close()

    def half_open(self):
        for port in (30001, 30002):
            peer = Peer(self.wire, ("10.9.0.2", port), ("10.9.0.1", 7100))
            peer.send(SYN)
            peer.receive(SYN | ACK)
        peer = Peer(self.wire, ("10.9.0.3", 30003), ("10.9.0.1", 7100))
        peer.connect()
        server = self.local.accept()[0]
        server.shutdown(socket.SHUT_WR)
        peer.receive(FIN)
        peer.send(ACK)
        time.sleep(0.3)
        server.close()

    def both_on_this_host(self):
        for source_port in (None, 20099, None):
            client, server = self.a.pair(self.loopback, source_port=source_port)
            client.close()
            time.sleep(0.01)
            server.close()


def filters(host):
    """Of trace and timeline: options, and the condition on a row."""
    me, other = os.getpid(), host.other.pid
    a, b, c = (ns.inum for ns in host.spaces)
    ipv4, ipv6 = has("family", "ipv4"), has("family", "ipv6")
    return {
        "-4": ipv4, "-6": ipv6,
        "-L 7100": has("lport", 7100), "-L 7103": has("lport", 7103), "-L 20077": has("lport", 20077),
        "-L 20099,7103": has("lport", 20099, 7103), "-D 7103": has("rport", 7103),
        "-D 20099": has("rport", 20099), "-D 7100,7102": has("rport", 7100, 7102),
        "-D 7999 -D 7998": has("rport", 7999, 7998), "-D 7997": has("rport", 7997), "-L 1": has("lport", 1),
        "-L 7100,7101,7300,20077": has("lport", 7100, 7101, 7300, 20077),
        "-L 7103 -D 20099": both(has("lport", 7103), has("rport", 20099)),
        "--local 10.77.0.2": within("laddr", "10.77.0.2/32"),
        "--local 10.0.0.0/8": within("laddr", "10.0.0.0/8"),
        "--local 10.77.0.0/31 --local fd00::1": within("laddr", "10.77.0.0/31", "fd00::1/128"),
        "--remote 10.77.0.0/24": within("raddr", "10.77.0.0/24"),
        "--remote fd00::2": within("raddr", "fd00::2/128"), "--local ::/0": within("laddr", "::/0"),
        "--remote 0.0.0.0/0": within("raddr", "0.0.0.0/0"), "--local 127.0.0.0/8": within("laddr", "127.0.0.0/8"),
        f"--netns {a}": has("netns", a), f"--netns {a} --netns {c}": has("netns", a, c),
        f"--netns {host.b.name}": has("netns", b),
        f"--netns {b} -6": both(has("netns", b), ipv6),
        "-4 -D 7102": both(ipv4, has("rport", 7102)), "-4 -L 7102": both(ipv4, has("lport", 7102)),
        "-6 -L 7102": both(ipv6, has("lport", 7102)), "-6 -D 7102": both(ipv6, has("rport", 7102)),
        f"-p {me}": has("pid", me), f"-p {other}": has("pid", other),
        f"-p {other} -L 7300": both(has("pid", other), has("lport", 7300)),
        "--comm other*": lambda row: row.get("comm", "").startswith("other"),
        "--state time_wait": lambda row: "TIME_WAIT" in states_of(row),
        "--state syn_recv,syn_sent": lambda row: {"SYN_RECV", "SYN_SENT"} & set(states_of(row)),
        "--state fin_wait_2 --min-duration 200ms": longer({"FIN_WAIT_2"}, 0.2),
        "--min-duration 40ms": longer(None, 0.04),
        "-L 7100 --state fin_wait_2": both(has("lport", 7100), lambda row: "FIN_WAIT_2" in states_of(row)),
    }


def longer(states, seconds):
    def holds(row):
        if "from" in row:
            fits = not states or states & {row["from"], row["to"]}
            return fits and dwells_of(row)[0][1] >= seconds * 1e9
        return any((not states or state in states) and ns >= seconds * 1e9 for state, ns in dwells_of(row))

    return holds


# The rest of a row may not be known yet when a filter on owners begins to let it through.
def key_of(row):
    fields = ("netns", "family", "laddr", "lport", "raddr", "rport", "end", "pid", "from", "to", "open")
    return tuple(row.get(f) for f in fields) + tuple(states_of(row))


def difference(rows, unfiltered, condition, inums):
    got = collections.Counter(key_of(r) for r in rows if r["netns"] in inums)
    want = collections.Counter(key_of(r) for r in unfiltered if r["netns"] in inums and condition(r))
    missing, extra = want - got, got - want
    if not missing and not extra:
        return sum(want.values())
    one = next(iter((missing or extra).items()))
    raise Failure(f"{missing.total()} missing, {extra.total()} extra of {want.total()}, e.g. {one[0]}")


def rows_of(output):
    return [json.loads(line) for line in output.splitlines()]


def expect_no_trouble(messages):
    for word in ("lost?", "forgotten", "state machine"):
        check(word not in messages, f"said: {messages.strip()}")


class Observation:
    """One run of everything, with all tracers beside each other."""

    def __init__(self, words):
        self.host = Host()
        self.inums = {ns.inum for ns in self.host.spaces}
        self.filters = {k: v for k, v in filters(self.host).items()
                        if not words or any(w in k for w in words)}
        self.directory = tempfile.TemporaryDirectory()
        self.recording = os.path.join(self.directory.name, "all.fwr")
        # What else happens on this host does not disturb.
        self.here = [word for inum in self.inums for word in ("--netns", str(inum))]
        self.tracers = {("timeline", ""): Tracer("timeline", "-f", "json", *self.here,
                                                 "--record", self.recording)}
        self.start("trace", "")
        for text in self.filters:
            for command in ("timeline", "trace"):
                self.start(command, text)
        time.sleep(0.3)
        self.host.happen()
        for tracer in self.tracers.values():
            tracer.process.send_signal(signal.SIGTERM)
        for tracer in self.tracers.values():
            tracer.stop()

    def start(self, command, text):
        here = [] if "--netns" in text else self.here
        self.tracers[command, text] = Tracer(command, "-f", "json", *here, *text.split())

    def close(self):
        for tracer in self.tracers.values():
            tracer.__exit__()
        self.host.close()
        self.directory.cleanup()

    def live(self, command, text):
        tracer = self.tracers[command, text]
        expect_no_trouble(tracer.stderr())
        return rows_of(tracer.output())

    def replayed(self, command, text):
        result = run([FINWAIT, command, "-f", "json", "-i", self.recording, *text.split()])
        check(result.returncode == 0, result.stderr.decode())
        expect_no_trouble(result.stderr.decode())
        return rows_of(result.stdout)


def judge(observation, text):
    condition = observation.filters[text]
    for command in ("timeline", "trace"):
        for name, source in (("live", observation.live), ("-i", observation.replayed)):
            try:
                difference(source(command, text), source(command, ""), condition, observation.inums)
            except Failure as error:
                raise Failure(f"{command} {name}: {error}") from error


def refused(options, message):
    result = run([FINWAIT, "timeline", *options.split(), *FINWAIT_ARGS])
    check(result.returncode == 2, f"{options}: status {result.returncode}")
    check(message in result.stderr.decode(), result.stderr.decode())


def contradictions_are_refused():
    refused("-4 -6", "exclude each other")
    refused("--cgroup /a --cgroup /b", "there is a control group already")
    refused(" ".join(f"--netns {4026531840 + i}" for i in range(17)), "more than 16 network namespaces")


def main():
    if os.geteuid() != 0:
        sys.exit("filters.py: needs root")
    results = Results([])
    results.run(contradictions_are_refused)
    observation = Observation(sys.argv[1:])
    try:
        for text in observation.filters:
            try:
                judge(observation, text)
                results.add(text, None)
            except Exception as error:  # the other filters go on
                results.add(text, error)
    finally:
        observation.close()
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
