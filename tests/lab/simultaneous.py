#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends close at the same time, 30 ms apart from each other: their FINs cross, CLOSING."""

import socket

from lab import equal, main, wait_until
from wire import Link, Wire

PAIRS = 6
DELAY_S = 0.03


class Simultaneous:
    arguments = []

    def cause(self, lab):
        here, there = lab.netns(), lab.netns()
        wires = [Wire(here, "10.9.0.1"), Wire(there, "10.9.0.2")]
        lab.keep += [Link(wires, DELAY_S), *wires]
        listener = there.listen(9999, "10.9.0.2")
        pairs = [(here.connect(9999, "10.9.0.2"), listener.accept()[0]) for _ in range(PAIRS)]
        for pair in pairs:
            for end in pair:
                end.shutdown(socket.SHUT_WR)
        for pair in pairs:
            for end in pair:
                end.recv(1)
                end.close()
        listener.close()
        wait_until(lambda: here.time_waits() + there.time_waits() == 2 * PAIRS, 5, "TIME_WAIT")
        return {"ends": 2 * PAIRS, "ss": here.time_waits() + there.time_waits()}

    def expect(self, report, counted, _lab):
        finding = report.first("simultaneous-close")
        evidence = finding["evidence"]
        yield equal("occurrences", evidence["occurrences"], counted["ends"])
        yield equal("with both ends here", evidence["both_here"], counted["ends"])
        yield equal("simultaneous", report.section("closers")["simultaneous"], counted["ends"])
        yield equal("in TIME_WAIT", report.section("time_wait")["now"], counted["ss"], "ss's count")


if __name__ == "__main__":
    raise SystemExit(main(Simultaneous()))
