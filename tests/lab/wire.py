# SPDX-License-Identifier: GPL-2.0-only
"""A wire into a network namespace: what the kernel there sends comes out here, and what is sent here
arrives there. At this end stands a peer that follows no rules, or another wire.

    kernel 10.9.0.1  --- tun ---  Wire  (10.9.0.2 to 10.9.0.254 are whoever we say)
"""

import fcntl
import heapq
import os
import random
import select
import socket
import struct
import threading
import time

from lab import check

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SEQ = 1 << 32


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Segment:
    """A TCP segment over IPv4, without options."""

    def __init__(self, src, dst, flags, seq, ack=0, data=b""):
        self.src, self.dst = src, dst  # (address, port)
        self.flags, self.seq, self.ack, self.data = flags, seq % SEQ, ack % SEQ, data

    @classmethod
    def parse(cls, packet):
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            return None
        tcp = packet[(packet[0] & 15) * 4:]
        sport, dport, seq, ack, offset, flags = struct.unpack("!HHIIBB", tcp[:14])
        return cls(
            (socket.inet_ntoa(packet[12:16]), sport), (socket.inet_ntoa(packet[16:20]), dport),
            flags, seq, ack, tcp[(offset >> 4) * 4:],
        )

    def packet(self):
        addresses = socket.inet_aton(self.src[0]) + socket.inet_aton(self.dst[0])
        tcp = struct.pack(
            "!HHIIBBHHH", self.src[1], self.dst[1], self.seq, self.ack, 5 << 4, self.flags, 65000, 0, 0
        ) + self.data
        pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, socket.IPPROTO_TCP, 0)
        head += addresses
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp


class Wire:
    def __init__(self, netns, address="10.9.0.1"):
        with netns.inside():
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", b"wire0", IFF_TUN_NO_PI))
        netns.ip("-n", netns.name, "addr", "add", f"{address}/24", "dev", "wire0")
        netns.ip("-n", netns.name, "link", "set", "wire0", "up")

    def close(self):
        os.close(self.fd)

    def send(self, segment):
        os.write(self.fd, segment.packet())

    def receive(self, wanted, seconds=5):
        """The next segment that wanted(segment) is true of; others are passed over."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            check(left > 0, "the segment that was waited for did not come")
            if select.select([self.fd], [], [], left)[0]:
                segment = Segment.parse(os.read(self.fd, 65536))
                if segment and wanted(segment):
                    return segment


class Peer:
    """One end of one connection, played by hand."""

    def __init__(self, wire, me, kernel, seq=None):
        self.wire, self.me, self.kernel = wire, me, kernel
        self.seq = random.randrange(SEQ) if seq is None else seq
        self.ack = 0

    def send(self, flags, data=b""):
        self.wire.send(Segment(self.me, self.kernel, flags, self.seq, self.ack, data))
        self.seq += len(data) + bool(flags & (SYN | FIN))

    def receive(self, flags):
        """The next segment for us that has these flags; what it brings is taken."""
        segment = self.wire.receive(
            lambda s: s.dst == self.me and s.src == self.kernel and s.flags & flags == flags
        )
        self.ack = segment.seq + len(segment.data) + bool(segment.flags & (SYN | FIN))
        return segment

    def connect(self):
        self.send(SYN)
        self.receive(SYN | ACK)
        self.send(ACK)


class Link:
    """Joins two wires, each way with a delay."""

    def __init__(self, wires, delay_s):
        self.wires, self.delay_s, self.queue = wires, delay_s, []
        self.ended = False
        self.thread = threading.Thread(target=self.forward, daemon=True)
        self.thread.start()

    def forward(self):
        number = 0
        while not self.ended:
            wait = self.queue[0][0] - time.monotonic() if self.queue else 0.1
            for fd in select.select([w.fd for w in self.wires], [], [], max(0, min(wait, 0.1)))[0]:
                to = self.wires[1].fd if fd == self.wires[0].fd else self.wires[0].fd
                number += 1
                packet = (time.monotonic() + self.delay_s, number, to, os.read(fd, 65536))
                heapq.heappush(self.queue, packet)
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(self.queue)
                os.write(to, packet)

    def close(self):
        self.ended = True
        self.thread.join()
