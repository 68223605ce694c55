#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that closes idle connections before its clients do: it collects the TIME_WAITs."""

import contextlib

from lab import HOST, count_in_state, equal, main, wait_until

CLIENTS = 120

SERVER = f"""
listener = socket.create_server(("{HOST}", 8080), backlog=200)
connections = [listener.accept()[0] for _ in range({CLIENTS})]
for connection in connections:
    connection.recv(100)
    connection.sendall(b"answer")
time.sleep(1.5)
for connection in connections:
    connection.close()
time.sleep(3600)
"""


class ServerCloses:
    arguments = []

    def cause(self, lab):
        netns = lab.netns()
        self.server = lab.program(netns, "hasty-server", SERVER)
        wait_until(lambda: netns.is_listening(8080), 20, "the server")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(netns.connect(8080, HOST)) for _ in range(CLIENTS)]
            for client in clients:
                client.sendall(b"request")
            for client in clients:
                while client.recv(100):
                    pass
        wait_until(lambda: netns.time_waits() == CLIENTS, 10, "TIME_WAIT")
        here = count_in_state(netns, "time-wait", "sport", "=", ":8080")
        return {"clients": CLIENTS, "ss": here}

    def expect(self, report, counted, _lab):
        finding = report.first("server-closes-first")
        culprit = finding["offenders"][0]
        yield equal("culprit", culprit["process"], f"hasty-server/{self.server.pid}")
        yield equal("port", culprit["port"], 8080)
        yield equal("closed", culprit["closed"], counted["clients"])
        yield equal("TIME_WAITs there", culprit["time_waits"], counted["ss"], "ss's count")
        yield equal("by the server first", culprit["server_first_pct"], 100)


if __name__ == "__main__":
    raise SystemExit(main(ServerCloses()))
