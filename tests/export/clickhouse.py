# SPDX-License-Identifier: GPL-2.0-only
"""A ClickHouse server of our own: on a free loopback port, in a temporary directory."""

import os
import shutil
import socket
import subprocess
import tempfile

from real_host import check, wait_until

READY_S = 60
STOP_S = 60

# <yandex> is what the root was called before 21.10; later servers take it too.
CONFIG = """<yandex>
  <logger><level>warning</level><log>{d}/log</log><errorlog>{d}/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{port}</tcp_port>
  <http_port>{http_port}</http_port>
  <path>{d}/data/</path>
  <tmp_path>{d}/tmp/</tmp_path>
  <users_config>{d}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>10000000</mark_cache_size>
</yandex>
"""
USERS = """<yandex>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password></password>
    <networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
  </default></users>
</yandex>
"""


def find_clickhouse():
    return shutil.which("clickhouse-server") and shutil.which("clickhouse-client")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ClickHouse:
    """Runs from "with" to its end. .client is the start of a client's command line."""

    def __init__(self):
        self.process = None
        self.directory = tempfile.mkdtemp(prefix="finwait-clickhouse-")
        port, http_port = free_port(), free_port()
        for name, text in (("config.xml", CONFIG), ("users.xml", USERS)):
            with open(os.path.join(self.directory, name), "w", encoding="utf-8") as f:
                f.write(text.format(d=self.directory, port=port, http_port=http_port))
        self.url = f"http://127.0.0.1:{http_port}/"
        self.client = ["clickhouse-client", "--host", "127.0.0.1", "--port", str(port)]

    def said(self):
        for name in ("errors", "output"):
            path = os.path.join(self.directory, name)
            if os.path.exists(path) and os.path.getsize(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    return f.read()[-500:]
        return "nothing"

    def is_ready(self):
        status = self.process.poll()
        check(status is None, f"clickhouse-server ended with {status} and said {self.said()}")
        return subprocess.run([*self.client, "-q", "SELECT 1"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def query(self, text):
        """Its rows, each a list of strings."""
        done = subprocess.run([*self.client, "-n", "-q", text], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        check(done.returncode == 0, f"{text}: {done.stderr.decode()}")
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def __enter__(self):
        self.start()
        return self

    def start(self):
        with open(os.path.join(self.directory, "output"), "wb") as out:
            self.process = subprocess.Popen(
                ["clickhouse-server", "--config-file", os.path.join(self.directory, "config.xml")],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            wait_until(self.is_ready, READY_S, "clickhouse-server to answer", 0.2)
        except BaseException:
            self.__exit__()
            raise

    def stop(self, kill=False):
        """Its data stay: start() goes on with them."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
