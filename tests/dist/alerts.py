#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Alerts and dashboard, live: a real Prometheus scrapes finwait serve. On a quiet host no alert is even
pending. Then trouble is made, and each alert fires and names the culprit; every query of the dashboard
returns numbers.

What is not of this test does not count: finwait looks at one network only. Needs root.
"""

import json
import math
import os
import re
import signal
import sys
import time

from common import DIST, TREE, Failure, Results, check, run, wait_until
from prom import Prometheus, Serve

sys.path.insert(0, os.path.join(TREE, "tests", "lab"))
from lab import FILTER, HOST, Lab, count_in_state  # noqa: E402 (after the path)

PATIENCE_S = 3
QUIET_S = 15
FIRES_S = 60
RULES = os.path.join(DIST, "prometheus", "finwait.rules.yml")
DASHBOARD = os.path.join(DIST, "grafana", "finwait.json")

LEAKS, STALLS, PORTS = 40, 120, (40000, 40099)

# Both ends in one program. What is closed first, and when, makes the trouble.
PAIR = f"""
listener = socket.create_server(("{HOST}", 9000), backlog=512)
def pair():
    client = socket.create_connection(("{HOST}", 9000))
    return client, listener.accept()[0]
"""

QUIET = PAIR + """
while True:
    client, server = pair()
    client.close()
    server.recv(1)
    server.close()
    time.sleep(0.5)
"""

LEAKY = PAIR + f"""
kept = []
for _ in range({LEAKS}):
    client, server = pair()
    server.close()
    client.recv(1)
    kept.append(client)
    time.sleep(0.25)
print(flush=True)
time.sleep(3600)
"""

STALLING = PAIR + f"""
pairs = [pair() for _ in range({STALLS})]
for client, _ in pairs:
    client.close()
time.sleep(1.5)
for _, server in pairs:
    server.close()
print(flush=True)
time.sleep(3600)
"""

PORT_EATER = PAIR + """
failed = 0
while True:
    try:
        client, server = pair()
    except OSError:
        failed += 1
        time.sleep(0.1)
        continue
    client.close()
    server.recv(1)
    server.close()
    time.sleep(0.05)
"""

TIME_WAITS = PAIR + """
for _ in range(40):
    client, server = pair()
    client.close()
    server.recv(1)
    server.close()
print(flush=True)
time.sleep(3600)
"""

CHURN = PAIR + """
for _ in range(6000):
    client, server = pair()
    client.close()
    server.close()
print(flush=True)
"""


class Host:
    """finwait, Prometheus, and namespaces with programs that make trouble or none."""

    def __init__(self):
        self.lab = Lab()
        self.serve = self.prometheus = self.few_ports = None
        try:
            # Its settings are read when finwait begins.
            self.few_ports = self.lab.netns(tcp_tw_reuse=0, ip_local_port_range="%d %d" % PORTS)
            self.serve = Serve("--leak-age=2s", "--ring-size=1", *FILTER)
            self.prometheus = Prometheus(self.serve.port, PATIENCE_S)
        except Exception:
            self.close()
            raise

    def close(self):
        for program in (self.prometheus, self.serve):
            if program:
                program.close()
        self.lab.close()

    def program(self, name, code, **sysctls):
        netns = self.lab.netns(**sysctls)
        return netns, self.lab.program(netns, name, code)

    def fires(self, name, **labels):
        """That alert, when it fires, with these labels."""
        def found():
            for alert in self.prometheus.alerts():
                if alert["labels"]["alertname"] == name and labels.items() <= alert["labels"].items():
                    return alert
            return None
        try:
            return wait_until(found, FIRES_S, name, pause=0.5)
        except Failure as failure:
            states = [(a["labels"], a["state"]) for a in self.prometheus.api("alerts")["alerts"]]
            raise Failure(f"{failure}; there are {states}") from None


def alert_names():
    with open(RULES, encoding="utf-8") as file:
        return re.findall(r"- alert: (\w+)", file.read())


# ---- On a quiet host

def quiet_host_has_no_alerts(host):
    host.program("quiet", QUIET)
    connections = 'sum(finwait_connections_ended_total{end="last_ack"})'
    wait_until(lambda: any(value > 5 for _, value in host.prometheus.query(connections)), 30,
               "connections to be seen")
    end = time.monotonic() + QUIET_S
    while time.monotonic() < end:
        alerts = host.prometheus.api("alerts")["alerts"]
        check(not alerts, f"on a quiet host: {alerts}")
        time.sleep(1)
    groups = host.prometheus.api("rules")["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    check(set(rules) == set(alert_names()), f"rules that were read: {sorted(rules)}")
    wrong = {name: rule["lastError"] for name, rule in rules.items() if rule["health"] != "ok"}
    check(not wrong, f"rules that cannot be evaluated: {wrong}")


# ---- In trouble: all at once, each in a namespace of its own

def leak_fires_and_names_the_process(host):
    netns, program = host.program("leaky-app", LEAKY)
    host.fires("FinwaitCloseWaitLeak", process="leaky-app", severity="warning")
    program.stdout.readline()
    leaked = 'finwait_close_wait_leaked{process="leaky-app"}'
    wait_until(lambda: [v for _, v in host.prometheus.query(leaked)] == [count_in_state(netns, "close-wait")],
               20, "Prometheus to have what ss counts")
    check(count_in_state(netns, "close-wait") == LEAKS, "ss counts others than were made")


def stalls_fire(host):
    host.program("stalling", STALLING)
    host.fires("FinwaitFinWait2Stalls", kind="orphaned")
    (_, value), = host.prometheus.query('sum(finwait_fin_wait_2_stalls_total)')
    check(value == STALLS, f"{value} stalls are counted, {STALLS} were made")


def ports_fire_and_name_the_destination(host):
    host.lab.program(host.few_ports, "port-eater", PORT_EATER)
    alert = host.fires("FinwaitPortsExhausting", remote=HOST, port="9000", local=HOST)
    check(f"{HOST}:9000" in alert["annotations"]["summary"], alert["annotations"])
    host.fires("FinwaitPortsExhausted", severity="critical")


def full_table_fires(host):
    host.program("busy", TIME_WAITS, tcp_max_tw_buckets=5)
    host.fires("FinwaitTimeWaitTableFull")


def dashboard_has_data(host):
    """Some TIME_WAITs end at once: with their namespace."""
    netns, program = host.program("short", TIME_WAITS)
    program.stdout.readline()
    netns.close()
    ended = 'sum(finwait_time_wait_ended_total{cause="purged"})'
    wait_until(lambda: any(value >= 40 for _, value in host.prometheus.query(ended)), 30, "purged TIME_WAITs")
    time.sleep(3)  # a rate needs two scrapes
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    empty, number, now = [], 0, time.time()
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            check("$" not in query, f"a variable that nothing fills: {query}")
            answer = host.prometheus.api("query_range", query=query, start=now - 30, end=now, step=1)
            values = [float(value) for series in answer["result"] for _, value in series["values"]]
            number += 1
            if not any(math.isfinite(value) for value in values):
                empty.append(f"{panel['title']}: {query}")
    check(not empty, f"no data for {empty}")
    check(number >= 25, f"only {number} queries were found")


def variables_of_the_dashboard_have_values(host):
    values = host.prometheus.api("label/instance/values", **{"match[]": "finwait_connections"})
    check(values == [f"127.0.0.1:{host.serve.port}"], values)


def metrics_are_well_formed(host):
    result = run(["promtool", "check", "metrics"], input=host.serve.metrics().encode())
    check(result.returncode == 0 and not result.stderr, (result.stdout + result.stderr).decode())


def lost_events_fire(host):
    """finwait is stopped while its ring, of 1 MiB, overflows."""
    host.serve.signal(signal.SIGSTOP)
    try:
        _, program = host.program("churn", CHURN, tcp_tw_reuse=1)
        program.stdout.readline()
    finally:
        host.serve.signal(signal.SIGCONT)
    host.fires("FinwaitEventsLost")


def death_fires(host):
    host.serve.signal(signal.SIGKILL)
    host.fires("FinwaitDown", job="finwait")


def main():
    results = Results(sys.argv[1:])
    cases = [
        quiet_host_has_no_alerts, leak_fires_and_names_the_process, stalls_fire,
        ports_fire_and_name_the_destination, full_table_fires, dashboard_has_data,
        variables_of_the_dashboard_have_values, metrics_are_well_formed, lost_events_fire, death_fires,
    ]
    host = Host()
    try:
        for case in results.wants(cases):
            results.run(case, host)
    finally:
        host.close()
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
