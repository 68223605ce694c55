#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks on a new connection every PAUSE_S, and closes it: HOST PORT PAUSE_S."""

import socket
import sys
import time

from account import Account

host, port, pause_s = sys.argv[1:]
account = Account()
while True:
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"hi")
        connection.recv(99)
    account.add("closed")
    time.sleep(float(pause_s))
