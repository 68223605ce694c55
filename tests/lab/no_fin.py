#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A peer that acknowledges our FIN and never sends its own: FIN_WAIT_2."""

import time

from lab import count_in_state, equal, main, wait_until
from wire import ACK, FIN, SYN, Peer, Wire

ORPHANS, HALF_CLOSED = 8, 4

CLIENT = f"""
connections = []
for i in range({ORPHANS + HALF_CLOSED}):
    connection = socket.create_connection(("10.9.0.2", 7000))
    if i < {ORPHANS}:
        connection.close()
    else:
        connection.shutdown(socket.SHUT_WR)
        connections.append(connection)
time.sleep(3600)
"""


class NoFin:
    arguments = []

    def cause(self, lab):
        netns = lab.netns()
        wire = Wire(netns)
        lab.keep.append(wire)
        self.client = lab.program(netns, "patient", CLIENT)
        for _ in range(ORPHANS + HALF_CLOSED):
            syn = wire.receive(lambda s: s.flags & SYN and s.dst == ("10.9.0.2", 7000), 20)
            peer = Peer(wire, syn.dst, syn.src)
            peer.ack = syn.seq + 1
            peer.send(SYN | ACK)
            peer.receive(FIN)
            peer.send(ACK)
        total = ORPHANS + HALF_CLOSED
        wait_until(lambda: count_in_state(netns, "fin-wait-2") == total, 10, "FIN_WAIT_2")
        time.sleep(2)
        return {"stalls": total, "ss": count_in_state(netns, "fin-wait-2")}

    def expect(self, report, counted, _lab):
        finding = report.first("fin-wait-2-peer-stall")
        culprit, evidence = finding["offenders"][0], finding["evidence"]
        yield equal("culprit", culprit["peer"], "10.9.0.2:7000")
        yield equal("who waits", culprit["process"], f"patient/{self.client.pid}")
        yield equal("stalls", evidence["stalls"], counted["stalls"])
        yield equal("open", evidence["open"], counted["ss"], "ss's count")
        yield equal("orphaned", evidence["orphaned"], ORPHANS)
        yield equal("half-closed", evidence["half_closed"], HALF_CLOSED)


if __name__ == "__main__":
    raise SystemExit(main(NoFin()))
