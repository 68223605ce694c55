# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus, and clients who would do harm if they could."""

import contextlib
import json
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from real_host import Netns, check, wait_until
from real_tracer import CHURN
from serve_host import Service, free_port

CONNECTIONS = 20000
# docs/metrics.md
MOST_SAMPLES = 450
LIMIT = 512

CONFIG = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: finwait
    static_configs: [ {{ targets: ['127.0.0.1:{port}'] }} ]
"""


class Prometheus:
    def __init__(self, service):
        self.directory = tempfile.TemporaryDirectory()
        self.port = free_port()
        config = f"{self.directory.name}/prometheus.yml"
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(port=service.port))
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}",
             f"--storage.tsdb.path={self.directory.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.directory.cleanup()

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        with contextlib.suppress(OSError):
            return [(row["metric"], float(row["value"][1]))
                    for row in self.api("query", query=expression)["result"]]
        return []

    def value(self, expression):
        rows = self.query(expression)
        return rows[0][1] if rows else None


def a_real_prometheus_scrapes_it():
    with Netns() as netns, Service("--netns", netns.name) as service:
        with Prometheus(service) as prometheus:
            wait_until(lambda: prometheus.value("up") == 1, 60, "Prometheus to scrape it", 0.5)
            done = netns.run(CHURN, "-n", "1000")
            check(done.returncode == 0, f"{done.stderr}")
            opened = 'finwait_transitions_total{from="CLOSE",to="SYN_SENT"}'
            wait_until(lambda: prometheus.value(opened) == 1000, 30, "its connections", 0.5)
            wait_until(lambda: (prometheus.value(f"rate({opened}[30s])") or 0) > 0, 30, "a rate",
                       0.5)
            check(len(prometheus.query("finwait_connections")) == 11, "eleven states")
            quantile = ("histogram_quantile(0.9, rate(finwait_state_duration_seconds_bucket"
                        '{state="ESTABLISHED"}[30s]))')
            wait_until(lambda: (prometheus.value(quantile) or 0) > 0, 30, "a quantile", 0.5)
            target = prometheus.api("targets")["activeTargets"][0]
            check(target["health"] == "up" and not target["lastError"], f"{target}")
            samples = prometheus.value("scrape_samples_scraped")
            check(samples == prometheus.value("scrape_samples_post_metric_relabeling"), "dropped")
            check(samples <= MOST_SAMPLES, f"{samples} samples, more than is documented")
            units = {name: meta[0]["unit"] for name, meta in prometheus.api("metadata").items()
                     if name.startswith("finwait_")}
            check(units.get("finwait_state_duration_seconds") == "seconds",
                  f"not scraped as OpenMetrics: {units}")
        service.stop()


class SlowClients:
    """Ask for the page and take a byte now and then; or say a byte of a request now and then."""

    def __init__(self, service, readers, writers):
        self.sockets = []
        for i in range(readers + writers):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.connect(("127.0.0.1", service.port))
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if i < readers else b"X: "))
            sock.setblocking(False)
            self.sockets.append((sock, i < readers))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.dawdle)
        self.thread.start()

    def dawdle(self):
        while not self.over.wait(0.5):
            for sock, reads in self.sockets:
                with contextlib.suppress(OSError):
                    if reads:
                        sock.recv(1)
                    else:
                        sock.send(b"x")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for sock, _ in self.sockets:
            sock.close()


def idle_and_slow_clients_change_nothing():
    with Netns() as netns, Service("--netns", netns.name) as service:
        idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(200)]
        with SlowClients(service, 25, 25):
            churn = subprocess.Popen(netns.argv([CHURN, "-n", str(CONNECTIONS)]),
                                     stdout=subprocess.DEVNULL)
            scrapes = []
            while churn.poll() is None or len(scrapes) < 5:
                begin = time.monotonic()
                metrics = service.metrics()
                health = json.loads(service.ask("/healthz")[2])
                scrapes.append(time.monotonic() - begin)
                check(health["status"] == "ok", f"{health}")
                time.sleep(max(0, 1 - scrapes[-1]))
            check(churn.returncode == 0, f"churn: {churn.returncode}")
            check(max(scrapes) < 5, f"answers took {scrapes}")
            service.wait_value(CONNECTIONS, "finwait_transitions_total", "from", "CLOSE", "to",
                               "SYN_SENT")
            metrics = service.metrics()
            check(metrics[("finwait_events_lost_total",)] == 0, "events were lost")
            print(f"# {len(scrapes)} scrapes, the longest {1000 * max(scrapes):.0f} ms", flush=True)
        # Who does nothing is let go.
        for sock in idle:
            sock.settimeout(80)
            check(sock.recv(1) == b"", "an idle client was answered")
            sock.close()
        service.stop()


def too_many_clients_do_not_shut_others_out_for_long():
    with Service() as service:
        crowd = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(LIMIT + 50)]

        def answers():
            with contextlib.suppress(OSError):
                return service.ask("/healthz", connection=service.connection(2))[0] == 200
            return False

        wait_until(answers, 90, "an answer", 0.5)
        for sock in crowd:
            sock.close()
        with open(f"/proc/{service.process.pid}/limits", encoding="ascii") as file:
            check("Max open files" in file.read(), "limits")
        service.stop()


def what_is_no_request_is_refused():
    nonsense = [
        b"\x00" * 4096, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b"z" * 1000,
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics%00x HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    with Service() as service:
        for bytes_ in nonsense:
            with socket.create_connection(("127.0.0.1", service.port), timeout=30) as sock:
                with contextlib.suppress(OSError):
                    sock.sendall(bytes_)
                    sock.shutdown(socket.SHUT_WR)
                    answer = sock.recv(200)
                    check(b" 200 " not in answer.split(b"\r\n")[0], f"{bytes_[:40]}: {answer}")
            check(service.ask("/healthz")[0] == 200, f"not well after {bytes_[:40]}")
        service.stop()


CASES = [
    a_real_prometheus_scrapes_it, idle_and_slow_clients_change_nothing,
    too_many_clients_do_not_shut_others_out_for_long, what_is_no_request_is_refused,
]
