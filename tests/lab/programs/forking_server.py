#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that starts a helper per request, which inherits the connection: PORT. It closes its own."""

import os
import socket
import sys

from account import Account

account = Account()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
while True:
    connection, _ = listener.accept()
    connection.recv(99)
    connection.sendall(b"ok")
    connection.set_inheritable(True)
    os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "300")
    connection.close()
    account.add("served")
