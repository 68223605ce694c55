#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients behind one address: their SYNs come to ports that are in TIME_WAIT at the server, with older
sequence numbers. The server answers with an ACK, the client with an RST, and then sends its SYN again."""

import time

from lab import equal, main, wait_until
from wire import ACK, FIN, RST, Peer, Wire

CLIENTS = 12
NAT = "10.9.0.77"

SERVER = """
listener = socket.create_server(("10.9.0.1", 80), backlog=100)
while True:
    connection, _ = listener.accept()
    connection.close()
"""


def one_life(wire, port, seq):
    """A connection that the server closes first; the seq after it."""
    peer = Peer(wire, (NAT, port), ("10.9.0.1", 80), seq)
    peer.connect()
    peer.receive(FIN)
    peer.send(FIN | ACK)
    peer.receive(ACK)
    return peer.seq


class Nat:
    arguments = []

    def cause(self, lab):
        netns = lab.netns(tcp_rfc1337=0)
        wire = Wire(netns)
        lab.keep.append(wire)
        lab.program(netns, "web", SERVER)
        wait_until(lambda: netns.is_listening(80), 20, "the server")
        ports = range(20000, 20000 + CLIENTS)
        for port in ports:
            one_life(wire, port, 2_000_000_000)
        wait_until(lambda: netns.time_waits() == CLIENTS, 5, "TIME_WAIT")
        for port in ports:
            peer = Peer(wire, (NAT, port), ("10.9.0.1", 80), 1_000_000_000)
            peer.send(2)
            challenge = peer.receive(ACK)
            peer.seq = challenge.ack
            peer.send(RST)
        wait_until(lambda: netns.time_waits() == 0, 5, "the end of TIME_WAIT")
        time.sleep(1)
        for port in ports:
            one_life(wire, port, 1_000_000_000)
        wait_until(lambda: netns.time_waits() == CLIENTS, 5, "TIME_WAIT")
        return {"old_syns": CLIENTS, "ss": netns.time_waits()}

    def expect(self, report, counted, _lab):
        finding = report.first("time-wait-behind-nat")
        culprit = finding["offenders"][0]
        yield equal("culprit", culprit["peer"], NAT)
        yield equal("old SYNs", culprit["old_syn"], counted["old_syns"])
        yield equal("SYNs that were accepted", culprit["accepted"], 2 * CLIENTS)
        ends = {row["end"]: row["count"] for row in report.section("time_wait")["ends"]}
        yield equal("TIME_WAITs ended by RST", ends["time_wait_reset"], counted["old_syns"])
        yield equal("in TIME_WAIT", report.section("time_wait")["now"], counted["ss"], "ss's count")


if __name__ == "__main__":
    raise SystemExit(main(Nat()))
