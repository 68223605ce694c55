#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""SYNs from addresses that answer nothing: HOST PORT RATE. Addresses are 10.66.0.0/16."""

import random
import socket
import struct
import sys
import time

from account import Account


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source, target, port):
    head = struct.pack("!HHIIBBHHH", random.randint(1024, 65535), port,
                       random.getrandbits(32), 0, 5 << 4, 2, 65000, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head))
    head = head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(head), 0, 0x4000, 64, socket.IPPROTO_TCP, 0)
    return ip + source + target + head


def main():
    host, port, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    account = Account()
    while True:
        source = bytes([10, 66, random.randint(0, 255), random.randint(1, 254)])
        raw.sendto(syn(source, socket.inet_aton(host), port), (host, 0))
        account.add("sent")
        time.sleep(1 / rate)


main()
