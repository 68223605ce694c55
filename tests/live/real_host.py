# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces for the live tests, and the sockets and programs in them.

Nothing here knows finwait. Python's own sockets are made by entering the namespace for a moment: a
socket stays where it was made, so one process can hold both ends, and no program need be started.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What a case found wrong, in one sentence."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(condition, seconds, what, pause=0.02):
    """The first true result of condition()."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        check(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(pause)


def wall_clock(offset_s=0.0):
    """The time of day as RFC 3339 with nanoseconds: comparable as text."""
    seconds, ns = divmod(time.time_ns() + int(offset_s * 1e9), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{ns:09}Z"


def run(argv, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, **options}
    return subprocess.run([str(arg) for arg in argv], check=False, **options)


def enter(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


# A namespace made from one with this sysctl (Linux 6.1) has a connection table of its own, not the
# host's, which is large: the witness reads it in microseconds and can look more often.
ADD_WITH_OWN_TABLE = """
(echo 1024 >/proc/sys/net/ipv4/tcp_child_ehash_entries) 2>/dev/null
exec ip netns add "$0"
"""


class Netns:
    """A fresh network namespace with loopback up. close() ends its programs and deletes it."""

    count = 0
    lock = threading.Lock()

    def __init__(self, own_table=False, **sysctls):
        with Netns.lock:
            Netns.count += 1
            self.name = f"finwait-real-{os.getpid()}-{Netns.count}"
        self.path = f"/run/netns/{self.name}"
        self.programs = []
        self.directory = tempfile.TemporaryDirectory()
        if own_table:
            run(["unshare", "-n", "sh", "-c", ADD_WITH_OWN_TABLE, self.name])
        else:
            self.ip("netns", "add", self.name)
        # The kernel gives the number of a deleted namespace to a new one, so the time counts too.
        self.inum = os.stat(self.path).st_ino
        self.born, self.gone = wall_clock(-0.05), None
        self.ip("-n", self.name, "link", "set", "lo", "up")
        for key, value in sysctls.items():
            self.sysctl(key, value)

    @staticmethod
    def ip(*args):
        result = run(["ip", *args])
        check(result.returncode == 0, f"ip {' '.join(args)}: {result.stderr.decode().strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for program in self.programs:
            program.kill()
            program.wait()
        self.programs = []
        if not self.gone:
            self.gone = wall_clock()
            run(["ip", "netns", "del", self.name])
        self.directory.cleanup()

    @contextlib.contextmanager
    def inside(self):
        """Only this thread enters, and it comes back."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            enter(there)
            yield
        finally:
            enter(home)
            os.close(there)
            os.close(home)

    def sysctl(self, key, value):
        with self.inside(), open(f"/proc/sys/net/ipv4/{key}", "w", encoding="ascii") as file:
            file.write(str(value))

    def counter(self, name, group="TcpExt"):
        """One counter of "TcpExt" or "Tcp", as nstat shows it."""
        file_name = "netstat" if group == "TcpExt" else "snmp"
        with self.inside(), open(f"/proc/thread-self/net/{file_name}", encoding="ascii") as file:
            lines = [line.split() for line in file if line.startswith(f"{group}:")]
        return int(dict(zip(*lines))[name])

    def argv(self, argv):
        return ["nsenter", f"--net={self.path}", *(str(arg) for arg in argv)]

    def run(self, *argv, **options):
        return run(self.argv(argv), **options)

    def start(self, *argv):
        """In the background and silent: what outlives the test must not hold its pipes open."""
        null = subprocess.DEVNULL
        program = subprocess.Popen(self.argv(argv), stdin=null, stdout=null, stderr=null)
        self.programs.append(program)
        return program

    def file(self, name, text):
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    # Sockets

    def socket(self, family=socket.AF_INET):
        with self.inside():
            sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(20)
        return sock

    def listen(self, port, address="127.0.0.1"):
        sock = self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((address, port))
        sock.listen(64)
        return sock

    def connect(self, port, address="127.0.0.1", source_port=None):
        sock = self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        if source_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, source_port))
        sock.connect((address, port))
        return sock

    def pair(self, listener, address="127.0.0.1", source_port=None):
        """(client, server) of one new connection."""
        client = self.connect(listener.getsockname()[1], address, source_port)
        return client, listener.accept()[0]

    def is_listening(self, port):
        return f":{port} " in self.run("ss", "-Htln").stdout.decode()

    def time_waits(self, *which):
        text = self.run("ss", "-Htan", "state", "time-wait", *which).stdout.decode()
        return len(text.splitlines())


NGINX = """
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
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""


def start_nginx(netns, port):
    conf = netns.file("nginx.conf", NGINX.format(directory=netns.directory.name, port=port))
    netns.start("nginx", "-c", conf)
    wait_until(lambda: netns.is_listening(port), 20, "nginx")


def serve_slowly(listener, seconds):
    """An HTTP server for one client: answers, lets the client close, closes `seconds` later."""

    def serve():
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
        connection.recv(1)
        time.sleep(seconds)
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def close_after_peer(sock, seconds=0.0):
    """Read the other side's FIN, wait, close."""
    sock.recv(1)
    time.sleep(seconds)
    sock.close()


def close_with_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()


def reset_pair(client, server):
    """End a connection at once and for good: neither end is left in TIME_WAIT."""
    close_with_reset(client)
    with contextlib.suppress(ConnectionResetError):
        server.recv(1)
    server.close()
