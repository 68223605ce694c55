# SPDX-License-Identifier: GPL-2.0-only
"""A running finwait serve, and what it answers."""

import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile

from real_host import Failure, check, wait_until
from real_tracer import FINWAIT, FINWAIT_ARGS

READY_S = 90
SAMPLE = re.compile(r"^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def parse(text):
    """{(name, label, value, ...): number}; a series that is there twice is a failure."""
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        check(match, f"not a sample: {line!r}")
        labels = LABEL.findall(match[2] or "")
        key = (match[1], *(item for label in labels for item in label))
        check(key not in samples, f"twice: {line}")
        samples[key] = float(match[3])
    return samples


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Service:
    """Over when the block is left: killed, unless it was stopped."""

    def __init__(self, *args, **environment):
        self.port = free_port()
        argv = [FINWAIT, "serve", "--listen", f"127.0.0.1:{self.port}", *map(str, args),
                *FINWAIT_ARGS]
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.messages,
            env={**os.environ, **environment})
        try:
            wait_until(self.is_ready, READY_S, "finwait serve to answer")
        except Failure:
            self.process.kill()
            raise

    def stderr(self):
        return os.pread(self.messages.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def is_ready(self):
        check(self.process.poll() is None, f"status {self.process.returncode}: {self.stderr()}")
        return "answering at" in self.stderr()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(READY_S)
        check(status == 0, f"status {status}: {self.stderr()}")

    def connection(self, seconds=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def ask(self, path, method="GET", connection=None, **headers):
        """(status, headers in lower case, body)"""
        own = connection is None
        connection = connection or self.connection()
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        answer = (response.status, {k.lower(): v for k, v in response.getheaders()},
                  response.read())
        if own:
            connection.close()
        return answer

    def text(self, **headers):
        status, _, body = self.ask("/metrics", **headers)
        check(status == 200, f"status {status}: {body}")
        return body.decode()

    def metrics(self):
        return parse(self.text())

    def value(self, *key):
        samples = self.metrics()
        check(key in samples, f"there is no {key}")
        return samples[key]

    def wait_value(self, want, *key, seconds=20):
        try:
            wait_until(lambda: self.metrics().get(key) == want, seconds, f"{key} to be {want}",
                       0.3)
        except Failure as error:
            raise Failure(f"{error}; it is {self.metrics().get(key)}") from error
