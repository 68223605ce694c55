#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections of a fleet in a real ClickHouse server, by finwait serve --clickhouse and docs/fleet/.

    sudo tests/export/fleet.py [NAME...]      only the cases whose names contain one of these words

    FINWAIT_FLEET=100000       rows of the largest case

The server is stopped, killed, fills up and comes back; every row comes exactly once, or is counted as
lost. FINWAIT_SKIP_OK=1: without a server this is skipped, not failed. Environment and output as for
tests/live/real.py.
"""

import os
import re
import signal
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/live"))

# pylint: disable=wrong-import-position
from clickhouse import ClickHouse, find_clickhouse
from real import Results
from real_host import Netns, check, run, wait_until
from real_tracer import CHURN, FINWAIT
from serve_host import Service

ROWS = int(os.environ.get("FINWAIT_FLEET", "100000"))
TABLE = "finwait_fleet"
SENT, LOST = ("finwait_push_rows_total", "result", "sent"), ("finwait_push_rows_total", "result",
                                                              "lost")


class Store(ClickHouse):
    """With the schema of docs/fleet."""

    def __enter__(self):
        super().__enter__()
        with open(os.path.join(TOP, "docs/fleet/clickhouse.sql"), encoding="utf-8") as file:
            self.query(file.read())
        return self

    def rows(self, where="1"):
        return int(self.query(f"SELECT count() FROM {TABLE} WHERE {where}")[0][0])

    def serve(self, netns, *args):
        return Service("--netns", netns.name, "--clickhouse", self.url, *args)


def churn(netns, connections, *args):
    """Reset: both ends are over at once, so each is two rows."""
    done = netns.run(CHURN, "-n", connections, "-c", "reset", *args, timeout=300)
    check(done.returncode == 0, f"churn: {done.stderr}")


def wait_rows(store, service, rows, seconds=120):
    what = f"{rows} rows"
    wait_until(lambda: store.rows() >= rows, seconds, what, 0.5)
    wait_until(lambda: service.value("finwait_push_waiting_rows") == 0, 30, "nothing to wait", 0.5)
    check(store.rows() == rows, f"{store.rows()} instead of {what}")


def rows_are_whole():
    """What comes out is what happened."""
    with Store() as store, Netns() as netns:
        # By a name: it is looked up by a process without privileges.
        store.url = store.url.replace("127.0.0.1", "localhost")
        with store.serve(netns, "--host", "it's \\ \"a\" host") as service:
            listener = netns.listen(80)
            client, server = netns.pair(listener)
            client.sendall(b"four")
            check(server.recv(10) == b"four", "no data")
            client.close()
            check(server.recv(1) == b"", "no end")
            time.sleep(1.2)
            server.close()
            try:
                netns.connect(81)
            except ConnectionRefusedError:
                pass
            wait_rows(store, service, 2)
            service.stop()
        row = store.query("SELECT host, role, lport, `end`, bytes_received, closed_by, "
                          "close_wait_ns > 1000000000, netns, batch_row, ended_time - batch_time, "
                          f"comm, pid FROM {TABLE} WHERE lport = 80")[0]
        check(row[0] == "it\\'s \\\\ \"a\" host", row[0])
        check(row[1:9] == ["passive", "80", "last_ack", "4", "remote", "1", str(netns.inum), "0"],
              f"{row}")
        check(abs(int(row[9])) < 10 and row[11] == str(os.getpid()), f"{row}")
        refused = store.query(f"SELECT `end`, error FROM {TABLE} WHERE rport = 81")
        check(refused == [["refused", "ECONNREFUSED"]], f"{refused}")
        leaks = store.query("SELECT comm, hosts, connections FROM finwait_fleet_leaks")
        check(leaks == [[row[10], "1", "1"]], f"{leaks}")


def the_server_is_stopped_in_the_middle():
    with Store() as store, Netns() as netns, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        spool = os.path.join(directory, "spool")
        with store.serve(netns, "--spool-dir", spool) as service:
            churn(netns, ROWS // 8)
            wait_until(lambda: store.rows() > 0, 60, "the first rows", 0.2)
            store.stop()
            churn(netns, ROWS // 8)
            wait_until(lambda: service.value("finwait_push_spool_bytes") > 0, 60, "a spool", 0.5)
            check(service.value("finwait_push_failures_total") > 0, "no failure was counted")
            store.start()
            churn(netns, ROWS // 8)
            store.stop(kill=True)
            churn(netns, ROWS // 8)
            store.start()
            wait_rows(store, service, ROWS)
            check(service.value(*SENT) == ROWS, f"sent {service.value(*SENT)}")
            check(service.value(*LOST) == 0, f"lost {service.value(*LOST)}")
            check(not os.listdir(spool), f"left in the spool: {os.listdir(spool)}")
            service.stop()
        check(store.rows() == ROWS, f"{store.rows()} rows")
        twice = store.query(f"SELECT count() - uniqExact(batch, batch_row) FROM {TABLE}")
        check(twice == [["0"]], f"twice: {twice}")


def finwait_ends_while_the_server_is_away():
    """What is in the spool, and what was on its way, comes with the next finwait."""
    with Store() as store, Netns() as netns, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        spool = os.path.join(directory, "spool")
        store.stop()
        with store.serve(netns, "--spool-dir", spool) as service:
            churn(netns, 3000)
            service.stop()
            left = re.search(r"0 connections sent, 0 lost, (\d+) left", service.stderr())
            check(left and left[1] == "6000", service.stderr())
        store.start()
        with store.serve(netns, "--spool-dir", spool) as service:
            wait_rows(store, service, 6000)
            service.stop()


def finwait_is_killed_after_sending():
    """Whether a batch in the spool has come is asked, so it does not come twice."""
    with Store() as store, Netns() as netns, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        spool = os.path.join(directory, "spool")
        store.stop()
        with store.serve(netns, "--spool-dir", spool) as service:
            churn(netns, 2000)
            service.stop()
        kept = {name: open(os.path.join(spool, name), "rb").read() for name in os.listdir(spool)}
        check(kept, "nothing was spooled")
        store.start()
        for _ in range(2):
            with store.serve(netns, "--spool-dir", spool) as service:
                wait_rows(store, service, 4000)
                service.process.send_signal(signal.SIGKILL)
                service.process.wait()
            # As if it had been killed before it could remove them.
            for name, data in kept.items():
                with open(os.path.join(spool, name), "wb") as file:
                    file.write(data)
        check(store.rows() == 4000, f"{store.rows()} rows")


def beyond_the_bound_losses_are_counted():
    with Store() as store, Netns() as netns, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        store.stop()
        spool = os.path.join(directory, "spool")
        with store.serve(netns, "--spool-dir", spool, "--spool-max", "1") as service:
            churn(netns, 5000)

            def all_accounted():
                metrics = service.metrics()
                return metrics[("finwait_push_waiting_rows",)] + metrics[LOST] == 10000

            wait_until(lambda: service.value(*LOST) > 0, 60, "losses", 0.5)
            wait_until(all_accounted, 60, "every row to be kept or lost", 0.5)
            lost = int(service.value(*LOST))
            check(sum(os.path.getsize(os.path.join(spool, name)) for name in os.listdir(spool))
                  <= 1 << 20, "the spool is larger than its bound")
            check("are lost" in service.stderr(), service.stderr())
            store.start()
            wait_rows(store, service, 10000 - lost)
            service.stop()


def what_the_server_refuses_is_kept():
    """No table: an error of the operator, which is said, and nothing is lost by it."""
    with ClickHouse() as store, Netns() as netns:
        with Service("--netns", netns.name, "--clickhouse", store.url) as service:
            churn(netns, 500)
            wait_until(lambda: "doesn't exist" in service.stderr(), 60, "the server's words")
            with open(os.path.join(TOP, "docs/fleet/clickhouse.sql"), encoding="utf-8") as file:
                store.query(file.read())
            wait_until(lambda: int(store.query(f"SELECT count() FROM {TABLE}")[0][0]) == 1000, 60,
                       "the rows", 0.5)
            service.stop()


def three_hosts_in_one_table():
    with Store() as store, Netns() as one, Netns() as two, Netns() as three:
        spaces = {"web1": one, "web2": two, "db1": three}
        services = [store.serve(netns, "--host", host) for host, netns in spaces.items()]
        try:
            for count, netns in enumerate(spaces.values(), 1):
                churn(netns, count * 100)
                try:
                    netns.connect(9)
                except ConnectionRefusedError:
                    pass
            wait_until(lambda: store.rows() == 1203, 60, "1203 rows", 0.5)
            for service in services:
                service.stop()
        finally:
            for service in services:
                service.__exit__()
        hosts = store.query(f"SELECT host, count() FROM {TABLE} GROUP BY host ORDER BY host")
        check(hosts == [["db1", "601"], ["web1", "201"], ["web2", "401"]], f"{hosts}")
        ends = store.query("SELECT host, `end`, sum(connections) FROM finwait_fleet_ends "
                           "WHERE `end` = 'reset_sent' GROUP BY host, `end` ORDER BY host")
        check(ends == [["db1", "reset_sent", "300"], ["web1", "reset_sent", "100"],
                       ["web2", "reset_sent", "200"]], f"{ends}")
        refused = store.query("SELECT host, rport, connections FROM finwait_fleet_failures "
                              "WHERE `end` = 'refused' ORDER BY host")
        check(refused == [[host, "9", "1"] for host in sorted(spaces)], f"{refused}")
        for view in ("leaks", "time_wait", "stalls"):
            check(not store.query(f"SELECT * FROM finwait_fleet_{view}"), f"{view} is not empty")


def options_that_cannot_be_are_refused():
    for argv in (["--clickhouse", "ftp://x/"], ["--clickhouse", "http://x/", "--clickhouse-table",
                 "a; DROP TABLE b"], ["--spool-dir", "/tmp"]):
        result = run([FINWAIT, "serve", *argv])
        check(result.returncode == 2, f"{argv}: status {result.returncode}")


CASES = [
    rows_are_whole, the_server_is_stopped_in_the_middle, finwait_ends_while_the_server_is_away,
    finwait_is_killed_after_sending, beyond_the_bound_losses_are_counted,
    what_the_server_refuses_is_kept, three_hosts_in_one_table, options_that_cannot_be_are_refused,
]


def main():
    results = Results(sys.argv[1:])
    if not find_clickhouse() and os.environ.get("FINWAIT_SKIP_OK") == "1":
        print("skipped: there is no clickhouse-server")
        print("0 passed, 0 failed")
        return 0
    if not find_clickhouse():
        print("FAIL fleet.py: there is no clickhouse-server (scripts/deps export)")
        print("0 passed, 1 failed")
        return 1
    for case in results.wants(CASES):
        results.run(case)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
