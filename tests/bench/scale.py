#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""As many real TIME_WAITs as this machine can make in a minute, tracked by finwait.

    sudo tests/bench/scale.py [--serve] [CONNECTIONS]	1000000 by default; no more than a minute's

All processors open and close connections to 65536 addresses in a network namespace of its own. As
soon as they are made, or the first TIME_WAITs begin to expire, it says how many the kernel has, how
many finwait report tracks, in how much memory of its own, how long finwait states and the report of them
take, and what was lost. With --serve: how long finwait serve takes to answer, asked every second meanwhile,
and what was lost.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from load import ROOT, Namespace
from tracers import FINWAIT, START_S

sys.path.append(os.path.join(ROOT, "tests/live"))

from serve_host import Service, parse  # noqa: E402 (after the path)

MINUTE_S = 58
TW_BUCKETS = 4000000
MANY = ("--max-connections", "4000000")


def kernel_time_waits(netns):
    out = subprocess.run(["ip", "netns", "exec", netns.name, "cat", "/proc/net/sockstat"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"TCP: .* tw (\d+)", out)[1])


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1]) * 1024


def start_report(out):
    errors = tempfile.TemporaryFile()
    report = subprocess.Popen([FINWAIT, "report", "-f", "json", *MANY], stdout=out, stderr=errors)
    begin = time.monotonic()
    while b"watching TCP" not in os.pread(errors.fileno(), 4096, 0):
        if report.poll() is not None or time.monotonic() - begin > START_S:
            raise SystemExit("scale: finwait does not start: "
                             + os.pread(errors.fileno(), 4096, 0).decode())
        time.sleep(0.01)
    return report


def make_connections(netns, connections):
    threads = os.cpu_count()
    argv = netns.argv("-n", connections, "-t", threads, "-a", 65536)
    begin = time.monotonic()
    load = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        load.wait(MINUTE_S)
    except subprocess.TimeoutExpired:
        load.kill()
        load.wait()
    return time.monotonic() - begin


def states_s():
    """A snapshot of all that, by another finwait."""
    begin = time.monotonic()
    subprocess.run([FINWAIT, "states"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


class Scraper:
    """Asks for /metrics once a second."""

    def __init__(self, service):
        self.service = service
        self.took = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def scrape(self):
        begin = time.monotonic()
        metrics = self.service.text()
        self.took.append(time.monotonic() - begin)
        return parse(metrics)

    def run(self):
        while not self.over.wait(1):
            self.scrape()

    def stop(self):
        """What the last one says."""
        self.over.set()
        self.thread.join()
        return self.scrape()


def serve(netns, connections):
    with Service(*MANY) as service:
        scraper = Scraper(service)
        took = make_connections(netns, connections)
        there = kernel_time_waits(netns)
        metrics = scraper.stop()
        service.stop()
    print("%d TIME_WAITs in the kernel after %.0f s; finwait serve: %d in TIME_WAIT, %d events, %d lost"
          % (there, took, metrics["finwait_connections", "state", "TIME_WAIT"],
             metrics["finwait_events_total",], metrics["finwait_events_lost_total",]))
    took = sorted(scraper.took)
    print("%d scrapes took %.1f ms (median), the longest %.1f ms; the last, with all of them, %.1f ms"
          % (len(took), 1000 * took[len(took) // 2], 1000 * took[-1], 1000 * scraper.took[-1]))


def report(netns, connections):
    with tempfile.TemporaryFile() as out:
        finwait = start_report(out)
        before = anonymous_bytes(finwait.pid)
        took = make_connections(netns, connections)
        time.sleep(0.3)
        there = kernel_time_waits(netns)
        memory = anonymous_bytes(finwait.pid) - before
        snapshot = states_s()
        begin = time.monotonic()
        finwait.send_signal(signal.SIGINT)
        finwait.wait()
        reported = time.monotonic() - begin
        out.seek(0)
        about = json.load(out)["about"]
    print("%d TIME_WAITs in the kernel after %.0f s; %d connections tracked, %d events, %d lost"
          % (there, took, about["tracked"], about["events"], about["lost"]))
    print("%.1f MiB of memory: %.0f bytes a connection; finwait states %.2f s; report %.2f s after "
          "SIGINT" % (memory / 2**20, memory / max(about["tracked"], 1), snapshot, reported))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help="by finwait serve, which is scraped")
    parser.add_argument("connections", type=int, nargs="?", default=1000000)
    options = parser.parse_args()
    with Namespace() as netns:
        subprocess.run(["ip", "netns", "exec", netns.name, "sysctl", "-qw",
                        f"net.ipv4.tcp_max_tw_buckets={TW_BUCKETS}"], check=True)
        (serve if options.serve else report)(netns, options.connections)


if __name__ == "__main__":
    main()
