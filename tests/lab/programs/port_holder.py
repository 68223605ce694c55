#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds as many connections to one destination as it gets, and goes on trying: HOST PORT PAUSE_S."""

import socket
import sys
import time

from account import Account

host, port, pause_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
account, kept = Account(), []
listener = socket.create_server((host, port), backlog=512)
while True:
    try:
        kept.append((socket.create_connection((host, port)), listener.accept()[0]))
        account.add("connected")
    except OSError:
        account.add("failed")
        time.sleep(pause_s)
