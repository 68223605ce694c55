# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus on loopback, and the finwait serve that it scrapes."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from common import DIST, FINWAIT, check, wait_until

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [finwait.rules.yml]
scrape_configs:
  - job_name: finwait
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Program:
    """In the background; what it says goes to a file."""

    def __init__(self, name, argv):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def said(self):
        return os.pread(self.log.fileno(), 1 << 16, 0).decode("utf-8", "replace")

    def wait_for(self, url, seconds=60):
        def answers():
            check(self.process.poll() is None, f"{self.name} ended: {self.said()}")
            try:
                return get(url)
            except (urllib.error.URLError, OSError):
                return None
        wait_until(answers, seconds, f"{self.name} to answer")

    def signal(self, number):
        self.process.send_signal(number)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Serve(Program):
    def __init__(self, *args):
        self.port = free_port()
        super().__init__("finwait serve", [FINWAIT, "serve", f"--listen=127.0.0.1:{self.port}", *args])
        self.wait_for(f"http://127.0.0.1:{self.port}/healthz")

    def metrics(self):
        return get(f"http://127.0.0.1:{self.port}/metrics")


class Prometheus(Program):
    """With the rules of this tree, of which only the "for:" is shortened, to @patience_s."""

    def __init__(self, target_port, patience_s):
        self.directory = tempfile.TemporaryDirectory(prefix="finwait-prometheus-")
        folder = self.directory.name
        with open(os.path.join(DIST, "prometheus", "finwait.rules.yml"), encoding="utf-8") as file:
            rules = re.sub(r"(?m)^( +for:) .*$", rf"\1 {patience_s}s", file.read())
        with open(f"{folder}/finwait.rules.yml", "w", encoding="utf-8") as file:
            file.write(rules)
        with open(f"{folder}/prometheus.yml", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=target_port))
        self.url = f"http://127.0.0.1:{free_port()}"
        super().__init__("prometheus", [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={self.url[len('http://'):]}", "--log.level=warn"])
        self.wait_for(f"{self.url}/-/ready")

    def api(self, what, **parameters):
        answer = json.loads(get(f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"))
        check(answer["status"] == "success", f"{what}: {answer}")
        return answer["data"]

    def query(self, expression):
        """[(labels, value)] of now."""
        return [(sample["metric"], float(sample["value"][1]))
                for sample in self.api("query", query=expression)["result"]]

    def alerts(self, state="firing"):
        return [alert for alert in self.api("alerts")["alerts"] if alert["state"] == state]

    def close(self):
        super().close()
        self.directory.cleanup()
