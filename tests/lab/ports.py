#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A client that runs out of ports: a connection per request, on a narrow ip_local_port_range."""

import json

from lab import HOST, check, count_in_state, equal, main

LOW, HIGH = 40000, 40199
FAILURES = 30

CLIENT = f"""
import errno, json
listener = socket.create_server(("{HOST}", 9000))
opened = failed = 0
while failed < {FAILURES}:
    try:
        client = socket.create_connection(("{HOST}", 9000))
    except OSError as error:
        assert error.errno == errno.EADDRNOTAVAIL, error
        failed += 1
        continue
    server, _ = listener.accept()
    opened += 1
    client.close()
    server.recv(1)
    server.close()
    time.sleep(0.005)
print(json.dumps({{"opened": opened, "failed": failed}}), flush=True)
time.sleep(3600)
"""


class Ports:
    arguments = []

    def cause(self, lab):
        netns = lab.netns(ip_local_port_range=f"{LOW} {HIGH}", tcp_tw_reuse=0)
        self.client = lab.program(netns, "port-eater", CLIENT)
        line = self.client.stdout.readline()
        check(line, "the client found no end of ports")
        return {**json.loads(line), "ss": count_in_state(netns, "time-wait", "dport", "=", ":9000")}

    def expect(self, report, counted, _lab):
        finding = report.first("time-wait-port-exhaustion")
        culprit, evidence = finding["offenders"][0], finding["evidence"]
        yield equal("severity", finding["severity"], "critical")
        yield equal("culprit", culprit["process"], f"port-eater/{self.client.pid}")
        yield equal("destination", culprit["remote"], f"{HOST}:9000")
        yield equal("EADDRNOTAVAIL", evidence["no_port"], counted["failed"])
        yield equal("ports there are", evidence["available"], HIGH - LOW + 1, "the range")
        yield equal("opened", counted["opened"], HIGH - LOW + 1, "the range")
        yield equal("in TIME_WAIT", evidence["time_wait"], counted["ss"], "ss's count")


if __name__ == "__main__":
    raise SystemExit(main(Ports()))
