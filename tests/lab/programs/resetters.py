#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients that give up with an RST after HOLD_S: HOST PORT PAUSE_S HOLD_S."""

import socket
import struct
import sys
import threading
import time

from account import Account

ACCOUNT = Account()


def client(host, port, hold_s):
    connection = socket.create_connection((host, port))
    connection.sendall(b"question")
    time.sleep(hold_s)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    ACCOUNT.add("resets")


def main():
    host, port, pause_s, hold_s = sys.argv[1:]
    while True:
        arguments = (host, int(port), float(hold_s))
        threading.Thread(target=client, args=arguments, daemon=True).start()
        time.sleep(float(pause_s))


main()
