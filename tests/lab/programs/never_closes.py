#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A backend that answers, and does not see that its clients have closed: HOST PORT."""

import socket
import sys

from account import Account

account, kept = Account(), []
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=256)
while True:
    connection, _ = listener.accept()
    connection.recv(99)
    connection.sendall(b"ok")
    kept.append(connection)
    account.add("kept")
