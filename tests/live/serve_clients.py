# SPDX-License-Identifier: GPL-2.0-only
"""Clients that want to keep others out, or to read what they must not."""

import contextlib
import os
import selectors
import socket
import tempfile
import threading
import time

from real_host import check, run, wait_until
from real_tracer import FINWAIT
from serve_answers import expect, write_token
from serve_host import Service, UnixConnection, parse

CROWD = 600
OF_ADDRESS = 64


class Drippers:
    """@n connections that send a request one byte at a time, for ever; each is made anew when it is closed."""

    def __init__(self, address, n):
        self.address, self.n = address, n
        self.over = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.closed = 0
        for _ in range(n):
            self.connect()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def connect(self):
        sock = socket.create_connection(self.address, timeout=20)
        sock.sendall(b"GET /metrics HTTP/1.1\r\nX-Drip: ")
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ)

    def run(self):
        while not self.over.wait(0.5):
            for key, _ in self.selector.select(0):
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
                self.closed += 1
                with contextlib.suppress(OSError):
                    self.connect()
            for key in list(self.selector.get_map().values()):
                with contextlib.suppress(OSError):
                    key.fileobj.send(b"a")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def refusals(service, reason):
    return service.value("finwait_http_connections_closed_total", "reason", reason)


def dripping_clients_shut_nobody_out():
    with Service() as service, Drippers(("127.0.0.1", service.port), CROWD) as crowd:
        end, waits = time.monotonic() + 20, []
        while time.monotonic() < end:
            begin = time.monotonic()
            expect(service.ask("/healthz", connection=service.connection(5)), 200)
            waits.append(time.monotonic() - begin)
            time.sleep(0.2)
        check(crowd.closed > CROWD / 2, f"only {crowd.closed} were disconnected")
        check(refusals(service, "limit") > 0, "nothing is counted")
        check("clients refused since the start" in service.stderr(), service.stderr())
        check(service.stderr().count("clients refused") == 1, "a line for each")
        print(f"# {len(waits)} answers, the slowest {1000 * max(waits):.0f} ms", flush=True)


def a_request_has_a_deadline():
    """A byte now and then is no reason to wait."""
    with Service() as service, socket.create_connection(("127.0.0.1", service.port)) as sock:
        begin = time.monotonic()
        sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        sock.settimeout(0.5)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begin < 40:
                sock.sendall(b"X")
                with contextlib.suppress(TimeoutError):
                    if not sock.recv(100):
                        break
        seconds = time.monotonic() - begin
        check(8 < seconds < 25, f"it was disconnected after {seconds:.0f} s")
        service.stop()


def own_address():
    out = run(["ip", "-4", "-o", "addr", "show", "scope", "global"]).stdout.decode().split()
    check("inet" in out, "this host has no address but loopback")
    return out[out.index("inet") + 1].split("/")[0]


def one_address_has_a_limit():
    address = own_address()
    with Service("--listen", f"{address}:0") as service:
        port = listening_port(service, address)
        socks = [socket.create_connection((address, port)) for _ in range(OF_ADDRESS + 40)]
        wait_until(lambda: refusals(service, "address_limit") >= 40, 20, "the limit of an address")
        for sock in socks:
            sock.close()
        service.stop()


def listening_port(service, address):
    """As the kernel tells: it was asked for any."""
    out = run(["ss", "-Htlnp"]).stdout.decode()
    for line in out.splitlines():
        if f"pid={service.process.pid}," in line and f"{address}:" in line:
            return int(line.split()[3].rsplit(":", 1)[1])
    check(False, f"it does not listen at {address}: {out}")
    return None


def other_names_for_loopback_are_refused():
    """The page of another site, whose name now resolves to 127.0.0.1, sends that name."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "http")
        with Service("--host", "metrics.example", "--listen", f"unix:{path}",
                     "--listen", f"{own_address()}:0") as service:
            port = service.port
            for host in ("localhost", f"localhost:{port}", "LOCALHOST", "127.0.0.1", f"127.0.0.1:{port}",
                         "[::1]", "127.8.8.8:1", "metrics.example", "Metrics.Example:80"):
                expect(service.ask("/healthz", Host=host), 200)
            for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "10.0.0.1",
                         "2130706433", "0.0.0.0"):
                for where in ("/", "/metrics", "/report.json", "/healthz", "/nothing"):
                    expect(service.ask(where, Host=host), 421)
            expect(service.ask("/healthz", connection=UnixConnection(path), Host="evil.example"), 200)
            refused = service.value("finwait_http_requests_refused_total", "reason", "host")
            check(refused == 30, f"{refused} are counted")
            service.stop()


def secrets_are_files_of_a_sensible_size():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "token")
        for size in (4097, 100_000):
            write_token(path, "x" * size)
            result = run([FINWAIT, "serve", "--token-file", path], timeout=30)
            check(result.returncode == 1 and b"longer than" in result.stderr, result.stderr)
        os.unlink(path)
        os.mkfifo(path, 0o600)
        for argument in (path, "/dev/zero", directory):
            result = run([FINWAIT, "serve", "--token-file", argument], timeout=30)
            check(result.returncode == 1 and b"regular file" in result.stderr, result.stderr)


def the_longest_token_and_any_case_of_bearer_work():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "token")
        token = "x" * 4000 + "y"
        write_token(path, token)
        with Service("--token-file", path) as service:
            for scheme in ("Bearer", "bearer", "BEARER", "bEaReR "):
                expect(service.ask("/metrics", Authorization=f"{scheme} {token}"), 200)
            for wrong in (token, f"Basic {token}", f"Bearer{token}", f"Bearer {token[:-1]}",
                          f"Bearer {token}z", "Bearer ", "bearer"):
                expect(service.ask("/metrics", Authorization=wrong), 401)

            # A document is a second old at most.
            def refused():
                samples = parse(service.text(Authorization=f"Bearer {token}"))
                return samples["finwait_http_requests_refused_total", "reason", "token"]

            wait_until(lambda: refused() == 7, 20, "7 refused requests", 0.5)
            service.stop()


CASES = [
    dripping_clients_shut_nobody_out, a_request_has_a_deadline, one_address_has_a_limit,
    other_names_for_loopback_are_refused, secrets_are_files_of_a_sensible_size,
    the_longest_token_and_any_case_of_bearer_work,
]
