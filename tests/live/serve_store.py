# SPDX-License-Identifier: GPL-2.0-only
"""A store that is hostile, or not there: finwait serve goes on, and its log stays clean."""

import os
import re
import socket
import tempfile
import threading
import time

from real_host import check, run, wait_until
from real_tracer import FINWAIT
from serve_host import Service

CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f-\xff]")
ESCAPES = b"\x1b]0;owned\x07\x1b[31m\x9b2J\r\x08<0>finwait: fake\n<1>finwait: fake\n"


class Store:
    """Reads each request's headers, then calls answer(sock); counts what it could send."""

    def __init__(self, answer):
        self.answer, self.sent, self.requests = answer, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            with sock:
                try:
                    sock.settimeout(60)
                    sock.recv(65536)
                    self.requests += 1
                    self.answer(self, sock)
                except OSError:
                    pass

    def send(self, sock, data):
        sock.sendall(data)
        self.sent += len(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.listener.close()


def one_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            server.accept()[0].close()


def clean(service):
    said = os.pread(service.messages.fileno(), 1 << 20, 0)
    found = CONTROL.search(said)
    check(not found, f"the log has {found and found[0]!r}: {said[-300:]!r}")
    check(not re.search(rb"^<\d>", said, re.M), f"a line of another level: {said[-300:]!r}")


def an_error_of_a_hostile_store_is_escaped():
    def answer(store, sock):
        store.send(sock, b"HTTP/1.1 500 Error\r\nContent-Length: %d\r\n\r\n" % len(ESCAPES) + ESCAPES)

    with Store(answer) as store, Service("--clickhouse", f"http://127.0.0.1:{store.port}/") as service:
        one_connection()
        wait_until(lambda: "it answers 500" in service.stderr(), 30, "the refusal to be logged")
        clean(service)
        check("\\x1b" in service.stderr(), service.stderr())
        service.stop()


def an_endless_answer_is_broken_off():
    def answer(store, sock):
        store.send(sock, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while not store.over:
            store.send(sock, b"x" * 65536)

    with Store(answer) as store, Service("--clickhouse", f"http://127.0.0.1:{store.port}/") as service:
        one_connection()
        wait_until(lambda: "answers with more than 4096 bytes" in service.stderr(), 30, "it to be logged")
        time.sleep(1)
        # What the two sockets hold is sent as well.
        check(store.sent < 32 << 20, f"{store.sent} bytes were taken")
        service.stop()


def endless_headers_are_broken_off():
    def answer(store, sock):
        store.send(sock, b"HTTP/1.1 200 OK\r\n")
        while not store.over:
            store.send(sock, b"X-Header: " + b"x" * 1000 + b"\r\n")

    with Store(answer) as store, Service("--clickhouse", f"http://127.0.0.1:{store.port}/") as service:
        one_connection()
        wait_until(lambda: "what comes meanwhile is kept" in service.stderr(), 45, "it to be logged")
        service.stop()


def check_silence(answer, seconds, words="what comes meanwhile is kept"):
    with Store(answer) as store, Service("--clickhouse", f"http://127.0.0.1:{store.port}/") as service:
        one_connection()
        wait_until(lambda: store.requests, 30, "a request")
        begin = time.monotonic()
        wait_until(lambda: words in service.stderr(), seconds, "it to give up", 0.2)
        check(time.monotonic() - begin > 1, "it gave up at once")
        check(service.ask("/healthz")[0] == 200, "it does not answer meanwhile")
        service.stop()


def a_store_that_says_nothing_is_given_up():
    check_silence(lambda store, sock: time.sleep(25), 20)


def a_store_that_drips_is_given_up():
    def answer(store, sock):
        store.send(sock, b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        while not store.over:
            store.send(sock, b"x")
            time.sleep(0.3)

    check_silence(answer, 45)


def a_secret_in_the_url_is_refused():
    for url in ("http://user:s3cret@127.0.0.1:8123/", "http://user@127.0.0.1:8123/",
                "https://127.0.0.1:8443/?password=s3cret", "http://127.0.0.1/?database=x&password=s3cret",
                "http://127.0.0.1/?USER=a", "http://127.0.0.1/?p%61ssword=s3cret"):
        result = run([FINWAIT, "serve", "--clickhouse", url], timeout=30)
        said = result.stderr.decode()
        check(result.returncode == 2 and "--clickhouse-auth FILE" in said, f"{url}: {said}")
        check("s3cret" not in said, f"the secret is in the message: {said}")
    result = run([FINWAIT, "serve", "--clickhouse", "http://127.0.0.1:99999/"], timeout=30)
    check(result.returncode == 2, f"status {result.returncode}: {result.stderr}")


def a_secret_in_a_file_reaches_the_store():
    seen = []

    def answer(store, sock):
        store.send(sock, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    class Listening(Store):
        def run(self):
            sock = self.listener.accept()[0]
            with sock:
                seen.append(sock.recv(65536))
                self.answer(self, sock)

    with tempfile.TemporaryDirectory() as directory, Listening(answer) as store:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "auth")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write("user:s3cret\n")
        with Service("--clickhouse", f"http://127.0.0.1:{store.port}/?database=x", "--clickhouse-auth",
                     path) as service:
            one_connection()
            wait_until(lambda: seen, 30, "a request")
            check(b"Authorization: Basic dXNlcjpzM2NyZXQ=" in seen[0], f"{seen[0][:300]}")
            with open(f"/proc/{service.process.pid}/cmdline", "rb") as file:
                check(b"s3cret" not in file.read(), "it is in ps")
            service.stop()


CASES = [
    an_error_of_a_hostile_store_is_escaped, an_endless_answer_is_broken_off,
    endless_headers_are_broken_off, a_store_that_says_nothing_is_given_up,
    a_store_that_drips_is_given_up, a_secret_in_the_url_is_refused,
    a_secret_in_a_file_reaches_the_store,
]
