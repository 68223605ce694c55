#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""An application that leaks: its server closes idle connections, and it never does."""

import time

from lab import HOST, check, count_in_state, equal, main, wait_until

LEAKS = 25

APPLICATION = f"""
connections = []
for _ in range({LEAKS}):
    connections.append(socket.create_connection(("{HOST}", 5432)))
    connections[-1].sendall(b"query")
    connections[-1].recv(100)
    connections[-1].sendall(b"thanks")
    time.sleep(0.02)
time.sleep(3600)
"""


class Leak:
    arguments = ["--leak-age", "2s"]

    def cause(self, lab):
        netns = lab.netns()
        server = netns.listen(5432, HOST)
        lab.keep.append(server)
        self.application = lab.program(netns, "leaky-app", APPLICATION)
        for _ in range(LEAKS):
            connection, _ = server.accept()
            connection.recv(100)
            connection.sendall(b"answer")
            connection.recv(100)
            connection.close()
        wait_until(lambda: count_in_state(netns, "close-wait") == LEAKS, 10, "CLOSE_WAIT")
        time.sleep(3)
        return {"leaks": LEAKS, "ss": count_in_state(netns, "close-wait")}

    def expect(self, report, counted, _lab):
        leak = report.first("close-wait-leak")
        culprit = leak["offenders"][0]
        yield equal("culprit", culprit["process"], f"leaky-app/{self.application.pid}")
        yield equal("peer", culprit["peer"], f"{HOST}:5432")
        # It has read the answer, and never the end.
        yield equal("verdict", leak["evidence"]["verdict"], "never_read")
        yield equal("leaked", culprit["count"], counted["leaks"])
        yield equal("in all", leak["evidence"]["count"], counted["ss"], "ss's count")
        check(2e9 < culprit["oldest_ns"] < 8e9, f"the oldest is {culprit['oldest_ns']} ns old")


if __name__ == "__main__":
    raise SystemExit(main(Leak()))
